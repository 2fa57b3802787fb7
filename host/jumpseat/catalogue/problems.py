"""Problems of metadata and templates: one value per problem, and the four ways to print a list of them.

A problem names the place, the cause and the fix; it holds no secret, because whoever makes it masks the snippet first.
The codes and their explanations stand in ``codes.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import quote

from jumpseat.catalogue.codes import CODES

Severity = Literal["error", "warning"]
Format = Literal["text", "json", "sarif", "github"]

_WIDEST_SNIPPET = 120
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in one file of the workspace."""

    file: str
    """Path in the workspace with ``/`` (``metadata/objects/case.yaml``)."""
    line: int
    """From 1."""
    column: int
    """From 1, in characters."""
    code: str
    """Key of ``CODES`` (``M102``)."""
    cause: str
    """What happened, to what; it begins small and has no full stop, for it follows ``error[M102]:``."""
    fix: str = ""
    """What to do; empty only where the cause says it already."""
    severity: Severity = "error"
    """A warning does not keep the metadata from being used."""
    length: int = 1
    """How many characters of the line are meant; the caret line is that long."""
    snippet: str = ""
    """The line itself, secrets masked; empty when there is none to show."""

    def __str__(self) -> str:
        return render(self)

    def as_json(self) -> dict[str, Any]:
        """The problem as the API and ``--json`` show it."""
        data: dict[str, Any] = {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "length": self.length,
            "code": self.code,
            "severity": self.severity,
            "cause": self.cause,
        }
        return data | {key: text for key, text in (("fix", self.fix), ("snippet", self.snippet)) if text}


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems by file, line and column; one that was found twice stands once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda one: (one.file, one.line, one.column, one.code, one.cause)))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Is there one that keeps the metadata from being used?"""
    return any(problem.severity == "error" for problem in problems)


def snippet_at(lines: Sequence[str], line: int) -> str:
    """The text of line ``line`` (from 1) as a snippet shows it; empty beyond the end."""
    return lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""


def printable(text: str) -> str:
    """``text`` with every control character (tabs too) as one visible character, so that columns stay true."""
    return "".join(char if char.isprintable() else " " if char in "\t\u00a0" else "�" for char in text)


# --- text -------------------------------------------------------------------------------------------------------------


def render(problem: Problem) -> str:
    """The problem as a person reads it: place and cause, the line with a caret below it, the fix."""
    head = f"{problem.file}:{problem.line}:{problem.column}: {problem.severity}[{problem.code}]: {problem.cause}"
    rows = [head, *_snippet_rows(problem)]
    if problem.fix:
        rows.append(f"fix: {problem.fix}")
    return "\n".join(rows)


def _snippet_rows(problem: Problem) -> list[str]:
    if not problem.snippet:
        return []
    number = str(problem.line)
    start = problem.column - 1
    cut = max(0, start - _WIDEST_SNIPPET // 2) if start + problem.length > _WIDEST_SNIPPET else 0
    shown = printable(problem.snippet)[cut : cut + _WIDEST_SNIPPET].rstrip()
    carets = max(1, min(problem.length, len(shown) - (start - cut)))
    return [f"  {number} | {shown}", f"  {' ' * len(number)} | {' ' * (start - cut)}{'^' * carets}"]


def render_all(problems: Sequence[Problem]) -> str:
    """All problems, one empty line between two, and a last line with their number."""
    return "\n\n".join([*(render(problem) for problem in problems), summary(problems)])


def summary(problems: Sequence[Problem]) -> str:
    """``2 errors, 1 warning``, or ``no problems``."""
    errors = sum(problem.severity == "error" for problem in problems)
    counts = ((errors, "error"), (len(problems) - errors, "warning"))
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count) or "no problems"


# --- for machines -----------------------------------------------------------------------------------------------------


def formatted(problems: Sequence[Problem], form: Format) -> str:
    """The problems in one of the four formats; all hold the same list in the same order."""
    if form == "json":
        return json.dumps({"problems": [problem.as_json() for problem in problems]}, indent=2, ensure_ascii=False)
    if form == "sarif":
        return json.dumps(sarif(problems), indent=2, ensure_ascii=False)
    if form == "github":
        return "\n".join(github_annotation(problem) for problem in problems)
    return render_all(problems)


def sarif(problems: Sequence[Problem]) -> dict[str, Any]:
    """The problems as one SARIF 2.1.0 log, for code-scanning pages."""
    rules = [
        {
            "id": code,
            "shortDescription": {"text": CODES[code].title},
            "fullDescription": {"text": CODES[code].explanation},
        }
        for code in sorted({problem.code for problem in problems} & set(CODES))
    ]
    driver = {"name": "jumpseat check", "rules": rules}
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_sarif_result(problem) for problem in problems]}
        ],
    }


def _sarif_result(problem: Problem) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": problem.line,
        "startColumn": problem.column,
        "endColumn": problem.column + max(1, problem.length),
    }
    if problem.snippet:
        region["snippet"] = {"text": problem.snippet}
    location = {"artifactLocation": {"uri": quote(str(PurePosixPath(problem.file)))}, "region": region}
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": _one_line(problem)},
        "locations": [{"physicalLocation": location}],
    }


def github_annotation(problem: Problem) -> str:
    """The problem as one workflow command, which GitHub shows beside the line."""
    place = {
        "file": problem.file,
        "line": str(problem.line),
        "col": str(problem.column),
        "endColumn": str(problem.column + max(1, problem.length)),
        "title": f"{problem.code}: {CODES[problem.code].title}" if problem.code in CODES else problem.code,
    }
    properties = ",".join(f"{key}={_escaped(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in place.items())
    return f"::{problem.severity} {properties}::{_escaped(_one_line(problem))}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _one_line(problem: Problem) -> str:
    return f"{problem.cause}; fix: {problem.fix}" if problem.fix else problem.cause
