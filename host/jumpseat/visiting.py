"""The part of a host by which people look at its pages in a tab of their own: visits, and the links that begin them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jumpseat.access import visits
from jumpseat.access.rights import UNGUARDED, operation, union
from jumpseat.access.visits import LINK_USED, OVER, Visit
from jumpseat.errors import InvalidValue, NotSignedIn, Refused
from jumpseat.reach import Reach
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.store import keys as key_rows, launches as taken
from jumpseat.types import Supporter
from jumpseat.wiring import OPERATOR_RIGHTS

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class VisitToken:
    """What a browser keeps while somebody visits."""

    token: Secret
    ends_at: datetime
    """UTC."""
    supporter: Supporter


class Visiting(Reach):
    """People in a tab of their own; ``Host`` adds the rest."""

    def operator(self) -> Supporter:
        """Whoever has the workspace's files in hand: the command line, with every right."""
        return Supporter(OPERATOR, "Operator", permission_sets=(OPERATOR,), rights=OPERATOR_RIGHTS)

    @operation(UNGUARDED)
    def visit_with_key(self, secret: Secret, supporter_id: str | None = None) -> VisitToken:
        """Begin a visit with an API key.

        Args:
            secret: the key, as somebody typed it.
            supporter_id: the CRM user who visits; None: the key itself.

        Raises:
            NotSignedIn: the key is unknown or revoked, or the user is not active.
        """
        with self._wiring.store.read() as connection:
            key = key_rows.find(connection, secret)
        if key is None:
            raise NotSignedIn(say("The API key is unknown or was revoked. 'jumpseat keys create NAME' makes one."))
        source = self._wiring.default_source() or ""
        return self._begun(Visit(supporter_id or "", source if supporter_id else "", f"key:{key.name}"))

    @operation(UNGUARDED)
    def create_visit_link(self, by: Supporter, supporter_id: str | None = None, source: str | None = None) -> Secret:
        """The ticket of a link that signs somebody in, once, within ten minutes.

        Args:
            by: the operator: only whoever has the workspace's files in hand may sign others in.
            supporter_id: the CRM user who visits; None: the operator.
            source: which record source knows them; the default one when left out.

        Raises:
            Refused: it is not the operator who asks.
            NotSignedIn: the user is not active.
        """
        if by.id != OPERATOR or by.source is not None or by.key is not None:
            raise Refused(say("Only whoever has the workspace's files in hand makes links that sign in: 'jumpseat sign-in-link'."))
        known = source or self._wiring.default_source() or ""
        if supporter_id and known not in self._wiring.sources():
            raise InvalidValue(
                say("There is no record source '{known}' to know '{supporter_id}'.", known=known, supporter_id=supporter_id[:100]),
                param="source",
            )
        visit = Visit(supporter_id or "", known if supporter_id else "", OPERATOR)
        self._visiting(visit)
        return visits.issue_link(visit, self._wiring.sealer, self.clock.now())

    @operation(UNGUARDED)
    def take_visit_link(self, ticket: Secret) -> VisitToken:
        """Begin the visit of a link; nobody uses it again.

        Raises:
            NotSignedIn: it is not one of this host's, has run out, or was used before.
        """
        now = self.clock.now()
        visit, digest = visits.read_link(ticket, self._wiring.sealer, now)
        self._visiting(visit)
        with self._wiring.store.write() as connection:
            if not taken.take(connection, digest, now + visits.LINK_LIVES):
                raise NotSignedIn(LINK_USED)
        return self._begun(visit)

    @operation(UNGUARDED)
    def visitor(self, token: Secret) -> Supporter:
        """Who acts when a page calls with the token of a visit: the supporter as they are now.

        Raises:
            NotSignedIn: the visit is over, its key was revoked, or the user is not active.
        """
        return self._visiting(visits.read(token, self._wiring.sealer, self.clock.now()))

    # --- inside -------------------------------------------------------------------------------------------------------

    def _begun(self, visit: Visit) -> VisitToken:
        supporter = self._visiting(visit)
        token, ends_at = visits.issue(visit, self._wiring.sealer, self.clock.now())
        return VisitToken(token, ends_at, supporter)

    def _visiting(self, visit: Visit) -> Supporter:
        named = self._acting(visit.supporter, visit.source) if visit.supporter else None
        if visit.voucher == OPERATOR:
            return named or self.operator()
        with self._wiring.store.read() as connection:
            key = key_rows.named(connection, visit.voucher.removeprefix("key:"))
        if key is None:
            raise NotSignedIn(OVER)
        if named is not None:
            return self._for_key(key, named)
        allowed = union(item for item in self.catalogue.permission_sets if item.name == key.permission_set)
        return Supporter(f"key:{key.name}", key.name, permission_sets=(key.permission_set,), rights=allowed, key=key.name)
