"""Functions and actions of the Web API."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

from jumpseat_fake_crm.dynamics.environment import BUSINESS_UNIT, ORGANIZATION, Caller, Environment
from jumpseat_fake_crm.dynamics.odata import GUID
from jumpseat_fake_crm.dynamics.writing import Writer
from jumpseat_fake_crm.rows import Row, Table
from jumpseat_fake_crm.web import Answer, Call, CrmError

_RIGHTS = "ReadAccess, WriteAccess, AppendAccess, AppendToAccess, CreateAccess, DeleteAccess, ShareAccess, AssignAccess"
_TARGET = re.compile(rf"(\w+)\(({GUID})\)")
_ALIAS = re.compile(r"Microsoft\.Dynamics\.CRM\.RetrievePrincipalAccess\(Target=(@?[^()]*(?:\([^()]*\))?[^()]*)\)")
_PLACEHOLDER = re.compile(r"\{!(\w+):(\w+);\}")


def unbound(environment: Environment, caller: Caller, call: Call, name: str) -> Answer | None:
    """A function or action of the whole service; None when there is none of this name."""
    root = {"@odata.context": f"{call.base}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.{name.removesuffix('()')}Response"}
    known: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
        ("GET", "WhoAmI"): lambda: {"BusinessUnitId": BUSINESS_UNIT, "UserId": caller.user, "OrganizationId": ORGANIZATION},
        ("GET", "RetrieveVersion"): lambda: {"Version": "9.2.26104.00180"},
        ("POST", "SendAppNotification"): lambda: _notify(environment, caller, call),
        ("POST", "InstantiateTemplate"): lambda: _instantiate(environment, caller, call),
    }
    message = known.get((call.method, name.removesuffix("()")))
    return None if message is None else Answer(200, {**root, **message()})


def access(environment: Environment, caller: Caller, call: Call, principal: Row, message: str) -> Answer:
    """``systemusers({id})/Microsoft.Dynamics.CRM.RetrievePrincipalAccess(Target=@t)?@t={'@odata.id':'accounts({id})'}``."""
    match = _ALIAS.fullmatch(message)
    if match is None:
        raise CrmError(404, "0x80060888", f"Resource not found for the segment '{message}'.")
    given = call.query.get(match[1], "") if match[1].startswith("@") else match[1]
    try:
        target = str(json.loads(given.replace("'", '"'))["@odata.id"])
    except (ValueError, KeyError, TypeError) as error:
        raise CrmError(400, "0x80060888", "The parameter Target has to be {'@odata.id':'SET(ID)'}.") from error
    found = _TARGET.search(target)
    if found is None:
        raise CrmError(400, "0x80060888", f"'{target}' is no address of a row.")
    table = environment.by_set(found[1])
    row = environment.row(Caller(caller.user, caller.users[:1]), table, found[2].lower())
    sees = not principal.get("isdisabled") and environment.rows.sees(principal["systemuserid"], row[table.id_field])
    context = f"{call.base}/api/data/v9.2/$metadata#Microsoft.Dynamics.CRM.RetrievePrincipalAccessResponse"
    return Answer(200, {"@odata.context": context, "AccessRights": _RIGHTS if sees else "None"})


def _notify(environment: Environment, caller: Caller, call: Call) -> dict[str, Any]:
    Writer(environment, caller, call).check_notifications()
    asked = _body(call)
    match = _TARGET.search(str(asked.get("Recipient", "")))
    if not asked.get("Title") or match is None or match[1] != "systemusers":
        raise CrmError(400, "0x80040203", "SendAppNotification needs a Title and a Recipient '/systemusers(ID)'.")
    recipient = environment.row(caller, environment.by_set("systemusers"), match[2].lower())
    known = {"Title", "Recipient", "Body", "IconType", "ToastType", "Priority", "Expiry", "OverrideContent", "Actions"}
    unknown = sorted(name for name in asked if name not in known and not name.startswith("@odata"))
    if unknown:
        raise CrmError(400, "0x80048d19", f"The parameter '{unknown[0]}' in the request payload is not a valid parameter.")
    values = {"title": asked["Title"], "body": asked.get("Body"), "ownerid": recipient["systemuserid"]}
    id = environment.insert(environment.rows.tables["appnotification"], values, caller)
    environment.rows.note("notification", "appnotification", id, asked, caller.user, through=caller.users[0])
    return {"NotificationId": id}


def _instantiate(environment: Environment, caller: Caller, call: Call) -> dict[str, Any]:
    asked = _body(call)
    templates, table = environment.rows.tables["template"], environment.rows.tables.get(str(asked.get("ObjectType")))
    template = environment.row(caller, templates, str(asked.get("TemplateId", "")).lower())
    if table is None:
        raise CrmError(400, "0x80040203", f"ObjectType '{asked.get('ObjectType')}' is not known.")
    row = environment.row(caller, table, str(asked.get("ObjectId", "")).lower())
    if template["templatetypecode"] != table.name:
        raise CrmError(400, "0x80040203", f"The template is for {template['templatetypecode']}, not for {table.name}.")
    email = {
        "@odata.type": "#Microsoft.Dynamics.CRM.email",
        "subject": _filled(environment, caller, table, row, template["subjectsafehtml"], escape=False),
        "description": _filled(environment, caller, table, row, template["safehtml"], escape=True),
    }
    return {"value": [email]}


def _filled(environment: Environment, caller: Caller, table: Table, row: Row, text: str, *, escape: bool) -> str:
    """The text with its placeholders filled; one of another table, or without data, becomes nothing."""

    def fill(match: re.Match[str]) -> str:
        here = {table.name: (table, row)}
        users = environment.rows.tables["systemuser"]
        here["User"] = (users, users.rows[caller.user])
        if match[1] not in here or match[2] not in here[match[1]][0].fields:
            return ""
        owner, data = here[match[1]]
        field = owner.fields[match[2]]
        value = environment.value(owner, data, field)
        if field.targets and value:
            found = environment.rows.find(str(value))
            value = environment.name_of(*found) if found else ""
        return (html.escape(str(value)) if escape else str(value)) if value is not None else ""

    return _PLACEHOLDER.sub(fill, text)


def _body(call: Call) -> dict[str, Any]:
    try:
        return call.json()
    except ValueError as error:
        raise CrmError(400, "0x80048d19", "Error identified in Payload provided by the user: it is not a JSON object.") from error
