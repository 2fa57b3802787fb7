"""The text of one file: decoded, its lines, places in it, and problems that show the line they are about."""

from __future__ import annotations

import re
from typing import NamedTuple

from jumpseat.catalogue.problems import Problem, Severity, snippet_at
from jumpseat.speech import say

MAX_BYTES = 256 * 1024
MAX_PROBLEMS = 20
"""Of one file; a reader who sees twenty has enough to do."""

# Characters that no editor shows: controls, the line breaks of other worlds, and those that turn the direction of writing.
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """Where something stands in its file."""

    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    length: int = 1
    """Characters on that line."""


START = Place(1, 1)


class SourceText:
    """The text of one file, able to make problems with their line shown.

    Args:
        file: path in the workspace.
        text: what stands in the file, or in the part of it that begins at ``first_line``.
        first_line: number of the first line of ``text`` in the file.
        masked: values may be secrets; lines are shown with their values hidden unless a problem says otherwise.
    """

    __slots__ = ("file", "first_line", "lines", "masked", "text")

    def __init__(self, file: str, text: str, *, first_line: int = 1, masked: bool = False) -> None:
        self.file = file
        self.text = text
        self.first_line = first_line
        self.masked = masked
        self.lines: list[str] | None = None

    def line(self, number: int) -> str:
        """The text of one line of the file; empty when it has none of this number."""
        if self.lines is None:
            self.lines = _LINE_BREAK.split(self.text)
        return snippet_at(self.lines, number - self.first_line + 1)

    def problem(self, place: Place, code: str, cause: str, fix: str = "", *, show: bool = False, severity: Severity = "error") -> Problem:
        """A problem of this file.

        Args:
            place: where.
            code: key of ``CODES``.
            cause: what happened, to what.
            fix: what to do.
            show: show the line as it is, even in a file whose values may be secrets.
            severity: ``error`` or ``warning``.
        """
        line = self.line(place.line)
        snippet = hide_values(line) if self.masked and not show else line
        return Problem(self.file, place.line, place.column, code, cause, fix, severity, max(1, place.length), snippet)


_OPEN_KEYS = frozenset({"kind", "label", "name", "plugin"})
_KEY_AND_VALUE = re.compile(r"""(?P<head>\s*(?:-\s+)*(?:(?P<key>["']?[\w.-]+["']?)\s*:)?\s*)(?P<value>.*)""")


def hide_values(line: str) -> str:
    """The line with ``***`` in place of its value, unless the key is one that never holds a secret."""
    found = _KEY_AND_VALUE.fullmatch(line)
    if not found or not found["value"]:
        return line
    if (found["key"] or "").strip("\"'") in _OPEN_KEYS and not set(found["value"]) & set("{[,"):
        return line
    return found["head"] + "***"


def decode(data: bytes, file: str, *, masked: bool = False) -> SourceText | Problem:
    """The text of a file.

    Args:
        data: the bytes of the file; a UTF-8 byte order mark in front is passed over.
        file: path in the workspace.
        masked: as for ``SourceText``.

    Returns:
        The text, or the problem that keeps it from being one.
    """
    if len(data) > MAX_BYTES:
        cause = say("the file has {data} bytes; more than {max_bytes} are refused", data=len(data), max_bytes=MAX_BYTES)
        return Problem(file, 1, 1, "M208", cause, say("split the file, or take out what does not belong in it"))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:200].count(b"\0") > 1:
        return Problem(file, 1, 1, "M206", say("the file is UTF-16, not UTF-8"), say("save it as UTF-8"))
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return SourceText(file, data.decode(), masked=masked)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        cause = say("the byte 0x{data:02X} is not UTF-8; the file seems to be Latin-1 or Windows-1252", data=data[error.start])
        return Problem(file, line, column, "M206", cause, say("save the file as UTF-8"))


def refused_characters(source: SourceText) -> list[Problem]:
    """Problems of the bare text: tabs and invisible characters, each line once."""
    if "\t" not in source.text and not _INVISIBLE.search(source.text):
        return []
    problems = []
    for number, line in enumerate(_LINE_BREAK.split(source.text), source.first_line):
        if "\t" in line:
            fix = say('use spaces; inside a text in double quotes a tab is written "\\t"')
            place = Place(number, line.index("\t") + 1)
            problems.append(source.problem(place, "M207", say("there is a tab in this line"), fix))
        if found := _INVISIBLE.search(line):
            cause = say("the line holds the invisible character U+{ord:04X}", ord=ord(found[0]))
            problems.append(source.problem(Place(number, found.start() + 1), "M206", cause, say("delete it and save the file as UTF-8")))
    return problems[:MAX_PROBLEMS]


def has_invisible(text: str) -> bool:
    """Does a text hold a character that no editor shows?"""
    return _INVISIBLE.search(text) is not None
