"""A YAML text with some of its values changed: the lines of those values and no others.

The text is never written anew. Where each value stands is read off the parser's marks, and what changed is put there; so
comments, quotes, blank lines and whatever indentation somebody prefers stay as they are. What comes out is read again and has
to say exactly what was wanted; if it does not, nothing is changed and the text has to be edited as a text.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

import yaml

from jumpseat.catalogue.positions import parse_yaml
from jumpseat.catalogue.source_text import SourceText
from jumpseat.editing import rendering

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_COLON = re.compile(r"[ ]*:")
_OFFSET = 2
"""How far lists are indented below their key where a file has none yet."""


class NotEditable(Exception):
    """The values cannot be changed in this text one by one; the message says why."""


def with_values(text: str, wanted: Mapping[str, Any]) -> str:
    """``text`` saying ``wanted``, with no line changed that says the same as before.

    Args:
        text: one YAML mapping, without errors; or nothing but comments.
        wanted: all that it has to say: plain dictionaries, lists, texts, numbers and booleans. New keys follow the others.

    Raises:
        NotEditable: it cannot be done line by line.
    """
    reading = parse_yaml(SourceText("", text))
    if reading.problems:
        raise NotEditable("the text has errors")
    if reading.empty:
        return _filled(text, wanted)
    if not isinstance(reading.value, dict):
        raise NotEditable("the text is no mapping")
    splicing = _Splicing(text)
    splicing.change(_Spot(splicing.root, 0, 0), reading.value, wanted)
    changed = splicing.result()
    _require_said(changed, wanted)
    return changed


def same(one: Any, other: Any) -> bool:
    """Do two values say the same? ``true`` and ``1`` do not; the order of keys says nothing."""
    return canonical(one) == canonical(other)


def canonical(value: Any) -> str:
    """One text for all values that say the same."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _require_said(text: str, wanted: Mapping[str, Any]) -> None:
    again = parse_yaml(SourceText("", text))
    if again.problems or not same(again.value, wanted):
        raise NotEditable("its form is one that is only edited as a text")


def _filled(text: str, wanted: Mapping[str, Any]) -> str:
    lines = rendering.mapping(wanted, 0, _OFFSET)
    gap = "\n" if text and not text.endswith(("\n", "\r")) else ""
    filled = text + gap + "\n".join(lines) + "\n"
    _require_said(filled, wanted)
    return filled


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value and what it hangs on."""

    node: yaml.Node
    indent: int
    """Column of its key, or of its dash."""
    after: int
    """Where its colon or dash ends."""
    is_item: bool = False


@dataclass(slots=True)
class _Splicing:
    """One text, its parsed form, and the edits that were decided so far."""

    text: str
    root: yaml.Node = field(init=False)
    _starts: list[int] = field(init=False)
    _edits: list[tuple[int, int, str]] = field(default_factory=list)
    _newline: str = field(init=False)
    _offset: int = field(init=False)

    def __post_init__(self) -> None:
        root = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        assert root is not None  # the caller has read a mapping in it
        self.root = root
        breaks = list(_LINE_BREAK.finditer(self.text))
        self._starts = [0, *(found.end() for found in breaks)]
        self._newline = breaks[0][0] if breaks else "\n"
        self._offset = next(_offsets(root), _OFFSET)

    def result(self) -> str:
        """The text with all edits made."""
        pieces, at = [], 0
        for start, end, new in sorted(self._edits, key=lambda edit: edit[:2]):
            if start < at and start == end and new.startswith(self._newline):
                # Lines that follow one that goes: its own break is gone, theirs takes the place.
                pieces.append(new.removeprefix(self._newline) + self._newline)
                continue
            if start < at:
                raise NotEditable("two changes meet in one place")
            pieces += [self.text[at:start], new]
            at = end
        return "".join([*pieces, self.text[at:]])

    # --- places

    def _at(self, mark: yaml.Mark) -> int:
        return self._starts[mark.line] + mark.column

    def _line_start(self, position: int) -> int:
        return self._starts[bisect_right(self._starts, position) - 1]

    def _next_line(self, position: int) -> int:
        number = bisect_right(self._starts, position)
        return self._starts[number] if number < len(self._starts) else len(self.text)

    def _line_end(self, position: int) -> int:
        """Where the line of a position ends, before its break."""
        found = _LINE_BREAK.search(self.text, position)
        return found.start() if found else len(self.text)

    def _is_first_on_line(self, position: int) -> bool:
        return not self.text[self._line_start(position) : position].strip(" ")

    def _colon(self, key: yaml.Node) -> int:
        """Behind the colon of a key."""
        found = _COLON.match(self.text, self._at(key.end_mark))
        if found is None:
            raise NotEditable(f"the key in line {key.start_mark.line + 1} has its colon elsewhere")
        return found.end()

    def _end(self, node: yaml.Node, after: int) -> int:
        """Where a value ends, without comments and blank lines behind it; ``after`` for one that is not there."""
        if isinstance(node, yaml.MappingNode) and not node.flow_style:
            key, value = node.value[-1]
            return self._end(value, self._colon(key))
        if isinstance(node, yaml.SequenceNode) and not node.flow_style:
            return self._end(node.value[-1], self._dash(node, -1) + 1)
        start, end = self._at(node.start_mark), self._at(node.end_mark)
        if start == end:
            return after
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            if "+" in self.text[start : self._line_end(start)].split("#")[0]:  # blank lines at its end are part of it
                return self._line_end(self._line_start(end - 1))
            return start + len(self.text[start:end].rstrip())
        return end

    def _dash(self, node: yaml.SequenceNode, index: int) -> int:
        """Where the dash of an item stands."""
        column = node.start_mark.column
        if index in (0, -len(node.value)):
            return self._at(node.start_mark)
        item = node.value[index]
        for number in range(item.start_mark.line, node.start_mark.line, -1):
            position = self._starts[number] + column
            if self.text[position : position + 1] == "-" and self._is_first_on_line(position):
                return position
        raise NotEditable(f"the list in line {node.start_mark.line + 1} has a form that is only edited as a text")

    # --- changes

    def change(self, spot: _Spot, old: Any, new: Any) -> None:
        """Have the value at a spot say ``new`` instead of ``old``."""
        node = spot.node
        if same(old, new):
            return
        if isinstance(node, yaml.MappingNode) and not node.flow_style and isinstance(new, Mapping) and set(old) & set(new):
            self._mapping(node, old, new)
        elif isinstance(node, yaml.SequenceNode) and not node.flow_style and rendering.is_list(new) and new:
            self._list(node, old, list(new))
        else:
            self._replace(spot, old, new)

    def _mapping(self, node: yaml.MappingNode, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        indent = node.start_mark.column
        for key, value in node.value:
            if key.value in new:
                self.change(_Spot(value, indent, self._colon(key)), old[key.value], new[key.value])
        self._remove(node, [key.value not in new for key, _ in node.value])
        last_key, last = next(pair for pair in reversed(node.value) if pair[0].value in new)
        lines = [line for key, value in new.items() if key not in old for line in rendering.entry(key, value, indent, self._offset)]
        self._insert_below(self._end(last, self._colon(last_key)), lines)

    def _remove(self, node: yaml.MappingNode, gone: Sequence[bool]) -> None:
        for index, (key, value) in enumerate(node.value):
            if not gone[index]:
                continue
            start = self._at(key.start_mark)
            if self._is_first_on_line(start):
                self._delete_lines(start, self._end(value, self._colon(key)))
            else:  # behind the dash of an item: the next key that stays takes the place
                follower = next(inner for inner, (other, _) in enumerate(node.value) if inner > index and not gone[inner])
                self._edits.append((start, self._at(node.value[follower][0].start_mark), ""))
                self._remove(node, [False] * follower + list(gone[follower:]))
                return

    def _delete_lines(self, start: int, end: int) -> None:
        self._edits.append((self._line_start(start), self._next_line(end), ""))

    def _insert_below(self, position: int, lines: Sequence[str]) -> None:
        end = self._line_end(position)
        if lines:
            self._edits.append((end, end, "".join(self._newline + line for line in lines)))

    # --- lists

    def _list(self, node: yaml.SequenceNode, old: Sequence[Any], new: Sequence[Any]) -> None:
        indent, anchor = node.start_mark.column, -1
        dashes = [self._dash(node, index) for index in range(len(old))]
        pairs = list(_aligned(old, new))
        gone = {canonical(old[index]): index for index, into in pairs if index is not None and into is None}
        for index, into in pairs:
            if index is not None and into is not None:
                self.change(_Spot(node.value[index], indent, dashes[index] + 1, is_item=True), old[index], new[into])
                anchor = index
            elif index is not None:
                if not self._is_first_on_line(dashes[index]):
                    raise NotEditable("a list begins behind the dash of another list")
                self._delete_lines(dashes[index], self._end(node.value[index], dashes[index] + 1))
            elif into is not None:
                moved = gone.get(canonical(new[into]))
                lines = rendering.item(new[into], indent, self._offset) if moved is None else self._lines_of(node, moved, dashes[moved])
                self._insert_item(node, dashes, anchor, lines)

    def _lines_of(self, node: yaml.SequenceNode, index: int, dash: int) -> list[str]:
        """An item as it stands there, for one that only moves."""
        end = self._line_end(self._end(node.value[index], dash + 1))
        return _LINE_BREAK.split(self.text[self._line_start(dash) : end])

    def _insert_item(self, node: yaml.SequenceNode, dashes: Sequence[int], anchor: int, lines: Sequence[str]) -> None:
        if anchor >= 0:
            self._insert_below(self._end(node.value[anchor], dashes[anchor] + 1), lines)
        elif self._is_first_on_line(dashes[0]):
            start = self._line_start(dashes[0])
            self._edits.append((start, start, "".join(line + self._newline for line in lines)))
        else:
            raise NotEditable("a list begins behind the dash of another list")

    # --- whole values

    def _replace(self, spot: _Spot, old: Any, new: Any) -> None:
        node = spot.node
        start, end = self._at(node.start_mark), self._end(node, spot.after)
        if _is_one_line(node) and start < end and (inline := self._inline(node, old, new)) is not None:
            self._edits.append((start, end, inline))
            return
        if node is self.root:
            raise NotEditable("nothing of what it said would stay")
        if "#" in self.text[start:end] and not isinstance(node, yaml.ScalarNode) and _is_flow(node):
            raise NotEditable(f"the value that begins in line {node.start_mark.line + 1} has comments inside")
        lines = rendering.item(new, spot.indent, self._offset) if spot.is_item else self._below(spot, new)
        head, below = lines[0][spot.indent + 1 :] if spot.is_item else lines[0], lines[1:]
        if start < end and start > self._line_end(spot.after):
            self._edits.append((spot.after, spot.after, head))
            self._edits.append((self._line_end(spot.after), self._line_end(end), ""))
        else:
            self._edits.append((spot.after, max(end, spot.after), head))
        self._insert_below(max(end, spot.after), below)

    def _below(self, spot: _Spot, new: Any) -> list[str]:
        return rendering.headed("", new, spot.indent, self._offset)

    def _inline(self, node: yaml.Node, old: Any, new: Any) -> str | None:
        """The new value for the place of the old one; None where it needs lines of its own."""
        if _is_flow(node):
            return None if isinstance(new, str) and "\n" in new else self._flow(node, old, new)
        if rendering.fits_one_line(new) and isinstance(node, yaml.ScalarNode):
            if isinstance(new, Mapping) or rendering.is_list(new):
                return rendering.flow(new)
            return rendering.scalar(new, style=node.style if isinstance(new, str) else None)
        return None

    def _flow(self, node: yaml.Node, old: Any, new: Any) -> str:
        """A value inside brackets; what stays of it keeps its letters."""
        if same(old, new):
            return self.text[self._at(node.start_mark) : self._at(node.end_mark)]
        if isinstance(node, yaml.MappingNode) and isinstance(new, Mapping):
            nodes = {key.value: (key, value) for key, value in node.value}
            return "{" + ", ".join(self._flow_entry(nodes, old, key, value) for key, value in new.items()) + "}"
        if isinstance(node, yaml.SequenceNode) and rendering.is_list(new):
            there = {canonical(value): one for one, value in zip(node.value, old, strict=True)}
            return "[" + ", ".join(self._flow_item(there, value) for value in new) + "]"
        if isinstance(node, yaml.ScalarNode) and isinstance(new, str):
            return rendering.scalar(new, style=node.style, flow=True)
        return rendering.flow(new)

    def _flow_entry(self, nodes: Mapping[str, tuple[yaml.Node, yaml.Node]], old: Mapping[str, Any], key: str, value: Any) -> str:
        if key not in nodes:
            return f"{rendering.key_text(key, flow=True)}: {rendering.flow(value)}"
        key_node, node = nodes[key]
        head = self.text[self._at(key_node.start_mark) : self._at(key_node.end_mark)]
        return f"{head}: {self._flow(node, old[key], value)}"

    def _flow_item(self, there: Mapping[str, yaml.Node], value: Any) -> str:
        node = there.get(canonical(value))
        return self._flow(node, value, value) if node is not None else rendering.flow(value)


def _is_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _is_one_line(node: yaml.Node) -> bool:
    return bool(node.start_mark.line == node.end_mark.line) and (_is_flow(node) or isinstance(node, yaml.ScalarNode))


def _offsets(node: yaml.Node) -> Iterator[int]:
    """How far each list is indented below its key, in the order of the text."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(value, yaml.SequenceNode) and not value.flow_style:
                yield value.start_mark.column - key.start_mark.column
            yield from _offsets(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _offsets(item)


def _aligned(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Which old item becomes which new one; None on one side for those that go and those that come."""
    matcher = SequenceMatcher(None, [canonical(one) for one in old], [canonical(one) for one in new], autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if kind == "equal":
            yield from zip(range(old_from, old_to), range(new_from, new_to), strict=True)
        else:
            yield from _paired(old, new, range(old_from, old_to), range(new_from, new_to))


def _paired(old: Sequence[Any], new: Sequence[Any], left: range, right: range) -> Iterator[tuple[int | None, int | None]]:
    """The order-keeping pairs that have most in common."""
    best: dict[tuple[int, int], tuple[float, list[tuple[int | None, int | None]]]] = {}

    def solve(at: int, to: int) -> tuple[float, list[tuple[int | None, int | None]]]:
        if (at, to) not in best:
            if at == left.stop or to == right.stop:
                rest = [(index, None) for index in range(at, left.stop)] + [(None, index) for index in range(to, right.stop)]
                best[at, to] = 0.0, [*rest]
            else:
                options = [(_alike(old[at], new[to]) + solve(at + 1, to + 1)[0], [(at, to), *solve(at + 1, to + 1)[1]])]
                options.append((solve(at + 1, to)[0], [(at, None), *solve(at + 1, to)[1]]))
                options.append((solve(at, to + 1)[0], [(None, to), *solve(at, to + 1)[1]]))
                best[at, to] = max(options, key=lambda option: option[0])
        return best[at, to]

    if len(left) * len(right) > 400:  # so much at once is no edit any more, and nobody reads the difference
        yield from [(index, None) for index in left] + [(None, index) for index in right]
        return
    yield from solve(left.start, right.start)[1]


def _alike(one: Any, other: Any) -> float:
    """How much of an item another one keeps: 0 nothing, 1 all."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return 0.01  # of texts one takes the place of the other
    kept = sum(key in other and same(value, other[key]) for key, value in one.items())
    return kept / max(len(one), len(other), 1)
