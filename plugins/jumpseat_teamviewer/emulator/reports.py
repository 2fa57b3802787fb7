"""The functions about connection reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from jumpseat_teamviewer.emulator.calls import Answer, Call, Function, date_text, page, trimmed
from jumpseat_teamviewer.emulator.forms import read_bool, read_date
from jumpseat_teamviewer.emulator.model import ApiError, Report, invalid
from jumpseat_teamviewer.emulator.state import State, digits_of

KINDS = {"remoteconnection": 1, "remotesupportactive": 2, "remotesupportactivesdk": 3}
BILLING = {"bill": "Bill", "billed": "Billed", "donotbill": "DoNotBill"}


def list_reports(call: Call) -> Answer:
    """``GET /reports/connections``."""
    call.licensed("The connection report")
    call.only(*FILTERS, "offset_id")
    if call.token.company and "devicename" in call.query:
        raise invalid("devicename is not available for company tokens.")
    shown = _shown(call)
    rows, left = page(shown.rows, _after(call, shown), call.knobs.page_size)
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
    call.state.report_changes += 1
    report.billing_state, report.notes = BILLING[billing], str(call.body.get("notes", report.notes))
    return Answer()


def delete_report(call: Call) -> Answer:
    """``DELETE /reports/connections/{id}``."""
    call.state.reports.remove(_report(call))
    call.state.report_changes += 1
    return Answer()


def _started_from(moment: datetime) -> Callable[[Report], bool]:
    return lambda report: report.start.replace(microsecond=0) >= moment


def _started_before(moment: datetime) -> Callable[[Report], bool]:
    return lambda report: report.start < moment


def _has_code(wanted: bool) -> Callable[[Report], bool]:
    return lambda report: (report.case is not None) == wanted


def _code_is(digits: str | None) -> Callable[[Report], bool]:
    return lambda report: report.case is not None and report.case.digits == digits


def _kind(value: str) -> int:
    if value.isascii() and value.isdigit():
        return int(value)
    if value.lower() not in KINDS:
        raise invalid("support_session_type is not known.")
    return KINDS[value.lower()]


def _kind_is(kind: int) -> Callable[[Report], bool]:
    return lambda report: report.kind == kind


FILTERS: Mapping[str, Callable[[str], Callable[[Report], bool]]] = {
    "username": lambda value: lambda report: report.user_name == value,
    "userid": lambda value: lambda report: report.user_id == value,
    "groupid": lambda value: lambda report: (report.case.group_id if report.case else "0") == value,
    "devicename": lambda value: lambda report: (report.device_name or "unnamed_device") == value,
    "deviceid": lambda value: lambda report: report.device_id == value,
    "from_date": lambda value: _started_from(read_date("from_date", value)),
    "to_date": lambda value: _started_before(read_date("to_date", value)),
    "has_code": lambda value: _has_code(read_bool("has_code", value)),
    "session_code": lambda value: _code_is(digits_of(value)),
    "support_session_type": lambda value: _kind_is(_kind(value)),
}
"""What each parameter lets through."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The reports that one question is about, sorted, and where each of them stands."""

    rows: list[Report]
    places: Mapping[str, int]
    """By id in lower case."""


_LAST: WeakKeyDictionary[State, tuple[tuple[object, ...], Shown]] = WeakKeyDictionary()
"""The last question: whoever reads page after page asks the same one a hundred times."""


def _shown(call: Call) -> Shown:
    state = call.state
    filters = tuple(sorted((name, value) for name, value in call.query.items() if name in FILTERS))
    question = (filters, _whose(call), state.report_changes, len(state.reports), call.knobs.report_delay_seconds)
    kept = _LAST.get(state)
    if kept is not None and kept[0] == question and not call.knobs.report_delay_seconds:
        return kept[1]
    tests = [FILTERS[name](value) for name, value in filters]
    rows = [report for report in _reports(call) if all(test(report) for test in tests)]
    shown = Shown(rows, {report.id.lower(): place for place, report in enumerate(rows)})
    _LAST[state] = (question, shown)
    return shown


def _whose(call: Call) -> str:
    """Whose reports the caller may see; empty for everybody's."""
    state, token = call.state, call.token
    return "" if token.company or state.users[token.user_id].admin else token.user_id


def _reports(call: Call) -> list[Report]:
    """Those that the caller may see and that have appeared by now; the ones under way first, then by their end."""
    born, whose = call.state.clock.now() - timedelta(seconds=call.knobs.report_delay_seconds), _whose(call)
    seen = [r for r in call.state.reports if r.start <= born and whose in ("", r.user_id)]
    return sorted(seen, key=lambda r: (r.end is not None, -(r.end or r.start).timestamp(), r.id))


def _after(call: Call, shown: Shown) -> int:
    offset = call.query.get("offset_id", "").lower()
    if not offset:
        return 0
    if offset not in shown.places:
        raise invalid("offset_id is not a known report.")
    return shown.places[offset] + 1


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


FUNCTIONS = (
    Function("list_reports", "GET", r"reports/connections", ("Connections.Read",), list_reports),
    Function("get_report", "GET", r"reports/connections/([^/]+)", ("Connections.Read",), get_report),
    Function("update_report", "PUT", r"reports/connections/([^/]+)", ("Connections.Modify",), update_report),
    Function("delete_report", "DELETE", r"reports/connections/([^/]+)", ("Connections.Delete",), delete_report),
)
