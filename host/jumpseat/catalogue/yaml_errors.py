"""The YAML parser's complaints in plain words: what stands wrong, and what to type instead."""

from __future__ import annotations

from typing import Any

from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.source_text import Place, SourceText
from jumpseat.speech import say

_INDENT = say("put the keys of one mapping, and the '-' of one list, in the same column")

# What the parser says → cause and fix. {line} is the line in which the thing began that went wrong, {char} the character there.
_WORDS: tuple[tuple[str, str, str, str], ...] = (
    # (context begins with, problem, cause, fix)
    (
        "",
        "mapping values are not allowed",
        say("a second ':' in one line makes a mapping where none can be"),
        say("put the value in quotes"),
    ),
    (
        "",
        "block sequence entries are not allowed",
        say("a list item ('-') stands where none can be"),
        say("begin the list in a line of its own, or write [first, second]"),
    ),
    ("", "mapping keys are not allowed", say("a '?' stands where it means a key"), say("put the value in quotes")),
    (
        "while scanning a simple key",
        "could not find expected ':'",
        say("line {line} is neither 'key: value' nor a list item"),
        say("write a ':' and a space behind the key, or indent the line if it continues a text"),
    ),
    (
        "while parsing a flow sequence",
        "did not find expected ',' or ']'",
        say("the list that '[' opens in line {line} is not closed"),
        say("write a ',' between two items and a ']' at the end"),
    ),
    (
        "while parsing a flow mapping",
        "did not find expected ',' or '}'",
        say("the mapping that '{{' opens in line {line} is not closed"),
        say("write a ',' between two keys and a '}' at the end"),
    ),
    (
        "while parsing a flow node",
        "did not find expected node content",
        say("there is a value missing, or a bracket too many, near '{char}'"),
        say("write the value, or delete the character"),
    ),
    (
        "while scanning for the next token",
        "found character that cannot start",
        say("a value cannot begin with '{char}'"),
        say("put the value in quotes"),
    ),
    (
        "while scanning a quoted scalar",
        "found unexpected end of stream",
        say("the quote that opens in line {line} is not closed"),
        say("write the closing quote"),
    ),
    (
        "while scanning a quoted scalar",
        "found unexpected document indicator",
        say("the quote that opens in line {line} is not closed"),
        say("write the closing quote"),
    ),
    (
        "while parsing a quoted scalar",
        "",
        say("the backslash begins an escape that YAML does not know"),
        say("write two backslashes, or use single quotes"),
    ),
    ("while scanning an anchor", "", say("a value cannot begin with '&'"), say("put the value in quotes")),
    ("while scanning an alias", "", say("a value cannot begin with '*'"), say("put the value in quotes")),
    ("while scanning a tag", "", say("a value cannot begin with '!'"), say("put the value in quotes")),
    ("while parsing a node", "found undefined tag handle", say("a value cannot begin with '!'"), say("put the value in quotes")),
    (
        "while scanning a directive",
        "",
        say("the line begins with '%', which YAML keeps for itself"),
        say("delete the line, or put the value in quotes"),
    ),
    ("while parsing a tag directive", "", say("the line begins with '%', which YAML keeps for itself"), say("delete the line")),
    (
        "while scanning a block scalar",
        "",
        say("behind '|' or '>' nothing may follow in the same line"),
        say("begin the text in the next line, indented"),
    ),
    (
        "while parsing a block mapping",
        "did not find expected key",
        say("this does not fit the mapping that begins in line {line}"),
        _INDENT,
    ),
    (
        "while parsing a block collection",
        "did not find expected '-'",
        say("this does not fit the list that begins in line {line}"),
        _INDENT,
    ),
    (
        "",
        "did not find expected <document start>",
        say("behind the end of the document there is more text"),
        say("keep one document per file: delete what follows"),
    ),
    (
        "",
        "found incompatible YAML document",
        say("the file asks for a YAML version that is not read here"),
        say("delete the lines that begin with '%'"),
    ),
    (
        "while parsing a block node",
        "did not find expected node content",
        say("there is no value here"),
        say("delete the line, or write a value"),
    ),
)


def explain_yaml_error(source: SourceText, error: Any) -> Problem:
    """The problem that stands behind an exception of the YAML parser."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return source.problem(
            Place(source.first_line, 1), "M201", say("the text cannot be read as YAML"), say("check quotes, brackets and indentation")
        )
    context_mark = getattr(error, "context_mark", None) or mark
    place = _in_text(source, mark)
    began = context_mark.line + source.first_line
    line = source.line(place.line)
    char = line[place.column - 1 : place.column]
    cause, fix = _seen_in_line(str(error.problem or ""), line[: mark.column], at_end=not char) or _words(
        str(error.context or ""), str(error.problem or "")
    )
    if "simple key" in str(error.context or "") or "is not closed" in cause:
        place = _in_text(source, context_mark)
    return source.problem(place, "M201", cause.format(line=began, char=char), fix)


def _seen_in_line(problem: str, before: str, *, at_end: bool) -> tuple[str, str] | None:
    """Complaints that mean one thing at the beginning or end of a line and another in its middle."""
    if problem.startswith("did not find expected node content") and at_end:
        return say("the text ends before the '[' or '{{' is closed"), say("write the closing ']' or '}'")
    if problem.startswith("mapping values are not allowed") and ": " not in before:
        return say("this 'key: value' does not fit what stands above it"), _INDENT + say("; every line above needs its own ':'")
    if problem.startswith("did not find expected key") and before.strip():
        return say("there is something behind the end of the value"), say("put the whole value in quotes, or delete what is too much")
    return None


def _words(context: str, problem: str) -> tuple[str, str]:
    for context_start, problem_start, cause, fix in _WORDS:
        if context.startswith(context_start) and problem.startswith(problem_start):
            return cause, fix
    return say("the text cannot be read as YAML from here on"), say(
        "check quotes, brackets and indentation of this line and the one before"
    )


def _in_text(source: SourceText, mark: Any) -> Place:
    """The place of a parser's mark; one behind the last line is moved to the end of what can be shown."""
    line, column = mark.line + source.first_line, mark.column + 1
    while line > source.first_line and not source.line(line).strip():
        line -= 1
        column = len(source.line(line)) + 1
    return Place(line, column)
