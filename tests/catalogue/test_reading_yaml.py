"""The YAML reader: whatever the bytes, a value with places or problems, quickly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from effort import grows_faster_than_its_size
from jumpseat.catalogue.positions import Places, Reading, SourceText, looks_like, parse_yaml, read_yaml
from jumpseat.catalogue.problems import render
from jumpseat.catalogue.source_text import MAX_BYTES

pieces = st.sampled_from(
    [
        *"abN0129:-?,[]{}#&*!|>'\"%@`~<=. \n\t\r",
        "\n  ",
        "- ",
        ": ",
        "key: ",
        "&a ",
        "*a",
        "!!x ",
        "---\n",
        "...\n",
        "<<",
        "\u2028",
        "\0",
        "é",
    ]
)
yamlish = st.lists(pieces, max_size=60).map("".join)
names = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=8)
texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=20)
values = st.recursive(
    texts | st.integers(-(10**14), 10**14) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


def check_reading(reading: Reading, text: str) -> None:
    """A reading holds a value or problems, and each problem is inside the text and can be printed."""
    if reading.problems:
        assert reading.value is None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in reading.problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.cause
        assert problem.fix
        assert "{" not in problem.cause.replace("'{'", "").replace("near '{", "")
        assert render(problem)


@given(yamlish)
def test_any_text_is_a_value_or_has_problems(text: str) -> None:
    check_reading(read_yaml(text.encode(), "x.yaml"), text)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_have_problems(data: bytes) -> None:
    reading = read_yaml(data, "x.yaml", masked=True)

    assert reading.problems or reading.empty or reading.places is not None
    assert all(render(problem) for problem in reading.problems)


@given(st.dictionaries(names.filter(lambda name: looks_like(name) is None), values, max_size=5))
def test_what_was_written_is_read_and_every_place_points_at_it(value: dict[str, Any]) -> None:
    text = yaml.safe_dump(value, allow_unicode=True, width=10_000, default_flow_style=False)
    reading = read_yaml(text.encode(), "x.yaml")
    if reading.problems:  # characters that only yaml writes without escapes
        assert {problem.code for problem in reading.problems} <= {"M106", "M206"}
        return

    assert reading.value == value
    check_places(reading, reading.value, reading.places)


def check_places(reading: Reading, value: Any, places: Places) -> None:
    for step, inner in places.inside.items():
        assert (inner.key is None) == isinstance(step, int)
        if inner.key:
            assert at(reading, inner.key) == step
        if isinstance(value[step], bool):
            assert at(reading, inner.value) == str(value[step]).lower()
        if isinstance(value[step], int) and not isinstance(value[step], bool):
            assert at(reading, inner.value) == str(value[step])
        check_places(reading, value[step], inner)


def at(reading: Reading, place: Any) -> str:
    return reading.source.line(place.line)[place.column - 1 : place.column - 1 + place.length].strip("'\"")


def test_places_of_front_matter_count_from_its_first_line() -> None:
    reading = parse_yaml(SourceText("t.txt", "name: a\nname: b\n", first_line=2))

    assert [(problem.line, problem.column, problem.snippet) for problem in reading.problems] == [(3, 1, "name: b")]


def test_the_place_of_something_missing_is_that_of_its_nearest_ancestor() -> None:
    places = read_yaml(b"a:\n  b: [1, 2]\n", "x").places

    assert places.of_key(("a", "b", 1)) == (2, 10, 1)
    assert places.of_key(("a", "b", 7)) == (2, 3, 1)
    assert places.of_value(("a", "x")) == (2, 3, 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("True", "True"),
        ("012", "012"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("1.10", "1.10"),
        ("1.0", 1.0),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("12:30", "12:30"),
        ("2024-01-31", "2024-01-31"),
        ("+33612345678", "+33612345678"),
        ("9" * 5000, "9" * 5000),
        ("~", None),
        ("null", None),
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("2.5", 2.5),
        ('"2.5"', "2.5"),
        ("'true'", "true"),
    ],
)
def test_only_plain_words_become_something_other_than_text(text: str, value: Any) -> None:
    read = read_yaml(f"key: {text}\n".encode(), "x").value["key"]

    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize("text", ["NO", "y", "Off", "012", "1.10", "0o17", "1e3", "12:30:00", "2024-01-31T10:00:00Z", ".nan", "005e12"])
def test_an_unquoted_word_that_others_read_differently_is_marked(text: str) -> None:
    reading = read_yaml(f"key: {text}\n".encode(), "x")

    assert reading.places.inside["key"].doubtful
    assert not read_yaml(f'key: "{text}"\n'.encode(), "x").places.inside["key"].doubtful


BOMB = (
    "a: &a ["
    + ",".join(["x"] * 9)
    + "]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=False))
)


@pytest.mark.parametrize(
    ("name", "text", "size", "code"),
    [
        ("lists", lambda size: "[" * size, 5000, "M208"),
        ("mappings", lambda size: "{a: " * size, 5000, "M208"),
        ("indented", lambda size: "\n".join(" " * depth + "a:" for depth in range(size)), 600, "M208"),
        ("dashes", lambda size: "- " * size, 5000, "M208"),
        ("bomb", lambda size: BOMB, 1, "M203"),
        ("cycle", lambda size: "a: &a [*a]\n", 1, "M203"),
        ("values", lambda size: "[" + "1," * size + "1]", 30_000, "M208"),
        ("bytes", lambda size: "a: " + "x" * size, MAX_BYTES, "M208"),
        ("keys", lambda size: "".join(f"k{number}: 1\n" for number in range(size)), 15_000, "M208"),
        ("quotes", lambda size: "a: " + "'" * (size // 2 * 2 + 1), 100_001, "M201"),
        ("question marks", lambda size: "? " * size, 5000, "M213"),
        ("repeated", lambda size: "a: 1\n" * size, 5000, "M202"),
        ("one long line", lambda size: "a: " + "b: " * size, 50_000, "M201"),
    ],
)
def test_hostile_documents_cost_no_more_to_refuse_than_their_length(name: str, text: Callable[[int], str], size: int, code: str) -> None:
    reading = read_yaml(text(size).encode(), "x.yaml")

    assert reading.problems[-1].code == code
    assert len(reading.problems) <= 20
    assert not grows_faster_than_its_size(lambda size: read_yaml(text(size).encode(), "x.yaml"), size)


def test_a_byte_order_mark_is_passed_over() -> None:
    reading = read_yaml(b"\xef\xbb\xbflabel: Case\n", "x")

    assert reading.value == {"label": "Case"}
    assert reading.places.of_key(("label",)) == (1, 1, 5)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_count_the_same_with_every_line_ending(ending: str) -> None:
    reading = read_yaml(ending.join(["a: 1", "b: 2", "a: 3", ""]).encode(), "x")

    assert [(problem.line, problem.snippet) for problem in reading.problems] == [(3, "a: 3")]
