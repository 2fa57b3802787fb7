"""What the smaller jobs do: settle what was left behind, and keep signed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jumpseat.contract import Extension
from jumpseat.errors import JumpseatError, ProviderError, ProviderSignInNeeded
from jumpseat.jobs.alerting import Alerts, SignInsLost
from jumpseat.jobs.progress import Progress
from jumpseat.log import get_logger
from jumpseat.speech import say
from jumpseat.store.store import Store

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The job ``reconciliation``.

    Args:
        store: the host's database.
        passes: what settles, by what it settles; each answers how much it did.
    """

    store: Store
    passes: Mapping[str, Callable[[], int]]

    def run(self, progress: Progress) -> None:
        """One pass of each."""
        for name, settle in self.passes.items():
            if progress.cancelled():
                return
            settled = settle()
            with self.store.write() as conn:
                progress.keep(conn, name, settled, rows=settled)


@dataclass(frozen=True, slots=True)
class SignIns:
    """The job ``token_refresh``.

    Args:
        store: the host's database.
        extensions: answers who may have a sign-in, by name.
        alerts: who is told when one is lost.
        renew: renews the sign-ins that the host keeps itself, until it is told to stop; answers how many it did, why some of the
            company's have ended, of which the administrators were told, and why others could not be renewed.
    """

    store: Store
    extensions: Callable[[], Mapping[str, Extension]]
    alerts: Alerts
    renew: Callable[[Callable[[], bool]], tuple[int, list[str], list[str]]] = lambda _: (0, [], [])

    def run(self, progress: Progress) -> None:
        """Have each sign-in renewed or tried; one that fails does not keep the others from it.

        Raises:
            SignInsLost: somebody has to sign in again; the message says where.
            ProviderError: others could not be tried.
        """
        renewed, lost, failed = self.renew(progress.cancelled)
        if renewed:
            with self.store.write() as conn:
                progress.keep(conn, "accounts", renewed, rows=renewed)
        for name, extension in sorted(self.extensions().items()):
            if progress.cancelled():
                return
            try:
                if extension.missing():
                    continue  # never set up is not lost
                extension.keep_signed_in()
            except ProviderSignInNeeded as error:
                self._tell(name, extension, error)
                lost.append(error.message)
            except JumpseatError as error:
                log.warning("sign_in_not_tried", extension=name, reason=error.message)
                failed.append(error.message)
            else:
                self.alerts.clear(_key(name))
                with self.store.write() as conn:
                    progress.keep(conn, name, True, rows=1)
        reasons = " ".join(dict.fromkeys(lost + failed))
        if failed:
            raise ProviderError(reasons)
        if lost:
            raise SignInsLost(reasons)

    def _tell(self, name: str, extension: Extension, error: ProviderSignInNeeded) -> None:
        text = say(
            "{reason}\n\nUntil then nothing that needs this sign-in works. 'jumpseat jobs run token_refresh' tries it at once.",
            reason=error.message,
        )
        self.alerts.raise_alert(_key(name), say("The sign-in of {label} is lost", label=extension.label), text)


def _key(name: str) -> str:
    return f"sign-in:{name}"
