"""Reading ``templates/``: front matter and text of every file, checked as far as can be without sending anything.

A file is ``templates/<channel>/NAME.LANGUAGE.txt``; the HTML form of the same text may stand beside it as
``NAME.LANGUAGE.html``. A file that was read before is not checked again while it and the objects stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from jumpseat.catalogue.html_places import unsafe_places
from jumpseat.catalogue.merge_fields import RecordFields, translate
from jumpseat.catalogue.model import SupportedObject
from jumpseat.catalogue.positions import Reading, looks_like, parse_yaml
from jumpseat.catalogue.problems import Problem, has_errors, in_order
from jumpseat.catalogue.source_text import START, Place, SourceText, decode, has_invisible
from jumpseat.catalogue.template_language import LINK_PLACE, VALUE_PLACE, Inspected, inspect
from jumpseat.catalogue.template_rules import rule_of
from jumpseat.catalogue.validate import needs_quotes
from jumpseat.catalogue.variables import CUSTOMER_LINK
from jumpseat.catalogue.vocabulary import near
from jumpseat.speech import say
from jumpseat.types import Template

KEYS = ("name", "description", "object", "subject", "language", "extra")
"""Keys of the front matter; ``name`` is required, for e-mail ``subject`` as well. ``extra`` is read by import and export only."""
SUBJECT_CHANNEL = "email"
LONGEST_NAME = 100
LONGEST_SUBJECT = 500
ENCODED_WORD = re.compile(r"=\?[^?\s]{1,60}\?[bqBQ]\?")
"""Begin of an RFC 2047 encoded word."""

_FILE_NAME = re.compile(r"(?P<stem>.+)\.(?P<language>[^.]+)\.(?P<kind>txt|html)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?")
_PLACES = re.compile(f"[{LINK_PLACE}{VALUE_PLACE}]")


@dataclass(frozen=True, slots=True)
class TemplatesRead:
    """What the folder holds."""

    templates: tuple[Template, ...]
    """Those without errors, sorted by channel, name, language; merge fields are translated."""
    problems: tuple[Problem, ...]


class _Object(NamedTuple):
    """What a template has to know of a supported object; unlike that, it can be a key of a cache."""

    supported_object: str
    email_template_description: str
    name_field: str
    template_fields: tuple[str, ...]


class _File(NamedTuple):
    """One template with what lies on the disk; the key of the cache."""

    path: str
    channel: str
    language: str
    text: bytes
    html: bytes | None


@dataclass(frozen=True, slots=True)
class _Read:
    """What one file turned out to be."""

    problems: tuple[Problem, ...]
    template: Template | None = None
    name_at: Place = START
    usable: bool = True
    """False for a template with errors: its name counts, so that a second file of the same name is told as well."""


def read_templates(
    workspace: Path, channels: Collection[str] | None, objects: Sequence[SupportedObject], *, complete: bool = True
) -> TemplatesRead:
    """Read all templates of a workspace. Never raises for what stands in them.

    Args:
        workspace: the folder that holds ``templates/``; without that folder there are no templates and no problems.
        channels: names of the share channels; None when they are not known, then every folder is taken for one.
        objects: the supported objects; they say which fields of the record a template may use.
        complete: False when plugins are left out or failed: the folder of a channel that is not known is then only a warning.
    """
    folder = workspace / "templates"
    known = tuple(_Object(one.supported_object, one.email_template_description, one.name_field, one.template_fields) for one in objects)
    problems: list[Problem] = []
    found: dict[tuple[str, str, str], _Read] = {}
    for item in _items(workspace, folder, channels, complete):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        read = _read(item, known)
        problems += read.problems
        if read.template is None:
            continue
        key = (read.template.channel, read.template.name, read.template.language.casefold())
        first = found.setdefault(key, read)
        if first.template is not None and first is not read:
            problems.append(_twice(item, read, first.template))
    usable = (found[key].template for key in sorted(found) if found[key].usable)
    return TemplatesRead(tuple(template for template in usable if template is not None), in_order(problems))


def _twice(item: _File, read: _Read, first: Template) -> Problem:
    source = decode(item.text, item.path)
    cause = say(
        "the template '{first}' in '{language}' stands in two files, first in {file}",
        first=first.name,
        language=first.language,
        file=first.file,
    )
    fix = say("give one of them another name, or delete it")
    return source.problem(read.name_at, "M403", cause, fix) if isinstance(source, SourceText) else source


# --- files ------------------------------------------------------------------------------------------------------------


def _items(workspace: Path, folder: Path, channels: Collection[str] | None, complete: bool) -> Iterator[_File | Problem]:
    """The templates on the disk, in order, and what else lies there."""
    for entry in _entries(folder):
        shown = f"templates/{entry.name}"
        if not entry.is_dir():
            if entry.name != "README.md":
                yield _at_start(
                    shown,
                    "M211",
                    say("the file stands outside of the folders of the channels"),
                    say("move it, to templates/email/ for instance"),
                )
        elif channels is not None and entry.name not in channels:
            meant = near(entry.name, channels)
            fix = (
                say("did you mean '{meant}'?", meant=meant)
                if meant
                else say("there are {known}", known=", ".join(sorted(channels)) or say("none"))
            )
            cause = say("there is no share channel '{entry}' that the folder could belong to", entry=entry.name)
            yield replace(_at_start(shown, "M303", cause, fix), severity="error" if complete else "warning")
        else:
            yield from _channel_items(workspace, entry, shown)


def _channel_items(workspace: Path, folder: Path, shown: str) -> Iterator[_File | Problem]:
    entries = _entries(folder)
    names = {entry.name for entry in entries}
    for entry in entries:
        path = f"{shown}/{entry.name}"
        named = _FILE_NAME.fullmatch(entry.name)
        if named is None or not entry.is_file():
            if entry.name != "README.md":
                yield _at_start(
                    path,
                    "M401",
                    say("'{entry}' is not the name of a template", entry=entry.name),
                    say("call it NAME.LANGUAGE.txt, such as case.en.txt"),
                )
        elif named["kind"] == "html":
            if entry.name.removesuffix("html") + "txt" not in names:
                yield _at_start(
                    path,
                    "M412",
                    say("there is no text beside the HTML"),
                    say("write {file}txt with the front matter", file=entry.name.removesuffix("html")),
                )
        else:
            html = folder / f"{entry.name.removesuffix('txt')}html"
            yield _load(workspace, entry, html if html.name in names else None, _File(path, folder.name, named["language"], b"", None))


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; hidden files and editors' copies (``~``) are passed over."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and not entry.name.endswith("~"))
    except OSError:
        return []


def _load(workspace: Path, text: Path, html: Path | None, file: _File) -> _File | Problem:
    root = workspace.resolve()
    for path in filter(None, (text, html)):
        if not path.resolve().is_relative_to(root):
            return _at_start(
                path.relative_to(workspace).as_posix(), "M209", say("the file leads out of the workspace"), say("put the file itself there")
            )
    try:
        return file._replace(text=text.read_bytes(), html=html.read_bytes() if html else None)
    except OSError as error:
        cause = say("the file cannot be read: {lower}", lower=(error.strerror or "unknown reason").lower())
        return _at_start(file.path, "M209", cause, say("let the user that the host runs as read it"))


def _at_start(file: str, code: str, cause: str, fix: str) -> Problem:
    return Problem(file, 1, 1, code, cause, fix)


# --- one template -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def _read(file: _File, objects: tuple[_Object, ...]) -> _Read:
    source = decode(file.text, file.path)
    if isinstance(source, Problem):
        return _Read((source,))
    lines = re.split(r"\r\n|\r|\n", source.text)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        cause = say("the front matter is missing") if lines[0].rstrip() != "---" else say("the front matter has no end")
        return _Read((source.problem(START, "M402", cause, say("begin with '---', the keys, and '---' again")),))
    front = parse_yaml(SourceText(file.path, "\n".join(lines[1:end]) + "\n", first_line=2))
    if front.problems:
        return _Read(front.problems)
    problems = [*_front_problems(front, file), *_language_problems(front, file, source)]
    if problems:
        return _Read(tuple(problems))
    body = SourceText(file.path, "\n".join(lines[end + 1 :]), first_line=end + 2)
    return _checked(file, front, body, objects)


def _front_problems(front: Reading, file: _File) -> Iterator[Problem]:
    values = front.value
    if not isinstance(values, dict):
        if values is not None:
            yield front.source.problem(
                front.places.value, "M103", say("the front matter is not a mapping of keys"), say("write lines such as 'name: default'")
            )
            return
        values = {}
    required = ("name", "subject") if file.channel == SUBJECT_CHANNEL else ("name",)
    for key in required:
        if key not in values:
            cause = say("the required key '{key}' is missing", key=key) + (
                say(": every template of '{channel}' has one", channel=file.channel) if key == "subject" else ""
            )
            yield SourceText(file.path, "---").problem(START, "M101", cause, say("add '{key}: …' to the front matter", key=key))
    for key, value in values.items():
        if key not in KEYS:
            meant = near(key, KEYS)
            fix = say("did you mean '{meant}'?", meant=meant) if meant else say("the keys are {known}", known=", ".join(KEYS))
            yield front.source.problem(front.places.of_key((key,)), "M102", say("unknown key '{key}'", key=key), fix)
        elif key == "extra":
            yield from _extra_problems(front, value)
        else:
            yield from _value_problems(front, key, value)


def _value_problems(front: Reading, key: str, value: object) -> Iterator[Problem]:
    place = front.places.of_value((key,))
    if value is None:
        yield front.source.problem(
            front.places.of_key((key,)), "M107", say("'{key}' has no value", key=key), say("fill it in, or leave the key out")
        )
    elif not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        if isinstance(value, (bool, int, float)):
            yield front.source.problem(
                place, "M106", needs_quotes(shown, looks_like(shown) or say("a number")), say('write "{shown}"', shown=shown)
            )
        else:
            fix = say('put it in quotes: "{{ record.name }}"')
            yield front.source.problem(
                place, "M103", say("'{key}' is not a text; an unquoted '{{' or '[' begins something else in YAML", key=key), fix
            )
    elif front.places.find((key,)).doubtful:
        yield front.source.problem(
            place, "M106", needs_quotes(value, looks_like(value) or say("something else")), say('write "{value}"', value=value)
        )
    elif not value.strip():
        yield front.source.problem(place, "M107", say("'{key}' is empty", key=key), say("fill it in, or leave the key out"))
    elif len(value) > (LONGEST_SUBJECT if key == "subject" else LONGEST_NAME):
        cause = say("'{key}' is longer than {n} characters", key=key, n=LONGEST_SUBJECT if key == "subject" else LONGEST_NAME)
        yield front.source.problem(place, "M109", cause, say("make it shorter"))
    elif "\n" in value:
        yield front.source.problem(place, "M105", say("'{key}' has more than one line", key=key), say("write it on one line"))


def _extra_problems(front: Reading, extra: object) -> Iterator[Problem]:
    """What a CRM keeps of the template: texts by name, by kind of CRM."""
    fix = say('write "extra:", below it the kind of CRM, below that lines such as \'folder: "TeamViewer"\'')
    facts = list(extra.values()) if isinstance(extra, dict) else [None]
    if not all(isinstance(one, dict) and all(isinstance(text, str) for text in one.values()) for one in facts):
        cause = say("'extra' must be texts by name, by kind of CRM")
        yield front.source.problem(front.places.of_key(("extra",)), "M103", cause, fix)


def _language_problems(front: Reading, file: _File, source: SourceText) -> Iterator[Problem]:
    values = front.value if isinstance(front.value, dict) else {}
    if cause := _not_a_language(file.language):
        yield source.problem(
            START,
            "M404",
            say("{cause}, in the name of the file", cause=cause),
            say("call it NAME.LANGUAGE.txt with a language such as en or fr-CA"),
        )
    elif isinstance(said := values.get("language"), str) and said != file.language:
        cause = say("the file is called '{language}', its front matter says '{said}'", language=file.language, said=said)
        yield source.problem(front.places.of_value(("language",)), "M404", cause, say("make the two the same, or leave the key out"))


@lru_cache(maxsize=256)
def _not_a_language(tag: str) -> str:
    """Why a tag is no language to write in; empty when it is one."""
    from babel import Locale, UnknownLocaleError

    if not _LANGUAGE.fullmatch(tag):
        return say("'{tag}' is not a BCP 47 language tag", tag=tag[:60])
    try:
        Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return say("the language '{tag}' has no words of dates here", tag=tag)
    return ""


def _checked(file: _File, front: Reading, body: SourceText, objects: tuple[_Object, ...]) -> _Read:
    values = front.value
    template = Template(
        name=values["name"],
        channel=file.channel,
        language=file.language,
        body="",
        subject=values.get("subject"),
        description=values.get("description"),
        object=values.get("object"),
        file=file.path,
        line=body.first_line,
    )
    pages = _Pages([one for one in objects if rule_of(template, one) is not None])
    text = pages.text(body)
    html = pages.html(file) if file.html is not None else None
    subject = pages.subject(front) if template.subject is not None else None
    name_at = front.places.of_value(("name",))
    if has_errors(pages.problems):
        return _Read(tuple(pages.problems), template, name_at, usable=False)
    return _Read(tuple(pages.problems), replace(template, body=text, html=html, subject=subject), name_at)


class _Pages:
    """The three texts of one template, translated and checked; problems are collected."""

    def __init__(self, objects: list[_Object]) -> None:
        self.problems: list[Problem] = []
        self.fields = frozenset(name for one in objects for name in one.template_fields)
        distinct = {one.supported_object: one for one in objects}
        only = next(iter(distinct.values())) if len(distinct) == 1 else None
        self.record = RecordFields(only.supported_object, only.name_field, only.template_fields) if only else None

    def text(self, source: SourceText) -> str:
        translated, inspected = self._inspect(source, is_html=False)
        if not inspected.problems and not inspected.shows_link:
            self._no_link(source, say("the text"))
        return translated

    def html(self, file: _File) -> str:
        path = file.path.removesuffix("txt") + "html"
        source = decode(file.html or b"", path)
        if isinstance(source, Problem):
            self.problems.append(source)
            return ""
        source = SourceText(path, re.sub(r"\r\n?", "\n", source.text))
        translated, inspected = self._inspect(source, is_html=True)
        if inspected.problems:
            return translated
        for offset, cause, fix in unsafe_places(inspected.skeleton):
            line = _line_of(inspected, offset)
            column = source.line(line).find("<") + 1
            self.problems.append(source.problem(Place(line, max(1, column)), "M411", cause, fix))
        if not inspected.shows_link:
            self._no_link(source, say("the HTML"))
        return translated

    def subject(self, front: Reading) -> str:
        written, place = front.value["subject"], front.places.of_value(("subject",))
        if found := ENCODED_WORD.search(written):
            cause = say("the subject holds an encoded word, '{group}…'", group=found.group())
            self.problems.append(front.source.problem(place, "M414", cause, say("write the letters themselves")))
        if has_invisible(written) or _PLACES.search(written):
            self.problems.append(front.source.problem(place, "M206", say("the subject holds an invisible character"), say("delete it")))
        translated = translate(written, self.record)
        inspected = inspect(translated.source, self.fields)
        for problem in (*translated.problems, *inspected.problems):
            self.problems.append(
                front.source.problem(place, problem.code, say("{cause} (in the subject)", cause=problem.cause), problem.fix)
            )
        if inspected.shows_link:
            cause = say("the customer link stands in the subject, which mail servers write to their logs")
            self.problems.append(front.source.problem(place, "M407", cause, say("show it in the text")))
        return translated.source

    def _inspect(self, source: SourceText, *, is_html: bool) -> tuple[str, Inspected]:
        self.problems += _invisible(source)
        translated = translate(source.text, self.record, is_html=is_html)
        inspected = inspect(translated.source, self.fields)
        for problem in translated.problems:
            place = Place(problem.line + source.first_line - 1, problem.column, problem.length)
            self.problems.append(source.problem(place, problem.code, problem.cause, problem.fix))
        lines = translated.source.split("\n")
        for problem in inspected.problems:
            place = _where_written(source, problem, lines[problem.line - 1] if problem.line <= len(lines) else "")
            self.problems.append(source.problem(place, problem.code, problem.cause, problem.fix))
        return translated.source, replace(inspected, problems=(*translated.problems, *inspected.problems))

    def _no_link(self, source: SourceText, what: str) -> None:
        fix = say("put {{{{ {customer_link} }}}} where the customer is to click", customer_link=CUSTOMER_LINK)
        self.problems.append(
            source.problem(Place(source.first_line, 1), "M410", say("{what} never shows the customer link", what=what), fix)
        )


def _where_written(source: SourceText, problem: Problem, translated: str) -> Place:
    """The place in the file: merge fields in front of it may have moved it within its line."""
    line = problem.line + source.first_line - 1
    start = problem.column - 1
    column = source.line(line).find(translated[start : start + problem.length])
    if translated == source.line(line) or column < 0:
        return Place(line, problem.column if column >= 0 else 1, problem.length)
    return Place(line, column + 1, problem.length)


def _line_of(inspected: Inspected, offset: int) -> int:
    """The line of the source in which a place of the skeleton stands."""
    start, line = max((piece for piece in inspected.lines if piece[0] <= offset), default=(0, 1))
    return line + inspected.skeleton.count("\n", start, offset)


def _invisible(source: SourceText) -> Iterator[Problem]:
    for number, line in enumerate(source.text.split("\n"), source.first_line):
        if has_invisible(line) or _PLACES.search(line):
            cause = say("the line holds a character that no editor shows")
            yield source.problem(Place(number, 1), "M206", cause, say("delete it and save the file as UTF-8"))
