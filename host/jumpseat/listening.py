"""The part of a host that says what is told as it happens: live events, and alerts to administrators."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from jumpseat.access.rights import UNGUARDED, operation, require
from jumpseat.errors import InvalidValue, NotFound
from jumpseat.reach import Reach
from jumpseat.speech import say
from jumpseat.store import alerts as alert_rows, events as event_rows, notices, sessions as session_rows
from jumpseat.store.alerts import Alert
from jumpseat.store.events import KINDS
from jumpseat.types import RecordRef, Session, Supporter

if TYPE_CHECKING:
    from jumpseat.notices.feed import Feed, Told, Wanted
    from jumpseat.notices.visible import Visibility


MOST_JOINED = 50
"""Customers who are shown at once as having joined."""


class Listening(Reach):
    """What is told as it happens: live events, and alerts; ``Host`` adds the rest."""

    @property
    def feed(self) -> Feed:
        """The live feed of this process: everything that happens, for faces that ask ``visibility`` for each listener."""
        return self._wiring.feed

    @property
    def visibility(self) -> Visibility:
        """Who may see which events."""
        return self._wiring.visibility

    @operation("session.read")
    def wanted_events(
        self,
        supporter: Supporter,
        *,
        kinds: Collection[str] = (),
        ref: RecordRef | None = None,
        session_id: str | None = None,
    ) -> Wanted:
        """Which events a supporter asks for, checked; what they may see of them, ``visibility`` says.

        Args:
            supporter: who asks.
            kinds: only these.
            ref: only of this record.
            session_id: only of this session.

        Raises:
            RightMissing: the supporter may not see sessions at all.
            InvalidValue: there is no such kind, or this can never be the id of a record.
            ObjectNotSupported: no enabled supported object has this name.
        """
        from jumpseat.notices.feed import Wanted

        require(supporter, "session.read", own=True)
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            raise InvalidValue(
                say("There is no kind of event '{kind}'. Known: {known}.", kind=unknown[0][:80], known=", ".join(KINDS)), param="kinds"
            )
        return Wanted(frozenset(kinds), self._written(ref, supporter) if ref else supporter.bound_to, session_id)

    @operation("session.read")
    def events(
        self,
        supporter: Supporter,
        *,
        since: int | None = None,
        kinds: Collection[str] = (),
        ref: RecordRef | None = None,
        session_id: str | None = None,
        limit: int = 50,
    ) -> list[Told]:
        """Events that are kept and that the supporter may see, oldest first.

        Args:
            supporter: who asks.
            since: all that came behind this id; None for the last ones.
            kinds: only these.
            ref: only of this record.
            session_id: only of this session.
            limit: look at the last so many, where ``since`` is None.
        """
        wanted = self.wanted_events(supporter, kinds=kinds, ref=ref, session_id=session_id)
        found = self.feed.recent(limit) if since is None else self._behind(since)
        return [told for told in found if wanted(told.event) and self.visibility.ask(told.event, supporter)]

    @operation(UNGUARDED)
    def latest_event(self) -> int:
        """The id of the newest event: whoever reads a list after this and then listens behind it misses nothing."""
        with self._wiring.store.read() as connection:
            return event_rows.latest(connection)

    @operation("session.read")
    def joined_sessions(self, supporter: Supporter, *, ref: RecordRef | None = None) -> list[Session]:
        """The valid sessions whose customer is there now and of whom supporters are to be told, who joined last first.

        Args:
            supporter: who asks; with the level *own*, of sessions that they opened and of records that they may see.
            ref: only of this record.

        Raises:
            RightMissing: the supporter may not see sessions at all.
        """
        from jumpseat.notices.joined import wanted

        require(supporter, "session.read", own=True)
        record, now = self._written(ref, supporter) if ref else supporter.bound_to, self.clock.now()
        setting = self.catalogue.sessions.notify_on_join
        with self._wiring.store.read() as connection:
            found = session_rows.joined(connection, now, record=record)
            told = [one for one in found if wanted(setting, notices.sharers(connection, one.id, now))]
        return [one for one in told if self.visibility.ask(one, supporter)][:MOST_JOINED]

    @operation("settings.read")
    def alerts(self, supporter: Supporter, *, open_only: bool = False, before: str | None = None, limit: int = 50) -> list[Alert]:
        """Incidents that administrators were told of, the one that was opened last first.

        Args:
            supporter: who asks.
            open_only: without those that are over.
            before: id of the last one of the page before.
            limit: at most so many (1–200).
        """
        require(supporter, "settings.read")
        with self._wiring.store.read() as connection:
            if before is not None and alert_rows.get(connection, before) is None:
                raise NotFound(say("There is no alert '{before}'.", before=before[:100]), param="before")
            return list(alert_rows.listed(connection, open_only=open_only, before=before, limit=limit))

    def _behind(self, since: int) -> list[Told]:
        found: list[Told] = []
        while more := self.feed.replay(found[-1].event.id if found else since, 2**62):
            found += more
        return found

    def _written(self, ref: RecordRef, supporter: Supporter) -> RecordRef:
        """The reference as events have it, if the supporter is not bound to another record."""
        resolver = self._resolver()
        self._admitted(resolver, ref, supporter)
        return supporter.bound_to or resolver.written(ref)
