"""The part of a host that says what was done through sessions: connections, the company report, devices."""

from __future__ import annotations

from collections.abc import Callable

from jumpseat.access.rights import operation, require
from jumpseat.errors import InvalidValue
from jumpseat.reach import Reach
from jumpseat.reports.devices import MyDevices, list_devices
from jumpseat.reports.exporting import Form, Pieces, labels
from jumpseat.store import connections as rows
from jumpseat.store.connections import Page, Wanted
from jumpseat.store.idempotency import Kept
from jumpseat.store.jobs import JobRun
from jumpseat.types import Level, RecordRef, Supporter


class Reporting(Reach):
    """What was done through sessions: connections, the company report, devices; ``Host`` adds the rest."""

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
        return self._wiring.job_runs.run("company_report", supporter, kept=kept)

    @operation("devices.read")
    def devices(self, supporter: Supporter) -> MyDevices:
        """The supporter's devices at all accounts, by name; with links to connect where the right ``devices.connect`` is there."""
        require(supporter, "devices.read", own=True)
        may_connect = supporter.rights.level("devices.connect") > Level.NONE
        return list_devices(self._wiring.plugins.session_types, supporter, may_connect=may_connect)


def _forwards(wanted: Wanted) -> None:
    if wanted.since is not None and wanted.until is not None and wanted.until < wanted.since:
        raise InvalidValue("The end of the report lies before its begin; exchange the two dates.", param="to")
