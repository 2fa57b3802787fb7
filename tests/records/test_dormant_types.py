"""Session types that nobody has set up: left out of offers and pages, told of where somebody names them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Abilities, Host, RecordRef, Setting, hookimpl
from jumpseat.diagnosis import outside, setup
from jumpseat.errors import SessionTypeNotAllowed
from jumpseat.testing import FakeClock, RecordingPlugin, RecordingSessionType, make_workspace
from jumpseat.web.workspace.lists import choices

CASE = RecordRef("Case", "500000000000001")
UNSET = "Mirror needs the setting 'url'."
Begin = Callable[..., Host]


class Mirror(RecordingSessionType):
    """A type that exists once its address is set."""

    name, label = "mirror", "Mirror"
    abilities = Abilities(devices=True)
    settings = (Setting("url", str), Setting("token", str, secret=True))

    @property
    def dormant(self) -> bool:  # type: ignore[override]  # follows a setting
        return not self.config.url

    def missing(self) -> str:
        return "" if self.config.url else UNSET


class Plugin(RecordingPlugin):
    @hookimpl
    def register_session_types(self) -> list[Any]:
        return [self.session_type, Mirror()]


@pytest.fixture
def begin(tmp_path: Path, sqlite_template: Path) -> Iterator[Begin]:
    """Opens a host; ``settings`` are those of the plugin, ``sessions`` and ``case`` are added to the metadata."""
    opened: list[Host] = []

    def begin(settings: Mapping[str, Any] | None = None, sessions: str = "", case: str = "") -> Host:
        folder = make_workspace(tmp_path / "workspace", {"recording": settings} if settings else {})
        for path, more in (("sessions.yaml", sessions), ("objects/case.yaml", case)):
            if more:
                with (folder / "metadata" / path).open("a") as file:
                    file.write(more)
        (folder / "var").mkdir(exist_ok=True)
        shutil.copy(sqlite_template, folder / "var" / "jumpseat.db")
        opened.append(Host.open(folder, discover=False, plugins=[("recording", Plugin())], clock=FakeClock()))
        return opened[-1]

    yield begin
    for host in opened:
        host.close()


def offered(host: Host) -> dict[str, list[str]]:
    """What is said against each session type of the case's offer."""
    offer = host.resolve(CASE, host.operator())
    return {one.name: [reason.text for reason in one.reasons if not reason.allowed] for one in offer.session_types}


def test_what_nobody_set_up_is_left_out(begin: Begin) -> None:
    host = begin()

    assert offered(host) == {"recording": []}
    assert [action.allowed for action in host.buttons(CASE, host.operator()).actions if action.name == "new"] == [True]
    assert [name for name, _ in choices(host, "sessions")["session_type"]] == ["recording"]
    assert host.devices(host.operator()).unlisted == ()
    assert [one.found for one in setup.findings(host) if one.what == "session settings"] == ["allowed: Recording"]


def test_with_its_setting_it_is_offered_at_once(begin: Begin) -> None:
    host = begin({"url": "https://mirror.example"})
    assert offered(host) == {"recording": [], "mirror": []}


@pytest.mark.parametrize(
    "named",
    [{"sessions": "\nallow: {mirror: true}\n"}, {"case": "\nsession_types: [recording, mirror]\n"}],
    ids=["session settings", "object"],
)
def test_whoever_names_it_reads_what_is_missing(begin: Begin, named: dict[str, str]) -> None:
    assert offered(begin(**named)) == {"recording": [], "mirror": [UNSET]}


def test_whoever_forbids_it_has_not_named_it(begin: Begin) -> None:
    assert offered(begin(sessions="\nallow: {mirror: false}\n")) == {"recording": []}


def test_whoever_asks_for_it_reads_what_is_missing(begin: Begin) -> None:
    host = begin()

    with pytest.raises(SessionTypeNotAllowed) as refused:
        host.open_session(CASE, "mirror", host.operator())
    assert refused.value.message == UNSET


def test_administrators_see_it_all_the_same(begin: Begin) -> None:
    host = begin()

    assert [info.session_types for info in host.plugins(host.operator())] == [("mirror", "recording")]
    assert [(one.state, one.found) for one in outside.extensions(host) if one.what == "session type mirror"] == [("todo", UNSET)]
