"""The functions beside the sessions: account, reports, devices, groups, users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from jumpseat_teamviewer.emulator.calls import Answer, Call, Function, case_word, date_text, page, trimmed
from jumpseat_teamviewer.emulator.forms import read_bool, read_date
from jumpseat_teamviewer.emulator.model import ApiError, Group, Machine, Report, User, invalid
from jumpseat_teamviewer.emulator.state import COMPANY, digits_of

KINDS = {"remoteconnection": 1, "remotesupportactive": 2, "remotesupportactivesdk": 3}
BILLING = {"bill": "Bill", "billed": "Billed", "donotbill": "DoNotBill"}
LICENCE = {"version": -1, "type": "Corporate", "teamViewerLicenseId": "0d6b7c3e-51a4-4f0e-9a53-6a2f4f0c7e11", "isactive": True}


def get_account(call: Call) -> Answer:
    """``GET /account``."""
    call.user_only("The account")
    user = call.state.users[call.token.user_id]
    email = "Account.ReadEmail" in call.token.scopes
    return Answer(
        trimmed(
            call.knobs,
            {
                "userid": user.id,
                "name": user.name,
                "email": user.email if email else None,
                "email_validated": True if email else None,
                "company_name": COMPANY,
                "email_language": user.language,
                "license": LICENCE,
                "custom_field_has_paid_license": "True",
            },
        )
    )


# --- reports ---


def list_reports(call: Call) -> Answer:
    """``GET /reports/connections``."""
    call.licensed("The connection report")
    call.only(*FILTERS, "offset_id")
    if call.token.company and "devicename" in call.query:
        raise invalid("devicename is not available for company tokens.")
    shown = [report for report in _reports(call) if all(FILTERS[name](report, call.query[name]) for name in call.query if name in FILTERS)]
    rows, left = page(shown, _after(call, shown), call.knobs.page_size)
    body: dict[str, Any] = {"records": [_record(call, report) for report in rows]}
    if left:
        body |= {"records_remaining": left, "next_offset": rows[-1].id}
    return Answer(body)


def get_report(call: Call) -> Answer:
    """``GET /reports/connections/{id}``."""
    call.licensed("The connection report")
    return Answer(_record(call, _report(call)))


def update_report(call: Call) -> Answer:
    """``PUT /reports/connections/{id}``."""
    report = _report(call)
    unknown = sorted(set(call.body) - {"notes", "billing_state"})
    if unknown:
        raise invalid(f"Unknown parameter: {unknown[0]}.")
    billing = str(call.body.get("billing_state", report.billing_state)).lower()
    if billing not in BILLING:
        raise invalid("billing_state has to be Bill, Billed or DoNotBill.")
    report.billing_state, report.notes = BILLING[billing], str(call.body.get("notes", report.notes))
    return Answer()


def delete_report(call: Call) -> Answer:
    """``DELETE /reports/connections/{id}``."""
    call.state.reports.remove(_report(call))
    return Answer()


def _code_is(report: Report, value: str) -> bool:
    return report.case is not None and report.case.digits == digits_of(value)


def _kind_is(report: Report, value: str) -> bool:
    if value.isascii() and value.isdigit():
        return report.kind == int(value)
    if value.lower() not in KINDS:
        raise invalid("support_session_type is not known.")
    return report.kind == KINDS[value.lower()]


FILTERS: Mapping[str, Callable[[Report, str], bool]] = {
    "username": lambda report, value: report.user_name == value,
    "userid": lambda report, value: report.user_id == value,
    "groupid": lambda report, value: (report.case.group_id if report.case else "0") == value,
    "devicename": lambda report, value: (report.device_name or "unnamed_device") == value,
    "deviceid": lambda report, value: report.device_id == value,
    "from_date": lambda report, value: report.start.replace(microsecond=0) >= read_date("from_date", value),
    "to_date": lambda report, value: report.start < read_date("to_date", value),
    "has_code": lambda report, value: (report.case is not None) == read_bool("has_code", value),
    "session_code": _code_is,
    "support_session_type": _kind_is,
}


def _reports(call: Call) -> list[Report]:
    """Those that the caller may see and that have appeared by now; the ones under way first, then by their end."""
    state, token = call.state, call.token
    born = state.clock.now() - timedelta(seconds=call.knobs.report_delay_seconds)
    everything = token.company or state.users[token.user_id].admin
    seen = [r for r in state.reports if r.start <= born and (everything or r.user_id == token.user_id)]
    return sorted(seen, key=lambda r: (r.end is not None, -(r.end or r.start).timestamp(), r.id))


def _after(call: Call, rows: list[Report]) -> int:
    offset = call.query.get("offset_id", "").lower()
    if not offset:
        return 0
    for at, report in enumerate(rows):
        if report.id.lower() == offset:
            return at + 1
    raise invalid("offset_id is not a known report.")


def _report(call: Call) -> Report:
    for report in _reports(call):
        if report.id.lower() == call.ids[0]:
            return report
    raise ApiError(404, "not_found", "The connection report was not found.")


def _record(call: Call, report: Report) -> dict[str, Any]:
    knobs, case = call.knobs, report.case
    body: dict[str, Any] = {
        "id": report.id,
        "userid": report.user_id,
        "username": report.user_name,
        "deviceid": report.device_id,
        "devicename": None if call.token.company else report.device_name,
        "support_session_type": report.kind,
        "start_date": date_text(knobs, report.start),
        "end_date": date_text(knobs, report.end),
        "fee": 0,
        "currency": "EUR",
        "billing_state": report.billing_state,
        "notes": report.notes,
    }
    if case is not None:
        group = call.state.groups.get(case.group_id)
        body |= {
            "groupid": case.group_id,
            "groupname": group.name if group else None,
            "session_code": case.code,
            "session_created_at": date_text(knobs, case.created_at),
            "valid_until": date_text(knobs, case.valid_until),
            "assigned_userid": case.assigned_user_id,
            "assigned_at": date_text(knobs, case.assigned_at),
            "session_note": case.description,
            "custom_api": case.custom_api,
            "end_customer": trimmed(knobs, {"name": case.customer_name, "email": case.customer_email}) or None,
            "feedback": {},
        }
    return trimmed(knobs, body)


# --- devices ---


def list_devices(call: Call) -> Answer:
    """``GET /devices``; not paged."""
    call.user_only("The list of devices")
    call.only("online_state", "groupid", "remotecontrol_id", "name")
    return Answer({"devices": [_device(call, machine) for machine in _own(call) if _matches(call.query, machine)]})


def get_device(call: Call) -> Answer:
    """``GET /devices/{id}``: the same wrapper with one element."""
    call.user_only("The list of devices")
    found = [_device(call, machine) for machine in _own(call) if machine.device_id == call.ids[0]]
    if not found:
        raise ApiError(404, "not_found", "The device was not found.")
    return Answer({"devices": found})


def _own(call: Call) -> list[Machine]:
    return [machine for machine in call.state.machines if machine.owner == call.token.user_id]


def _matches(query: Mapping[str, str], machine: Machine) -> bool:
    state = "online" if machine.online else "offline"
    return (
        query.get("online_state", state).lower() == state
        and query.get("groupid", machine.group_id) == machine.group_id
        and query.get("remotecontrol_id", "r" + machine.number) == "r" + machine.number
        and query.get("name", "").lower() in machine.alias.lower()
    )


def _device(call: Call, machine: Machine) -> dict[str, Any]:
    seen = machine.last_seen if machine.assigned and not machine.online else None
    return trimmed(
        call.knobs,
        {
            "remotecontrol_id": "r" + machine.number,
            "device_id": machine.device_id,
            "teamviewer_id": int(machine.number),
            "alias": machine.alias,
            "groupid": machine.group_id,
            "online_state": case_word(call.knobs, "online" if machine.online else "offline"),
            "supported_features": "remote_control, chat" if machine.online else "remote_control",
            "assigned_to": machine.assigned,
            "last_seen": date_text(call.knobs, seen),
        },
    )


# --- groups and users ---


def list_groups(call: Call) -> Answer:
    """``GET /groups``, or ``GET /users/{id}/groups`` with a company token."""
    call.only("name", "shared")
    user_id, part = _whose(call), call.query.get("name", "").lower()
    seen = [group for group in call.state.groups.values() if group.permission(user_id) and part in group.name.lower()]
    if "shared" in call.query:
        shared = read_bool("shared", call.query["shared"])
        seen = [group for group in seen if (bool(group.shared_with) or group.owner != user_id) == shared]
    return Answer({"groups": [_group(call, group, user_id) for group in seen]})


def create_group(call: Call) -> Answer:
    """``POST /groups``."""
    user_id, name = _whose(call), call.body.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("name is required.")
    if any(group.name == name and group.owner == user_id for group in call.state.groups.values()):
        raise invalid("A group of this name exists already.")
    id = f"g{240119000 + len(call.state.groups)}"
    group = call.state.groups[id] = Group(id, name, user_id)
    return Answer(_group(call, group, user_id), {"Location": f"{call.state.base}/api/v1/groups/{id}"})


def get_group(call: Call) -> Answer:
    """``GET /groups/{id}``."""
    user_id, group = _whose(call), call.state.groups.get(call.ids[-1])
    if group is None or not group.permission(user_id):
        raise ApiError(404, "not_found", "The group was not found.")
    return Answer(_group(call, group, user_id))


def list_users(call: Call) -> Answer:
    """``GET /users``."""
    call.licensed("User management")
    call.only("email", "name", "full_list")
    full = read_bool("full_list", call.query.get("full_list", "false"))
    emails = {word.strip().lower() for word in call.query.get("email", "").split(",") if word.strip()}
    part = call.query.get("name", "").lower()
    found = [u for u in call.state.users.values() if part in u.name.lower() and (not emails or u.email.lower() in emails)]
    return Answer({"users": [_user(user, full=full) for user in found]})


def get_user(call: Call) -> Answer:
    """``GET /users/{id}``."""
    call.licensed("User management")
    user = call.state.users.get(call.ids[0])
    if user is None:
        raise ApiError(404, "not_found", "The user was not found.")
    return Answer(_user(user, full=True))


def _whose(call: Call) -> str:
    """A company token names the user in the path, a user token must not."""
    named = call.ids[0] if call.ids and call.ids[0].startswith("u") else None
    if call.token.company != (named is not None):
        raise invalid("Groups are reached through /users/{id}/groups with a company token, and only with one.")
    if named is not None and named not in call.state.users:
        raise ApiError(404, "not_found", "The user was not found.")
    return named or call.token.user_id


def _group(call: Call, group: Group, user_id: str) -> dict[str, Any]:
    owner = call.state.users[group.owner]
    shared = [{"userid": id, "name": call.state.users[id].name, "permissions": right} for id, right in group.shared_with.items()]
    body = {
        "id": group.id,
        "name": group.name,
        "permissions": group.permission(user_id),
        "shared_with": shared or None,
        "owner": None if group.owner == user_id else {"userid": owner.id, "name": owner.name},
    }
    return trimmed(call.knobs, body)


def _user(user: User, *, full: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"id": user.id, "name": user.name, "email": user.email}
    if full:
        body |= {"permissions": "ManageAdmins,ManageUsers" if user.admin else "None", "active": user.active, "log_sessions": True}
    return body


_GROUPS = r"(?:users/(u[^/]+)/)?groups"
FUNCTIONS = (
    Function("account", "GET", r"account", ("Account.Read",), get_account),
    Function("list_reports", "GET", r"reports/connections", ("Connections.Read",), list_reports),
    Function("get_report", "GET", r"reports/connections/([^/]+)", ("Connections.Read",), get_report),
    Function("update_report", "PUT", r"reports/connections/([^/]+)", ("Connections.Modify",), update_report),
    Function("delete_report", "DELETE", r"reports/connections/([^/]+)", ("Connections.Delete",), delete_report),
    Function("list_devices", "GET", r"devices", ("ContactList.Read",), list_devices),
    Function("get_device", "GET", r"devices/([^/]+)", ("ContactList.Read",), get_device),
    Function("list_groups", "GET", _GROUPS, ("Groups.Read",), list_groups),
    Function("create_group", "POST", _GROUPS, ("Groups.Create",), create_group),
    Function("get_group", "GET", _GROUPS + r"/([^/]+)", ("Groups.Read",), get_group),
    Function("list_users", "GET", r"users", ("Users.Read",), list_users),
    Function("get_user", "GET", r"users/([^/]+)", ("Users.Read",), get_user),
)
