"""The signed-in client that CRM connectors share: pinned address, one renewal, waits that hold, nothing secret in a message."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from hypothesis import given, strategies as st

from jumpseat import (
    Access,
    AnswerLost,
    HttpSession,
    InvalidValue,
    JumpseatError,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    QuotaExhausted,
    RecordNotFound,
    RestClient,
    Secret,
    pinned,
)
from jumpseat.testing import FakeClock

BASE = "https://acme.example"


@dataclass
class Server:
    """A web API that plays a list of answers and keeps what it was asked; the last answer is repeated."""

    answers: list[tuple[int, dict[str, str], str]] = field(default_factory=lambda: [(200, {}, "{}")])
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path with query, and Authorization."""
    url: str = ""

    def answer(self, method: str, path: str, authorization: str) -> tuple[int, dict[str, str], str]:
        self.asked.append((method, path, authorization))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = server.answer(self.command, self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


@dataclass
class Tokens:
    """Tokens by number: ``token-1`` is current until it is refused."""

    base_url: str
    number: int = 1
    renewals: int = 0

    def current(self) -> Access:
        return Access(Secret(f"token-{self.number}"), self.base_url)

    def renew(self, refused: Secret) -> Access:
        if refused == self.current().token:
            self.renewals += 1
            self.number += 1
        return self.current()


def failure(response: requests.Response) -> JumpseatError:
    """What a connector might make of an answer."""
    if response.status_code == 404:
        return RecordNotFound("There is no such row.")
    wait = int(response.headers.get("Retry-After", 0))
    if response.status_code == 403 and wait:
        return QuotaExhausted("The calls of today are spent.", retry_after_seconds=wait)
    if wait:
        return ProviderThrottled("Wait.", retry_after_seconds=wait)
    return ProviderRefused(f"Refused with {response.status_code}.")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Server()) as running:
        yield running


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(server: Server) -> Tokens:
    return Tokens(server.url)


@pytest.fixture
def client(tokens: Tokens, clock: FakeClock) -> RestClient:
    return RestClient(HttpSession(), tokens, failure, clock, "The CRM")


# --- the pinned address -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "",
        "rows",
        "//evil.example/rows",
        "/rows//1",
        "/../rows",
        "/rows/..",
        "/rows/./1",
        "/rows/%2e%2e/1",
        "/rows/1?id=2",
        "/rows/1#x",
        "/rows/a b",
        "/rows/1\r\nHost: evil.example",
        "/rows/\\evil.example",
        "https://evil.example/rows",
        "@evil.example/rows",
        "/rows/é",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        pinned(BASE, path)

    assert refused.value.message == f"'{path[:80]}' cannot be part of an address of acme.example; nothing was sent."


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "acme.example",
        "http://acme.example",
        "ftp://acme.example",
        "https://",
        "https://user:secret@acme.example",
        "https://@acme.example",
        "https://acme.example?x=1",
        "https://acme.example#x",
        "https://acme.example\\.evil.example",
        "https://acme.example:port",
        "https://acme.example:99999",
        "https://acme.exa\nmple",
        "https://acme.example/a/../b",
        "https://[::1",
        "https://аcme.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
    ],
)
def test_a_base_address_that_no_token_may_be_sent_to_is_refused(base_url: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        pinned(base_url, "/rows")

    assert refused.value.message == "The address of a web API has to be https://HOST, without a user, a query or a fragment."


@pytest.mark.parametrize(
    ("base_url", "path", "url"),
    [
        ("https://acme.example/", "/rows", "https://acme.example/rows"),
        ("https://acme.example/api", "/rows('1')", "https://acme.example/api/rows('1')"),
        ("http://127.0.0.1:8410", "/v1/rows/a@b/", "http://127.0.0.1:8410/v1/rows/a@b/"),
        ("http://localhost:8410", "/rows", "http://localhost:8410/rows"),
        ("http://[::1]:8410", "/rows", "http://[::1]:8410/rows"),
    ],
)
def test_a_path_is_put_below_the_base_address(base_url: str, path: str, url: str) -> None:
    assert pinned(base_url, path) == url


@given(st.text(alphabet=st.sampled_from("abc/.%@:\\?# \r\n1'"), max_size=30))
def test_whatever_the_path_is_the_request_stays_on_the_host(path: str) -> None:
    try:
        url = pinned(BASE, path)
    except InvalidValue:
        return
    prepared = requests.Request("GET", url).prepare().url or ""

    assert prepared.startswith("https://acme.example/")
    assert ".." not in prepared.split("/")


def test_a_path_that_could_lead_elsewhere_sends_nothing(client: RestClient, server: Server) -> None:
    with pytest.raises(InvalidValue):
        client.call("GET", "/rows/../../token")

    assert server.asked == []


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_the_token_is_sent_as_a_bearer(client: RestClient, server: Server) -> None:
    client.call("GET", "/rows", params={"q": "a b"})

    assert server.asked == [("GET", "/rows?q=a+b", "Bearer token-1")]


def test_a_refused_token_is_renewed_once_and_the_call_repeated(client: RestClient, server: Server, tokens: Tokens) -> None:
    server.answers = [(401, {}, ""), (201, {}, '{"id": "1"}')]

    assert client.call("POST", "/rows", json={}).json() == {"id": "1"}
    assert [authorization for _, _, authorization in server.asked] == ["Bearer token-1", "Bearer token-2"]
    assert tokens.renewals == 1


def test_a_fresh_token_that_is_refused_too_ends_in_a_sign_in(client: RestClient, server: Server) -> None:
    server.answers = [(401, {}, "")]
    with pytest.raises(ProviderSignInNeeded) as refused:
        client.call("GET", "/rows")

    assert refused.value.message == "The CRM does not accept the token, not even a fresh one. Check the sign-in of this source."
    assert len(server.asked) == 2


@pytest.mark.parametrize("token", ["abc\r\nX-Evil: 1", "abc def", "", "clé", "x" * 9000])
def test_a_token_that_cannot_be_one_is_not_sent_and_not_shown(server: Server, clock: FakeClock, token: str) -> None:
    class Odd:
        def current(self) -> Access:
            return Access(Secret(token), server.url)

        def renew(self, refused: Secret) -> Access:
            return self.current()

    with pytest.raises(ProviderSignInNeeded) as refused:
        RestClient(HttpSession(), Odd(), failure, clock, "The CRM").call("GET", "/rows")

    assert refused.value.message == "The token for The CRM cannot be one: it holds blanks, line breaks or foreign letters."
    assert server.asked == []


def test_no_token_stands_in_any_error(tokens: Tokens, clock: FakeClock, server: Server) -> None:
    client = RestClient(HttpSession(read_seconds=0.5), tokens, failure, clock, "The CRM")
    texts = []
    for answer in ((500, {}, "token-1"), (302, {"Location": "https://evil.example/"}, ""), (200, {"Content-Length": "99"}, "")):
        server.answers = [answer]
        for method in ("GET", "POST"):
            try:
                client.call(method, "/rows")
            except JumpseatError as error:
                texts.append(f"{error!r} {error.__cause__!r}")

    assert len(texts) >= 5
    assert not any("token-" in text for text in texts)


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_redirect_to_another_host_is_refused(client: RestClient, server: Server) -> None:
    with serving(Server()) as other:
        server.answers = [(302, {"Location": f"{other.url}/rows"}, "")]
        with pytest.raises(ProviderRefused) as refused:
            client.call("GET", "/rows")

        assert refused.value.message == "127.0.0.1 redirects to another host; that is not followed."
        assert other.asked == []


def test_a_redirect_of_a_write_is_not_followed(client: RestClient, server: Server) -> None:
    server.answers = [(307, {"Location": "/elsewhere"}, "")]
    with pytest.raises(ProviderRefused, match=r"Refused with 307\."):
        client.call("POST", "/rows", json={})

    assert [path for _, path, _ in server.asked] == ["/rows"]


@pytest.mark.parametrize("status", [304, 404])
def test_a_status_that_was_declared_an_answer_is_none_of_the_failures(client: RestClient, server: Server, status: int) -> None:
    server.answers = [(status, {}, "")]

    assert client.call("GET", "/rows", accepted=(304, 404)).status_code == status


def test_what_is_missing_is_told_as_such(client: RestClient, server: Server) -> None:
    server.answers = [(404, {}, "")]
    with pytest.raises(RecordNotFound):
        client.call("GET", "/rows/1")


def test_every_answer_is_shown_to_who_wants_to_see_it(client: RestClient, server: Server) -> None:
    server.answers = [(200, {"Usage": "1"}, ""), (400, {"Usage": "2"}, "")]
    seen: list[str] = []
    see: Callable[[requests.Response], None] = lambda response: seen.append(response.headers["Usage"])  # noqa: E731  # short to read
    client.call("GET", "/rows", sees=see)
    with pytest.raises(ProviderRefused):
        client.call("GET", "/rows", sees=see)

    assert seen == ["1", "2"]


def test_a_write_whose_answer_is_lost_is_not_repeated(client: RestClient, server: Server) -> None:
    server.answers = [(200, {"Content-Length": "99"}, "cut")]
    server.answers[0][1]["Connection"] = "close"
    with pytest.raises(AnswerLost):
        client.call("POST", "/rows", json={})

    assert len(server.asked) == 1


# --- waits ------------------------------------------------------------------------------------------------------------


def test_a_wait_that_was_asked_for_holds_for_every_call(client: RestClient, server: Server, clock: FakeClock) -> None:
    server.answers = [(429, {"Retry-After": "30"}, ""), (200, {}, "{}")]
    with pytest.raises(ProviderThrottled):
        client.call("GET", "/rows")
    clock.move(seconds=10)
    with pytest.raises(ProviderThrottled) as held:
        client.call("POST", "/others", json={})

    assert held.value.message == "The CRM is busy and asked for patience. Try again in 20 s."
    assert held.value.retry_after_seconds == 20
    assert len(server.asked) == 1


def test_calls_go_on_when_the_wait_is_over(client: RestClient, server: Server, clock: FakeClock) -> None:
    server.answers = [(429, {"Retry-After": "30"}, ""), (200, {}, "{}")]
    with pytest.raises(ProviderThrottled):
        client.call("GET", "/rows")
    clock.move(seconds=30)

    assert client.call("GET", "/rows").status_code == 200


def test_a_spent_quota_is_called_so_during_the_wait(client: RestClient, server: Server, clock: FakeClock) -> None:
    server.answers = [(403, {"Retry-After": "900"}, "")]
    with pytest.raises(QuotaExhausted):
        client.call("GET", "/rows")
    clock.move(seconds=60.5)
    with pytest.raises(QuotaExhausted) as held:
        client.call("GET", "/rows")

    assert (held.value.message, held.value.retry_after_seconds) == ("The calls of today are spent.", 840)
    assert len(server.asked) == 1
