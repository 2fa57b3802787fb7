"""What an edit would do before it is done: the new text, the lines that differ, and what the whole workspace would say to it."""

from __future__ import annotations

import copy
import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from jumpseat.catalogue.files import TEMPLATES, is_masked
from jumpseat.catalogue.load import Cache, Loaded, load
from jumpseat.catalogue.positions import Reading, Steps, parse_yaml
from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.source_text import SourceText, hide_values
from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.editing.files import EditableFiles, FileText
from jumpseat.editing.front import Parts, parted
from jumpseat.editing.splicing import NotEditable, with_values
from jumpseat.errors import InvalidValue, SecretTyped, StaleFile
from jumpseat.speech import say
from jumpseat.types import NOTHING

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n)|([^\r\n]+)\Z")
IN_PLAIN = "M110"
"""Code of the problem that a secret stands in a file as it is."""


class Absent(Enum):
    """``ABSENT`` in place of a value: the key goes."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants of one file: some keys changed, or another text, or the file gone."""

    keys: Mapping[Steps, Any] = field(default_factory=dict)
    """New value by path, ``("assigned_to", "everyone")``; ``ABSENT`` takes a key out, and with it a mapping that it leaves empty. The
    text of what stays the same inside a list or a mapping stays as well."""
    text: str | None = None
    """The whole new text, instead of keys."""
    body: str | None = None
    """Of a template: the text below its front matter."""
    gone: bool = False
    """Delete the file."""


@dataclass(frozen=True, slots=True)
class EditedFile:
    """A file as somebody may edit it."""

    path: str
    text: str
    """What may be shown: where the file holds a secret in plain, its values are masked."""
    hash: str
    """Handed back with a change; empty for a file that is not there yet."""
    values: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """What it says; of a template the front matter. Empty where it cannot be read."""
    body: str = ""
    """Of a template: the text below the front matter."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with this file now."""
    masked: bool = False
    """It holds a secret in plain, so that it cannot be edited as a text here."""

    @property
    def exists(self) -> bool:
        return bool(self.hash)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change would do."""

    path: str
    hash: str
    """Of the file as it is now; empty for a new one."""
    text: str
    """The whole new text; empty where the file goes."""
    difference: str
    """Unified difference; empty where nothing changes."""
    problems: tuple[Problem, ...] = ()
    """All problems that the workspace would have, as ``jumpseat check`` lists them."""
    added: tuple[Problem, ...] = ()
    """Those of them that it does not have now."""
    gone: bool = False

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps it from being saved: the errors that it would add."""
        return tuple(problem for problem in self.added if problem.severity == "error")


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans edits of one workspace.

    Args:
        workspace: the folder with ``metadata/`` and ``templates/``.
        files: its files.
        vocabulary: what plugins bring, for the check.
        cache: of earlier plans of the same workspace.
    """

    workspace: Path
    files: EditableFiles
    vocabulary: Vocabulary | None
    cache: Cache = field(default_factory=Cache)

    def read(self, path: str) -> EditedFile:
        """One file, with what it says and what is wrong with it; one that does not exist is empty."""
        file = self.files.read(path)
        problems = tuple(problem for problem in load(self.workspace, self.vocabulary, cache=self.cache).problems if problem.file == path)
        masked = _holds_secret(path, problems, file.text)
        parts = parted(path, file.text)
        values = _values(parts)
        text = _hidden(file.text) if masked else file.text
        return EditedFile(path, text, file.hash, values if not masked else _without_secrets(values), parts.body, problems, masked)

    def plan(self, path: str, change: Change, expected: str | None = None) -> Plan:
        """What would come of a change.

        Args:
            path: of the file.
            change: what is wanted.
            expected: hash of the file as it was when somebody began to edit it; None for as it is now.

        Raises:
            StaleFile: it has another content by now.
            SecretTyped: a secret would stand in the file.
            InvalidValue: its keys cannot be changed one by one, or the path is none that may be edited.
        """
        file = self.files.read(path)
        before = load(self.workspace, self.vocabulary, cache=self.cache).problems
        secret_before = _holds_secret(path, [one for one in before if one.file == path], file.text)
        text = self._text(file, change, masked=secret_before)
        if expected is not None and expected != file.hash:
            raise self._stale(file, text)
        problems = self._loaded_with(path, None if change.gone else text).problems
        if any(one.code == IN_PLAIN and one.file == path for one in problems) and not secret_before:
            raise SecretTyped(
                say(
                    "A secret is never written into the metadata. Put it into an environment variable or a file, and name that one instead."
                )
            )
        known = {_key(problem) for problem in before}
        added = tuple(problem for problem in problems if _key(problem) not in known)
        shown = (_hidden(file.text), _hidden(text)) if secret_before else (file.text, text)
        return Plan(path, file.hash, text, difference(path, *shown), problems, added, change.gone)

    def _text(self, file: FileText, change: Change, *, masked: bool) -> str:
        if change.gone:
            return ""
        if change.text is not None:
            if masked:
                raise InvalidValue(
                    say("{file} holds a secret, so it is not edited as a text here. Edit it on the machine.", file=file.path)
                )
            return _like(file.text, change.text)
        parts = parted(file.path, file.text)
        if not change.keys and change.body is None:
            return file.text
        try:
            front = with_values(parts.front, _changed(_values(parts, strict=True), change.keys)) if change.keys else parts.front
        except NotEditable as error:
            cause = say("{file} cannot be changed key by key: {why}. Edit it as a text.", file=file.path, why=str(error))
            raise InvalidValue(cause, param="file") from None
        body = parts.body if change.body is None else _like(parts.body or file.text, change.body)
        return parts.put_together(front, body)

    def _stale(self, file: FileText, wanted: str) -> StaleFile:
        message = say(
            "{file} was changed by somebody else while you edited it. Nothing was changed. Make your change again in its new text.",
            file=file.path,
        )
        return StaleFile(message, file=file.path, difference="" if is_masked(file.path) else difference(file.path, file.text, wanted))

    def tried(self, path: str, change: Change) -> Loaded:
        """The workspace as it would be after a change; see ``plan`` for what it raises."""
        file = self.files.read(path)
        return self._loaded_with(path, None if change.gone else self._text(file, change, masked=False))

    def _loaded_with(self, path: str, text: str | None) -> Loaded:
        """The workspace with one file replaced, or gone; of templates a copy is read, for they are found by what lies beside them."""
        content = None if text is None else text.encode()
        replaced = {path: content}
        if not path.startswith(f"{TEMPLATES}/"):
            return load(self.workspace, self.vocabulary, cache=self.cache, replaced=replaced)
        with tempfile.TemporaryDirectory(prefix="jumpseat-edit-") as made:
            trial = Path(made)
            there = (self.workspace / TEMPLATES).resolve()
            if there.is_dir():
                shutil.copytree(there, trial / TEMPLATES, copy_function=_copied, ignore_dangling_symlinks=True)
            (trial / path).unlink(missing_ok=True)
            if content is not None:
                (trial / path).parent.mkdir(parents=True, exist_ok=True)
                (trial / path).write_bytes(content)
            return load(self.workspace, self.vocabulary, cache=self.cache, replaced=replaced, templates_from=trial)


def difference(path: str, before: str, after: str) -> str:
    """The unified difference of two texts of a file; empty where there is none."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="")
    return "\n".join(lines)


def _copied(source: str, target: str) -> None:
    try:
        shutil.copy2(source, target)
    except OSError:  # a pipe, or what the host may not read: the loader says so of the link as of the thing itself
        os.symlink(source, target)


def _key(problem: Problem) -> tuple[str, str, str]:
    return problem.file, problem.code, problem.cause


def _values(parts: Parts, *, strict: bool = False) -> Mapping[str, Any]:
    reading: Reading = parse_yaml(SourceText("", parts.front))
    if reading.problems and strict:
        raise NotEditable("the text has errors")
    return reading.value if isinstance(reading.value, dict) else {}


def _changed(values: Mapping[str, Any], keys: Mapping[Steps, Any]) -> Mapping[str, Any]:
    """The values with some of them changed; those that become empty because their last key went, go too."""
    changed = copy.deepcopy(dict(values))
    for steps, value in keys.items():
        _set(changed, steps, value)
    return changed


def _set(values: Any, steps: Steps, value: Any) -> None:
    first, rest = steps[0], steps[1:]
    if not rest:
        if value is not ABSENT:
            values[first] = value
        elif isinstance(values, dict):
            values.pop(first, None)
        elif isinstance(first, int):
            del values[first]
        return
    if isinstance(values, dict) and not isinstance(values.get(str(first)), dict | list):
        if value is ABSENT:
            return
        values[first] = {}
    _set(values[first], rest, value)
    if value is ABSENT and values[first] == {}:
        del values[first]


def _like(former: str, text: str) -> str:
    """A text out of a form, which has the line ends of the browser, with those of the file: each line that stays keeps its own."""
    lines = _LINE_BREAK.split(text)
    own = [(found[1] or found[3] or "", found[2] or "") for found in _LINE.finditer(former)]
    usual = next((end for _, end in own if end), "\n")
    matcher = difflib.SequenceMatcher(None, [line for line, _ in own], lines, autojunk=False)
    ends = [usual] * len(lines)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            ends[block.b + step] = own[block.a + step][1] or usual
    last = usual if lines[-1] and (not own or own[-1][1]) else ""
    return "".join(line + end for line, end in zip(lines, [*ends[:-1], last], strict=True))


# --- secrets ----------------------------------------------------------------------------------------------------------


def _holds_secret(path: str, problems: Iterable[Problem], text: str) -> bool:
    """May the text not be shown? One that cannot be read may hold anything."""
    if not is_masked(path):
        return False
    return any(problem.code == IN_PLAIN for problem in problems) or bool(text and parse_yaml(SourceText("", text)).problems)


def _hidden(text: str) -> str:
    return "\n".join(hide_values(line) for line in text.splitlines())


def _without_secrets(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of a file with a secret in plain: what says nothing of its settings."""
    return {key: value for key, value in values.items() if key in ("name", "kind", "label", "plugin", "frame_ancestors")}
