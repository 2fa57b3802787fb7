"""``jumpseat connections``: what was done through sessions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who
from jumpseat.errors import InvalidValue
from jumpseat.types import RecordRef

if TYPE_CHECKING:
    from jumpseat.host import Host
    from jumpseat.store.connections import ReportRow, Wanted
    from jumpseat.types import Supporter


class Moment(click.ParamType[datetime]):
    """A date, or a time in RFC 3339; UTC where no zone is named."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is no date; write 2026-03-01 or 2026-03-01T09:00:00Z.", param, ctx)


@click.command()
@click.argument("object", required=False)
@click.argument("record_id", required=False)
@click.option("--from", "since", type=Moment(), help="Only connections that began on this date (or time) or later.")
@click.option("--to", "until", type=Moment(), help="Only connections that began before this date (or time).")
@click.option("--search", default="", help="Only connections with this text in one of the columns, whatever its case.")
@click.option("--oldest-first", is_flag=True, help="By start upwards; else the newest comes first.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many; files hold all.")
@click.option(
    "--csv", "file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), help="Write the whole report as CSV (- for stdout)."
)
@click.option("--bom", is_flag=True, help="Begin the CSV file with a byte order mark, by which Excel knows UTF-8.")
@click.option("--names", is_flag=True, help="The API's names over the columns of the CSV file, instead of words.")
@click.option("--refresh", is_flag=True, help="Have the connections of all accounts read now, by the job company_report.")
@as_option
@json_option
@pass_context
def connections(
    ctx: Context,
    object: str | None,
    record_id: str | None,
    since: datetime | None,
    until: datetime | None,
    search: str,
    oldest_first: bool,
    limit: int,
    file: Path | None,
    bom: bool,
    names: bool,
    refresh: bool,
    supporter_id: str | None,
    as_json: bool,
) -> None:
    """The connections of the record OBJECT RECORD_ID, or of the whole company."""
    from jumpseat.store.connections import Wanted

    if bool(object) != bool(record_id):
        raise InvalidValue("Give OBJECT and RECORD_ID, or neither.")
    with ctx.host() as host:
        supporter = who(host, supporter_id)
        wanted = Wanted(since, until, search, oldest_first=oldest_first)
        if object and record_id:
            if since or until or search or file or refresh:
                raise InvalidValue(
                    "--from, --to, --search, --csv and --refresh are for the report of the company; leave OBJECT and RECORD_ID out."
                )
            found = host.record_connections(RecordRef(object, record_id), supporter, oldest_first=oldest_first, limit=limit)
            _show(found.items, as_json)
        elif refresh:
            _refresh(host, supporter, as_json)
        elif file is not None:
            _write(host, supporter, wanted, file, labelled=not names, bom=bom)
        else:
            _show(host.company_report(supporter, wanted, limit=limit).items, as_json)


def _show(rows: tuple[ReportRow, ...], as_json: bool) -> None:
    from jumpseat.views import connection_view

    answer(as_json, [connection_view(row) for row in rows], lambda: "\n".join(_line(row) for row in rows) or "No connections.")


def _line(row: ReportRow) -> str:
    until = f"{row.end:%H:%M}" if row.end else "…"
    record = f"{row.entity_type} {row.record_name}" if row.record else "-"
    people = f"{row.supporter_name or '-'} → {row.customer_name or '-'}"
    return f"{row.start:%Y-%m-%d %H:%M}–{until} UTC  {row.session_code or '-':<12} {record:<28} {people}  {_one_line(row.notes)}".rstrip()


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _refresh(host: Host, supporter: Supporter, as_json: bool) -> None:
    from jumpseat.views import view

    run = host.refresh_company_report(supporter)
    answer(as_json, view(run), lambda: f"Run {run.id} waits for a worker; 'jumpseat jobs show {run.id}' says how it goes.")


def _write(host: Host, supporter: Supporter, wanted: Wanted, file: Path, *, labelled: bool, bom: bool) -> None:
    """Write the report beside the file first, so that a file that is there is whole."""
    total = host.count_company_report(supporter, wanted)
    with _progress(total) as seen:
        pieces = host.export_company_report(supporter, wanted, "csv", labelled=labelled, bom=bom, seen=seen)
        try:
            with _replacing(file) as output:
                for piece in pieces:
                    output.write(piece)
        finally:
            pieces.close()
    if str(file) != "-":
        click.echo(f"Wrote {file}.", err=True)


@contextmanager
def _replacing(file: Path) -> Iterator[IO[bytes]]:
    if str(file) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as output:
            yield output
        part.replace(file)
    except OSError as error:
        raise InvalidValue(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], object]]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("connections", total=total)
        yield lambda rows: bar.update(task, completed=rows)
