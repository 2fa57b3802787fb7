"""YAML text → plain values, and beside them a tree of places: line and column of every key and value.

Only the harmless half of YAML is read. Anchors, aliases, merge keys, tags, repeated keys and several documents are refused;
depth, number of values and size are bounded while scanning, before anything is built. Of the unquoted words only ``true``,
``false``, plain decimal numbers and null become something other than text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser

from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.source_text import MAX_PROBLEMS, START, Place, SourceText, decode, has_invisible, refused_characters
from jumpseat.catalogue.yaml_errors import explain_yaml_error
from jumpseat.speech import say

MAX_VALUES = 10_000
MAX_DEPTH = 32

Steps = tuple[str | int, ...]
"""Keys and list indexes from the top of a document to one value."""

_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,14}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "false": False}
_WORD_LOOKS = dict.fromkeys(("y", "yes", "n", "no", "on", "off", "true", "false"), say("a boolean")) | dict.fromkeys(
    ("~", "null", ""), "null"
)
_DIGIT_LOOKS = (
    (say("a date"), re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?")),
    (say("a time"), re.compile(r"[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.\d*)?")),
    (
        say("a number"),
        re.compile(r"(?i)[-+]?(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d+)?|\.\d[\d_]*(?:e[-+]?\d+)?|\.inf)|\.nan"),
    ),
)
_DIGIT_FIRST = frozenset("0123456789+-.")
_NOTHING_INSIDE: dict[str | int, Places] = {}
"""Of every value that is no mapping and no list; never written to."""


@dataclass(slots=True)
class Places:
    """Place of one value, of its key, and of everything inside it."""

    value: Place = START
    key: Place | None = None
    """None for items of lists and for the document itself."""
    doubtful: bool = False
    """A text that stands without quotes and that other YAML programs may take for something else."""
    inside: dict[str | int, Places] = field(default_factory=lambda: _NOTHING_INSIDE)

    def find(self, path: Sequence[str | int]) -> Places:
        """The places of the value at ``path``; of its nearest ancestor when there is none."""
        here = self
        for step in path:
            if step not in here.inside:
                break
            here = here.inside[step]
        return here

    def of_key(self, path: Sequence[str | int]) -> Place:
        """Where the key of the value stands; an item of a list has none, so where the item stands."""
        found = self.find(path)
        return found.key or found.value

    def of_value(self, path: Sequence[str | int]) -> Place:
        """Where the value stands."""
        return self.find(path).value


@dataclass(frozen=True, slots=True)
class Reading:
    """What one YAML text holds."""

    source: SourceText
    value: Any = None
    """Plain dicts, lists, texts, numbers, booleans, None; None as well when nothing could be read."""
    places: Places = field(default_factory=Places)
    problems: tuple[Problem, ...] = ()
    empty: bool = False
    """The text holds no value at all."""
    doubtful: int = 0
    """How many unquoted texts other YAML programs may take for something else."""


def looks_like(text: str) -> str | None:
    """What other YAML programs may take an unquoted word for (``a boolean``, ``a number`` …); None when all agree on a text."""
    if text[:1] in _DIGIT_FIRST:
        return next((what for what, shape in _DIGIT_LOOKS if shape.fullmatch(text)), None)
    return _WORD_LOOKS.get(text.lower())


def read_yaml(data: bytes, file: str, *, masked: bool = False) -> Reading:
    """Read the bytes of one YAML file: ``decode``, then ``parse_yaml``. Never raises."""
    text = decode(data, file, masked=masked)
    if isinstance(text, Problem):
        return Reading(SourceText(file, "", masked=masked), problems=(text,))
    return parse_yaml(text)


def parse_yaml(source: SourceText) -> Reading:
    """Read one YAML text.

    Args:
        source: the text; for the front matter of a template a ``SourceText`` of that part, with its ``first_line``.

    Returns:
        The value with its places, or at least one problem. Never raises.
    """
    refused = refused_characters(source)
    if refused:
        return Reading(source, problems=tuple(refused))
    return _Builder(source).read()


class _Stop(Exception):
    """Reading on makes no sense."""


class _Frame:
    """One open mapping or list."""

    __slots__ = ("key", "key_place", "places", "skip", "value")

    def __init__(self, value: dict[str, Any] | list[Any], places: Places) -> None:
        self.value = value
        self.places = places
        self.key: str | None = None
        self.key_place: Place | None = None
        self.skip = False
        """The key was there before: its value is read and dropped."""


class _Builder:
    """Builds values and places from the parser's events, one document."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.stack: list[_Frame] = []
        self.value: Any = None
        self.places = Places()
        self.documents = 0
        self.count = 0
        self.doubtful = 0
        self.shift = source.first_line

    def read(self) -> Reading:
        try:
            self._run()
        except _Stop:
            self.value = None
        except yaml.YAMLError as error:
            self.value = None
            self.problems.append(explain_yaml_error(self.source, error))
        if self.problems:
            return Reading(self.source, problems=tuple(self.problems))
        return Reading(self.source, self.value, self.places, empty=self.documents == 0 or self._is_blank(), doubtful=self.doubtful)

    def _is_blank(self) -> bool:
        return self.value is None and self.places.value.length == 0

    def _run(self) -> None:
        parser = CParser(self.source.text)
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._open({}, event)
            elif kind is yaml.SequenceStartEvent:
                self._open([], event)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.stack.pop()
            elif kind is yaml.StreamEndEvent:
                return
            else:
                self._other(event)

    def _other(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._stop(event, "M203", say("an alias (*) repeats a value that stands elsewhere"), say("write the value itself"))
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._stop(
                    event,
                    "M205",
                    say("a second document begins here"),
                    say("keep one document per file: delete this line and what follows"),
                )
            if event.version or event.tags:
                self._stop(event, "M204", say("the file begins with a YAML directive (%)"), say("delete the lines that begin with '%'"))

    def _stop(self, event: Any, code: str, cause: str, fix: str) -> None:
        self._problem(self._place(event), code, cause, fix)
        raise _Stop

    def _problem(self, place: Place, code: str, cause: str, fix: str) -> None:
        self.problems.append(self.source.problem(place, code, cause, fix))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Stop

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        line = start.line + self.shift
        if start.line == end.line:
            return Place(line, start.column + 1, end.column - start.column)
        return Place(line, start.column + 1, len(self.source.line(line)) - start.column)

    def _check(self, event: Any) -> None:
        """Refuse what would let a short text stand for something else or for very much."""
        self.count += 1
        if self.count > MAX_VALUES:
            self._stop(event, "M208", say("the file holds more than {n} values", n=MAX_VALUES), say("split it"))
        if event.anchor is not None:
            self._problem(
                self._place(event), "M203", say("an anchor (&) marks a value for repetition"), say("delete the anchor and write values out")
            )
        if event.tag is not None:
            fix = say("delete the tag; if the value itself begins with '!', put it in quotes")
            self._problem(self._place(event), "M204", say("a tag (!) asks for something other than a plain value"), fix)

    def _open(self, value: dict[str, Any] | list[Any], event: Any) -> None:
        self._check(event)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(event, "M208", say("values are nested more than {n} levels deep", n=MAX_DEPTH), say("write it flatter"))
        place = Place(event.start_mark.line + self.shift, event.start_mark.column + 1)
        places = self._add(value, place, event)
        places.inside = {}
        self.stack.append(_Frame(value, places))

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        if event.anchor is not None or event.tag is not None or self.count >= MAX_VALUES:
            self._check(event)
        else:
            self.count += 1
        place = self._place(event)
        unquoted = not event.style
        if not unquoted and has_invisible(text):
            self._problem(place, "M206", say("the text holds an invisible character, written as an escape"), say("take it out"))
        frame = self.stack[-1] if self.stack else None
        if frame and frame.key is None and type(frame.value) is dict:
            self._key(frame, text, place, unquoted)
        else:
            value = _plain_value(text) if unquoted else text
            places = self._add(value, place, event)
            if unquoted and type(value) is str and looks_like(text):
                places.doubtful = True
                self.doubtful += 1

    def _key(self, frame: _Frame, text: str, place: Place, unquoted: bool) -> None:
        if unquoted and text == "<<":
            self._problem(place, "M203", say("a merge key (<<) takes in values that stand elsewhere"), say("write the keys out"))
        elif unquoted and (what := looks_like(text)):
            cause = (
                say("the key '{text}' stands without quotes and reads as {what}", text=text, what=what)
                if text
                else say("there is a ':' without a key in front")
            )
            self._problem(place, "M106", cause, say('write "{text}"', text=text) if text else say("write the key"))
        elif text in frame.value:
            first = frame.places.inside[text].key or START
            self._problem(
                place, "M202", say("'{text}' stands twice, first in line {line}", text=text, line=first.line), say("keep one of the two")
            )
            frame.skip = True
        frame.key = text
        frame.key_place = place

    def _add(self, value: Any, place: Place, event: Any) -> Places:
        places = Places(place)
        if not self.stack:
            self.value, self.places = value, places
            return places
        frame = self.stack[-1]
        if type(frame.value) is list:
            frame.places.inside[len(frame.value)] = places
            frame.value.append(value)
            return places
        if frame.key is None:
            self._stop(
                event,
                "M213",
                say("a mapping or a list stands where a key is expected"),
                say("write the key as one word; put quotes around a text that begins with '{' or '['"),
            )
        places.key = frame.key_place
        if not frame.skip:
            frame.value[frame.key] = value  # type: ignore[index,call-overload]  # a dict with its key: both were just checked
            frame.places.inside[frame.key] = places  # type: ignore[index]  # the same
        frame.key, frame.skip = None, False
        return places


def _plain_value(text: str) -> Any:
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _NULLS:
        return None
    if text[0] not in _DIGIT_FIRST:
        return text
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    # 1.10 and 1.0 would lose their last digit: they stay texts, and whoever takes texts asks for quotes.
    if _DECIMAL.fullmatch(text) and repr(float(text)) == text:
        return float(text)
    return text
