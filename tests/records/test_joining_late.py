"""A session that nobody can join before the customer is there: its join button waits for them, and says so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jumpseat import Abilities, Host, RecordRef
from jumpseat.errors import ProviderUnreachable
from jumpseat.records.offer import Action
from jumpseat.records.resolve import NOT_HERE_YET
from jumpseat.testing import FakeClock, RecordingPlugin, RecordingSessionType, make_workspace
from jumpseat.web.records.giving import CAMERA, CONTROL, SCREEN, UNHEARD, giving
from jumpseat.web.records.session import shown_without_crm

CASE = RecordRef("Case", "500000000000001")
LATE = Abilities(control=True, joined_signal=True, late_supporter_link=True)


class Late(RecordingSessionType):
    abilities = LATE


@pytest.fixture
def plugin() -> RecordingPlugin:
    made = RecordingPlugin()
    made.session_type = Late()
    return made


@pytest.fixture
def host(tmp_path: Path, sqlite_template: Path, plugin: RecordingPlugin) -> Iterator[Host]:
    folder = make_workspace(tmp_path / "workspace")
    (folder / "var").mkdir(exist_ok=True)
    shutil.copy(sqlite_template, folder / "var" / "jumpseat.db")
    with Host.open(folder, discover=False, plugins=[("recording", plugin)], clock=FakeClock()) as opened:
        yield opened


def join(host: Host) -> list[Action]:
    """The join button, as the offer and as the buttons alone have it."""
    operator = host.operator()
    return [host.resolve(CASE, operator).action("join"), *(one for one in host.buttons(CASE, operator).actions if one.name == "join")]


def test_the_join_button_waits_for_the_customer(host: Host, plugin: RecordingPlugin) -> None:
    session = host.open_session(CASE, "recording", host.operator())
    assert [(one.allowed, one.reason.text) for one in join(host)] == [(False, NOT_HERE_YET)] * 2

    plugin.session_type.online.add(session.code)
    host.tick()

    assert [one.allowed for one in join(host)] == [True, True]


def test_without_a_session_the_reason_is_that_there_is_none(host: Host) -> None:
    assert {one.reason.text for one in join(host)} == {"There is no valid session."}


@pytest.mark.parametrize(("online", "reason"), [(False, NOT_HERE_YET), (True, "")])
def test_it_waits_while_the_crm_does_not_answer_too(host: Host, online: bool, reason: str) -> None:
    session = replace(host.open_session(CASE, "recording", host.operator()), online=online)

    values = shown_without_crm(session, host.clock.now(), ProviderUnreachable("The CRM does not answer."), (), "", LATE)

    assert [(one.reason, one.main) for one in values["buttons"] if one.name == "join"] == [(reason, online)]


@pytest.mark.parametrize(
    ("can", "said"),
    [
        (LATE, (CONTROL,)),
        (Abilities(screen=True, joined_signal=True), (SCREEN,)),
        (Abilities(camera=True, joined_signal=True), (CAMERA,)),
        (Abilities(screen=True), (SCREEN, UNHEARD)),
        (Abilities(), (UNHEARD,)),
    ],
)
def test_the_page_says_what_a_session_gives_and_what_nobody_tells(can: Abilities, said: tuple[str, ...]) -> None:
    assert giving(can) == said
