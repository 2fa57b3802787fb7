"""The examples of the session and of the share form: all can be drawn, and together they show every state there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import pytest
from playwright.sync_api import Page, expect
from web_kit import CASE, Pages

from jumpseat import RecordRef
from jumpseat.secret import Secret
from jumpseat.types import Supporter
from jumpseat.web.identity import LANGUAGES, Look, Visitor
from jumpseat.web.portfolio import PATH
from jumpseat.web.records.examples import NOW, Example
from jumpseat.web.records.examples_session import of_sessions
from jumpseat.web.records.session import State
from jumpseat.web.rendering import environment

EXAMPLES = list(of_sessions())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.component}, {example.state}")
def test_every_example_can_be_drawn_in_every_language(example: Example) -> None:
    visitor = Visitor(Supporter("u", "Ada"), Secret("a visit of an example"), Look())
    for language in LANGUAGES:
        drawn = environment(language).get_template(example.template).render({**example.values, "now": NOW, "visitor": visitor})
        assert drawn.lstrip().startswith("<section")


def test_the_session_is_shown_in_every_state() -> None:
    assert {example.values["state"] for example in EXAMPLES if example.component == "session"} == set(get_args(State))


def test_an_example_stays_what_it_is_whatever_happens_meanwhile(signed_in_tab: Callable[..., Page], pages: Pages) -> None:
    tab = signed_in_tab()
    tab.goto(f"{pages.local}{PATH}/session-online")
    pages.host.open_session(RecordRef("Case", CASE, "sandbox"), "pilot", pages.host.operator())
    tab.wait_for_timeout(500)
    expect(tab.get_by_text("Customer connected")).to_be_visible()
