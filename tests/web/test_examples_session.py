"""The examples of the session and of the share form: all can be drawn, and together they show every state there is."""

from __future__ import annotations

from typing import get_args

import pytest

from jumpseat.secret import Secret
from jumpseat.types import Supporter
from jumpseat.web.identity import LANGUAGES, Look, Visitor
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
