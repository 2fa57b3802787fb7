"""The functions beside sessions and reports: account, devices, groups, users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumpseat_teamviewer.emulator.calls import Answer, Call, Function, case_word, date_text, trimmed
from jumpseat_teamviewer.emulator.forms import read_bool
from jumpseat_teamviewer.emulator.model import ApiError, Group, Machine, User, invalid
from jumpseat_teamviewer.emulator.state import COMPANY

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
    Function("list_devices", "GET", r"devices", ("ContactList.Read",), list_devices),
    Function("get_device", "GET", r"devices/([^/]+)", ("ContactList.Read",), get_device),
    Function("list_groups", "GET", _GROUPS, ("Groups.Read",), list_groups),
    Function("create_group", "POST", _GROUPS, ("Groups.Create",), create_group),
    Function("get_group", "GET", _GROUPS + r"/([^/]+)", ("Groups.Read",), get_group),
    Function("list_users", "GET", r"users", ("Users.Read",), list_users),
    Function("get_user", "GET", r"users/([^/]+)", ("Users.Read",), get_user),
)
