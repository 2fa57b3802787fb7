"""The users of an environment: who they are, which security roles they hold, which records they may see."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta
from functools import partial
from locale import windows_locale
from typing import TypeVar, cast

from jumpseat import Clock, ProviderRefused, RecordRef, SupporterInfo, say
from jumpseat_dynamics import odata
from jumpseat_dynamics.client import DataverseClient, Row
from jumpseat_dynamics.failures import ACTING, Hidden, Missing, PrivilegeMissing
from jumpseat_dynamics.ids import Guid, find_guid
from jumpseat_dynamics.schema import Schema

_T = TypeVar("_T")
KEPT = timedelta(seconds=30)
"""How long a user is taken to be as they were: Dataverse's own permission caches may be as old."""
ROLES_KEPT = timedelta(minutes=5)
"""The same for what a team gives."""
MOST_KEPT = 2000
MOST_TEAMS = 50
MOST_ROLES = 200
ACCESS_TEAM = 1
"""A team of this type shares single records and has no roles."""
_USER = ("fullname", "internalemailaddress", "isdisabled", "azureactivedirectoryobjectid")
_ROLES = odata.Expand("systemuserroles_association", ("name",))


class Users:
    """Asks about users. Thread-safe.

    Args:
        client: asks Dynamics.
        schema: knows its tables.
        clock: tells how long an answer may serve.
    """

    def __init__(self, client: DataverseClient, schema: Schema, clock: Clock) -> None:
        self._client, self._schema, self._clock = client, schema, clock
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[datetime, object]] = {}

    def find(self, id: str) -> SupporterInfo | None:
        """The user of this id with all roles, those of their teams included; None when there is none."""
        user = find_guid(id)
        found = self._user(user) if user else None
        return found[0] if found else None

    def sees(self, ref: RecordRef, id: str, *, acting: bool) -> bool | None:
        """May the user read the record?

        Args:
            ref: the record.
            id: of the user.
            acting: read the record in the user's name, so that the narrower of their rights and the application's counts.

        Returns:
            None for somebody whom the environment does not know.
        """
        user, record, table = find_guid(id), find_guid(ref.id), self._schema.table(ref.object)
        found = self._user(user) if user else None
        if user is None or found is None or record is None or table is None:
            return None
        if not found[0].active:
            return False
        if acting:
            return self._reads(found[1], odata.row(table.entity_set, record), table.id_field)
        path, parameters = odata.principal_access(user, table.entity_set, record)
        answer = self._client.find(path, parameters) or {}
        rights = answer.get("AccessRights")
        return isinstance(rights, str) and "ReadAccess" in (right.strip() for right in rights.split(","))

    def acting(self, id: str) -> Guid | None:
        """What a user is called in Microsoft Entra, to write in their name; None for an id that is no user's.

        Raises:
            ProviderRefused: the environment does not say.
        """
        user = find_guid(id)
        found = self._user(user) if user else None
        if found is not None and found[1] is None:
            raise ProviderRefused(
                say("Dynamics does not say who {name} is in Microsoft Entra, so nothing is written in their name.", name=found[0].name)
            )
        return found[1] if found else None

    def _reads(self, acting: Guid | None, path: str, id_field: str) -> bool | None:
        if acting is None:
            return None
        try:
            self._client.one(path, odata.query((id_field,)), acting=acting)
        except PrivilegeMissing as error:
            if ACTING in error.message:
                raise
            return False
        except (Missing, Hidden):
            return False
        return True

    # --- reading ------------------------------------------------------------------------------------------------------

    def _user(self, user: Guid) -> tuple[SupporterInfo, Guid | None] | None:
        return self._kept(("user", user), KEPT, lambda: self._asked(user))

    def _asked(self, user: Guid) -> tuple[SupporterInfo, Guid | None] | None:
        row = self._client.find(odata.row("systemusers", user), odata.query(_USER, (_ROLES,)))
        if row is None:
            return None
        roles = {*_names(_list(row, _ROLES.relation)), *self._team_roles(user)}
        email, name = row.get("internalemailaddress"), row.get("fullname")
        info = SupporterInfo(
            id=str(user),
            name=name if isinstance(name, str) and name.strip() else str(user),
            email=email if isinstance(email, str) and email.strip() else None,
            language=self._language(user),
            crm_permissions=tuple(sorted(roles)),
            active=row.get("isdisabled") is not True,
        )
        return info, find_guid(row.get("azureactivedirectoryobjectid"))

    def _team_roles(self, user: Guid) -> Iterable[str]:
        path = f"{odata.row('systemusers', user)}/teammembership_association"
        for team in self._client.all(path, odata.query(("teamid", "teamtype")), most=MOST_TEAMS):
            id = find_guid(team.get("teamid"))
            if id is not None and team.get("teamtype") != ACCESS_TEAM:
                yield from self._kept(("team", id), ROLES_KEPT, partial(self._roles_of, id))

    def _roles_of(self, team: Guid) -> tuple[str, ...]:
        rows = self._client.all(f"{odata.row('teams', team)}/teamroles_association", odata.query(("name",)), most=MOST_ROLES)
        return tuple(_names(rows))

    def _language(self, user: Guid) -> str | None:
        """The language of the user's pages; None where the settings are not shown to the application."""
        try:
            settings = self._client.find(odata.row("usersettingscollection", user), odata.query(("uilanguageid",)))
        except ProviderRefused:
            return None
        number = settings.get("uilanguageid") if settings else None
        found = windows_locale.get(number) if isinstance(number, int) else None
        return found.replace("_", "-") if found else None

    def _kept(self, key: Hashable, kept: timedelta, ask: Callable[[], _T]) -> _T:
        now = self._clock.now()
        with self._lock:
            until, answer = self._known.get(key, (now, None))
        if now < until:
            return cast("_T", answer)
        answer = ask()
        with self._lock:
            self._known[key] = (now + kept, answer)
            while len(self._known) > MOST_KEPT:
                self._known.pop(next(iter(self._known)))
        return answer


def _list(row: Row, name: str) -> list[Row]:
    value = row.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _names(rows: Iterable[Row]) -> Iterable[str]:
    return (name for row in rows if isinstance(name := row.get("name"), str) and name)
