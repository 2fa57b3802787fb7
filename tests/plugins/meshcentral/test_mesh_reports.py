"""Connections, devices, and what ``jumpseat doctor`` learns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from mesh_script import Scripted

from jumpseat import Connection, ProviderError, ProviderRefused, ProviderSignInNeeded, ProviderUnreachable, Session
from jumpseat.contract import SessionType
from jumpseat.hooks.checking import extensions
from jumpseat.testing import a_session, a_supporter, an_open_request
from jumpseat_meshcentral import report
from jumpseat_meshcentral.session_type import MeshCentral

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


def joined(mesh: MeshCentral, server: Scripted, correlation_id: str = "c-1") -> tuple[Session, str]:
    """A session that a supporter has joined, and the customer's device."""
    request = an_open_request(correlation_id)
    session = a_session(mesh.open(request), request, "meshcentral")
    node = server.customer_comes(session.provider_data["group"])
    mesh.supporter_link(session, a_supporter())
    return session, node


def everything(mesh: MeshCentral, since: datetime = ALWAYS) -> list[Connection]:
    page = mesh.connections(since)
    rows = list(page.items)
    while page.next is not None:
        page = mesh.connections(since, page.next)
        rows += page.items
    return rows


def test_a_look_at_a_desktop_is_a_connection_of_its_session(mesh: MeshCentral, server: Scripted) -> None:
    session, node = joined(mesh, server)
    server.looked(node, "Sam Support", AT, 90)

    assert everything(mesh) == [
        Connection(
            id=f"r1-{node.rpartition('/')[2]}",
            start=AT,
            end=AT + timedelta(seconds=90),
            correlation_id="c-1",
            session_code=session.code,
            user_id="005000000000001",
            supporter_name="Sam Support",
            customer_name="Marie Martin",
            device_id=node.rpartition("/")[2],
            description="customers-pc",
        )
    ]


def test_connections_outlive_the_group_at_the_server(mesh: MeshCentral, server: Scripted) -> None:
    session, node = joined(mesh, server)
    server.looked(node, "Sam Support", AT, 90)
    mesh.close(session)

    assert [row.correlation_id for row in everything(mesh)] == ["c-1"]


def test_a_device_that_comes_again_is_told_apart_by_time(mesh: MeshCentral, server: Scripted) -> None:
    first, node = joined(mesh, server, "c-1")
    server.looked(node, "Sam Support", server.now + timedelta(minutes=1), 60, relay="r1")
    mesh.close(first)
    server.now += timedelta(hours=1)
    _, again = joined(mesh, server, "c-2")
    server.looked(again, "Sam Support", server.now + timedelta(minutes=1), 60, relay="r2")

    assert node == again
    assert [row.correlation_id for row in everything(mesh)] == ["c-2", "c-1"]


def test_of_two_supporters_each_has_their_own_connection(mesh: MeshCentral, server: Scripted) -> None:
    session, node = joined(mesh, server)
    mesh.supporter_link(session, a_supporter("005-other", "Olga Other"))
    server.looked(node, "Sam Support", AT, 60)

    assert [(row.user_id, row.supporter_name) for row in everything(mesh)] == [("005000000000001", "Sam Support")]


def test_a_connection_that_lasts_has_no_end_yet(mesh: MeshCentral, server: Scripted) -> None:
    _, node = joined(mesh, server)
    server.log(15, node, "Sam Support", AT, ["r1", "a", "b"])

    assert [(row.start, row.end) for row in everything(mesh)] == [(AT, None)]


def test_connections_come_page_by_page_and_none_twice(mesh: MeshCentral, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PAGE", 3)
    _, node = joined(mesh, server)
    for number in range(5):  # two entries each, so some begin on the page behind their end
        server.looked(node, "Sam Support", AT + timedelta(hours=number), 60, relay=f"r{number}")

    rows = everything(mesh)
    assert [row.id.partition("-")[0] for row in rows] == ["r4", "r3", "r2", "r1", "r0"]
    assert all(row.end is not None for row in rows)


def test_a_page_can_be_asked_for_again(mesh: MeshCentral, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PAGE", 2)
    _, node = joined(mesh, server)
    for number in range(3):
        server.looked(node, "Sam Support", AT + timedelta(hours=number), 60, relay=f"r{number}")
    cursor = mesh.connections(ALWAYS).next

    assert mesh.connections(ALWAYS, cursor) == mesh.connections(ALWAYS, cursor)


def test_the_log_is_read_no_further_back_than_asked(mesh: MeshCentral, server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "PAGE", 2)
    _, node = joined(mesh, server)
    for number in range(9):
        server.looked(node, "Sam Support", AT + timedelta(days=number), 60, relay=f"r{number}")

    assert [row.id.partition("-")[0] for row in everything(mesh, AT + timedelta(days=7))] == ["r8", "r7"]
    assert server.said("events")["limit"] == 6


def test_a_look_at_a_device_of_no_session_is_a_connection_too(mesh: MeshCentral, server: Scripted) -> None:
    server.looked("node//office", "", AT, 60)

    assert [(row.correlation_id, row.supporter_name) for row in everything(mesh)] == [(None, "crmsvc")]


def test_other_entries_of_the_log_are_passed_over(mesh: MeshCentral, server: Scripted) -> None:
    server.log(14, "node//a", "Sam", AT, ["r1", "a", "b"])
    server.events += [
        {"msgid": 11},
        {"msgid": 11, "msgArgs": [], "time": 5},
        {"msgid": 15, "msgArgs": ["r2"], "time": "soon", "nodeid": "n"},
    ]

    assert everything(mesh) == []


def test_a_time_may_be_a_number(mesh: MeshCentral, server: Scripted) -> None:
    server.events.append({"msgid": 11, "msgArgs": ["r1", "a", "b", 30], "nodeid": "node//a", "time": AT.timestamp() * 1000})

    assert [row.end for row in everything(mesh)] == [AT]


@pytest.mark.parametrize("cursor", ["", "-1", "next", "9" * 20])
def test_a_cursor_of_somebody_else_is_refused(mesh: MeshCentral, cursor: str) -> None:
    with pytest.raises(ProviderRefused):
        mesh.connections(ALWAYS, cursor)


def test_devices_are_those_that_belong_to_no_session(mesh: MeshCentral, server: Scripted) -> None:
    joined(mesh, server)
    server.groups["mesh//office"] = {"_id": "mesh//office", "name": "Office"}
    online, offline = server.customer_comes("mesh//office", "Printer room"), server.customer_comes("mesh//office", "Archive")
    server.nodes[offline]["conn"] = 0

    found = mesh.devices(a_supporter())
    assert [(device.name, device.online) for device in found] == [("Archive", False), ("Printer room", True)]
    assert [device.connect_link for device in found] == [None, f"{server.url}/?viewmode=11&gotonode={online.rpartition('/')[2]}"]


def test_a_server_that_works_is_found_to_work(mesh: MeshCentral, server: Scripted) -> None:
    mesh.keep_signed_in()

    assert server.signed_in == 1


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"token_password": "aWrongTokenOfSomebody"}, ProviderSignInNeeded),
        ({"url": "https://127.0.0.1:9"}, ProviderUnreachable),
        ({"ca_file": None}, ProviderError),
        ({"domain": "elsewhere"}, ProviderUnreachable),
    ],
)
def test_what_does_not_work_is_found(made: Callable[..., MeshCentral], settings: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        made(**settings).keep_signed_in()


def test_open_sessions_are_made_to_ask_the_customer(mesh: MeshCentral, server: Scripted) -> None:
    session, _ = joined(mesh, server)
    server.groups[session.provider_data["group"]]["consent"] = 1
    mesh.keep_signed_in()

    assert server.groups[session.provider_data["group"]]["consent"] == 73


def test_the_declarations_are_valid() -> None:
    declared = MeshCentral()

    assert extensions(SessionType)([declared]) == (declared,)
