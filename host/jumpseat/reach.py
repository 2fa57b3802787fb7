"""What a supporter reaches: the records and sessions that they may see, for every part of the host that works with them."""

from __future__ import annotations

from jumpseat.access.rights import require
from jumpseat.catalogue.model import Catalogue
from jumpseat.clock import Clock
from jumpseat.errors import RecordNotFound, SessionNotFound
from jumpseat.records.offer import Offer
from jumpseat.records.resolve import Place, Resolver
from jumpseat.types import Level, Record, RecordRef, Session, Supporter
from jumpseat.wiring import Wiring


class Reach:
    """The base of the parts of a host: how each finds a record or a session, and refuses one that is not the supporter's."""

    _wiring: Wiring
    clock: Clock

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue that is served now."""
        return self._wiring.catalogue

    def _resolver(self) -> Resolver:
        """One resolver per operation: the catalogue cannot change in the middle of it."""
        wiring = self._wiring
        return Resolver(self.catalogue, wiring.dispatch, wiring.plugins.session_types, wiring.plugins.channels, wiring.sources())

    def _place(self, resolver: Resolver, asked: RecordRef | Record, supporter: Supporter, right: str) -> Place:
        place = resolver.find(asked)
        if supporter.rights.level(right) < Level.ALL and place.source and place.source.visible_to(place.record.ref, supporter) is False:
            raise RecordNotFound(f"There is no {place.supported.label} '{place.record.id}', or {supporter.name} may not see it.")
        return place

    def _offer(self, resolver: Resolver, place: Place, supporter: Supporter) -> Offer:
        valid = self._wiring.life.valid_of(place.record.ref)
        return resolver.offer(place, supporter, valid, self.clock.now())

    def _session(self, session_id: str, supporter: Supporter, right: str) -> Session:
        """The session, if the supporter's level of the right reaches it; one that is not theirs looks like none."""
        level = require(supporter, right, own=True)
        session = self._wiring.life.get(session_id)
        if level is not Level.ALL and not self._is_own(session, supporter):
            raise SessionNotFound(f"There is no session '{session_id[:100]}'.", param="sessionId")
        return session

    def _is_own(self, session: Session, supporter: Supporter) -> bool:
        if session.opened_by == supporter.id:
            return True
        source = self._wiring.sources().get(session.record.source or "")
        return source is not None and source.visible_to(session.record, supporter) is True
