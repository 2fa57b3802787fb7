"""What the tests of lists share: sessions and connections that are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from frames_kit import launch
from web_kit import ADMINISTRATOR, CASE, Pages

from jumpseat import Host, RecordRef, Session
from jumpseat.store import events
from jumpseat.store.schema import connections, sessions

REF = RecordRef("Case", CASE, "sandbox")
OTHER = RecordRef("Case", "500A000000D34y2IAB", "sandbox")
START = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)


def opened(host: Host, ref: RecordRef = REF, session_type: str = "remote_control") -> Session:
    return host.open_session(ref, session_type, host.operator())


def joins(host: Host, session: Session) -> None:
    """The customer joins, as the watcher notes it."""
    now = datetime.now(UTC)
    with host._wiring.store.write() as conn:
        conn.execute(sessions.update().where(sessions.c.id == session.id).values(online=True, joined_at=now))
        events.add(conn, events.CUSTOMER_JOINED, session, now)


def connect(host: Host, number: int, session: Session | None = None, ref: RecordRef = REF, **values: Any) -> None:
    """A connection that the provider reported: the higher its number, the later."""
    start = START + timedelta(hours=number)
    row = {
        "account": "teamviewer",
        "provider_id": f"c{number}",
        "start": start,
        "end": start + timedelta(minutes=20),
        "session_id": session.id if session else None,
        "session_code": session.code if session else f"s{number}",
        "source": ref.source,
        "object": ref.object,
        "record_id": ref.id,
        "record_label": "Case",
        "supporter_name": "Emma Clarke",
        "customer_name": f"Customer {number}",
        "imported_at": start,
        **values,
    }
    with host._wiring.store.write() as conn:
        conn.execute(connections.insert().values(row))


def launched(pages: Pages, record: str | None, show: str, supporter: str = ADMINISTRATOR) -> requests.Response:
    """What a frame shows after a launch; a browser keeps its cookie."""
    form = {"launch": launch(pages.host, record, supporter), "show": show}
    return requests.post(f"{pages.base}/launch/sandbox", form, headers={"Accept": "text/html"}, timeout=30)


def cookie_of(answer: requests.Response) -> str:
    """The cookie of a launch, as the browser sends it again."""
    return answer.headers["Set-Cookie"].partition(";")[0]
