"""What a supporter reaches: the records and sessions that they may see, for every part of the host that works with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from jumpseat.access.rights import assignments, narrowed, require, union
from jumpseat.catalogue.model import Catalogue
from jumpseat.clock import Clock
from jumpseat.errors import LaunchBound, NotSignedIn, RecordNotFound, SessionNotFound
from jumpseat.records.offer import Buttons, Offer
from jumpseat.records.resolve import Place, Resolver
from jumpseat.speech import say
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
            raise RecordNotFound(
                say(
                    "There is no {object} '{id}', or {name} may not see it.",
                    object=place.supported.label,
                    id=place.record.id,
                    name=supporter.name,
                )
            )
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
            raise LaunchBound(say("A launch has its record read from the CRM. Leave 'record' out."), param="record")
        ref = replace(asked, source=asked.source or bound.source)
        if (ref.object, ref.source) != (bound.object, bound.source) or resolver.written(ref) != bound:
            raise LaunchBound(
                say("This launch is for {bound} and for no other record. Open the other one from its own page in the CRM.", bound=bound)
            )
        return bound

    def _named(self, ref: RecordRef, supporter: Supporter) -> RecordRef:
        """The reference as the store has it; the CRM is not asked.

        Raises:
            ObjectNotSupported: no enabled supported object has this name.
            LaunchBound: the supporter came by a launch of another record.
        """
        resolver = self._resolver()
        admitted = self._admitted(resolver, ref, supporter)
        return resolver.written(admitted.ref if isinstance(admitted, Record) else admitted)

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
            raise SessionNotFound(say("There is no session '{session_id}'.", session_id=session_id[:100]), param="sessionId")
        return session

    def _is_own(self, session: Session, supporter: Supporter) -> bool:
        if session.opened_by == supporter.id:
            return True
        source = self._wiring.sources().get(session.record.source or "")
        return source is not None and source.visible_to(session.record, supporter) is True

    # --- who acts -----------------------------------------------------------------------------------------------------

    def _user(self, id: str, source: str | None) -> tuple[SupporterInfo, str | None]:
        """What is known of a CRM user, and which record source they are a user of.

        Args:
            id: the CRM's id of the user.
            source: which record source knows them; where none is named, the default one is asked first.

        Raises:
            NotSignedIn: the user is no longer active, or no record source that looks users up has one of this id.
        """
        sources, meant = self._wiring.sources(), source or self._wiring.default_source()
        asked = [source] if source else sorted(sources, key=lambda name: name != meant)
        able = [name for name in asked if name in sources and sources[name].knows_supporters()]
        for name in able:
            found = sources[name].find_supporter(id)
            if found is not None and not found.active:
                raise NotSignedIn(say("The CRM says that {name} is no longer active.", name=found.name))
            if found is not None:
                return found, name
        if able and (meant is None or meant in able):
            raise NotSignedIn(
                say(
                    "The CRM has no user '{id}', or does not show them ({asked}). Jumpseat acts for its users only.",
                    id=id[:100],
                    asked=_listed(able),
                )
            )
        return SupporterInfo(id, id), meant  # a source that cannot look users up takes the caller's word

    def _acting(self, id: str, source: str | None) -> Supporter:
        """The CRM user, with the union of their permission sets."""
        info, source = self._user(id, source)
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
        words = say("and the key '{key}' allows no more than '{permission_set}'", key=key.name, permission_set=key.permission_set)
        return replace(named, rights=narrowed(named.rights, allowed, words), key=key.name)


def _listed(sources: Sequence[str]) -> str:
    return (
        say("record source {sources}", sources=repr(sources[0]))
        if len(sources) == 1
        else say("record sources {sources}", sources=", ".join(map(repr, sources)))
    )
