"""Signing in through a browser: it works from the first call to the provider's last word, and every crooked way is refused."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
import sqlalchemy as sa
from api_kit import ADMINISTRATOR, CASE, OTHER_USER, USER, WITHOUT_RIGHTS, Api, ShiftedClock, problem, serving, write_settings

from jumpseat import AnswerLost, Grant, Host, ProviderSignInNeeded, ProviderUnreachable, Secret, SignIn, SignInRequest, hookimpl
from jumpseat.store.schema import pending_sign_ins, provider_accounts
from jumpseat_teamviewer.emulator import Running

GRANTED = Grant(Secret("access-CANARY"), Secret("refresh-CANARY"), account="nadia@example.test", scopes=("calls", "more"))
PUBLIC = "http://127.0.0.1:8400"


class Desk(SignIn):
    """A provider whose answers a test chooses."""

    name, label = "desk", "Desk"
    needs_scopes = ("calls",)

    def __init__(self) -> None:
        self.granted: Grant | Exception | Any = GRANTED
        self.page: str | Exception = "https://desk.example/authorize"
        self.exchanged: list[tuple[str, SignInRequest]] = []
        self.revoked: list[Grant] = []

    def authorize_url(self, request: SignInRequest) -> str:
        if isinstance(self.page, Exception):
            raise self.page
        asked = {"state": request.state, "redirect_uri": request.redirect_uri, "code_challenge": request.challenge or ""}
        return f"{self.page}?{urlencode(asked)}"

    def exchange(self, code: Secret, request: SignInRequest) -> Grant:
        self.exchanged.append((code.reveal(), request))
        if isinstance(self.granted, Exception):
            raise self.granted
        return self.granted

    def refresh(self, grant: Grant) -> Grant:
        return grant

    def revoke(self, grant: Grant) -> None:
        self.revoked.append(grant)


class DeskPlugin:
    """Brings the desk."""

    __name__ = "desk"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @hookimpl
    def register_sign_ins(self) -> list[SignIn]:
        return [self.desk]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def host(workspace: Path, moving_clock: ShiftedClock, emulator: Running, desk: Desk) -> Iterator[Host]:
    (workspace / "var" / "teamviewer-secret").write_text(emulator.sign_in.client_secret, encoding="utf-8")
    (workspace / "var" / "teamviewer-secret").chmod(0o600)
    application = {"client_id": emulator.sign_in.client_id, "client_secret": {"file": "var/teamviewer-secret"}}
    write_settings(workspace, "teamviewer", {"api_url": emulator.url, "login_url": emulator.base, "pkce": True, **application})
    with Host.open(workspace, clock=moving_clock, plugins=[DeskPlugin(desk)]) as host:
        yield host


@dataclass
class Way:
    """One person's way through a sign-in, in one browser."""

    api: Api
    host: Host
    desk: Desk
    clock: ShiftedClock
    browser: requests.Session = field(default_factory=requests.Session)
    ticket: str = ""
    state: str = ""

    def get(self, path: str, browser: requests.Session | None = None, method: str = "GET", **headers: str) -> requests.Response:
        return (browser or self.browser).request(method, self.api.base + path, headers=headers, allow_redirects=False, timeout=60)

    def start(self, sign_in: str = "desk", query: str = "") -> Way:
        answer = self.api.post(f"/v1/accounts/{sign_in}/start{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["url"].startswith(f"{PUBLIC}/sign-in/")
        self.ticket = answer.json()["url"].removeprefix(PUBLIC)
        return self

    def leave(self) -> Way:
        answer = self.get(self.ticket, method="POST")
        assert answer.status_code == 303, answer.text
        self.state = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["state"]
        return self

    def back(self, browser: requests.Session | None = None, **given: str) -> requests.Response:
        return self.get(f"/sign-in/callback?{urlencode(given)}", browser)

    def rows(self, table: sa.Table) -> list[Any]:
        with self.host._wiring.store.read() as conn:
            return conn.execute(sa.select(table)).all()


@pytest.fixture
def way(user: Api, host: Host, desk: Desk, moving_clock: ShiftedClock) -> Way:
    return Way(user, host, desk, moving_clock)


def said(page: requests.Response) -> str:
    """What a page says to a person."""
    assert page.headers["Content-Type"] == "text/html; charset=utf-8", page.text
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<main>")[2]).replace("&#x27;", "'").split())


# --- the straight way -----------------------------------------------------------------------------------------------------------------


def test_a_supporter_signs_in_through_a_browser(way: Way) -> None:
    way.start().leave()

    page = way.back(code="code-1", state=way.state)

    assert page.status_code == 200
    assert "(nadia@example.test) is signed in to Desk now. This window can be closed." in said(page)
    ((code, request),) = way.desk.exchanged
    assert (code, request.redirect_uri, bool(request.verifier)) == ("code-1", f"{PUBLIC}/sign-in/callback", True)
    assert way.host._wiring.accounts.grant("desk", USER) == GRANTED
    assert way.rows(pending_sign_ins) == []


def test_the_page_at_the_end_holds_no_script_of_its_own_and_closes_its_window(way: Way) -> None:
    way.start().leave()
    page = way.back(code="code-1", state=way.state)

    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert re.findall(r"<script[^>]*>[^<]*</script>", page.text) == ['<script src="/sign-in/close.js" defer></script>']
    assert way.get("/sign-in/close.js").text == "window.close();\n"


def test_the_page_speaks_the_language_of_the_browser(way: Way) -> None:
    page = way.get("/sign-in/callback?state=x", **{"Accept-Language": "fr-FR,fr;q=0.9"})

    assert '<html lang="fr">' in page.text
    assert said(page).startswith("La connexion a échoué")


def test_the_cookie_is_for_this_host_and_this_way_only(way: Way) -> None:
    way.start()
    kept = way.get(way.ticket, method="POST").headers["Set-Cookie"]

    assert re.fullmatch(r"jumpseat-sign-in-[0-9a-f]{16}=[\w-]{43}; HttpOnly; Max-Age=600; Path=/sign-in; SameSite=lax", kept), kept


def test_whoever_opens_the_address_is_asked_for_whom_the_sign_in_is(way: Way) -> None:
    way.start()

    pages = [way.get(way.ticket) for _ in range(2)]

    assert {page.status_code for page in pages} == {200}
    assert said(pages[0]) == (
        "Sign in to Desk The account with which you sign in to Desk next will be used here by Thomas Renard. "
        "Go on only if that is meant. Go on to Desk"
    )
    assert "Set-Cookie" not in pages[0].headers
    assert way.leave().state


def test_the_company_is_signed_in_by_an_administrator_only(way: Way, api: Api) -> None:
    refused = way.api.post("/v1/accounts/desk/start?company=true")
    assert problem(refused)["code"] == "JS-RIGHT"
    assert "the right 'accounts.edit: all' is missing" in refused.json()["detail"]

    way.api = api
    way.start(query="?company=true").leave().back(code="c", state=way.state)

    assert [(item["signIn"], item.get("owner")) for item in api.get("/v1/accounts").json()["items"]] == [("desk", None)]
    assert way.api.as_(USER).get("/v1/accounts").json()["items"] == []


def test_each_sees_and_revokes_their_own_and_administrators_all(way: Way, api: Api) -> None:
    way.start().leave().back(code="c", state=way.state)
    (mine,) = way.api.get("/v1/accounts").json()["items"]
    other = way.api.as_(OTHER_USER)

    assert (mine["owner"], mine["account"], mine["scopes"]) == (USER, "nadia@example.test", ["calls", "more"])
    assert (other.get("/v1/accounts").json()["items"], api.get("/v1/accounts").json()["items"]) == ([], [mine])
    assert problem(other.call("DELETE", f"/v1/accounts/{mine['id']}"))["code"] == "JS-NOT-FOUND"
    assert problem(way.api.as_(WITHOUT_RIGHTS).get("/v1/accounts"))["code"] == "JS-RIGHT"
    assert way.api.call("DELETE", f"/v1/accounts/{mine['id']}").json() == mine
    assert (way.desk.revoked, api.get("/v1/accounts").json()["items"]) == ([GRANTED], [])


def test_nothing_that_is_secret_stands_in_the_log(way: Way, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG", logger="jumpseat"):
        way.start().leave().back(code="code-CANARY", state=way.state)
    lines = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records if record.name.startswith("jumpseat"))

    assert "/sign-in/***" in lines
    assert not [secret for secret in ("CANARY", way.state, way.ticket) if secret in lines]


def test_two_sign_ins_in_one_browser_do_not_get_in_each_others_way(way: Way, api: Api) -> None:
    other = Way(api, way.host, way.desk, way.clock, way.browser)
    way.start().leave()
    other.start().leave()

    assert [one.back(code="c", state=one.state).status_code for one in (way, other)] == [200, 200]
    assert {row.owner for row in way.rows(provider_accounts)} == {USER, ADMINISTRATOR}


# --- the crooked ways -----------------------------------------------------------------------------------------------------------------

UNKNOWN = "The sign-in is not known here, was finished already, or took longer than 10 minutes. Begin again."
UNREADABLE = "The answer to the sign-in cannot be read. Begin again."
NO_TICKET = "This address to sign in is not known, or has run out. Ask for a new one."
CHANGED = "This address to sign in was changed on its way. Ask for a new one."


def left(way: Way) -> Way:
    return way.start().leave()


def expired_state(way: Way) -> requests.Response:
    left(way)
    way.clock.move(minutes=10, seconds=1)
    return way.back(code="c", state=way.state)


def expired_ticket(way: Way) -> requests.Response:
    way.start().clock.move(minutes=10, seconds=1)
    return way.get(way.ticket)


def older_ticket(way: Way) -> requests.Response:
    old = way.start().ticket
    way.start()
    return way.get(old)


def twice(way: Way) -> requests.Response:
    left(way)
    assert way.back(state=way.state, error="access_denied").status_code == 400
    return way.back(code="c", state=way.state)


def granting(granted: Any) -> Callable[[Way], requests.Response]:
    def run(way: Way) -> requests.Response:
        way.desk.granted = granted
        left(way)
        return way.back(code="code-CANARY", state=way.state)

    return run


def paging(page: str | Exception) -> Callable[[Way], requests.Response]:
    def run(way: Way) -> requests.Response:
        way.desk.page = page
        return way.start().get(way.ticket, method="POST")

    return run


def coming(**given: str) -> Callable[[Way], requests.Response]:
    return lambda way: left(way).back(**{name: value.replace("STATE", way.state) for name, value in given.items()})


def asking(path: str, method: str = "GET") -> Callable[[Way], requests.Response]:
    return lambda way: left(way).get(path.replace("STATE", way.state).replace("TICKET", way.ticket), method=method)


BAD: Mapping[str, tuple[Callable[[Way], requests.Response], int, str]] = {
    "no state": (coming(code="c"), 400, "The answer to the sign-in names no sign-in that began here. Begin again."),
    "an empty state": (coming(code="c", state=""), 400, "The answer to the sign-in names no sign-in that began here. Begin again."),
    "another state": (coming(code="c", state="x" * 43), 400, UNKNOWN),
    "a state that is cut short": (lambda way: left(way).back(code="c", state=way.state[:-1]), 400, UNKNOWN),
    "the ticket as the state": (lambda way: left(way).back(code="c", state=way.ticket.rpartition("/")[2]), 400, UNKNOWN),
    "the hash of the state": (lambda way: left(way).back(code="c", state=way.rows(pending_sign_ins)[0].state_hash), 400, UNKNOWN),
    "a state that was used": (twice, 400, UNKNOWN),
    "a state that ran out": (expired_state, 400, UNKNOWN),
    "a state before its ticket was used": (lambda way: way.start().back(code="c", state="y" * 43), 400, UNKNOWN),
    "another browser": (
        lambda way: left(way).back(requests.Session(), code="c", state=way.state),
        400,
        "The sign-in began in another browser. Begin again, and finish it in the window in which it begins.",
    ),
    "two states": (asking("/sign-in/callback?code=c&state=STATE&state=other"), 400, UNREADABLE),
    "two codes": (asking("/sign-in/callback?code=c&code=d&state=STATE"), 400, UNREADABLE),
    "a code of 5000 characters": (coming(code="c" * 5000, state="STATE"), 400, UNREADABLE),
    "a query of 20000 characters": (coming(code="c", state="STATE", more="m" * 20_000), 400, "The answer to the sign-in is too long."),
    "a line break in the code": (coming(code="c\r\nSet-Cookie: a=b", state="STATE"), 400, UNREADABLE),
    "a line break in the state": (coming(code="c", state="STATE\r\n"), 400, UNREADABLE),
    "a NUL in the code": (coming(code="c\0", state="STATE"), 400, UNREADABLE),
    "no code": (coming(state="STATE"), 400, "The answer to the sign-in brings no code. Begin again."),
    "an empty code": (coming(code="", state="STATE"), 400, "The answer to the sign-in brings no code. Begin again."),
    "access denied": (
        coming(state="STATE", error="access_denied", error_description="No thanks."),
        400,
        "Desk did not grant access (access_denied: No thanks.). Nothing was kept; begin again if that was not meant.",
    ),
    "an error beside a code": (coming(code="c", state="STATE", error="server_error"), 400, "Desk did not grant access (server_error)."),
    "an error that is a page": (coming(state="STATE", error="<script>alert(1)</script>"), 400, "(&lt;script&gt;alert(1)&lt;/script&gt;)"),
    "another issuer": (coming(code="c", state="STATE", iss="https://evil.example"), 400, "does not come from Desk."),
    "an issuer by another scheme": (coming(code="c", state="STATE", iss="http://desk.example"), 400, "does not come from Desk."),
    "an issuer that is no address": (coming(code="c", state="STATE", iss="https://[desk"), 400, "does not come from Desk."),
    "an unknown ticket": (asking("/sign-in/" + "t" * 43), 400, NO_TICKET),
    "a ticket that was used": (asking("TICKET"), 400, "This address to sign in was used already. Ask for a new one."),
    "a ticket that ran out": (expired_ticket, 400, NO_TICKET),
    "a ticket in place of which there is a newer one": (older_ticket, 400, NO_TICKET),
    "a long ticket": (asking("/sign-in/" + "t" * 200), 400, CHANGED),
    "a ticket with another redirect address": (
        lambda way: way.start().get(f"{way.ticket}?redirect_uri=https://evil.example"),
        400,
        CHANGED,
    ),
    "a ticket with a line break": (lambda way: way.start().get(f"{way.ticket}%0d%0aSet-Cookie:%20a=b"), 400, NO_TICKET),
    "a ticket by PUT": (lambda way: way.start().get(way.ticket, method="PUT"), 405, "allowed: GET"),
    "a ticket by HEAD": (lambda way: way.start().get(way.ticket, method="HEAD"), 405, ""),
    "the way back by POST": (asking("/sign-in/callback?code=c&state=STATE", "POST"), 400, CHANGED),
    "the way back by HEAD": (asking("/sign-in/callback?code=c&state=STATE", "HEAD"), 405, ""),
    "the way back by PUT": (asking("/sign-in/callback?code=c&state=STATE", "PUT"), 405, "allowed: GET"),
    "an exchange that is refused": (
        granting(ProviderSignInNeeded("The code code-CANARY is spent.")),
        400,
        "Desk did not accept the sign-in: The code *** is spent. Begin again.",
    ),
    "an exchange whose answer is lost": (granting(AnswerLost("Desk hung up on code-CANARY.")), 504, "Desk hung up on ***."),
    "an exchange at a closed desk": (granting(ProviderUnreachable("Desk is closed.")), 503, "Desk is closed."),
    "an exchange that raises": (granting(RuntimeError("code-CANARY")), 502, "The plugin 'desk' failed in desk.exchange."),
    "an exchange without tokens": (granting(Grant(Secret(""))), 502, "The plugin 'desk' failed in desk.exchange."),
    "an exchange with a token of two lines": (granting(Grant(Secret("a\r\nX: b"))), 502, "The plugin 'desk' failed in desk.exchange."),
    "an exchange that answers something else": (granting({"access_token": "a"}), 502, "The plugin 'desk' failed in desk.exchange."),
    "scopes that do not do": (
        granting(Grant(Secret("access-CANARY"), scopes=("more",))),
        400,
        "Desk did not grant what is needed: calls. Grant all that is asked for, or have an administrator change the application there.",
    ),
    "a page that raises": (paging(RuntimeError("no")), 502, "The plugin 'desk' failed in desk.authorize_url."),
    "a page that is a script": (paging("javascript:alert(1)//"), 502, "The plugin 'desk' failed in desk.authorize_url."),
    "a page with a line break": (paging("https://desk.example/\r\nSet-Cookie: a=b"), 502, "The plugin 'desk' failed"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_crooked_way_is_refused_and_nothing_is_kept(way: Way, name: str) -> None:
    run, status, text = BAD[name]

    answer = run(way)

    assert (answer.status_code, text in answer.text.replace("&#x27;", "'")) == (status, True), answer.text
    assert way.rows(provider_accounts) == []
    assert not [text for text in ("CANARY", "Traceback") if text in answer.text]
    assert "Set-Cookie" not in answer.headers
    if name == "scopes that do not do":
        assert way.desk.revoked == [way.desk.granted]
    elif not name.startswith(("an exchange", "scopes")):
        assert way.desk.exchanged == []


UNTOUCHED = ("another state", "another browser", "HEAD", "POST", "PUT", "no state", "two states", "two codes", "line break in")
INTACT = [name for name in BAD if any(words in name for words in UNTOUCHED)]


@pytest.mark.parametrize("name", INTACT)
def test_what_is_no_answer_to_a_sign_in_leaves_it_to_be_finished(way: Way, name: str) -> None:
    BAD[name][0](way)
    if not way.state:
        way.leave()

    assert way.back(code="c", state=way.state).status_code == 200
    assert [row.owner for row in way.rows(provider_accounts)] == [USER]


def test_a_state_that_two_windows_bring_back_at_once_counts_once(way: Way) -> None:
    left(way)
    answers: list[int] = []
    ways = [threading.Thread(target=lambda: answers.append(way.back(code="c", state=way.state).status_code)) for _ in range(6)]
    for one in ways:
        one.start()
    for one in ways:
        one.join()

    assert sorted(answers) == [200, 400, 400, 400, 400, 400]
    assert len(way.desk.exchanged) == 1


@pytest.mark.parametrize("host_header", ["evil.example", "evil.example:8400"])
def test_another_host_header_changes_no_address(way: Way, host_header: str) -> None:
    way.start()
    answer = way.get(way.ticket, method="POST", Host=host_header)

    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["redirect_uri"] == f"{PUBLIC}/sign-in/callback"


@pytest.mark.parametrize(
    ("sign_in", "code"), [("nobody", "JS-NOT-FOUND"), ("sandbox", "JS-NOT-FOUND"), ("a%20b", "JS-VALUE"), ("d" * 100, "JS-VALUE")]
)
def test_an_unknown_sign_in_does_not_begin(way: Way, sign_in: str, code: str) -> None:
    assert problem(way.api.post(f"/v1/accounts/{sign_in}/start"))["code"] == code
    assert way.rows(pending_sign_ins) == []


def test_a_key_that_acts_for_nobody_has_no_account_of_its_own(way: Way, api: Api) -> None:
    answer = Api(api.base, api.key).post("/v1/accounts/desk/start")

    assert (answer.status_code, problem(answer)["code"]) == (409, "JS-REFUSED")
    assert "'crm' is no supporter and has no account of its own." in answer.json()["detail"]


# --- TeamViewer, as emulated ----------------------------------------------------------------------------------------------------------


def grant_at_emulator(way: Way, decision: str = "grant", user: str = "u70412233") -> requests.Response:
    """Press a button on the provider's page, and come back."""
    page = way.get(way.start("teamviewer").ticket, method="POST").headers["Location"]
    form = {**dict(parse_qsl(urlsplit(page).query)), "user": user, "decision": decision}
    back = requests.post(page.partition("?")[0], data=form, allow_redirects=False, timeout=60).headers["Location"]
    assert back.startswith(f"{PUBLIC}/sign-in/callback?")
    return way.get(back.removeprefix(PUBLIC))


def test_a_supporter_signs_in_to_teamviewer_and_works_in_their_own_account(way: Way, emulator: Running) -> None:
    offer = way.api.get(f"/v1/records/Case/{CASE}/offer").json()
    (why,) = [
        reason["text"]
        for reason in next(item for item in offer["sessionTypes"] if item["name"] == "remote_control")["reasons"]
        if not reason["allowed"]
    ]
    refused = way.api.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "remote_control"})

    page = grant_at_emulator(way)
    session = way.api.open()

    assert why == (
        "You are not signed in to TeamViewer, and the company has no account there that all may use. "
        f"Sign in first: POST {PUBLIC}/v1/accounts/teamviewer/start answers the address where you do."
    )
    assert (refused.status_code, problem(refused)["code"], refused.json()["detail"]) == (409, "JS-PROVIDER-AUTH", why)
    assert (page.status_code, "is signed in to TeamViewer now" in page.text) == (200, True)
    assert way.host.session(session["sessionId"], way.host.operator()).provider_data == {"account": USER}
    assert way.api.post(f"/v1/sessions/{session['sessionId']}/join").status_code == 200
    assert way.api.post(f"/v1/sessions/{session['sessionId']}/close").json()["state"] == "closed"
    assert emulator.state.case(session["code"]).closed_at  # type: ignore[union-attr]  # it was opened there


def test_who_refuses_at_teamviewer_is_told_so(way: Way) -> None:
    page = grant_at_emulator(way, "refuse")

    assert page.status_code == 400
    assert "TeamViewer did not grant access (access_denied: The user refused access.)." in said(page)
    assert way.rows(provider_accounts) == []


def test_a_revoked_sign_in_ends_at_teamviewer_and_the_supporter_is_asked_again(way: Way, emulator: Running) -> None:
    grant_at_emulator(way)
    token = way.host._wiring.accounts.grant("teamviewer", USER).access_token.reveal()
    (account,) = way.api.get("/v1/accounts").json()["items"]

    way.api.call("DELETE", f"/v1/accounts/{account['id']}")

    assert emulator.state.tokens[token].revoked
    assert problem(way.api.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "pilot"}))["code"] == "JS-PROVIDER-AUTH"


def test_served_over_https_the_cookie_is_bound_to_the_host(way: Way, workspace: Path) -> None:
    file = workspace / "metadata" / "host.yaml"
    file.write_text(re.sub(r"(?m)^public_url:.*\n", "", file.read_text()) + "\npublic_url: https://jumpseat.example\n", encoding="utf-8")
    with Host.open(workspace, plugins=[DeskPlugin(way.desk)]) as host, serving(host) as base:
        url = Api(base, way.api.key, USER).post("/v1/accounts/desk/start").json()["url"]
        kept = requests.post(url.replace("https://jumpseat.example", base), allow_redirects=False, timeout=60).headers["Set-Cookie"]

    assert re.fullmatch(r"__Host-jumpseat-sign-in-[0-9a-f]{16}=[\w-]{43}; HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure", kept), kept
