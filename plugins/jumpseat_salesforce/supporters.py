"""Users of the org: who they are, which permissions they hold there, and what they may see."""

from __future__ import annotations

from collections.abc import Sequence

from jumpseat import SupporterInfo
from jumpseat_salesforce.answers import Row, text
from jumpseat_salesforce.client import SalesforceClient
from jumpseat_salesforce.ids import USER, full_id, id_of, id_or_none
from jumpseat_salesforce.people import language_tag
from jumpseat_salesforce.soql import Condition, select, within

_HELD = ("PermissionSet.Name", "PermissionSet.NamespacePrefix", "PermissionSet.IsOwnedByProfile")
_MOST = 500
"""Permission sets of one user that are read at most."""


def find_user(client: SalesforceClient, id: str, *, custom_permissions: bool = True) -> SupporterInfo | None:
    """One user with the names of the permission sets and custom permissions that they hold now; None where there is none.

    One API call, and a second one for a user with custom permissions.

    Args:
        client: of the org.
        id: of the user, in 15 or 18 characters; anything else is nobody's.
        custom_permissions: read those too.
    """
    user = id_of(id, USER)
    if user is None:
        return None
    now: tuple[Condition, ...] = (("AssigneeId", "=", user), ("IsActive", "=", True))
    asked = [
        select(("Id", "Name", "Email", "LanguageLocaleKey", "IsActive"), "User", (("Id", "=", user),), limit=1),
        select(_HELD, "PermissionSetAssignment", now, limit=_MOST),
    ]
    if custom_permissions:
        held = within("PermissionSetId", "PermissionSetAssignment", now)
        entries: tuple[Condition, ...] = (("SetupEntityType", "=", "CustomPermission"), ("ParentId", "IN", held))
        asked.append(select(("SetupEntityId",), "SetupEntityAccess", entries, limit=_MOST))
    found, sets, *more = client.queries(asked)
    if not found:
        return None
    names = [name for row in sets if (name := _set_name(row)) is not None]
    names += _custom(client, more[0]) if more else []
    row = found[0]
    return SupporterInfo(
        id=user,
        name=text(row, "Name") or user,
        email=text(row, "Email"),
        language=language_tag(text(row, "LanguageLocaleKey")),
        crm_permissions=tuple(dict.fromkeys(names)),
        active=row.get("IsActive") is True,
    )


def may_read(client: SalesforceClient, user: str, record: str) -> bool:
    """May a user see a record? A record that the platform says nothing of may not be seen.

    Args:
        client: of the org.
        user: id of the user.
        record: id of the record.
    """
    asked = (("UserId", "=", full_id(user)), ("RecordId", "=", full_id(record)))
    rows = client.rows(("RecordId", "HasReadAccess"), "UserRecordAccess", asked, limit=1)
    return any(row.get("HasReadAccess") is True for row in rows)


def _set_name(row: Row) -> str | None:
    """Name of a permission set; None for the one that every profile keeps its rights in, whose name says nothing."""
    name, prefix = text(row, "PermissionSet.Name"), text(row, "PermissionSet.NamespacePrefix")
    related = row.get("PermissionSet")
    if name is None or (isinstance(related, dict) and related.get("IsOwnedByProfile") is True):
        return None
    return f"{prefix}__{name}" if prefix else name


def _custom(client: SalesforceClient, entries: Sequence[Row]) -> list[str]:
    ids = list(dict.fromkeys(id for row in entries if (id := id_or_none(row.get("SetupEntityId"))) is not None))
    if not ids:
        return []
    rows = client.rows(("DeveloperName", "NamespacePrefix"), "CustomPermission", (("Id", "IN", ids),), order_by=("DeveloperName",))
    named = [(text(row, "NamespacePrefix"), text(row, "DeveloperName")) for row in rows]
    return [f"{prefix}__{name}" if prefix else name for prefix, name in named if name]
