"""Whichever provider opened a session: its message, its offer, its rows and its page look the same."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from jumpseat import Host, RecordRef, Session, ShareWish
from jumpseat.secret import Secret
from jumpseat.views import connection_view, offer_view, session_view
from jumpseat.web.identity import Look, Visitor
from jumpseat.web.records import session as component
from jumpseat.web.rendering import environment
from jumpseat_browser import book_of
from jumpseat_browser.book import Stretch
from jumpseat_sandbox.outbox import read_outbox
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins" / "link"))
from link_kit import ROOT as BBB_ROOT, SECRET, Bbb  # of the tests of that plugin

ROOT = Path(__file__).parents[2]
CASE = RecordRef("Case", "500A000000D34xy")
TYPES = ["remote_control", "pilot", "browser_screen", "browser_camera", "link_room", "link_bigbluebutton", "link_fixed"]
VOID = frozenset({"input", "br", "hr", "img", "meta", "link"})


@dataclass(frozen=True)
class Opened:
    """What there is to see of one session, with a share, before it is closed; and its row in the history after that."""

    session: Session
    mail: str
    offer: Mapping[str, Any]
    details: Mapping[str, Any]
    page: str
    row: Mapping[str, Any]


@pytest.fixture(scope="module")
def bbb() -> Iterator[Bbb]:
    with Bbb().serve() as serving:
        yield serving


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, bbb: Bbb) -> Iterator[Host]:
    """A host with TeamViewer's emulator, the browser, and every kind of link."""
    folder = tmp_path_factory.mktemp("providers") / "workspace"
    for part in ("metadata", "templates"):
        shutil.copytree(ROOT / part, folder / part)
    (folder / "var").mkdir()
    with Emulator().serve(port=0) as emulator, Sinks.start(folder / "var" / "outbox") as sinks:
        (folder / "var" / "token").write_text(emulator.token)
        (folder / "var" / "secret").write_text(SECRET)
        links = {"room_url": "https://meet.example.org/{room}", "fixed_url": "https://meet.example.org/desk"}
        links |= {"bigbluebutton_url": f"{bbb.url}{BBB_ROOT}"}
        settings: dict[str, Mapping[str, Any]] = {
            **sinks.settings,
            "teamviewer": {"api_url": emulator.url, "token": {"file": "var/token"}, "group": "Tests"},
            "link": {**links, "bigbluebutton_secret": {"file": "var/secret"}},
        }
        for plugin, given in settings.items():
            text = yaml.safe_dump({"plugin": plugin, "settings": dict(given)})
            (folder / "metadata" / "plugins" / f"{plugin}.yaml").write_text(text)
        with Host.open(folder) as opened:
            yield opened


@pytest.fixture(scope="module")
def opened(host: Host) -> dict[str, Opened]:
    """A session of each type on the same case, shared by mail and closed, one after the other."""
    return {name: _played(host, name) for name in TYPES}


def _played(host: Host, session_type: str) -> Opened:
    operator = host.operator()
    session = host.open_session(CASE, session_type, operator)
    contact = host.resolve(CASE, operator).contacts[0].id
    (share,) = host.share(session.id, [ShareWish("email", contact)], operator, message="We call at two.")
    assert host.deliver(share.id).state == "sent"
    offer = host.resolve(CASE, operator)
    abilities = {name: found.abilities for name, found in host.session_types.items()}
    shared = host.session(session.id, operator)
    values = component.shown(
        offer, shared, host.clock.now(), abilities=abilities, shares=host.shares(session.id, operator), public_url="http://127.0.0.1"
    )
    visitor = Visitor(operator, Secret("a visit of a test"), Look())
    page = environment("en").get_template(component.COMPONENT).render({**values, "visitor": visitor})
    assert host.join_session(session.id, operator).reveal() != session.customer_link
    host.close_session(session.id, operator)
    row = next(item for item in host.history(CASE, operator) if item.id == session.id)
    (mail,) = [sent for sent in read_outbox(host.workspace / "var" / "outbox") if session.code in sent.text]
    public_url = host.catalogue.host.public_url
    return Opened(session, mail.text, offer_view(offer), session_view(shared, public_url), page, session_view(row, public_url))


def shape(value: Any) -> Any:
    """Keys and kinds of a value; of a list, the shapes in it."""
    if isinstance(value, Mapping):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({repr(shape(item)) for item in value})
    return type(value).__name__


class Structure(HTMLParser):
    """Elements with what they are for: no names, no texts, no addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = {name: value for name, value in attrs if name in ("class", "role", "type", "aria-disabled", "data-state")}
        self.found.append(f"{'  ' * self._depth}{tag} {kept}")
        self._depth += tag not in VOID

    def handle_endtag(self, tag: str) -> None:
        self._depth -= 1


def alike(seen: Mapping[str, Any]) -> None:
    """All of them are the same as that of the first type."""
    first, expected = next(iter(seen.items()))
    for name, found in seen.items():
        assert found == expected, f"{name} is not like {first}"


def test_the_customer_reads_the_same_message(opened: dict[str, Opened]) -> None:
    def written(one: Opened) -> str:
        link, code = one.session.customer_link or "", one.session.code or ""
        assert link
        assert link in one.mail
        return re.sub(r"\d\d:\d\d", "TIME", one.mail.replace(link, "LINK").replace(code, "CODE"))

    alike({name: written(one) for name, one in opened.items()})


def test_the_offer_of_a_record_with_a_session_has_the_same_keys_and_buttons(opened: dict[str, Opened]) -> None:
    alike({name: shape(one.offer) for name, one in opened.items()})
    alike({name: {action["name"]: action["allowed"] for action in one.offer["actions"]} for name, one in opened.items()})


def test_details_and_history_have_the_same_columns(opened: dict[str, Opened]) -> None:
    alike({name: shape(one.details) for name, one in opened.items()})
    alike({name: shape(one.row) for name, one in opened.items()})
    assert {one.row["state"] for one in opened.values()} == {"closed"}


def test_the_page_of_the_session_has_the_same_elements(opened: dict[str, Opened]) -> None:
    def structure(one: Opened) -> list[str]:
        page = re.sub(r'<p class="help">(?!.*hidden).*?</p>', "", one.page, count=1)  # what the type gives: other words for each
        page = re.sub(r'<dd class="more">.*?</dd>', "", page)  # the QR code of what a phone's camera is for
        return Structure(page).found

    alike({name: structure(one) for name, one in opened.items()})


def test_codes_are_spoken_in_groups_and_tell_the_provider(opened: dict[str, Opened]) -> None:
    codes = {one.session.code or "" for one in opened.values()}

    assert len(codes) == len(TYPES)
    assert all(re.fullmatch(r"[a-z]\d{3}-\d{3}-\d{3}", code) for code in codes), codes


def test_connections_of_different_providers_have_the_same_columns(host: Host) -> None:
    operator = host.operator()
    sessions = {}
    for name in ("remote_control", "browser_screen"):
        sessions[name] = host.open_session(CASE, name, operator)
        if name == "remote_control":
            requests.get(sessions[name].customer_link or "", timeout=60)
            requests.get(host.join_session(sessions[name].id, operator).reveal(), timeout=60)
        else:
            now = host.clock.now()
            book_of(host).begin("a home", Stretch("c-1", sessions[name].correlation_id, now, operator.id, operator.name))
            book_of(host).finish("a home", "c-1", now)
        host.close_session(sessions[name].id, operator)
    run = host.refresh_company_report(operator)
    assert host.carry_out_job_run(run.id, operator).state == "succeeded"

    rows = {row.session_id: connection_view(row) for row in host.record_connections(CASE, operator).items}
    found = {name: rows[session.id] for name, session in sessions.items()}

    shared = {"entityType", "sessionCode", "start", "end", "object", "recordId", "source", "sessionId"}
    for name, row in found.items():
        assert shared <= set(row), name
    assert len({row["entityType"] for row in found.values()}) == 1
    both = set(found["remote_control"]) & set(found["browser_screen"])
    alike({name: shape({key: row[key] for key in sorted(both)}) for name, row in found.items()})


def test_a_type_that_nobody_can_join_early_or_hear_of_differs_by_what_it_says_only(opened: dict[str, Opened]) -> None:
    unheard = {name for name, one in opened.items() if "Nobody tells Jumpseat when the customer joins" in one.page}

    assert unheard == {"link_room", "link_fixed"}
    assert {name for name, one in opened.items() if "Show QR code" in one.page} == {"pilot", "browser_camera"}


def test_every_session_type_that_ships_keeps_to_the_one_contract(host: Host) -> None:
    folders: Callable[[str], Path] = lambda plugin: ROOT / "tests" / "plugins" / plugin  # noqa: E731  # said in one line, beside its use
    bringing = {info.name for info in host.plugins(host.operator()) if info.session_types}

    assert bringing == {"teamviewer", "browser", "link", "meshcentral"}
    for plugin in bringing:
        assert any("(SessionTypeContract)" in file.read_text() for file in folders(plugin).glob("test_*.py")), plugin
