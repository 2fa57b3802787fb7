"""Values as plain JSON-ready mappings in the API's own names, for faces that print: one shape on the command line and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jumpseat.contract import REQUIRED, Setting
from jumpseat.records.offer import Offer
from jumpseat.records.own_fields import kind_of, label_of
from jumpseat.secret import Secret
from jumpseat.store.connections import ReportRow
from jumpseat.store.events import CUSTOMER_JOINED
from jumpseat.types import Record, RecordRef, Session

if TYPE_CHECKING:
    from jumpseat.catalogue.dashboards import Dashboard
    from jumpseat.notices.feed import Told
    from jumpseat.reports.dashboards import Filters, Result, Series, Span


def view(value: Any) -> Any:
    """Any value of the host as JSON: camelCase keys, absent instead of null, RFC 3339 with ``Z``; secrets stay masked."""
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value.value, int) else value.value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    if isinstance(value, Setting):
        return own_field_view(value)
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {camel(name): view(item) for name, item in pairs if item is not None}
    if isinstance(value, Mapping):
        return {str(key): view(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [view(item) for item in value]
    return value


def camel(name: str) -> str:
    """``valid_until`` → ``validUntil``."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def record_view(record: Record) -> dict[str, Any]:
    """A record without its fields: they are the CRM's, and the caller has them."""
    return {**ref_view(record.ref), "name": record.name, "label": record.label}


def ref_view(ref: RecordRef) -> dict[str, Any]:
    """What names a record."""
    return {"object": ref.object, "recordId": ref.id, **({"source": ref.source} if ref.source else {})}


def session_view(session: Session, public_url: str) -> dict[str, Any]:
    """A session with the manual's columns; ``supportLink`` is the host's own join address, never the provider's."""
    shown = {
        "sessionId": session.id,
        "record": {**ref_view(session.record), "name": session.record_name},
        "sessionType": session.session_type,
        "state": session.state.value,
        "code": session.code,
        "customerLink": session.customer_link,
        "supportLink": f"{public_url}/join/{session.id}" if session.code else None,
        "online": session.online,
        "validUntil": session.valid_until,
        "createdAt": session.created_at,
        "joinedAt": session.joined_at,
        "sharedAt": session.shared_at,
        "closedAt": session.closed_at,
        "openedBy": session.opened_by,
        "failure": session.failure,
    }
    return {key: view(value) for key, value in shown.items() if value is not None}


def event_view(told: Told, public_url: str) -> dict[str, Any]:
    """An event as those who listen get it; its links are the host's own, never a provider's."""
    event = told.event
    shown = {
        "id": str(event.id),
        "at": view(event.at),
        "kind": event.kind,
        "sessionId": event.session_id,
        "record": ref_view(event.record),
        "openedBy": event.opened_by,
        **{camel(name): view(value) for name, value in event.data.items() if value is not None},
    }
    if event.kind == CUSTOMER_JOINED:
        shown |= {"notify": told.notify, "supportLink": f"{public_url}/join/{event.session_id}"}
    return shown


def connection_view(row: ReportRow) -> dict[str, Any]:
    """A connection; its record's reference stands among its other fields."""
    shown: dict[str, Any] = view(row)
    shown.pop("record", None)
    return {**shown, **(ref_view(row.record) if row.record else {})}


def own_field_view(field: Setting) -> dict[str, Any]:
    """A field of a session type's or channel's own; its default as the text that a caller would send."""
    required = field.default is REQUIRED
    shown = {"name": field.name, "label": label_of(field), "kind": kind_of(field), "required": required, "choices": list(field.choices)}
    if field.default is not None and not required:
        shown["default"] = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    return shown


def offer_view(offer: Offer) -> dict[str, Any]:
    """An offer; templates without their bodies."""
    shown: dict[str, Any] = view(offer)
    shown["record"] = record_view(offer.record)
    shown.pop("session", None)
    if offer.session is not None:
        shown["sessionId"] = offer.session.id
    for channel, offered in zip(shown["channels"], offer.channels, strict=True):
        channel["templates"] = [{"name": item.name, "language": item.language} for item in offered.templates]
        channel.pop("chosen", None)
        if offered.chosen is not None:
            channel["chosen"] = {"name": offered.chosen.name, "language": offered.chosen.language}
    return shown


def dashboard_view(dashboard: Dashboard, span: Span, results: Sequence[Result], public_url: str) -> dict[str, Any]:
    """A dashboard with what its tiles show, row by row; its days are those of UTC, the last one included."""
    of_tile = {result.tile.name: result for result in results}
    rows = [{"tiles": [_tile_view(of_tile[tile.name], public_url) for tile in row]} for row in dashboard.rows]
    return {**dashboard_line(dashboard), "firstDay": str(span.first), "lastDay": str(span.last), "rows": rows}


def dashboard_line(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as on a list."""
    return {"name": dashboard.name, "label": dashboard.label, "state": dashboard.state, "roles": list(dashboard.roles)}


def drill_path(data: str, filters: Filters) -> str:
    """Where the list of the rows behind a point is; empty where no list holds just these."""
    return f"/{data}?{urlencode(filters, doseq=True)}" if filters else ""


def _tile_view(result: Result, public_url: str) -> dict[str, Any]:
    tile = result.tile
    shown: dict[str, Any] = {"name": tile.name, "kind": tile.kind, "title": tile.title, "width": tile.width, "height": tile.height}
    if not tile.data:
        return shown | {key: text for key, text in (("text", tile.text), ("url", tile.url)) if text}
    shown |= {"data": tile.data, "firstDay": str(result.span.first), "lastDay": str(result.span.last)}
    if tile.kind == "view":
        shown |= {"columns": list(tile.columns), "rows": [_list_row(row, tile.columns) for row in result.rows]}
        return shown | ({"missingRight": result.refused} if result.refused else {})
    charted = {
        "measure": tile.measure,
        "unit": result.unit,
        "interval": result.interval,
        "value": result.total.value if result.total else None,
        "previousValue": result.previous,
        "series": [_series_view(tile.data, one, public_url) for one in result.series],
    }
    return shown | {key: value for key, value in charted.items() if value is not None}


def _series_view(data: str, series: Series, public_url: str) -> dict[str, Any]:
    points = []
    for point in series.points:
        link = drill_path(data, point.drill)
        found = {"key": point.key, "label": point.label, "value": point.value, "rows": point.rows, "link": link and public_url + link}
        points.append({key: value for key, value in found.items() if value is not None and (key != "link" or value)})
    return {"key": series.key, "label": series.label, "points": points}


def _list_row(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    cells = ["" if row[name] is None else str(view(row[name])) for name in columns]
    return {"cells": cells} | ({"sessionId": row["session_id"]} if row["session_id"] else {})
