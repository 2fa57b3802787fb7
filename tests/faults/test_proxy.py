"""The fault proxy does what it says, seen from both ends of real connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests
from gateways import Gateways
from proxy import PASS, BlackHole, CutAfter, CutBeforeAnswer, Fault, FaultProxy, Latency, Refuse, Slices


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=copy, args=(connection,), daemon=True).start()

    def copy(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):  # a proxy that resets is among the tests
            while data := connection.recv(65536):
                connection.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()
    listener.close()


@pytest.fixture
def proxy(echo: tuple[str, int]) -> Iterator[FaultProxy]:
    with FaultProxy(echo) as running:
        yield running


def say(proxy: FaultProxy, text: bytes, seconds: float = 60.0) -> bytes:
    """Send a text and read until the other side has sent as much, or ends."""
    with socket.create_connection(("127.0.0.1", proxy.port), seconds) as client:
        client.sendall(text)
        heard = b""
        while len(heard) < len(text) and (data := client.recv(65536)):
            heard += data
        return heard


def wait_for_no_links(proxy: FaultProxy) -> None:
    until = time.monotonic() + 60
    while proxy.links:
        assert time.monotonic() < until, "connections are left"
        time.sleep(0.01)


@pytest.mark.parametrize("fault", [PASS, Latency(0.01), Slices(1), Slices(7)])
def test_what_arrives_late_or_in_pieces_arrives_whole(proxy: FaultProxy, fault: Fault) -> None:
    proxy.fault = fault

    assert say(proxy, b"hello" * 100) == b"hello" * 100
    wait_for_no_links(proxy)


def test_a_megabyte_goes_through(proxy: FaultProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 60) as client:
        threading.Thread(target=client.sendall, args=(b"x" * 1_000_000,), daemon=True).start()
        size = 0
        while size < 1_000_000:
            size += len(client.recv(65536))

    assert size == 1_000_000


def test_latency_delays_both_ways(proxy: FaultProxy) -> None:
    proxy.fault = Latency(0.1)
    began = time.monotonic()

    say(proxy, b"hello")

    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_cut_lets_so_many_bytes_of_the_answer_through(proxy: FaultProxy, count: int) -> None:
    proxy.fault = CutAfter(count)

    assert say(proxy, b"hello") == b"hello"[:count]
    wait_for_no_links(proxy)


def test_a_cut_of_the_request_ends_it_for_both_sides(proxy: FaultProxy) -> None:
    proxy.fault = CutAfter(3, direction="up")

    assert say(proxy, b"hello") in (b"", b"hel")
    wait_for_no_links(proxy)


@pytest.mark.parametrize("fault", [Refuse(), CutAfter(2, reset=True)])
def test_a_reset_is_one_for_the_client(proxy: FaultProxy, fault: Fault) -> None:
    proxy.fault = fault

    with pytest.raises(ConnectionResetError):
        say(proxy, b"hello")


def test_a_black_hole_answers_nothing_and_does_not_hang_up(proxy: FaultProxy) -> None:
    proxy.fault = BlackHole()

    with pytest.raises(TimeoutError):
        say(proxy, b"hello", 0.2)


def test_a_fault_may_be_switched_while_a_connection_is_open(proxy: FaultProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), 60) as client:
        client.sendall(b"one")
        assert client.recv(10) == b"one"
        proxy.fault = Refuse()
        client.sendall(b"two")
        with pytest.raises(ConnectionResetError):
            client.recv(10)
        proxy.fault = PASS

    assert say(proxy, b"three") == b"three"
    assert proxy.connections == 2


@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_before_the_answer_comes_after_the_work_was_done(gateways: Gateways, reset: bool) -> None:
    with FaultProxy(("127.0.0.1", gateways.http_port), CutBeforeAnswer(reset=reset)) as proxy, pytest.raises(requests.ConnectionError):
        requests.post(f"http://127.0.0.1:{proxy.port}/plain", json={"key": "k", "text": "x" * 100_000}, timeout=60)

    assert gateways.delivered["plain"] == {"k": 1}


def test_a_server_that_is_gone_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    with FaultProxy(address) as proxy:
        assert say(proxy, b"hello") == b""


def test_leaving_ends_connections_that_are_open(echo: tuple[str, int]) -> None:
    with FaultProxy(echo, BlackHole()) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), 60)
        client.sendall(b"hello")
        while not proxy.links:
            time.sleep(0.01)

    with client:
        assert client.recv(10) == b""
