"""Live events over HTTP: to whom, from where on, and until when."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from api_kit import ADMINISTRATOR, CASE, CONFIDENTIAL_CASE, OTHER_CASE, OTHER_USER, USER, Api, make_workspace, problem, serving
from listening_kit import listening_to, until

from jumpseat import Host
from jumpseat.api import streams as module
from jumpseat.store import events
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator, Running


@pytest.fixture(scope="module")
def emulator() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def host(tmp_path: Path, emulator: Running) -> Iterator[Host]:
    with Sinks.start(tmp_path / "outbox") as sinks, Host.open(make_workspace(tmp_path / "workspace", emulator, sinks), watch=True) as host:
        yield host


@pytest.fixture
def api(host: Host) -> Iterator[Api]:
    key = host.create_key("crm", "administrator", host.operator()).reveal()
    with serving(host) as base:
        yield Api(base, key, ADMINISTRATOR)


def session_of(host: Host, api: Api, record: str = CASE) -> Any:
    return host.session(api.open(record)["sessionId"], host.operator())


def happen(host: Host, session: Any, kind: str = events.CUSTOMER_ONLINE, times: int = 1) -> None:
    """Write events of a session, as the watcher does."""
    for _ in range(times):
        with host._wiring.store.write() as conn:
            events.add(conn, kind, session, datetime.now(UTC))


def test_a_stream_says_what_happened_with_the_hosts_own_address(host: Host, api: Api) -> None:
    with listening_to(api) as client:
        opened = api.open()
        happen(host, host.session(opened["sessionId"], host.operator()), events.CUSTOMER_JOINED)
        until(lambda: len(client.seen) == 2)
        headers = client.answer.headers

    assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-store", "no")
    joined = client.seen[1]
    assert (joined.id, joined.kind) == ("2", "customer_joined")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", joined.data.pop("at"))
    assert joined.data == {
        "id": "2",
        "kind": "customer_joined",
        "sessionId": opened["sessionId"],
        "record": {"object": "Case", "recordId": CASE, "source": "sandbox"},
        "openedBy": ADMINISTRATOR,
        "sessionType": "remote_control",
        "code": opened["code"],
        "notify": True,
        "supportLink": opened["supportLink"],
    }


def test_a_client_goes_on_where_it_left_off(host: Host, api: Api) -> None:
    session = session_of(host, api)
    happen(host, session, times=3)
    with (
        listening_to(api, Last_Event_ID="2") as by_header,
        listening_to(api, "/v1/events?lastEventId=3") as by_query,
        listening_to(api) as new,
    ):
        happen(host, session)
        until(lambda: all(client.ids[-1:] == [5] for client in (by_header, by_query, new)))

    assert (by_header.ids, by_query.ids, new.ids) == ([3, 4, 5], [4, 5], [5])


def test_who_left_before_the_first_event_goes_on_from_there(host: Host, api: Api) -> None:
    session = session_of(host, api)
    with listening_to(api) as client:
        assert client.last_id == "1"
    happen(host, session)
    with listening_to(api, Last_Event_ID=client.last_id) as again:
        until(lambda: again.ids == [2])


@pytest.mark.parametrize("last", ["1", "99"], ids=["too long ago", "of another database"])
def test_who_missed_what_is_no_longer_kept_is_told_to_read_again(host: Host, api: Api, last: str) -> None:
    session = session_of(host, api)
    happen(host, session, times=4)
    with host._wiring.store.write() as conn:
        conn.execute(events.table.delete().where(events.table.c.id <= 3))
    with listening_to(api, Last_Event_ID=last) as client:
        happen(host, session)
        until(lambda: len(client.seen) == 2)

    assert client.kinds == ["reset", "customer_online"]
    assert client.seen[0].data == {"id": "5", "kind": "reset", "text": "Events before this are no longer kept; read the lists again."}
    assert client.ids == [5, 6]


def test_a_long_replay_has_no_gap_and_no_double(host: Host, api: Api) -> None:
    session = session_of(host, api)
    with host._wiring.store.write() as conn:
        for _ in range(1200):
            events.add(conn, events.CUSTOMER_ONLINE, session, datetime.now(UTC))
    with listening_to(api, Last_Event_ID="0") as client:
        happen(host, session, times=20)
        until(lambda: client.ids and client.ids[-1] == 1221)

    assert client.ids == list(range(1, 1222))


def test_a_stream_can_be_narrowed(host: Host, api: Api) -> None:
    with (
        listening_to(api, "/v1/events?kinds=customer_online&kinds=session_closed") as kinds,
        listening_to(api, f"/v1/events?object=Case&recordId={OTHER_CASE[:15]}") as record,
    ):
        one, other = session_of(host, api), session_of(host, api, OTHER_CASE)
        with listening_to(api, f"/v1/events?sessionId={one.id}") as session:
            happen(host, other)
            happen(host, one)
            until(lambda: session.seen and len(kinds.seen) == 2 and len(record.seen) == 2)

    assert (kinds.ids, record.ids, session.ids) == ([3, 4], [2, 3], [4])


# --- who sees what ----------------------------------------------------------------------------------------------------


def test_everybody_is_told_of_what_they_may_see(host: Host, api: Api) -> None:
    with listening_to(api) as administrator, listening_to(api.as_(USER)) as user, listening_to(api.as_(OTHER_USER)) as other:
        seen = session_of(host, api.as_(USER))
        hidden = session_of(host, api, CONFIDENTIAL_CASE)
        happen(host, hidden)
        happen(host, seen)
        until(lambda: len(administrator.seen) == 4 and user.ids[-1:] == [4] and other.ids[-1:] == [4])

    may_see = [client.ids for client in (administrator, user, other)]
    assert may_see[0] == [1, 2, 3, 4]
    assert [ids for ids in may_see[1:] if 2 not in ids] != []
    for ids, supporter in zip(may_see[1:], (USER, OTHER_USER), strict=True):
        visible = host.sources["sandbox"].visible_to(hidden.record, host.supporter(supporter))
        assert ids == ([1, 2, 3, 4] if visible else [1, 4])


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything a thirtieth as long."""
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.5)
    monkeypatch.setattr(module, "CHECK_KEPT_SECONDS", 0.3)
    monkeypatch.setattr(module, "GONE_SECONDS", 0.2)


@pytest.mark.usefixtures("quick")
def test_an_idle_stream_shows_that_it_is_alive(api: Api) -> None:
    with listening_to(api) as client:
        until(lambda: len(client.comments) >= 3)
        assert not client.ended
    assert set(client.comments) == {": still here"}


@pytest.mark.usefixtures("quick")
def test_a_stream_ends_when_its_key_is_revoked(host: Host, api: Api) -> None:
    with listening_to(api) as client, listening_to(api.as_(USER)) as user:
        host.revoke_key("crm", host.operator())
        until(lambda: client.ended and user.ended)


@pytest.mark.usefixtures("quick")
def test_a_stream_ends_when_its_right_is_taken_away(host: Host, api: Api) -> None:
    file = host.workspace / "metadata" / "permission_sets" / "user.yaml"
    with listening_to(api.as_(USER)) as user, listening_to(api) as administrator:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        file.write_text(yaml.safe_dump({**content, "assigned_to": {"crm_permissions": ["Nobody_Has_This"]}}), encoding="utf-8")
        until(lambda: user.ended)
        assert not administrator.ended


@pytest.mark.usefixtures("quick")
def test_a_crm_that_cannot_say_who_listens_ends_nothing(host: Host, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening_to(api) as client:
        monkeypatch.setattr(host, "key_supporter", lambda *_: 1 / 0)
        before = len(client.comments)
        until(lambda: len(client.comments) >= before + 3)
        assert not client.ended


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_who_hangs_up_is_forgotten(host: Host, api: Api) -> None:
    hub = None
    with listening_to(api), listening_to(api):
        hub = _hub(api)
        until(lambda: len(hub.listeners) == 2)
    until(lambda: not hub.listeners)


def _hub(api: Api) -> module.Hub:
    import gc

    return next(thing for thing in gc.get_objects() if isinstance(thing, module.Hub) and thing.listeners)


@pytest.mark.usefixtures("quick")
def test_who_does_not_read_is_cut_off_and_the_others_are_not(host: Host, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 50)
    session = session_of(host, api)
    address, _, port = api.base.removeprefix("http://").partition(":")
    with listening_to(api) as client, socket.create_connection((address, int(port))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n\r\n".encode())
        hub = _hub(api)
        until(lambda: len(hub.listeners) == 2)
        happened = 0
        while len(hub.listeners) == 2:
            with host._wiring.store.write() as conn:
                for _ in range(40):
                    events.add(conn, events.CUSTOMER_ONLINE, session, datetime.now(UTC), filler="x" * 20_000)
            happened += 40
            assert happened < 4000, "nobody was cut off"
            until(lambda happened=happened: len(client.seen) == happened)

    assert len(client.seen) == happened


def test_a_stream_is_one_line_of_the_log_when_it_ends(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "jumpseat.access")
    with listening_to(api):
        time.sleep(0.2)
        assert not [record for record in caplog.records if getattr(record, "path", "") == "/v1/events"]
    until(lambda: [record for record in caplog.records if getattr(record, "path", "") == "/v1/events"])
    [line] = [record for record in caplog.records if getattr(record, "path", "") == "/v1/events"]

    assert (line.status, line.supporter) == (200, ADMINISTRATOR)
    assert line.milliseconds >= 200


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "detail", "param"),
    [
        ("object=Case", "A record is named by 'object' and 'recordId' together.", "recordId"),
        ("recordId=1", "A record is named by 'object' and 'recordId' together.", "object"),
        ("object=Cases&recordId=1", "'Cases' is not a supported object. Did you mean 'Case'?", "object"),
        ("lastEventId=-1", "'lastEventId' is not valid: input should be greater than or equal to 0.", "lastEventId"),
    ],
)
def test_what_cannot_be_listened_to_is_refused(api: Api, query: str, detail: str, param: str) -> None:
    refused = problem(api.get(f"/v1/events?{query}"))

    assert (refused["detail"], refused["param"]) == (detail, param)


def test_a_stream_is_not_looked_at_with_head(api: Api) -> None:
    answer = api.call("HEAD", "/v1/events")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_alerts_are_listed_for_administrators_page_by_page(host: Host, api: Api) -> None:
    for number in range(3):
        host._wiring.alerts.raise_alert(f"key-{number}", f"Title {number}", "Text")
    host._wiring.alerts.clear("key-2")
    first = api.get("/v1/alerts?limit=2").json()
    second = api.get(first["nextLink"].removeprefix(host.catalogue.host.public_url)).json()

    assert [(item["key"], item["count"], "closedAt" in item) for item in first["items"]] == [("key-2", 1, True), ("key-1", 1, False)]
    assert [item["title"] for item in second["items"]] == ["Title 0"]
    assert [item["key"] for item in api.get("/v1/alerts?openOnly=true").json()["items"]] == ["key-1", "key-0"]
    assert problem(api.as_(USER).get("/v1/alerts"))["code"] == "JS-RIGHT"
    assert problem(api.get("/v1/alerts?before=al_0"))["detail"] == "There is no alert 'al_0'."
