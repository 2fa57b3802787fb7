"""Keeps sign-ins: hands grants out, renews each once, ends and revokes them.

A renewal may spend the refresh token, so that two of one grant at a time would cost the sign-in. One thread of one process renews:
threads take turns at a lock, processes at a lease in the row. The new grant is stored before anybody gets to see it. Where a process
ends on the way, its lease runs out, and the next one tries the old grant: the provider takes it, or somebody has to sign in again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from jumpseat.accounts import grants, words
from jumpseat.clock import Clock
from jumpseat.contract import SignIn
from jumpseat.errors import AnswerLost, JumpseatError, NotFound, ProviderError, ProviderSignInNeeded, ProviderUnreachable, SealBroken
from jumpseat.log import get_logger
from jumpseat.sealing import Sealer
from jumpseat.secret import Secret, redact
from jumpseat.speech import say
from jumpseat.store import accounts as rows
from jumpseat.store.accounts import Account, Held
from jumpseat.store.executors import database_now
from jumpseat.store.store import Store
from jumpseat.types import Grant

log = get_logger(__name__)
T = TypeVar("T")

EARLY = timedelta(seconds=60)
"""A token is renewed this long before it runs out, so that no call starts with one that ends on the way."""
SOON = timedelta(hours=2)
"""What runs out within this time is renewed by the job, while nobody waits."""
IDLE = timedelta(days=7)
"""What was not renewed for this long is renewed by the job: refresh tokens end where they are not used for weeks."""
USED_EVERY = timedelta(minutes=5)
"""How often the use of a sign-in is noted."""
LEASE_MARGIN = timedelta(seconds=10)
QUIET_SECONDS = 3.0
"""For so long after a renewal that failed nobody tries the next: whoever waited for it learns how it failed."""
BATCH = 200


class Alerts(Protocol):
    """Tells the administrators of an incident once, until it is over."""

    def raise_alert(self, key: str, title: str, text: str) -> None: ...
    def clear(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Around:
    """What sign-ins are kept with."""

    store: Store
    clock: Clock
    sealer: Callable[[], Sealer]
    sign_in: Callable[[str], SignIn | None]
    """By name, guarded; None when nothing that is running brings it."""
    alerts: Callable[[], Alerts]
    public_url: Callable[[], str]


@dataclass(slots=True)
class _Turn:
    """Who renews one grant in this process, and what became of it."""

    lock: threading.Lock
    failed_at: float = 0.0
    failed: tuple[int, JumpseatError] | None = None
    unstored: tuple[int, Grant] | None = None
    """A grant that the database did not take: the provider has no other for us."""


class Keeping:
    """The sign-ins of one host; safe in any number of threads and processes.

    Args:
        around: what they are kept with.
    """

    def __init__(self, around: Around) -> None:
        self.around = around
        self._turns: dict[str, _Turn] = {}

    # --- what plugins ask -------------------------------------------------------------------------------------------------

    def has(self, sign_in: str, owner: str = "") -> bool:
        """See ``contract.Accounts``; one that cannot be opened counts as none."""
        with self.around.store.read() as conn:
            held = rows.find(conn, sign_in, owner)
        if held is None or held.account.ended_at is not None:
            return False
        with suppress(SealBroken):
            grants.unseal(self.around.sealer(), held)
            return True
        return False

    def owners(self, sign_in: str) -> Sequence[str]:
        """See ``contract.Accounts``."""
        with self.around.store.read() as conn:
            return rows.owners(conn, sign_in)

    def grant(self, sign_in: str, owner: str = "") -> Grant:
        """See ``contract.Accounts``."""
        held = self._held(sign_in, owner)
        grant = self._opened(held)
        if _left(grant, self.around.clock.now()) < EARLY:
            grant = self._renewed(held)
        self._touch(held)
        return grant

    def renewed(self, sign_in: str, refused: Secret, owner: str = "") -> Grant:
        """See ``contract.Accounts``."""
        held = self._held(sign_in, owner)
        grant = self._opened(held)
        return grant if grant.access_token != refused else self._renewed(held, refused=True)

    # --- what the host does -----------------------------------------------------------------------------------------------

    def put(self, sign_in: SignIn, owner: str, owner_name: str, grant: Grant) -> Account:
        """Keep what a sign-in gave, in place of the owner's earlier one."""
        now, sealer = self.around.clock.now(), self.around.sealer()
        new = Account("", sign_in.name, owner, owner_name, grant.account[:200], grant.scopes, now, grant.expires_at)

        def seal(id: str) -> str:
            return grants.seal(sealer, id, sign_in.name, owner, grant)

        try:
            with self.around.store.write() as conn:
                account = rows.put(conn, new, seal)
        except IntegrityError:  # the same owner, in another window, was faster: theirs is replaced
            with self.around.store.write() as conn:
                account = rows.put(conn, new, seal)
        self.around.alerts().clear(alert_key(sign_in.name, owner))
        return account

    def listed(self, owner: str | None = None) -> list[Account]:
        """All sign-ins, or those of one owner, with when each was last used."""
        with self.around.store.read() as conn:
            return [held.account for held in rows.listed(conn, owner)]

    def get(self, id: str) -> Account:
        """One sign-in.

        Raises:
            NotFound: there is none.
        """
        return self._by_id(id).account

    def revoke(self, id: str) -> Account:
        """End a sign-in: here at once and for every process, then at the provider; then nothing is left of it.

        Returns:
            What it was.

        Raises:
            NotFound: there is none.
            ProviderError: the provider could not be told; it is used here no more, and may be revoked again.
        """
        held = self._by_id(id)
        with self.around.store.write() as conn:
            retired = rows.retire(conn, held, self.around.clock.now(), words.REVOKED)
        if retired is None:  # renewed in this very moment
            return self.revoke(id)
        self._tell(retired)
        with self.around.store.write() as conn:
            rows.delete(conn, retired)
        self.around.alerts().clear(alert_key(held.account.sign_in, held.account.owner))
        return held.account

    def reseal(self) -> tuple[int, int]:
        """Put every sign-in under the key that seals now, while others use them; may be cut off and begun again.

        Returns:
            How many were, and how many could not be opened.
        """
        done, broken, after = 0, 0, ""
        while True:
            with self.around.store.read() as conn:
                found = rows.batch(conn, after, BATCH)
            if not found:
                return done, broken
            after = found[-1].id
            for held in found:
                try:
                    done += self._reseal(held)
                except SealBroken:
                    broken += 1

    def renew_due(self, cancelled: Callable[[], bool] = lambda: False) -> tuple[int, list[str], list[str]]:
        """Renew what runs out soon, or was not renewed for long.

        Returns:
            How many were renewed; why the company's have ended; why others of the company's could not be renewed now. What is a
            supporter's own tells them when they next need it.
        """
        now = self.around.clock.now()
        with self.around.store.read() as conn:
            due = rows.due(conn, expires_before=now + SOON, renewed_before=now - IDLE)
        renewed = 0
        lost: list[str] = []
        failed: list[str] = []
        for held in due:
            if cancelled():
                break
            try:
                if self._opened(held).refresh_token is not None:
                    self._renewed(held, refused=True)
                    renewed += 1
            except JumpseatError as error:
                log.warning("account_not_renewed", account=held.id, sign_in=held.account.sign_in, reason=error.message)
                if not held.account.owner:
                    (lost if isinstance(error, ProviderSignInNeeded) else failed).append(error.message)
        return renewed, lost, failed

    # --- renewing ---------------------------------------------------------------------------------------------------------

    def _renewed(self, stale: Held, *, refused: bool = False) -> Grant:
        """The grant after the held one, made by whoever comes first."""
        turn = self._turns.setdefault(stale.id, _Turn(threading.Lock()))
        with turn.lock:
            until = time.monotonic() + 2 * self._lease(stale).total_seconds()
            while True:
                held = self._held(stale.account.sign_in, stale.account.owner)
                if held.generation != stale.generation:
                    return self._opened(held)
                if turn.failed and turn.failed[0] == held.generation and time.monotonic() - turn.failed_at < QUIET_SECONDS:
                    return self._old_or(held, turn.failed[1], refused=refused)
                if lease := self._claimed(held):
                    return self._renew(held, turn, lease, refused=refused)
                if time.monotonic() > until:
                    raise ProviderUnreachable(words.BEING_RENEWED.format(label=self._label(held)), retry_after_seconds=5)
                time.sleep(random.uniform(0.05, 0.2))  # so that several processes do not look at the same moments

    def _renew(self, held: Held, turn: _Turn, lease: datetime, *, refused: bool) -> Grant:
        try:
            fresh = self._fresh(held, turn)
        except ProviderSignInNeeded:
            reason = words.NOT_ACCEPTED if self._opened(held).refresh_token else words.RAN_OUT
            raise self._end(held, reason.format(label=self._label(held))) from None
        except JumpseatError as error:
            turn.failed, turn.failed_at = (held.generation, error), time.monotonic()
            self._let_go(held, lease)
            return self._old_or(held, error, refused=refused)
        except BaseException:
            self._let_go(held, lease)
            raise
        return self._stored(held, turn, fresh)

    def _fresh(self, held: Held, turn: _Turn) -> Grant:
        """A grant in place of the held one.

        Raises:
            ProviderSignInNeeded: there is none to be had without a person.
        """
        if turn.unstored and turn.unstored[0] == held.generation:
            return turn.unstored[1]
        old = self._opened(held)
        sign_in = self.around.sign_in(held.account.sign_in)
        if sign_in is None:
            raise ProviderError(words.NOT_THERE.format(name=held.account.sign_in))
        if old.refresh_token is None:
            raise ProviderSignInNeeded("")
        fresh = _masked(lambda: _refresh(sign_in, old), old)
        return replace(
            fresh,
            refresh_token=fresh.refresh_token or old.refresh_token,
            account=fresh.account or old.account,
            scopes=fresh.scopes or old.scopes,
            data=fresh.data or old.data,
        )

    def _stored(self, held: Held, turn: _Turn, fresh: Grant) -> Grant:
        """Store a grant, and only then hand it out."""
        account = held.account
        sealed = grants.seal(self.around.sealer(), held.id, account.sign_in, account.owner, fresh)
        try:
            with self.around.store.write() as conn:
                kept = rows.renewed(conn, held, sealed, self.around.clock.now(), expires_at=fresh.expires_at)
        except SQLAlchemyError:
            turn.unstored = (held.generation, fresh)  # the old one may be spent: the next call stores this one first
            raise
        turn.unstored = turn.failed = None
        if kept:
            self.around.alerts().clear(alert_key(account.sign_in, account.owner))
            return fresh
        # It was revoked, or somebody signed in anew, while the provider was asked: this one must not live on.
        self._end_there(account.sign_in, fresh)
        return self._opened(self._held(account.sign_in, account.owner))

    def _old_or(self, held: Held, error: JumpseatError, *, refused: bool) -> Grant:
        """The old grant while it lasts, unless it was refused; else the failure."""
        grant = self._opened(held)
        if not refused and _left(grant, self.around.clock.now()) > timedelta():
            return grant
        raise error

    def _claimed(self, held: Held) -> datetime | None:
        with self.around.store.write() as conn:
            now = database_now(conn)
            until = now + self._lease(held)
            return until if rows.claim(conn, held, now, until) else None

    def _let_go(self, held: Held, lease: datetime) -> None:
        with suppress(SQLAlchemyError), self.around.store.write() as conn:
            rows.let_go(conn, held, lease)

    def _lease(self, held: Held) -> timedelta:
        """Twice, for a renewal whose answer was lost is asked for once more."""
        sign_in = self.around.sign_in(held.account.sign_in)
        return 2 * timedelta(seconds=sign_in.deadline_seconds if sign_in else SignIn.deadline_seconds) + LEASE_MARGIN

    def _end(self, held: Held, reason: str) -> ProviderSignInNeeded:
        """The provider takes the grant no longer; answers what is said of it."""
        with self.around.store.write() as conn:
            rows.end(conn, held, self.around.clock.now(), reason)
        return self._lost(held, reason)

    # --- small things -----------------------------------------------------------------------------------------------------

    def _held(self, sign_in: str, owner: str) -> Held:
        with self.around.store.read() as conn:
            held = rows.find(conn, sign_in, owner)
        if held is None:
            text = words.NEEDED if owner else words.COMPANY_NEEDED
            raise ProviderSignInNeeded(text.format(**self._names(sign_in)))
        if held.account.ended_at is not None:
            raise self._needed(held, held.account.ended_reason or "")
        return held

    def _by_id(self, id: str) -> Held:
        with self.around.store.read() as conn:
            held = rows.get(conn, id)
        if held is None:
            raise NotFound(say("There is no account '{id}'; 'jumpseat accounts list' shows them.", id=id[:100]), param="accountId")
        return held

    def _opened(self, held: Held) -> Grant:
        try:
            return grants.unseal(self.around.sealer(), held)
        except SealBroken:
            # Not marked as ended: with the key that is missing it is good again.
            raise self._lost(held, words.UNREADABLE) from None

    def _lost(self, held: Held, reason: str) -> ProviderSignInNeeded:
        """Tell the administrators where it is theirs; whoever needs it is told by the error."""
        error = self._needed(held, reason)
        if not held.account.owner:
            title = words.ENDED_TITLE.format(label=self._label(held))
            self.around.alerts().raise_alert(alert_key(held.account.sign_in, ""), title, error.message)
        return error

    def _needed(self, held: Held, reason: str) -> ProviderSignInNeeded:
        text = words.ENDED if held.account.owner else words.COMPANY_ENDED
        return ProviderSignInNeeded(text.format(reason=reason, **self._names(held.account.sign_in)))

    def _names(self, sign_in: str) -> dict[str, str]:
        found = self.around.sign_in(sign_in)
        return {"label": found.label if found else sign_in, "name": sign_in, "url": self.around.public_url().rstrip("/")}

    def _label(self, held: Held) -> str:
        return self._names(held.account.sign_in)["label"]

    def _touch(self, held: Held) -> None:
        """Note the use, and put the grant under the key that seals now."""
        last, now = held.account.used_at, self.around.clock.now()
        if last is None or abs(now - last) >= USED_EVERY:
            with self.around.store.write() as conn:
                rows.used(conn, held, now)
        self._reseal(held)

    def _reseal(self, held: Held) -> bool:
        sealed = grants.reseal(self.around.sealer(), held)
        if sealed is None:
            return False
        with self.around.store.write() as conn:
            return rows.resealed(conn, held, sealed)

    def _tell(self, held: Held) -> None:
        """Let the provider know that a grant is over; one that nobody can open or name is only removed here."""
        sign_in = self.around.sign_in(held.account.sign_in)
        try:
            grant = grants.unseal(self.around.sealer(), held)
        except SealBroken:
            return
        if sign_in is None:
            return
        try:
            _masked(lambda: sign_in.revoke(grant), grant)
        except JumpseatError as error:
            raise ProviderError(words.NOT_TOLD.format(label=sign_in.label, reason=error.message)) from None

    def _end_there(self, name: str, grant: Grant) -> None:
        sign_in = self.around.sign_in(name)
        if sign_in is not None:
            with suppress(JumpseatError):
                sign_in.revoke(grant)


def alert_key(sign_in: str, owner: str) -> str:
    """The incident of a sign-in that has ended; only the company's have one."""
    return f"account:{sign_in}:{owner}"


def _left(grant: Grant, now: datetime) -> timedelta:
    return grant.expires_at - now if grant.expires_at else timedelta.max


def _refresh(sign_in: SignIn, old: Grant) -> Grant:
    try:
        return sign_in.refresh(old)
    except AnswerLost:
        # If the renewal never arrived the old grant still works; if it did, the provider says no, and a person is needed.
        return sign_in.refresh(old)


def _masked(call: Callable[[], T], grant: Grant) -> T:
    """What the call answers; its error without the grant's tokens."""
    try:
        return call()
    except JumpseatError as error:
        known = (grant.access_token, *([grant.refresh_token] if grant.refresh_token else []))
        error.message = redact(error.message, known)
        error.args = (error.message,)
        raise
