"""Values → YAML text, as a person would write it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from jumpseat.catalogue.positions import parse_yaml
from jumpseat.catalogue.source_text import SourceText

WIDEST_FLOW = 100
"""A list of short values stands on one line up to this many characters."""
_FIRST = re.compile(r"[\w/.+(]")
_NEVER_PLAIN = re.compile(r": |:$| #|^-(?: |$)|^\? |[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_NEVER_IN_FLOW = frozenset(",[]{}:")
_REFERENCES = ({"env"}, {"file"})


def scalar(value: Any, *, style: str | None = None, flow: bool = False) -> str:
    """One value on one line.

    Args:
        value: a text, a number, true, false or null.
        style: the quotes it had before, which are kept where they can be: ``'``, ``"``, or None for none.
        flow: it stands inside ``[…]`` or ``{…}``.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if style != '"' and is_plain(text, flow=flow):
        return text
    return json.dumps(text, ensure_ascii=False)


def is_plain(text: str, *, flow: bool = False) -> bool:
    """Can a text stand without quotes, and does every YAML program read it as this text?"""
    if not _FIRST.match(text) or text != text.strip() or _NEVER_PLAIN.search(text) or not text.isprintable():
        return False
    if flow and set(text) & _NEVER_IN_FLOW:
        return False
    read = parse_yaml(SourceText("", f"[{text}]" if flow else f"- {text}"))
    return bool(read.value == [text]) and not read.doubtful


def flow(value: Any) -> str:
    """A value on one line, lists and mappings in brackets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key_text(key, flow=True)}: {flow(one)}" for key, one in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(flow(one) for one in value) + "]"
    return scalar(value, flow=True)


def key_text(key: str, *, flow: bool = False) -> str:
    """A key, in quotes where it would be read as something else."""
    return key if is_plain(key, flow=flow) else json.dumps(key, ensure_ascii=False)


def is_list(value: Any) -> bool:
    """Is it a list or a tuple?"""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def fits_one_line(value: Any) -> bool:
    """Is a value written on the line of its key? Texts of several lines, mappings and lists of such are not."""
    if isinstance(value, Mapping):
        return not value or set(value) in _REFERENCES
    if is_list(value):
        return not any(isinstance(one, Mapping) or is_list(one) for one in value) and len(flow(value)) <= WIDEST_FLOW
    return not (isinstance(value, str) and _fits_a_block(value))


def entry(key: str, value: Any, indent: int, offset: int) -> list[str]:
    """The lines of one key with its value.

    Args:
        key: its text.
        value: what it gets.
        indent: column of the key, from 0.
        offset: how far lists are indented below their key in this file.
    """
    return headed(" " * indent + key_text(key) + ":", value, indent, offset)


def item(value: Any, indent: int, offset: int) -> list[str]:
    """The lines of one item of a list whose dashes stand at ``indent``."""
    if isinstance(value, Mapping) and value and not fits_one_line(value):
        lines = mapping(value, indent + 2, offset)
        return [" " * indent + "- " + lines[0][indent + 2 :], *lines[1:]]
    return headed(" " * indent + "-", value, indent, offset)


def headed(head: str, value: Any, indent: int, offset: int) -> list[str]:
    """``head`` with a value behind it, or below it where it takes several lines."""
    if isinstance(value, str) and _fits_a_block(value):
        return block_text(head, value, indent + 2)
    if fits_one_line(value):
        shown = flow(value) if isinstance(value, Mapping) or is_list(value) else scalar(value)
        return [f"{head} {shown}"]
    if isinstance(value, Mapping):
        return [head, *mapping(value, indent + 2, offset)]
    return [head, *(line for one in value for line in item(one, indent + offset, offset))]


def mapping(value: Mapping[str, Any], indent: int, offset: int) -> list[str]:
    """The lines of a mapping whose keys stand at ``indent``."""
    return [line for key, one in value.items() for line in entry(key, one, indent, offset)]


def _fits_a_block(text: str) -> bool:
    """Is it a text of several lines that can be written as such, below a ``|``?"""
    lines = text.split("\n")
    clean = all(line.isprintable() and line == line.rstrip() for line in lines)
    return len(lines) > 1 and clean and bool(lines[0]) and lines[0][0] != " " and not text.endswith("\n\n")


def block_text(head: str, text: str, indent: int) -> list[str]:
    """``head`` with a text of several lines below it, each at ``indent``."""
    lines = text.removesuffix("\n").split("\n")
    return [f"{head} {'|' if text.endswith(chr(10)) else '|-'}", *(" " * indent + line if line else "" for line in lines)]
