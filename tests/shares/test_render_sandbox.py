"""The second wall: a template that the catalogue never saw is refused all the same, and the sandbox alone holds too."""

from __future__ import annotations

import runpy
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.exceptions import SecurityError

from effort import calls, grows_faster_than_its_size, peak_bytes
from jumpseat.catalogue.variables import sample_context
from jumpseat.errors import MessageUnsafe
from jumpseat.shares import render as rendering
from jumpseat.shares.render import plain, render
from jumpseat.shares.sandbox import environment
from jumpseat.types import Template

PAYLOADS = runpy.run_path(str(Path(__file__).parents[1] / "catalogue" / "test_templates_language.py"))
ESCAPES: list[str] = PAYLOADS["ESCAPES"]
BOMBS: list[str] = PAYLOADS["BOMBS"]
LONG: list[tuple[Callable[[int], str], int]] = PAYLOADS["LONG"]
LINK = "{{ session.customer_link }}"
TOLD = ("__class__", "__globals__", "<bound", "<function", "object at", "uid=", "TemplateReference", "<class")


def filled(payload: str) -> str:
    try:
        return render(Template("x", "sms", "en", LINK + payload), sample_context()).text
    except MessageUnsafe:
        return ""


@pytest.mark.parametrize("payload", ESCAPES)
def test_an_escape_is_refused_or_shows_nothing(payload: str):
    text = filled(payload)

    assert not any(word in text for word in TOLD)
    assert text in ("", "https://get.teamviewer.com/s12345678")


@pytest.mark.parametrize("payload", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_is_stopped_before_it_takes_anything(payload: str):
    texts: list[str] = []

    assert peak_bytes(lambda: texts.append(filled(payload))) < 5_000_000
    assert calls(lambda: texts.append(filled(payload))) < 100_000

    assert texts == ["", ""]


@pytest.mark.parametrize(("payload", "size"), LONG, ids=range(len(LONG)))
def test_a_long_bomb_costs_no_more_than_its_length(payload: Callable[[int], str], size: int):
    texts: dict[int, str] = {}

    assert not grows_faster_than_its_size(lambda size: texts.update({size: filled(payload(size))}), size)
    assert texts[size] == ""


@pytest.mark.parametrize("payload", ESCAPES)
@pytest.mark.parametrize("kind", ["subject", "text", "html"])
def test_the_sandbox_alone_lets_nothing_out(payload: str, kind: Any):
    """Without the check of the language: what compiles at all finds nothing to look up and nothing to call."""
    try:
        text = environment(kind, "en").from_string(payload).render(plain(sample_context()))
    except (jinja2.TemplateError, TypeError):
        return

    assert not any(word in text for word in TOLD)


@pytest.mark.parametrize(
    "payload",
    ["{{ 'a' * 10**9 }}", "{{ 2 ** 99999999 }}", "{{ '%999999999d' % 1 }}", "{{ message * 99999999 }}", "{{ -1 }}", "{{ 1 + 1 }}"],
)
def test_the_sandbox_alone_does_not_calculate(payload: str):
    tracemalloc.start()
    try:
        with pytest.raises(SecurityError, match=r"^a template does not calculate$"):
            environment("text", "en").from_string(payload).render(plain(sample_context()))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_the_sandbox_calls_nothing():
    with pytest.raises(SecurityError, match=r"^a template calls nothing$"):
        environment("text", "en").from_string("{{ message() }}").render(plain(sample_context()))


def test_the_largest_template_that_is_taken_costs_no_more_than_its_length():
    texts: dict[int, str] = {}

    def fill(places: int) -> None:
        rendering._prepared.cache_clear()  # compiled anew, which is the dear part
        body = LINK + " {% if message %}{{ record.name|upper }}{{ session.valid_until|date }}{% endif %}\n" * places
        template = Template("x", "email", "fr", body, subject="s", html=body.replace("\n", "<br>"))
        texts[places] = render(template, sample_context()).text

    assert not grows_faster_than_its_size(fill, 400)
    assert texts[400].count("janvier") == 400
