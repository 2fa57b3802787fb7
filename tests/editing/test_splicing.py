"""Changing values of a YAML text: exactly their lines change, whatever the text looks like."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from jumpseat.catalogue.positions import parse_yaml
from jumpseat.catalogue.source_text import SourceText
from jumpseat.editing.splicing import NotEditable, with_values

CASE = """\
# yaml-language-server: $schema=../schema/supported-object.json
label:   Case   # what people call it

supported_object: 'Case'
name_field: "CaseNumber"
# One address per case.
allow_custom_recipient: false # asked by Legal
phone_fields: [ Phone , "Mobile" ]
contacts:
- lookup: ContactId   # the one who called
# then the account
- account_primary: AccountId
"""


def read(text: str) -> Any:
    reading = parse_yaml(SourceText("", text))
    assert reading.problems == ()
    return reading.value


def changed(text: str, **values: Any) -> str:
    return with_values(text, {**read(text), **values})


def without(text: str, *keys: str) -> str:
    return with_values(text, {key: value for key, value in read(text).items() if key not in keys})


def difference(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[:3] not in ("---", "+++") and not line.startswith("@@")]


def test_a_changed_text_keeps_its_quotes_its_place_and_the_comment_behind_it() -> None:
    assert difference(CASE, changed(CASE, label="Ticket", supported_object="Ticket", name_field="Number")) == [
        "-label:   Case   # what people call it",
        "+label:   Ticket   # what people call it",
        "-supported_object: 'Case'",
        '-name_field: "CaseNumber"',
        "+supported_object: 'Ticket'",
        '+name_field: "Number"',
    ]


def test_a_boolean_changes_alone() -> None:
    assert difference(CASE, changed(CASE, allow_custom_recipient=True)) == [
        "-allow_custom_recipient: false # asked by Legal",
        "+allow_custom_recipient: true # asked by Legal",
    ]


def test_a_list_in_brackets_keeps_the_letters_of_what_stays() -> None:
    assert difference(CASE, changed(CASE, phone_fields=["Mobile", "Fax", "24"])) == [
        '-phone_fields: [ Phone , "Mobile" ]',
        '+phone_fields: ["Mobile", Fax, "24"]',
    ]


def test_items_of_a_list_come_and_go_line_by_line() -> None:
    more = [{"lookup": "ContactId"}, {"account_primary": "ParentId"}, {"value": {"name": "Caller", "email": "CallerEmail"}}]

    assert difference(CASE, changed(CASE, contacts=more)) == [
        "-- account_primary: AccountId",
        "+- account_primary: ParentId",
        "+- value:",
        "+    name: Caller",
        "+    email: CallerEmail",
    ]
    assert difference(CASE, changed(CASE, contacts=more[:1])) == ["-- account_primary: AccountId"]


def test_an_item_that_moves_keeps_its_comments() -> None:
    contacts = read(CASE)["contacts"]

    assert "- account_primary: AccountId\n- lookup: ContactId   # the one who called\n" in changed(CASE, contacts=contacts[::-1]).replace(
        "# then the account\n", ""
    )


def test_a_new_key_follows_the_last_one() -> None:
    assert difference(CASE, changed(CASE, enabled=False, write_back={"Minutes__c": "duration_minutes"})) == [
        "+enabled: false",
        "+write_back:",
        "+  Minutes__c: duration_minutes",
    ]


def test_a_key_goes_with_all_its_lines_and_no_others() -> None:
    assert difference(CASE, without(CASE, "label", "phone_fields")) == [
        "-label:   Case   # what people call it",
        '-phone_fields: [ Phone , "Mobile" ]',
    ]
    assert difference(CASE, without(CASE, "contacts")) == [
        "-contacts:",
        "-- lookup: ContactId   # the one who called",
        "-# then the account",
        "-- account_primary: AccountId",
    ]


def test_the_first_key_of_an_item_can_go_too() -> None:
    text = "tiles:\n  - title: One\n    kind: number\n  - kind: bar\n"

    assert with_values(text, {"tiles": [{"kind": "number"}, {"kind": "bar"}]}) == "tiles:\n  - kind: number\n  - kind: bar\n"


def test_a_value_may_become_of_another_kind() -> None:
    text = "rights:\n  session: own # theirs\n  share:\n    send: all\n    read: own\nlabel: X\n"

    assert with_values(text, {"rights": {"session": {"open": "all"}, "share": "none"}, "label": "X"}) == (
        "rights:\n  session: # theirs\n    open: all\n  share: none\nlabel: X\n"
    )


def test_a_list_that_becomes_empty_and_a_key_without_a_value() -> None:
    assert with_values("a:\n  - x\nb:\n", {"a": [], "b": "filled"}) == "a: []\nb: filled\n"


def test_a_text_of_several_lines_is_written_below_its_key() -> None:
    text = "tiles:\n  - text: old\n    x: 1\n"
    after = with_values(text, {"tiles": [{"text": "first\n\nsecond: line\n", "x": 1}]})

    assert after == "tiles:\n  - text: |\n      first\n\n      second: line\n    x: 1\n"
    assert with_values(after, {"tiles": [{"text": "first\n\nsecond\n", "x": 1}]}) == after.replace("second: line", "second")


def test_line_breaks_of_windows_and_a_missing_last_one_stay() -> None:
    assert with_values("a: 1\r\nb: 2\r\n", {"a": 3, "b": 2, "c": ["x"]}) == "a: 3\r\nb: 2\r\nc: [x]\r\n"
    assert with_values("a: 1\nb: 2", {"a": 1, "b": 5}) == "a: 1\nb: 5"


def test_a_file_of_nothing_but_comments_is_filled() -> None:
    assert with_values("# mine\n", {"label": "Case"}) == "# mine\nlabel: Case\n"


@pytest.mark.parametrize("text", ["label: [", "- a\n", "a: &x 1\nb: *x\n", "a: [1, # one\n  2]\n"])
def test_what_cannot_be_changed_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(NotEditable):
        with_values(text, {"a": [3]})


@pytest.mark.parametrize(
    "word", ["no", "12", "1.10", "2026-01-01", "a: b", "#x", "- x", "", " x", "é", "null", "[x", "it's", 'say "x"', "a,b", "\\"]
)
def test_every_text_is_read_back_as_this_text(word: str) -> None:
    assert read(changed(CASE, label=word, phone_fields=["Phone", word], contacts=[{"lookup": word}]))["label"] == word


# --- whatever the file looks like -------------------------------------------------------------------------------------

KEYS = ["label", "name_field", "extra one", "enabled", "rights", "tiles", "24"]
WORDS = st.sampled_from(
    ["Case", "no", "12", "24h", "it's", 'say "hi"', "a: b", "# none", "", "Élan", "x, y", "https://a.example/b", "- dash"]
)
SCALARS = st.one_of(WORDS, st.booleans(), st.integers(-5, 5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, min_size=1, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=3)),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=5)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[str]]:
    """A text somebody wrote: their indentation, quotes, comments and blank lines; what it says; the owner key of each line."""
    value = draw(MAPPINGS)
    lines: list[tuple[str, str]] = []
    for key, one in value.items():
        for noise in draw(st.lists(st.sampled_from(["", "# a comment", "  # an indented one", "# key: value"]), max_size=2)):
            lines.append(("", noise))
        lines += [(key, line) for line in _lines(draw, key, one)]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    return newline.join(line for _, line in lines) + newline, value, [owner for owner, _ in lines]


def _lines(draw: st.DrawFn, key: str, value: Any) -> list[str]:
    step, dash = draw(st.integers(1, 4)), draw(st.integers(0, 3))

    def quoted(one: Any, inside: bool) -> str:
        from jumpseat.editing.rendering import scalar

        return scalar(one, style=draw(st.sampled_from([None, "'", '"'])), flow=inside) if isinstance(one, str) else scalar(one)

    def flow(one: Any) -> str:
        pad = draw(st.sampled_from(["", " "]))
        if isinstance(one, list):
            return f"[{pad}" + f"{pad}, ".join(flow(item) for item in one) + f"{pad}]"
        if isinstance(one, dict):
            return f"{{{pad}" + ", ".join(f"{quoted(name, True)}: {flow(item)}" for name, item in one.items()) + f"{pad}}}"
        return quoted(one, True)

    def below(head: str, one: Any, indent: int) -> list[str]:
        tail = draw(st.sampled_from(["", "", " # why", "   # 'odd"]))
        if not isinstance(one, list | dict) or draw(st.booleans()):
            shown = flow(one) if isinstance(one, list | dict) else quoted(one, False)
            return [f"{head}{' ' * draw(st.integers(1, 3))}{shown}{tail}"]
        if isinstance(one, dict):
            return [
                head + tail,
                *(
                    line
                    for name, item in one.items()
                    for line in below(f"{' ' * (indent + step)}{quoted(name, False)}:", item, indent + step)
                ),
            ]
        return [
            head + tail,
            *(
                line
                for item in one
                for line in below(f"{' ' * (indent + dash + (0 if head.endswith(':') else 1))}-", item, indent + dash + 1)
            ),
        ]

    return below(f"{quoted(key, False)}:", value, 0)


@given(written(), st.data())
def test_a_change_of_one_key_changes_exactly_its_lines(file: tuple[str, dict[str, Any], list[str]], data: st.DataObject) -> None:
    text, value, owners = file
    if parse_yaml(SourceText("", text)).problems:
        return
    assert read(text) == value
    key = data.draw(st.sampled_from(sorted(value)))
    wanted = {**value, key: data.draw(VALUES)}

    after = with_values(text, wanted)

    assert read(after) == wanted
    assert others(text.splitlines(keepends=True), owners, key) == kept(after, text, owners, key)


def others(lines: list[str], owners: list[str], key: str) -> list[str]:
    return [line for line, owner in zip(lines, owners, strict=True) if owner != key]


def kept(after: str, text: str, owners: list[str], key: str) -> list[str]:
    """The lines around the key's own, which stand in one piece."""
    before = text.splitlines(keepends=True)
    first, last = owners.index(key), len(owners) - 1 - owners[::-1].index(key)
    lines = after.splitlines(keepends=True)
    return lines[:first] + lines[len(lines) - (len(before) - last - 1) :]


@given(MAPPINGS, MAPPINGS)
def test_whatever_is_wanted_is_what_is_read_afterwards(first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
    text = with_values("", first)

    try:
        assert read(with_values(text, second)) == second
    except NotEditable:
        assert not set(first) & set(second)
