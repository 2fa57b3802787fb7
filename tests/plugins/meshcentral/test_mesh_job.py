"""The whole way over a real MeshCentral server: the customer's program on a real display, the supporter in a real browser.

The server is the npm package, on loopback; the customer fetches its program from the page of their link. Needs node, Xvfb and zenity.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from display import Display, display
from mesh_kit import Customer, Mesh, mesh_server, needs, pin_of, soon
from playwright.sync_api import Browser, Page, sync_playwright

import jumpseat_meshcentral
from jumpseat import Host, ProviderRefused, Secret, Session
from jumpseat.testing import (
    FakeClock,
    RecordingPlugin,
    SessionTypeContract,
    a_record,
    a_session,
    a_supporter,
    an_open_request,
    make_workspace,
)
from jumpseat.testing.fakes import lend
from jumpseat_meshcentral.ending import end
from jumpseat_meshcentral.groups import read_groups
from jumpseat_meshcentral.session_type import MeshCentral

pytestmark = [pytest.mark.desktop, pytest.mark.timeout(600)]  # the first test waits for npm and for the server's keys
BLUE = (0x20, 0x40, 0xC0)
WINDOW = (480, 40, 300, 160)
"""Where it stands on the display, beside the dialogs: x, y, width, height."""
NEARLY = 16
"""How far a colour may be off: the picture comes as JPEG."""
REFUSED = 34
"""Number of what a program tells when its user said no."""
COLOUR = "([x, y]) => [...document.getElementById('Desk').getContext('2d').getImageData(x, y, 1, 1).data].slice(0, 3)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    needs("node", "npm")
    with mesh_server(tmp_path_factory.mktemp("meshcentral")) as running:
        yield running


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Display]:
    needs("Xvfb", "zenity", "ps")
    with display(tmp_path_factory.mktemp("display")) as shown:
        shown.show(*WINDOW, int.from_bytes(bytes(BLUE)))
        yield shown


@pytest.fixture(scope="module")
def browser(server: Mesh) -> Iterator[Browser]:
    """A browser that takes this server's certificate and no other that it does not know."""
    installed = [shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")]
    path = os.environ.get("JUMPSEAT_TEST_CHROMIUM") or next(filter(None, installed), None)
    with sync_playwright() as started:
        if path is None and not Path(started.chromium.executable_path).is_file():
            needs("chromium")
        flags = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--ignore-certificate-errors-spki-list={pin_of(server)}"]
        with started.chromium.launch(executable_path=path, args=flags) as browser:
            yield browser


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture(autouse=True)
def _nobody_else(server: Mesh) -> None:
    """What another test left, such as by failing, is gone."""
    with server.line() as line:
        end(line, [group.id for group in read_groups(line).items.values()])


@pytest.fixture
def mesh(server: Mesh, tmp_path: Path, clock: FakeClock) -> MeshCentral:
    extension = MeshCentral()
    lend(extension, tmp_path, clock, **server.settings)
    return extension


@pytest.fixture
def session(mesh: MeshCentral, clock: FakeClock) -> Iterator[Session]:
    request = an_open_request("job-1", clock)
    session = a_session(mesh.open(request), request, "meshcentral")
    yield session
    mesh.close(session)


@pytest.fixture
def arrive(server: Mesh, screen: Display, tmp_path: Path) -> Iterator[Callable[..., Customer]]:
    """``arrive(session, is_online)``: the customer, once they are seen to be online."""
    came: list[Customer] = []

    def come(session: Session, is_online: Callable[[], bool]) -> Customer:
        assert session.customer_link is not None
        came.append(Customer(server, session.customer_link, tmp_path / f"customer-{len(came)}", screen))
        came[-1].start()
        soon(is_online, "The customer is online")
        return came[-1]

    yield come
    for customer in came:
        customer.leave()


@pytest.fixture
def customer(mesh: MeshCentral, session: Session, arrive: Callable[..., Customer]) -> Customer:
    """The customer of the session, online."""
    return arrive(session, lambda: mesh.status((session,))[0].online)


@pytest.fixture
def join(browser: Browser, tmp_path: Path) -> Iterator[Callable[[Secret], Page]]:
    """``join(link)``: the supporter's page, once its button was pressed; a picture of it is kept."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    context.set_default_timeout(30_000)

    def open_page(link: Secret) -> Page:
        page = context.new_page()
        page.goto(link.reveal())
        page.locator("#connectbutton1").click()
        return page

    yield open_page
    for number, page in enumerate(context.pages):
        page.screenshot(path=tmp_path / f"supporter-{number}.png")
    context.close()


def shows(page: Page) -> bool:
    """Does the page show the window that stands on the customer's display?"""
    x, y, width, height = WINDOW
    seen = page.evaluate(COLOUR, [x + width // 2, y + height // 2])
    return all(abs(ours - theirs) <= NEARLY for ours, theirs in zip(BLUE, seen, strict=True))


def said_by_programs(server: Mesh) -> set[int]:
    """What the customers' programs had to tell, by its number."""
    with server.line() as line:
        return {event.get("msgid") for event in line.call("events", filter="agentlog", limit=10)["events"]}


def answer(screen: Display, customer: Customer, *, yes: bool) -> str:
    """Answer the question that the customer is asked; answers its words."""
    asked = soon(customer.question, "The customer is asked")

    def is_answered() -> bool:
        screen.answer(yes=yes)
        return not customer.question()

    soon(is_answered, "The question goes")
    return asked


def at(page: Page, x: int, y: int) -> tuple[float, float]:
    """Where on the page a point of the customer's display is shown."""
    place = page.evaluate(
        """([x, y]) => {
        const desk = document.getElementById('Desk'), box = desk.getBoundingClientRect()
        return [box.left + x * box.width / desk.width, box.top + y * box.height / desk.height]
    }""",
        [x, y],
    )
    return place[0], place[1]


class TestContract(SessionTypeContract):
    """What every session type keeps to."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """At the time of the suite."""
        return FakeClock()

    @pytest.fixture
    def session_type(self, mesh: MeshCentral) -> MeshCentral:
        return mesh

    @pytest.fixture
    def failing(self, server: Mesh, tmp_path: Path) -> MeshCentral:
        extension = MeshCentral()
        lend(extension, tmp_path, **{**server.settings, "url": "https://127.0.0.1:9"})
        return extension

    @pytest.fixture(autouse=True)
    def _customers(self, mesh: MeshCentral, arrive: Callable[..., Customer]) -> None:
        self.come = lambda session: arrive(session, lambda: mesh.status((session,))[0].online)

    def bring_customer(self, session: Session) -> None:
        self.come(session)


def test_the_server_is_found_to_work(mesh: MeshCentral) -> None:
    mesh.keep_signed_in()


def test_a_customer_who_says_yes_is_seen_and_helped(
    mesh: MeshCentral, session: Session, screen: Display, customer: Customer, join: Callable[[Secret], Page]
) -> None:
    page = join(mesh.supporter_link(session, a_supporter(name="Sam Support")))
    asked = answer(screen, customer, yes=True)
    soon(lambda: shows(page), "The picture shows the desktop")
    screen.clicked.clear()
    page.mouse.click(*at(page, WINDOW[0] + 120, WINDOW[1] + 80))
    soon(lambda: screen.clicked, "The click lands on the desktop")

    assert "Sam Support" in asked
    assert all(abs(there - meant) <= 2 for there, meant in zip(screen.clicked[0], (120, 80), strict=True))


def test_a_customer_who_says_no_shows_nothing(
    mesh: MeshCentral, session: Session, screen: Display, customer: Customer, join: Callable[[Secret], Page], server: Mesh
) -> None:
    page = join(mesh.supporter_link(session, a_supporter()))
    answer(screen, customer, yes=False)
    soon(lambda: REFUSED in said_by_programs(server), "The server knows that the customer said no")

    assert not shows(page)


def test_a_program_that_is_started_again_after_the_end_is_ended_again(mesh: MeshCentral, session: Session, customer: Customer) -> None:
    mesh.close(session)
    soon(lambda: not customer.runs, "The customer's program ends")
    customer.start()
    soon(lambda: mesh.status((session,))[0].online, "The program brings the session back")
    other = an_open_request("job-other")
    second = a_session(mesh.open(other), other, "meshcentral")
    mesh._swept = float("-inf")  # as after a minute
    mesh.status((second,))

    soon(lambda: not customer.runs, "The customer's program ends again")
    assert [one.state for one in mesh.status((session, second))] == ["gone", "open"]


@pytest.mark.usefixtures("customer")
def test_the_supporters_access_ends_with_the_session_also_while_the_host_is_away(
    server: Mesh, mesh: MeshCentral, session: Session, clock: FakeClock
) -> None:
    nearly_over = replace(session, valid_until=clock.now() + timedelta(seconds=8))
    link = mesh.supporter_link(nearly_over, a_supporter()).reveal()

    assert server.get(link)[0] == 200
    soon(lambda: server.get(link)[0] == 404, "The link is dead")


@pytest.fixture
def host(server: Mesh, clock: FakeClock, tmp_path: Path) -> Iterator[Host]:
    """A host with the plugin; its secrets are in files, as an administrator has them."""
    settings: dict[str, Any] = dict(server.settings)
    for name in ("token_user", "token_password"):
        (tmp_path / name).write_text(settings[name])
        settings[name] = {"file": str(tmp_path / name)}
    workspace = make_workspace(tmp_path / "workspace", {"meshcentral": settings})
    plugins = [("recording", RecordingPlugin()), ("meshcentral", jumpseat_meshcentral)]
    with Host.open(workspace, discover=False, plugins=plugins, clock=clock) as opened:
        yield opened


def test_a_session_goes_its_whole_way_through_a_host(
    host: Host, server: Mesh, screen: Display, arrive: Callable[..., Customer], join: Callable[[Secret], Page]
) -> None:
    supporter = a_supporter(name="Sam Support")
    session = host.open_session(a_record(), "meshcentral", supporter)
    with pytest.raises(ProviderRefused, match="not here yet"):
        host.join_session(session.id, supporter)

    def has_joined() -> bool:
        host.tick()
        return host.session(session.id, supporter).joined_at is not None

    customer = arrive(session, has_joined)
    link = host.join_session(session.id, supporter)
    page = join(link)
    answer(screen, customer, yes=True)
    soon(lambda: shows(page), "The picture shows the desktop")
    host.close_session(session.id, supporter)

    soon(lambda: page.locator("#deskstatus").inner_text() == "Disconnected", "The page is cut off")
    soon(lambda: not customer.runs, "The customer's program ends")
    assert server.get(link.reveal())[0] == 404
    host.carry_out_job_run(host.run_job("company_report", supporter).id, supporter)
    found = host.record_connections(session.record, supporter).items
    assert [(row.session_code, row.supporter_name) for row in found] == [(session.code, "Sam Support")]
