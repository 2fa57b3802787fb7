"""What was done through sessions: the connection report of a record, the company report, the supporter's devices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request, Response
from pydantic import AfterValidator, StringConstraints

from jumpseat.api.creating import IdempotencyKey, create
from jumpseat.api.exports import Export
from jumpseat.api.models.common import Maybe, ObjectName, RecordId, no_control
from jumpseat.api.models.connections import Connection, ConnectionList, DeviceList
from jumpseat.api.models.jobs import JobRun, NoBody
from jumpseat.api.models.marks import Form
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, answers
from jumpseat.api.routes.lists import Before, Limit, SourceName, next_link
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.errors import InvalidValue
from jumpseat.store.connections import Page, Wanted
from jumpseat.types import RecordRef
from jumpseat.views import connection_view, view

router = operations()

Order = Annotated[Literal["newest", "oldest"], Query(description="Which start comes first.")]
From = Annotated[Maybe[datetime], Query(alias="from", description="Only connections that began at this time or later; UTC without a zone.")]
To = Annotated[Maybe[datetime], Query(alias="to", description="Only connections that began before this time; UTC without a zone.")]
Search = Annotated[
    Maybe[Annotated[str, StringConstraints(max_length=200), AfterValidator(no_control)]],
    Query(description="Only connections with this text in one of the columns, whatever its case."),
]
Format = Annotated[
    Maybe[Literal["csv", "json"]],
    Form(),
    Query(description="The whole report in one answer, as CSV or JSON; left out: a page, or CSV where only that is accepted."),
]
HeaderRow = Annotated[
    Literal["labels", "names"], Form(), Query(description="Over the columns of CSV: words in the supporter's language, or names.")
]
Bom = Annotated[bool, Form(), Query(description="Begin CSV with a byte order mark, by which Excel knows UTF-8.")]
Accept = Annotated[Maybe[str], Header(include_in_schema=False)]
CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get(
    "/v1/records/{object}/{recordId}/connections",
    operation_id="listRecordConnections",
    summary="List the connections of a record",
    responses=answers(404, *SIGNED_IN),
)
def list_record_connections(
    object: ObjectName,
    recordId: RecordId,
    request: Request,
    host: Serving,
    caller: SignedIn,
    source: SourceName = None,
    order: Order = "newest",
    limit: Limit = 50,
    before: Before = None,
) -> ConnectionList:
    """The connection report of a record, by date."""
    ref = RecordRef(object, recordId, source)
    return _list(request, host.record_connections(ref, caller.supporter, oldest_first=order == "oldest", limit=limit, before=before))


@router.get(
    "/v1/connections",
    operation_id="listConnections",
    summary="List the connections of the company",
    response_model=ConnectionList,
    responses={**CSV, **answers(*SIGNED_IN)},
)
def list_connections(
    request: Request,
    host: Serving,
    caller: SignedIn,
    since: From = None,
    until: To = None,
    search: Search = None,
    order: Order = "newest",
    limit: Limit = 50,
    before: Before = None,
    format: Format = None,
    header: HeaderRow = "labels",
    bom: Bom = False,
    accept: Accept = None,
) -> ConnectionList | Response:
    """The company report: every connection of every provider account, page by page."""
    wanted = Wanted(_utc(since, "from"), _utc(until, "to"), search or "", oldest_first=order == "oldest")
    form = format or ("csv" if _only_csv(accept) else None)
    if form is None:
        return _list(request, host.company_report(caller.supporter, wanted, limit=limit, before=before))
    pieces = host.export_company_report(caller.supporter, wanted, form, labelled=header == "labels", bom=bom)
    media_type = "text/csv; charset=utf-8; header=present" if form == "csv" else "application/json"
    return Export(pieces, media_type, {"Content-Disposition": f'attachment; filename="{_file_name(wanted, form)}"'})


@router.post(
    "/v1/connections/refresh",
    operation_id="refreshConnections",
    summary="Read the connections of the company now",
    status_code=201,
    response_model=JobRun,
    responses=answers(*SIGNED_IN),
)
def refresh_connections(request: Request, host: Serving, caller: SignedIn, key: IdempotencyKey = None) -> Response:
    """Have the connections of all provider accounts read now, by the job company_report. Refused while a run waits or is in progress."""
    return create(
        request,
        caller,
        key,
        NoBody(),
        lambda kept: host.refresh_company_report(caller.supporter, kept=kept),
        lambda run: JobRun.model_validate(view(run)),
    )


@router.get("/v1/devices", operation_id="listDevices", summary="List my devices", responses=answers(*SIGNED_IN))
def list_devices(host: Serving, caller: SignedIn) -> DeviceList:
    """The machines assigned to the supporter at the provider accounts, by name; with a link to connect for those that are online."""
    return DeviceList.model_validate(view(host.devices(caller.supporter)))


def _list(request: Request, page: Page) -> ConnectionList:
    items = [Connection.model_validate(connection_view(row)) for row in page.items]
    return ConnectionList(items=items, next_link=next_link(request, page.next))


def _utc(moment: datetime | None, param: str) -> datetime | None:
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise InvalidValue(f"'{param}' lies outside of the years 1 to 9999.", param=param) from None


def _only_csv(accept: str | None) -> bool:
    """Does the caller take CSV, and not JSON as well?"""
    kinds = {part.partition(";")[0].strip().lower() for part in (accept or "").split(",")}
    return "text/csv" in kinds and not kinds & {"application/json", "application/*"}


def _file_name(wanted: Wanted, form: str) -> str:
    parts = ["connections"]
    parts += [f"from-{wanted.since:%Y-%m-%d}"] if wanted.since else []
    parts += [f"to-{wanted.until:%Y-%m-%d}"] if wanted.until else []
    return f"{'-'.join(parts)}.{form}"
