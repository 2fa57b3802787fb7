"""The plugin author's guide is true: its blocks run, its hooks and fixtures are those of the code."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import jumpseat.testing
from jumpseat import Record, RecordRef, SignInRequest, contract, errors, hookspecs
from jumpseat.hooks import Plugins, PluginState
from jumpseat.hooks.trace import MAX_TEXT, TraceLevel
from jumpseat.testing.fakes import CONTACT, a_message, a_record, a_supporter, an_open_request

GUIDE = (Path(__file__).parents[2] / "plugins" / "README.md").read_text()
BLOCKS = {
    re.match(r"# (\w+\.py)\n", block)[1]: block  # type: ignore[index]  # a block without a file name is a mistake
    for block in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
}
PLUGINS = sorted(name.removesuffix(".py") for name in BLOCKS if not name.startswith(("test_", "conftest")))


@pytest.fixture
def guide(workspace: Any, load: Callable[..., Plugins]) -> Callable[..., Plugins]:
    """Loads the guide's plugins as dropped-in files."""

    def guide(**options: Any) -> Plugins:
        for name in PLUGINS:
            workspace.write(f"{name}.py", BLOCKS[f"{name}.py"])
        return load(**options)

    return guide


def test_every_plugin_of_the_guide_is_active(guide: Callable[..., Plugins]) -> None:
    found = {info.name: (info.state, info.reason) for info in guide().infos() if info.name in PLUGINS}

    assert found == dict.fromkeys(PLUGINS, (PluginState.ACTIVE, ""))
    assert PLUGINS == ["helpdesk", "house_rules", "meeting_room", "pager", "pager_receipts", "switchboard"]


def test_the_pager_pages(guide: Callable[..., Plugins], gateway: str, paged: list[Any]) -> None:
    settings = {"gateway_url": f"{gateway}/pages"}
    pager = guide(settings=lambda plugin: settings if plugin == "pager" else {}).channels["pager"]

    sent = pager.send(a_message("+33612345678"))
    settings["gateway_url"] = f"{gateway}/elsewhere"
    failed = pager.send(a_message("+33612345678"))

    assert sent.reference == "page-1"
    assert paged[0] == ("share-1", {"to": "+33612345678", "text": "Join me: https://example.test/s123456789"})
    assert (failed.kind, failed.reason, failed.retry) == ("failed", "503", True)


def test_the_meeting_room_opens(guide: Callable[..., Plugins]) -> None:
    opened = guide().session_types["meeting_room"].open(an_open_request("jumpseat-123456789"))

    assert opened.customer_link == f"https://meet.example.com/{opened.code}"


def test_the_helpdesk_reads(guide: Callable[..., Plugins]) -> None:
    source = guide().open_source("helpdesk", "tickets")
    ticket = RecordRef("Ticket", "T-1")

    assert source.source == "tickets"
    assert source.get(ticket, ("Subject",)) == {"Subject": "No picture"}
    (contact,) = source.contacts(Record(ticket, "No picture"), contract.ContactRule("self"))
    assert (contact.name, contact.email) == ("Ada Byron", "ada@example.test")
    with pytest.raises(errors.RecordNotFound, match=r"There is no ticket T-2\."):
        source.get(RecordRef("Ticket", "T-2"), ())


def test_the_switchboard_is_signed_in_to(guide: Callable[..., Plugins]) -> None:
    settings = {"client_id": "app"}
    switchboard = guide(settings=lambda plugin: settings if plugin == "switchboard" else {}).sign_ins["switchboard"]

    page = switchboard.authorize_url(SignInRequest("s-1", "https://jumpseat.example/sign-in/callback", "proof"))

    assert page.startswith("https://switchboard.example.com/authorize?client_id=app&redirect_uri=https%3A%2F%2Fjumpseat.example")
    assert "&state=s-1&code_challenge=proof&" in page
    assert switchboard.needs_scopes == ("calls",)


def test_the_methods_and_questions_of_the_guides_sign_in_are_those_of_the_contract() -> None:
    section = GUIDE.split("## A sign-in")[1].split("\n## ")[0]
    told = re.findall(r"^\|.*`(?:accounts\.)?(\w+)\([^)]*\)`", section, re.MULTILINE)
    written = {name: method for name, method in vars(contract.SignIn).items() if inspect.isfunction(method)}
    asked = {name: method for name, method in vars(contract.Accounts).items() if inspect.isfunction(method) and not name.startswith("_")}

    assert set(told) == set(written) | set(asked)


def test_the_house_rules_hold(guide: Callable[..., Plugins]) -> None:
    plugins = guide()
    closed = a_record(IsClosed=True, BillingCountry="US", SecondEmail="second@example.test")
    ask = plugins.dispatch.decide

    (allowed,) = ask("session_type_allowed", record=closed, session_type=None, supporter=a_supporter())
    (suggested,) = ask("suggest_recipients", record=closed, channel=jumpseat.testing.RecordingChannel(), contacts=(CONTACT,))

    assert allowed.value.reason == "The case is closed."
    assert [recipient.address for recipient in suggested.value] == ["second@example.test"]
    assert plugins.settings["house_rules"][0].name == "region"


def test_the_guides_test_passes(tmp_path: Path) -> None:
    for name, block in BLOCKS.items():
        (tmp_path / name).write_text(block)

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)

    assert re.search(r"\d+ passed, 3 skipped", ran.stdout), ran.stdout[-3000:] + ran.stderr[-1000:]


def test_the_hooks_of_the_guide_are_the_hooks() -> None:
    listed = dict(re.findall(r"^\| `(\w+)\(([^)]*)\)` \|", GUIDE, re.MULTILINE))
    hooks = (*hookspecs.REGISTRY, *hookspecs.DECISIONS, *hookspecs.EVENTS)

    assert listed == {hook: ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters) for hook in hooks}


def test_the_states_of_the_guide_are_the_states() -> None:
    section = GUIDE.split("## When a plugin fails")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [state.value for state in PluginState]


def test_the_levels_and_numbers_of_the_guide_are_the_codes() -> None:
    assert f"{MAX_TEXT:,} characters at most" in GUIDE
    assert all(f"`{level}`" in GUIDE for level in TraceLevel)


def test_the_fixtures_of_the_guide_exist() -> None:
    section = GUIDE.split("| fixture |")[1].split("\n\n")[0]
    named = {name for row in section.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert named == {"host", "workspace", "clock", "case", "supporter", "recording"}
    assert all(hasattr(jumpseat.testing, name) for name in named)


def test_the_errors_of_the_guide_are_published() -> None:
    section = GUIDE.split("## What to raise")[1].split("\n\n")[1]
    named = re.findall(r"`([A-Z]\w+)`", section)

    assert all(name in jumpseat.__all__ for name in named)
    assert len(named) == 11
