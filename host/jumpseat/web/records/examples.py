"""Every component in its states, from pure values: what the portfolio shows, with no provider and no CRM behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from jumpseat.jobs.runs import Job
from jumpseat.reporting import COMPANY_REPORT, ReportState
from jumpseat.reports.devices import MyDevice, MyDevices, Unlisted
from jumpseat.store.connections import Page as Report, ReportRow
from jumpseat.store.jobs import Cause, JobRun, JobState
from jumpseat.types import RecordRef, Session, SessionState, Share, ShareState, TimelineEntry
from jumpseat.web.records import connections, details, history, notification
from jumpseat.web.records.session import Said
from jumpseat.web.workspace import company, devices

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
"""What the clock says in all of them."""
REF = RecordRef("Case", "500A000000D34xyIAB", "sandbox")
TYPES = {"remote_control": "Remote control", "pilot": "Pilot"}
CHANNELS = {"email": "E-mail", "sms": "SMS"}


@dataclass(frozen=True, slots=True)
class Example:
    """One component in one state."""

    component: str
    state: str
    template: str
    values: Mapping[str, Any]
    """What the template needs besides what every page has; ``now`` is ``NOW``."""
    styles: Sequence[str] = field(default=())

    @property
    def wide(self) -> bool:
        """Is its page as wide as the window? Those with tables are."""
        return self.component in ("history", "details", "connections", "company")


def of_lists() -> Iterator[Example]:
    """History, details, connections, customers who have joined, the company report and the devices."""
    yield from _history()
    yield from _details()
    yield from _connections()
    yield from _notification()
    yield from _company()
    yield from _devices()


def session(number: int = 1, **changed: Any) -> Session:
    """A session as it is while its customer is awaited."""
    made = Session(
        id=f"s_example{number}",
        record=REF,
        record_name="00001026",
        session_type="remote_control",
        state=SessionState.OPEN,
        opened_by="005A000000Jmu03IAB",
        created_at=NOW - timedelta(hours=number),
        valid_until=NOW + timedelta(hours=24 - number),
        correlation_id=f"example{number}",
        code=f"s119-457-{990 + number}",
        customer_link=f"https://get.example.com/s11945799{number}",
    )
    return replace(made, **changed)


def joined(number: int = 1) -> Session:
    """A session whose customer is there."""
    return session(number, online=True, joined_at=NOW - timedelta(minutes=2), shared_at=NOW - timedelta(minutes=9))


def closed(number: int = 2) -> Session:
    """A session that is over."""
    return session(number, state=SessionState.CLOSED, closed_at=NOW - timedelta(minutes=40))


def _history() -> Iterator[Example]:
    expired = session(3, state=SessionState.EXPIRED, valid_until=NOW - timedelta(hours=1))
    failed = session(4, state=SessionState.FAILED, code=None, customer_link=None, failure="The provider does not answer.")
    expiring = session(5, valid_until=NOW + timedelta(minutes=12))
    states = {"empty": [], "one": [session()], "many": [joined(), closed(), expired, failed], "expiring": [expiring]}
    for state, found in states.items():
        yield Example("history", state, history.COMPONENT, history.shown(REF, found, NOW, TYPES))


def _share(number: int, state: ShareState, reason: str = "") -> Share:
    made = NOW - timedelta(minutes=10 - number)
    address, name = ("+33612345678", "") if number % 2 else ("camille.durand@example.com", "Camille Durand")
    channel = "sms" if number % 2 else "email"
    return Share(f"sh_example{number}", "s_example1", channel, address, name, "default", "en", state, made, "005A", reason=reason)


def _details() -> Iterator[Example]:
    told = [
        TimelineEntry(NOW - timedelta(minutes=20), "opened", "Session s119-457-991 was opened."),
        TimelineEntry(NOW - timedelta(minutes=9), "shared", "Shared with Camille Durand by E-mail."),
        TimelineEntry(NOW - timedelta(minutes=2), "joined", "The customer is online."),
    ]
    reasons = {ShareState.REFUSED: "The gateway says that there is no such number.", ShareState.FAILED: "The gateway does not answer."}
    shares = [_share(number, state, reasons.get(state, "")) for number, state in enumerate(ShareState)]
    failed = session(state=SessionState.FAILED, code=None, customer_link=None, failure="The provider does not answer.")
    states = {
        "new": details.Known(session(), told[:1]),
        "online": details.Known(joined(), told, shares, [_row(1)]),
        "closed": details.Known(closed(1), told, shares[2:3], [_row(1), _row(2)]),
        "failed": details.Known(failed, told[:1]),
    }
    for state, known in states.items():
        yield Example("details", state, details.COMPONENT, details.shown(known, NOW, TYPES, CHANNELS))
    said = {"said_last": Said("The message is sent once more.")}
    yield Example("details", "sent again", details.COMPONENT, {**details.shown(states["online"], NOW, TYPES, CHANNELS), **said})


def _row(number: int) -> ReportRow:
    start = NOW - timedelta(hours=number)
    return ReportRow(
        account="teamviewer",
        id=f"example{number}",
        start=start,
        end=start + timedelta(minutes=25) if number > 1 else None,
        session_id="s_example1",
        session_type="remote_control",
        session_code="s119-457-991",
        record=REF,
        record_name="00001026",
        entity_type="Case",
        user_id="u1042",
        supporter_name="Emma Clarke",
        customer_name="Camille Durand",
        device_id="d887766",
        description="Printer does not print <b>",
        notes="Installed the driver.\nShowed how to print on both sides of the paper." if number > 1 else None,
    )


def _connections() -> Iterator[Example]:
    report = Report(tuple(_row(number) for number in range(1, 5)), "next")
    yield Example("connections", "empty", connections.COMPONENT, connections.shown(REF, Report(())))
    yield Example("connections", "desktop", connections.COMPONENT, connections.shown(REF, report))
    yield Example("connections", "mobile", connections.COMPONENT, connections.shown(REF, report, form="mobile"))
    yield Example("connections", "last page", connections.COMPONENT, connections.shown(REF, Report((_row(9),)), "oldest", first=False))


def _notification() -> Iterator[Example]:
    for state, found in {"nobody": [], "one": [joined()], "three": [joined(1), joined(2), joined(3)]}.items():
        values = notification.shown(None, found, TYPES)
        yield Example("notification", state, notification.COMPONENT, values, (notification.STYLE,))


def _run(state: JobState, **changed: Any) -> JobRun:
    begun = NOW - timedelta(minutes=3)
    return replace(JobRun("jr_example", COMPANY_REPORT, state, Cause.HAND, begun, begun, 1, 1, 1800, "", False), **changed)


def _company() -> Iterator[Example]:
    idle = Job(COMPANY_REPORT, "Read the connections of all provider accounts.", True, "every 10 hours", 5, NOW + timedelta(hours=7))
    read = ReportState(idle, NOW - timedelta(hours=3))
    failure = _run(JobState.FAILED, reason="The provider does not answer. It is tried again in 5 minutes.")
    found = company.Found([_row(number) for number in range(1, 6)], 1234, "next")
    states = {
        "never read": (company.Asked(), company.Found(), ReportState(idle)),
        "read": (company.Asked(), found, read),
        "in progress": (company.Asked(), found, replace(read, job=replace(idle, active_run=_run(JobState.IN_PROGRESS)))),
        "waiting": (company.Asked(), found, replace(read, job=replace(idle, active_run=_run(JobState.WAITING, due_at=NOW)))),
        "failed": (company.Asked(), found, replace(read, job=replace(idle, last_run=failure))),
        "by hand alone": (company.Asked(), found, replace(read, job=replace(idle, next_at=None))),
        "nothing matches": (company.Asked("2026-03-01", "2026-03-02", "screen"), company.Found(), read),
    }
    for state, (asked, held, fresh) in states.items():
        yield Example("company", state, company.COMPONENT, company.shown(asked, held, fresh))
    no_day = Said("'yesterday' is no date. Write it like 2026-03-28.", "error", "JS-VALUE")
    values = {**company.shown(company.Asked("yesterday"), company.Found(), read), "said_last": no_day}
    yield Example("company", "no date", company.COMPONENT, values)


def _devices() -> Iterator[Example]:
    there = [MyDevice("teamviewer", f"d{number}", f"Desk {number}", True, f"https://connect.example.com/{number}") for number in (1, 2)]
    away = MyDevice("teamviewer", "d3", "Laptop of the workshop, with a longer name", False, last_seen=NOW - timedelta(days=3))
    unlisted = Unlisted("teamviewer", "TeamViewer", "Nobody has signed in to TeamViewer for you yet.")
    yield Example("devices", "some", devices.COMPONENT, devices.shown(MyDevices((*there, away))))
    yield Example("devices", "none", devices.COMPONENT, devices.shown(MyDevices(())))
    yield Example("devices", "not signed in", devices.COMPONENT, devices.shown(MyDevices((), (unlisted,)), "", ("teamviewer",)))
    yield Example("devices", "no match", devices.COMPONENT, devices.shown(MyDevices((*there, away)), "server"))


EXAMPLES = (of_lists,)
"""Each yields the examples of some components."""
