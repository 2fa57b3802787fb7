"""What a supporter reaches: the records and sessions that they may see, for every part of the host that works with them."""

from __future__ import annotations

from dataclasses import replace

from jumpseat.access.rights import assignments, narrowed, require, union
from jumpseat.catalogue.model import Catalogue
from jumpseat.clock import Clock
from jumpseat.errors import LaunchBound, NotSignedIn, RecordNotFound, SessionNotFound
from jumpseat.records.offer import Buttons, Offer
from jumpseat.records.resolve import Place, Resolver
from jumpseat.store.keys import ApiKey
from jumpseat.types import Level, Record, RecordRef, Session, Supporter, SupporterInfo
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
        place = resolver.find(self._admitted(resolver, asked, supporter))
        if supporter.rights.level(right) < Level.ALL and place.source and place.source.visible_to(place.record.ref, supporter) is False:
            raise RecordNotFound(f"There is no {place.supported.label} '{place.record.id}', or {supporter.name} may not see it.")
        return place

    def _admitted(self, resolver: Resolver, asked: RecordRef | Record, supporter: Supporter) -> RecordRef | Record:
        """What is asked for, if the supporter is not bound to another record.

        Raises:
            LaunchBound: the supporter came by a launch of another record, or sends the record along.
        """
        bound = supporter.bound_to
        if bound is None:
            return asked
        if isinstance(asked, Record):
            raise LaunchBound("A launch has its record read from the CRM. Leave 'record' out.", param="record")
        ref = replace(asked, source=asked.source or bound.source)
        if (ref.object, ref.source) != (bound.object, bound.source) or resolver.written(ref) != bound:
            raise LaunchBound(f"This launch is for {bound} and for no other record. Open the other one from its own page in the CRM.")
        return bound

    def _buttons(self, ref: RecordRef, supporter: Supporter) -> Buttons:
        require(supporter, "session.read", own=True)
        resolver = self._resolver()
        place = self._place(resolver, ref, supporter, "session.read")
        valid = self._wiring.life.valid_of(place.record.ref)
        return Buttons(place.record, valid, resolver.actions(place, supporter, valid, self.clock.now()))

    def _offer(self, resolver: Resolver, place: Place, supporter: Supporter) -> Offer:
        valid = self._wiring.life.valid_of(place.record.ref)
        return resolver.offer(place, supporter, valid, self.clock.now())

    def _session(self, session_id: str, supporter: Supporter, right: str) -> Session:
        """The session, if the supporter's level of the right reaches it; one that is not theirs looks like none."""
        level = require(supporter, right, own=True)
        session = self._wiring.life.get(session_id)
        elsewhere = supporter.bound_to is not None and session.record != supporter.bound_to
        if elsewhere or (level is not Level.ALL and not self._is_own(session, supporter)):
            raise SessionNotFound(f"There is no session '{session_id[:100]}'.", param="sessionId")
        return session

    def _is_own(self, session: Session, supporter: Supporter) -> bool:
        if session.opened_by == supporter.id:
            return True
        source = self._wiring.sources().get(session.record.source or "")
        return source is not None and source.visible_to(session.record, supporter) is True

    # --- who acts -----------------------------------------------------------------------------------------------------

    def _info(self, id: str, source: str | None) -> SupporterInfo:
        known = self._wiring.sources().get(source or "")
        found = known.find_supporter(id) if known else None
        if found is not None and not found.active:
            raise NotSignedIn(f"The CRM says that {found.name} is no longer active.")
        return found or SupporterInfo(id, id)

    def _acting(self, id: str, source: str | None) -> Supporter:
        """The CRM user, with the union of their permission sets."""
        info = self._info(id, source)
        sets = [given.permission_set for given in assignments(info, self.catalogue.permission_sets)]
        return Supporter(
            id=info.id,
            name=info.name,
            email=info.email,
            language=info.language,
            permission_sets=tuple(item.name for item in sets),
            rights=union(sets),
            source=source,
        )

    def _for_key(self, key: ApiKey, named: Supporter) -> Supporter:
        """The supporter for whom a key calls, with no more rights than the key's permission set."""
        allowed = union(item for item in self.catalogue.permission_sets if item.name == key.permission_set)
        words = f"and the key '{key.name}' allows no more than '{key.permission_set}'"
        return replace(named, rights=narrowed(named.rights, allowed, words), key=key.name)
