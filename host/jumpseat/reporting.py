"""The part of a host that says what was done through sessions: connections, the company report, dashboards, devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from jumpseat.access.rights import UNGUARDED, operation, require
from jumpseat.catalogue.dashboards import DATA, Dashboard, Range
from jumpseat.errors import InvalidValue, NotFound, Refused
from jumpseat.jobs.runs import Job
from jumpseat.reach import Reach
from jumpseat.reports.dashboards import Filters, Looking, Result, Span, evaluate, reach_of, span_of
from jumpseat.reports.devices import MyDevices, list_devices
from jumpseat.reports.exporting import Form, Pieces, labels
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.store import activity, connections as rows, jobs as job_rows
from jumpseat.store.activity import Asked, Listed
from jumpseat.store.connections import Page, Wanted
from jumpseat.store.idempotency import Kept
from jumpseat.store.jobs import JobRun
from jumpseat.types import Level, RecordRef, Supporter

COMPANY_REPORT = "company_report"
"""The job that reads the connections of all accounts."""


@dataclass(frozen=True, slots=True)
class ReportState:
    """How fresh the company report is."""

    job: Job
    read_at: datetime | None = None
    """When the accounts were read last and without failure (UTC); None: never."""


class Reporting(Reach):
    """What was done through sessions: connections, the company report, dashboards, devices; ``Host`` adds the rest."""

    @operation("connection_report.read")
    def record_connections(
        self, ref: RecordRef, supporter: Supporter, *, oldest_first: bool = False, limit: int = 50, before: str | None = None
    ) -> Page:
        """The connection report of a record.

        Args:
            ref: the record.
            supporter: who asks; with the level *own* only of records that they may see.
            oldest_first: by start upwards; else the newest comes first.
            limit: at most so many (1–1000).
            before: cursor that the previous page answered.

        Raises:
            RecordNotFound: there is none, or the supporter may not see it.
            RightMissing: the supporter may not read connection reports at all.
        """
        require(supporter, "connection_report.read", own=True)
        place = self._place(self._resolver(), ref, supporter, "connection_report.read")
        with self._wiring.store.read() as connection:
            return rows.page(connection, Wanted(record=place.record.ref, oldest_first=oldest_first), before=before, limit=limit)

    @operation("connection_report.read")
    def export_record_connections(self, ref: RecordRef, supporter: Supporter, *, oldest_first: bool = False) -> Pieces:
        """The whole connection report of a record as CSV, in pieces; close them when they are not read to the end.

        Args:
            ref: the record.
            supporter: who asks; with the level *own* only of records that they may see.
            oldest_first: by start upwards; else the newest comes first.

        Raises:
            RecordNotFound: there is none, or the supporter may not see it.
            ReportBusy: so many reports are being written already.
        """
        require(supporter, "connection_report.read", own=True)
        place = self._place(self._resolver(), ref, supporter, "connection_report.read")
        header = labels(supporter.language or self._wiring.catalogue.host.default_language)
        wanted = Wanted(record=place.record.ref, oldest_first=oldest_first)
        return self._wiring.exporting.pieces(wanted, "csv", header=header, bom=True)

    @operation("company_report.read")
    def company_report(self, supporter: Supporter, wanted: Wanted, *, limit: int = 50, before: str | None = None) -> Page:
        """One page of the company report: every connection of every account.

        Args:
            supporter: who asks; needs the level *all*.
            wanted: from when to when, what is searched for, and in which order.
            limit: at most so many (1–1000).
            before: cursor that the previous page answered.

        Raises:
            InvalidValue: the end lies before the begin.
        """
        require(supporter, "company_report.read")
        _forwards(wanted)
        with self._wiring.store.read() as connection:
            return rows.page(connection, wanted, before=before, limit=limit)

    @operation("company_report.read")
    def count_company_report(self, supporter: Supporter, wanted: Wanted) -> int:
        """How many connections the company report holds."""
        require(supporter, "company_report.read")
        _forwards(wanted)
        with self._wiring.store.read() as connection:
            return rows.count(connection, wanted)

    @operation("company_report.read")
    def export_company_report(
        self,
        supporter: Supporter,
        wanted: Wanted,
        form: Form,
        *,
        labelled: bool = True,
        bom: bool = False,
        seen: Callable[[int], object] = lambda _: None,
    ) -> Pieces:
        """The whole company report as it is now, in pieces of UTF-8; close them when they are not read to the end.

        Args:
            supporter: who asks; needs the level *all*.
            wanted: from when to when, what is searched for, and in which order.
            form: ``csv`` or ``json``.
            labelled: what stands above the columns of a CSV file is in the supporter's language; else the API's names.
            bom: begin a CSV file with a byte order mark, for Excel.
            seen: told after each piece how many rows were written.

        Raises:
            ReportBusy: so many reports are being written already.
        """
        require(supporter, "company_report.read")
        language = supporter.language or self._wiring.catalogue.host.default_language
        header = labels(language) if labelled else None
        return self._wiring.exporting.pieces(wanted, form, header=header, bom=bom, seen=seen)

    @operation("company_report.refresh")
    def refresh_company_report(self, supporter: Supporter, *, kept: Kept | None = None) -> JobRun:
        """Have the connections of all accounts read now, by the job ``company_report``.

        Args:
            supporter: who asks.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            JobBusy: a run of it waits or is in progress.
        """
        require(supporter, "company_report.refresh")
        return self._wiring.job_runs.run(COMPANY_REPORT, supporter, kept=kept)

    @operation("company_report.read")
    def company_report_state(self, supporter: Supporter) -> ReportState:
        """How fresh the company report is: its schedule, the run that waits or is in progress, and when one succeeded last."""
        require(supporter, "company_report.read")
        job = next(one for one in self._wiring.job_runs.jobs() if one.name == COMPANY_REPORT)
        with self._wiring.store.read() as connection:
            read = job_rows.latest(connection, COMPANY_REPORT, succeeded=True)
        return ReportState(job, read.ended_at if read else None)

    # --- dashboards ---------------------------------------------------------------------------------------------------

    @operation("dashboard.read")
    def dashboards(self, supporter: Supporter) -> tuple[Dashboard, ...]:
        """The dashboards that a supporter may see, by label; drafts only with the right ``dashboard.edit``.

        Args:
            supporter: who asks; with the level *own* those that name one of their permission sets as a role.
        """
        level = require(supporter, "dashboard.read", own=True)
        return tuple(one for one in self.catalogue.dashboards if _may_see(one, supporter, level))

    @operation("dashboard.read")
    def dashboard(self, name: str, supporter: Supporter, *, range: Range | None = None) -> tuple[Dashboard, Span, tuple[Result, ...]]:
        """One dashboard with what its tiles show now, all as of one moment.

        Args:
            name: of the dashboard.
            supporter: who looks; lists hold what they may see.
            range: which days; the dashboard's own when left out. Tiles with days of their own keep them.

        Raises:
            NotFound: there is none, or the supporter may not see it.
            InvalidValue: there is no such range.
        """
        found = next((one for one in self.dashboards(supporter) if one.name == name), None)
        if found is None:
            raise NotFound(
                say("There is no dashboard '{name}', or {supporter} may not see it.", name=name[:100], supporter=supporter.name),
                param="name",
            )
        today, wanted = self.clock.now().date(), range or found.range
        span = span_of(wanted, today)
        with self._wiring.store.read() as connection:
            looking = Looking(connection, supporter, wanted, today, self.label_of)
            return found, span, tuple(evaluate(tile, looking) for tile in found.tiles)

    @operation("session.read")
    def listed_sessions(self, supporter: Supporter, span: Span, filters: Filters, *, limit: int = 50, before: str | None = None) -> Listed:
        """The sessions behind a chart, newest first; those of others only with the level *all*.

        Args:
            supporter: who asks.
            span: the days on which they were created.
            filters: by field, any of these values.
            limit: at most so many (1–200).
            before: cursor that the previous page answered.

        Raises:
            InvalidValue: sessions have no such field.
        """
        require(supporter, "session.read", own=True)
        return self._listed("sessions", supporter, span, filters, limit, before)

    @operation("share.read")
    def listed_shares(self, supporter: Supporter, span: Span, filters: Filters, *, limit: int = 50, before: str | None = None) -> Listed:
        """The shares behind a chart, newest first; those of others' sessions only with the level *all*.

        Args:
            supporter: who asks.
            span: the days on which they were created.
            filters: by field, any of these values.
            limit: at most so many (1–200).
            before: cursor that the previous page answered.

        Raises:
            InvalidValue: shares have no such field.
        """
        require(supporter, "share.read", own=True)
        return self._listed("shares", supporter, span, filters, limit, before)

    @operation("connection_report.read")
    def listed_connections(
        self, supporter: Supporter, span: Span, filters: Filters, *, limit: int = 50, before: str | None = None
    ) -> Listed:
        """The connections behind a chart, newest first; those of others' sessions only with the right ``company_report.read``.

        Args:
            supporter: who asks.
            span: the days on which they began.
            filters: by field, any of these values.
            limit: at most so many (1–200).
            before: cursor that the previous page answered.

        Raises:
            InvalidValue: connections have no such field.
        """
        require(supporter, "connection_report.read", own=True)
        return self._listed("connections", supporter, span, filters, limit, before)

    def _listed(self, data: str, supporter: Supporter, span: Span, filters: Filters, limit: int, before: str | None) -> Listed:
        for name in filters:
            if name not in DATA[data].fields:
                fields = ", ".join(DATA[data].fields)
                raise InvalidValue(
                    say(
                        "{data} have no field '{name}'; there are {fields}.",
                        data=data.capitalize(),
                        name=name[:60],
                        fields=fields,
                    ),
                    param=name[:60],
                )
        own, _ = reach_of(data, supporter)
        asked = Asked(data, span.since, span.until, filters, own=own, record=supporter.bound_to)
        with self._wiring.store.read() as connection:
            return activity.listed(connection, asked, DATA[data].columns, limit=limit, before=before)

    @operation(UNGUARDED)
    def label_of(self, field: str, value: str) -> str:
        """What people call a value of a list or chart; the value itself where nobody knows better.

        Args:
            field: of sessions, shares or connections, such as ``session_type``.
            value: as it is stored.
        """
        if field == "object":
            return next((one.label for one in self.catalogue.objects if one.supported_object == value), value)
        if field == "session_type" and value in self._wiring.plugins.session_types:
            return self._wiring.plugins.session_types[value].label
        if field == "channel" and value in self._wiring.plugins.channels:
            return self._wiring.plugins.channels[value].label
        return self.catalogue.sources[value].label if field == "source" and value in self.catalogue.sources else value

    # --- devices ------------------------------------------------------------------------------------------------------

    @operation("devices.read")
    def devices(self, supporter: Supporter) -> MyDevices:
        """The supporter's devices at all accounts, by name; with links to connect where the right ``devices.connect`` is there."""
        require(supporter, "devices.read", own=True)
        may_connect = supporter.rights.level("devices.connect") > Level.NONE
        return list_devices(self._wiring.plugins.session_types, supporter, may_connect=may_connect)

    @operation("devices.connect")
    def connect_device(self, account: str, device: str, supporter: Supporter) -> Secret:
        """The link by which the supporter connects to a device of theirs, for this click.

        Args:
            account: name of the provider account.
            device: the provider's id.
            supporter: who connects.

        Raises:
            NotFound: the supporter has no such device.
            Refused: it is offline.
        """
        require(supporter, "devices.connect", own=True)
        found = next((one for one in self.devices(supporter).items if (one.account, one.id) == (account, device)), None)
        if found is None:
            raise NotFound(say("You have no such device; the list may be older than the account."), param="device")
        if found.connect_link is None:
            raise Refused(say("{device} is offline. Connect once it is online.", device=found.name))
        return Secret(found.connect_link)


def _may_see(dashboard: Dashboard, supporter: Supporter, level: Level) -> bool:
    if dashboard.state == "draft":
        return supporter.rights.level("dashboard.edit") is Level.ALL
    return level is Level.ALL or not set(dashboard.roles).isdisjoint(supporter.permission_sets)


def _forwards(wanted: Wanted) -> None:
    if wanted.since is not None and wanted.until is not None and wanted.until < wanted.since:
        raise InvalidValue(say("The end of the report lies before its begin; exchange the two dates."), param="to")
