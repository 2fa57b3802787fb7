"""The functions under ``/sessions``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from jumpseat_teamviewer.emulator.calls import Answer, Call, Function, case_word, date_text, page, trimmed
from jumpseat_teamviewer.emulator.forms import POST_FIELDS, PUT_FIELDS, check_fields, read_bool, read_date
from jumpseat_teamviewer.emulator.model import NOBODY, ApiError, Case, Group, Token, invalid
from jumpseat_teamviewer.emulator.state import digits_of

VALID_FOR = timedelta(hours=24)


def create_session(call: Call) -> Answer:
    """``POST /sessions``."""
    fields = check_fields(call.body, POST_FIELDS, ignore_unknown=call.knobs.unknown_fields == "ignore")
    pilot = _is_pilot(call, fields.get("support_session_type", "Default"))
    now = call.state.clock.now().replace(microsecond=0)
    valid_until = read_date("valid_until", fields["valid_until"]) if fields.get("valid_until") else now + VALID_FOR
    if valid_until <= now:
        raise invalid("valid_until lies in the past.")
    if fields.get("sms_invite_number") and not (pilot or call.knobs.sms_for_default):
        raise invalid("SMS invitations are available for Pilot sessions only.")
    group = _group(call, fields)
    assignee = _assignee(call, fields, NOBODY if call.token.company else call.token.user_id)

    def make(digits: str, secret: str) -> Case:
        assigned_at = None if assignee == NOBODY else now
        case = Case(digits, secret, pilot, group.id, call.token.user_id, assignee, assigned_at, now, valid_until)
        _apply_texts(case, fields)
        return case

    case = call.state.add_case(make)
    _send_sms(call, case, fields)
    return Answer(_view(call, case, created=True), {"Location": f"{call.state.base}/api/v1/sessions/{case.code}"})


def list_sessions(call: Call) -> Answer:
    """``GET /sessions``."""
    call.only("groupid", "assigned_userid", "state", "full_list", "offset")
    full = read_bool("full_list", call.query.get("full_list", "false"))
    cases = [case for case in call.state.all_cases() if _sees(call.token, case) and _wanted(call, case)]
    rows, left = page(cases, _start(call, cases), call.knobs.page_size)
    body: dict[str, Any] = {"sessions": [_view(call, case) if full else _short(call, case) for case in rows]}
    if left:
        body |= {"sessions_remaining": left, "next_offset": rows[-1].code}
    return Answer(body)


def get_session(call: Call) -> Answer:
    """``GET /sessions/{code}``."""
    call.only()
    return Answer(_view(call, _case(call)))


def update_session(call: Call) -> Answer:
    """``PUT /sessions/{code}``."""
    case = _case(call)
    fields = check_fields(call.body, PUT_FIELDS, ignore_unknown=call.knobs.unknown_fields == "ignore")
    state = fields.get("state", "").lower()
    if state not in {"", "open", "closed"}:
        raise invalid("state has to be open or closed.")
    if state == "open" and case.closed_at and call.state.clock.now() >= case.valid_until:
        raise invalid("The session has expired and cannot be opened again.")
    group = _group(call, fields) if {"groupid", "groupname"} & set(fields) else None
    assignee = _assignee(call, fields, case.assigned_user_id)
    _send_sms(call, case, fields)
    case.group_id = group.id if group else case.group_id
    if assignee != case.assigned_user_id:
        case.assigned_user_id, case.assigned_at = assignee, call.state.clock.now()
    _apply_texts(case, fields)
    if state == "closed":
        call.state.close(case)
    elif state == "open":
        case.closed_at = None
    return Answer()


def delete_session(call: Call) -> Answer:
    """``DELETE /sessions/{code}``."""
    case = _case(call)
    call.state.close(case)
    del call.state.cases[case.digits]
    return Answer()


FUNCTIONS = (
    Function("create_session", "POST", r"sessions", ("Sessions.Create",), create_session),
    Function("list_sessions", "GET", r"sessions", ("Sessions.ReadAll", "Sessions.ReadOwn"), list_sessions),
    Function("get_session", "GET", r"sessions/([^/]+)", ("Sessions.ReadAll", "Sessions.ReadOwn"), get_session),
    Function("update_session", "PUT", r"sessions/([^/]+)", ("Sessions.ModifyAll", "Sessions.ModifyOwn"), update_session),
    Function("delete_session", "DELETE", r"sessions/([^/]+)", ("Sessions.ModifyAll", "Sessions.ModifyOwn"), delete_session),
)


def _is_pilot(call: Call, kind: str) -> bool:
    if kind.lower() not in {"default", "pilot"}:
        raise invalid("support_session_type has to be Default or Pilot.")
    pilot = kind.lower() == "pilot"
    if pilot and not call.knobs.ar_licence:
        raise invalid("Your licence does not include Pilot sessions.")
    return pilot


def _group(call: Call, fields: Mapping[str, Any]) -> Group:
    """The group that id and name lead to; a name that nobody has makes one."""
    id, name = fields.get("groupid", ""), fields.get("groupname", "")
    if not (id or name):
        raise invalid("Either groupid or groupname is required.")
    if call.token.company and not id:
        raise invalid("groupid is required with a company token.")
    if name and call.token.company:
        raise invalid("groupname is not available for company tokens.")
    group = call.state.groups.get(id) if id else _group_by_name(call, name)
    if group is None or (name and group.name != name):
        raise invalid("groupid is not a group of this name." if name else "groupid is not a known group.")
    if not call.token.company and group.permission(call.token.user_id) in {None, "read"}:
        raise invalid("No permission to put sessions in this group.")
    return group


def _group_by_name(call: Call, name: str) -> Group:
    for group in call.state.groups.values():
        if group.name == name and group.permission(call.token.user_id):
            return group
    id = f"g{240119000 + len(call.state.groups)}"
    return call.state.groups.setdefault(id, Group(id, name, call.token.user_id))


def _assignee(call: Call, fields: Mapping[str, Any], default: str) -> str:
    chosen = str(fields.get("assigned_userid") or default)
    if chosen != NOBODY and chosen not in call.state.users:
        raise invalid("assigned_userid is not a known user.")
    return chosen


def _apply_texts(case: Case, fields: Mapping[str, Any]) -> None:
    for name in ("waiting_message", "description", "custom_api", "tv_version", "custom_module_id"):
        if name in fields:
            setattr(case, name, fields[name])
    case.custom_module_id = fields.get("customId", case.custom_module_id)
    customer = fields.get("end_customer") or {}
    case.customer_name = customer.get("name") or case.customer_name
    case.customer_email = customer.get("email") or case.customer_email


def _send_sms(call: Call, case: Case, fields: Mapping[str, Any]) -> None:
    if fields.get("sms_invite_number"):
        call.state.send_sms(case, fields["sms_invite_number"], fields.get("sms_invite_language"))


def _case(call: Call) -> Case:
    case = call.state.case(call.ids[0])
    if case is None or not _sees(call.token, case):
        raise ApiError(404, "not_found", "The session was not found.")
    return case


def _sees(token: Token, case: Case) -> bool:
    """A user token reaches what its user made or was given; a company token everything."""
    return token.company or token.user_id in {case.creator, case.assigned_user_id}


def _wanted(call: Call, case: Case) -> bool:
    states = {word.strip().lower() for word in call.query.get("state", "open").split(",")}
    if not states <= {"open", "closed"}:
        raise invalid("state has to be open, closed or both.")
    return (
        ("closed" if case.closed_at else "open") in states
        and call.query.get("groupid", case.group_id) == case.group_id
        and call.query.get("assigned_userid", case.assigned_user_id) == case.assigned_user_id
    )


def _start(call: Call, cases: list[Case]) -> int:
    """Where the page begins: behind the session that ``offset`` names, even where the filter leaves that one out."""
    offset = call.query.get("offset")
    if not offset:
        return 0
    order = [case.digits for case in call.state.all_cases()]
    digits = digits_of(offset)
    if digits not in order:
        raise invalid("offset is not a known session code.")
    behind = set(order[order.index(digits) + 1 :])
    return next((at for at, case in enumerate(cases) if case.digits in behind), len(cases))


def _short(call: Call, case: Case) -> dict[str, Any]:
    knobs = call.knobs
    return {
        "code": case.code,
        "state": case_word(knobs, "closed" if case.closed_at else "open"),
        "online": case.online,
        "groupid": case.group_id,
        "support_session_type": case_word(knobs, "pilot" if case.pilot else "default"),
    }


def _view(call: Call, case: Case, *, created: bool = False) -> dict[str, Any]:
    knobs = call.knobs
    customer = trimmed(knobs, {"name": case.customer_name, "email": case.customer_email})
    body = _short(call, case) | {
        "waiting_message": case.waiting_message,
        "description": case.description,
        "end_customer": customer or None,
        "assigned_userid": case.assigned_user_id,
        "assigned_at": date_text(knobs, case.assigned_at),
        "custom_api": case.custom_api,
        "custom_module_id": case.custom_module_id,
        "tv_version": case.tv_version,
        "end_customer_link": call.state.customer_link(case),
        "supporter_link": call.state.supporter_link(case),
        "webclient_supporter_link": None if case.pilot else _web_link(call, case),
        "created_at": date_text(knobs, case.created_at),
        "valid_until": date_text(knobs, case.valid_until),
        "closed_at": date_text(knobs, case.closed_at),
    }
    if created and not knobs.online_in_answer:
        del body["online"]
    return trimmed(knobs, body)


def _web_link(call: Call, case: Case) -> str:
    base = "https://login.teamviewer.com" if call.knobs.link_base == "live" else call.knobs.link_base.rstrip("/") or call.state.base
    name = call.state.users[call.token.user_id].name
    query = {"sessioncode": f"s{case.digits}", "servicequeuetoken": case.secret, "lang": "en", "displayName": name}
    return f"{base}/Connect/IndexByol?{urlencode(query)}"
