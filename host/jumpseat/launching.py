"""The part of a host by which a CRM opens it for one supporter, and mostly for one record: launches, their tokens and tickets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from jumpseat.access import launches, signed
from jumpseat.access.launches import ENDED, LAUNCH_LIVES, RAN_OUT, REFUSED, Launch, LaunchToken
from jumpseat.access.rights import UNGUARDED, operation, require
from jumpseat.catalogue.model import SourceConfig
from jumpseat.errors import InvalidValue, LaunchBound, LaunchRefused, PluginNotLoaded, Refused
from jumpseat.hooks.trace import correlation_id
from jumpseat.log import get_logger
from jumpseat.reach import Reach
from jumpseat.records.offer import Buttons
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.store import keys as key_rows, launches as rows
from jumpseat.types import RecordRef, Supporter

log = get_logger(__name__)
_KEY, _SECRET = "key", "secret"
NOTHING_SIGNED = SourceConfig("", "", "")


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch that was taken: its token, and what its page shows first."""

    token: LaunchToken
    buttons: Buttons | None
    """None for a launch of no record."""


class Launching(Reach):
    """Opened by a CRM for one supporter, and for one record or none; ``Host`` adds the rest."""

    @operation("session.read")
    def create_launch(self, ref: RecordRef | None, supporter: Supporter, *, source: str | None = None) -> tuple[LaunchToken, Secret]:
        """Launch a record for a supporter, asked for by the CRM's own server with an API key.

        Args:
            ref: the record; None for a launch of no record, for what stands in the CRM beside all of them.
            supporter: the CRM user for whom the key calls.
            source: without a record: the record source whose CRM shows the launch; the supporter's own when left out.

        Returns:
            The token, and a ticket that a frame's address may carry in its place: taken once, within a minute.

        Raises:
            LaunchBound: a launch cannot make another one.
            Refused: it is not a key that calls.
            InvalidValue: the key does not say for whom.
            RecordNotFound: there is no such record, or the supporter may not see it.
        """
        if supporter.launched or supporter.bound_to is not None:
            raise LaunchBound(say("A launch cannot make another one. Renew its token instead."))
        if supporter.key is None:
            raise Refused(say("Only the CRM's own server launches a record this way, with its API key."))
        if supporter.id == f"key:{supporter.key}":
            raise InvalidValue(
                say("A launch is for a CRM user. Name them with the header 'Jumpseat-Supporter'."), param="Jumpseat-Supporter"
            )
        record, now = self._resolver().written(ref) if ref else None, self.clock.now()
        launch = Launch(
            record, supporter.id, f"{_KEY}:{supporter.key}", now + LAUNCH_LIVES, "" if record else source or supporter.source or ""
        )
        acting = self._bound(launch)
        self._shown_first(launch, acting)
        sealer = self._wiring.sealer
        return launches.issue(launch, acting, sealer, now), launches.issue_ticket(launch, sealer, now)

    def take_launch_ticket(self, source: str, ticket: Secret) -> Launched:
        """Take a ticket that ``create_launch`` gave; nobody takes it again.

        Args:
            source: name of the record source at whose address it came.
            ticket: as it was given.

        Raises:
            LaunchRefused: it is not one of this host's, has run out, or was taken before.
        """
        with self._told(source=source):
            launch, digest = launches.read_ticket(ticket, self._wiring.sealer, self.clock.now())
            if launch.source != source:
                raise LaunchRefused(REFUSED, cause="it is for another record source")
            return self._taken(launch, digest, self.clock.now() + launches.TICKET_LIVES)

    def take_canvas_launch(self, source: str, signed_request: str) -> Launched:
        """Take what Salesforce Canvas posted; nobody takes it again.

        Args:
            source: name of the record source at whose address it was posted.
            signed_request: the form's field.

        Raises:
            LaunchRefused: the signature, the age, the organisation or the record is not right, or it was taken before.
            NotSignedIn: the CRM has no such user, or says that they are not active.
            RecordNotFound: there is no such record, or the supporter may not see it.
        """

        def read(config: SourceConfig) -> signed.SignedLaunch:
            url = config.settings.get("url")
            return signed.read_canvas(signed_request, config.launch_secrets, url if isinstance(url, str) else "", self.clock.now())

        return self._taken_signed(source, read)

    def take_signed_launch(self, source: str, launch: str) -> Launched:
        """Take a launch in Jumpseat's own signed form; nobody takes it again. Raises like ``take_canvas_launch``.

        Args:
            source: name of the record source at whose address it was posted.
            launch: the form's field.
        """

        def read(config: SourceConfig) -> signed.SignedLaunch:
            return signed.read_signed(launch, config.launch_secrets, source, self.catalogue.host.public_url, self.clock.now())

        return self._taken_signed(source, read)

    def renew_launch(self, token: Secret) -> LaunchToken:
        """A fresh token in place of one that still holds; the supporter's state in the CRM is asked again.

        Raises:
            LaunchRefused: the token does not hold any more, or its launch began too long ago.
        """
        with self._told():
            now = self.clock.now()
            launch = launches.read_token(token, self._wiring.sealer, now)
            if now >= launch.ends_at:
                raise LaunchRefused(ENDED, cause="the launch is over")
            return launches.issue(launch, self._bound(launch), self._wiring.sealer, now)

    def launch_supporter(self, token: Secret) -> Supporter:
        """Who acts when a page calls with the token of a launch: its supporter as they are now, bound to its record if it has one.

        Raises:
            LaunchRefused: the token does not hold any more.
            NotSignedIn: the CRM has no such user, or says that they are not active.
        """
        with self._told():
            return self._bound(launches.read_token(token, self._wiring.sealer, self.clock.now()))

    def frame_ancestors(self, source: str) -> Sequence[str]:
        """The origins whose pages may show a launch of this record source in a frame; none for a source that there is not."""
        return self.catalogue.sources.get(source, NOTHING_SIGNED).frame_ancestors

    @operation(UNGUARDED)
    def vocabulary(self, source: str, language: str) -> Mapping[str, str]:
        """What pages of this record source say instead of Jumpseat's words: what the CRM brings, then what its file says."""
        running = self._wiring.sources().get(source)
        brought = running.vocabulary.get(language, {}) if running else {}
        said = self.catalogue.sources.get(source, NOTHING_SIGNED).vocabulary.get(language, {})
        return {**brought, **said}

    # --- inside -------------------------------------------------------------------------------------------------------

    def _taken_signed(self, source: str, read: Callable[[SourceConfig], signed.SignedLaunch]) -> Launched:
        with self._told(source=source):
            said = read(self.catalogue.sources.get(source, NOTHING_SIGNED))
            named = RecordRef(said.object, said.record_id, source) if said.object and said.record_id else None
            record = self._resolver().written(named) if named else None
            ends_at, beside = self.clock.now() + LAUNCH_LIVES, "" if record else source
            launch = Launch(record, said.supporter, f"{_SECRET}:{said.fingerprint}", ends_at, beside)
            return self._taken(launch, said.digest, said.stale_at)

    def _taken(self, launch: Launch, digest: str, stale_at: datetime) -> Launched:
        """Everything is looked at before anything is stored: a launch that is refused leaves nothing behind."""
        with self._wiring.store.read() as connection:
            if rows.is_taken(connection, digest):
                raise LaunchRefused(REFUSED, cause="it was used before")
        acting = self._bound(launch)
        buttons = self._shown_first(launch, acting)
        with self._wiring.store.write() as connection:
            if not rows.take(connection, digest, stale_at):
                raise LaunchRefused(REFUSED, cause="it was used before")
        return Launched(launches.issue(launch, acting, self._wiring.sealer, self.clock.now()), buttons)

    def _shown_first(self, launch: Launch, acting: Supporter) -> Buttons | None:
        """What there is to be done with the record, which the supporter has to see; without a record they have to be somebody."""
        if launch.record is not None:
            return self._buttons(launch.record, acting)
        require(acting, "session.read", own=True)
        return None

    def _bound(self, launch: Launch) -> Supporter:
        acting = self._vouched(launch)
        return launches.beside_records(acting) if launch.record is None else launches.bound(acting, launch.record)

    def _vouched(self, launch: Launch) -> Supporter:
        """The launch's supporter as they may act now, if whoever vouched for the launch is still trusted."""
        source = launch.source
        config = self.catalogue.sources.get(source)
        kind, _, name = launch.voucher.partition(":")
        if config is None:
            raise LaunchRefused(RAN_OUT, cause=f"there is no record source '{source}' any more")
        if source not in self._wiring.sources():
            raise PluginNotLoaded(say("The record source '{source}' is not running; 'jumpseat plugins list' says why.", source=source))
        if kind == _SECRET:
            if name not in map(signed.fingerprint, config.launch_secrets):
                raise LaunchRefused(RAN_OUT, cause=f"the launch secret of '{source}' is another one now")
            return self._acting(launch.supporter, source)
        with self._wiring.store.read() as connection:
            key = key_rows.named(connection, name)
        if key is None:
            raise LaunchRefused(RAN_OUT, cause=f"the API key '{name}' was revoked")
        return self._for_key(key, self._acting(launch.supporter, source))

    @contextmanager
    def _told(self, **about: str) -> Iterator[None]:
        """The log learns the cause of a refusal, the caller only that it is one."""
        try:
            yield
        except LaunchRefused as refused:
            log.warning("launch_refused", cause=refused.cause, correlation_id=correlation_id(), **about)
            raise
