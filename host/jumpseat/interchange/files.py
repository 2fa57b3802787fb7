"""Supported objects and templates as their files say them: read, and written again, without losing a letter."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jumpseat.catalogue.files import kind_of, read, snapshot
from jumpseat.catalogue.load import load
from jumpseat.catalogue.model import Catalogue
from jumpseat.catalogue.positions import looks_like, parse_yaml, read_yaml
from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.source_text import SourceText, decode
from jumpseat.errors import MetadataInvalid
from jumpseat.types import NOTHING

ASIDE = "jumpseat"
"""Folder of an export for templates that its CRM cannot say letter by letter; nothing deploys them, an import takes them."""
SCHEMA_LINE = "# yaml-language-server: $schema=../schema/supported-object.json"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]*(?<! )")
_ITEM = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

Extra = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """One file of ``metadata/objects/``."""

    values: Mapping[str, Any]
    """By key, in the order of the file."""
    name: str = ""
    """What a new file is called, without ``.yaml``."""
    path: str = ""
    """In the workspace; empty while it is not known."""
    complete: bool = True
    """False: keys that are left out are not known, and a file that is replaced keeps its own."""
    origin: str = ""
    """The foreign file it was read from, for messages."""

    def text(self) -> str:
        """The file's content."""
        lines = [SCHEMA_LINE]
        for key, value in self.values.items():
            lines += _yaml_lines(key, value, "")
        return "\n".join([*lines, ""])


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One template: its text with front matter, and the HTML beside it."""

    name: str
    language: str
    text: str
    """Behind the front matter; lines end with ``\\n``."""
    html: str | None = None
    subject: str | None = None
    description: str | None = None
    object: str | None = None
    extra: Extra = field(default_factory=lambda: NOTHING)
    stem: str = ""
    """What a new file is called, without language and suffix."""
    path: str = ""
    """Of the text, in the workspace; empty while it is not known."""
    origin: str = ""
    """The foreign file it was read from, for messages."""

    def files(self) -> dict[str, str]:
        """The content of the text and, where there is one, of the HTML, by path."""
        front: list[str] = []
        for key in ("name", "description", "object", "subject", "extra"):
            if value := getattr(self, key):
                front += _yaml_lines(key, value, "")
        text = "\n".join(["---", *front, "---", self.text])
        return {self.path: text} | ({} if self.html is None else {html_beside(self.path): self.html})


def html_beside(path: str) -> str:
    """Path of the HTML that belongs to a text."""
    return path.removesuffix("txt") + "html"


def _yaml_lines(key: str, value: Any, indent: str) -> list[str]:
    if isinstance(value, Mapping) and value:
        lines = [f"{indent}{key}:"]
        for inner, one in value.items():
            lines += _yaml_lines(inner, one, indent + "  ")
        return lines
    if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        return [f"{indent}{key}:", *(f"{indent}  - {_item(one)}" for one in value)]
    return [f"{indent}{key}: {_flow(value)}"]


def _item(value: Any) -> str:
    """One item of a list on one line; a mapping with one key needs no braces."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((key, one),) = value.items()
        return f"{_inside(key)}: {_flow(one)}"
    return _flow(value)


def _flow(value: Any) -> str:
    """One value on one line. JSON texts are YAML texts in quotes; those that need none stand without, to read like a form."""
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and looks_like(value) is None else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_inside(key)}: {_inside(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_inside(one) for one in value) + "]"
    return json.dumps(value)


def _inside(value: Any) -> str:
    if isinstance(value, str):
        return value if _ITEM.fullmatch(value) and looks_like(value) is None else json.dumps(value, ensure_ascii=False)
    return _flow(value)


def read_objects(workspace: Path) -> tuple[ObjectFile, ...]:
    """The supported objects of a workspace as their files say them; files that are no YAML are left out."""
    found = []
    for path in snapshot(workspace):
        if kind_of(path) == "supported-object" and isinstance(content := read(workspace, path), bytes):
            reading = read_yaml(content, path)
            if isinstance(reading.value, dict) and not reading.problems:
                found.append(ObjectFile(reading.value, path=path, name=Path(path).stem))
    return tuple(found)


def read_templates(workspace: Path, channel: str = "email") -> tuple[TemplateFile, ...]:
    """The templates of a channel as their files say them, merge fields untouched; what is no template is left out."""
    paths = [path for path in snapshot(workspace) if path.startswith(f"templates/{channel}/") and path.endswith(".txt")]
    parsed = (parse_template(path, read(workspace, path), read(workspace, html_beside(path))) for path in paths)
    return tuple(one for one in parsed if one is not None)


def parse_template(path: str, content: bytes | Problem, html: bytes | Problem | None) -> TemplateFile | None:
    """One template from its bytes; None when they are none.

    Args:
        path: of the text, in the workspace.
        content: of the text.
        html: of the HTML beside it; a problem or None when there is none.
    """
    source = decode(content, path) if isinstance(content, bytes) else content
    parts = path.rsplit("/", 1)[-1].rsplit(".", 2)
    if isinstance(source, Problem) or len(parts) != 3:
        return None
    lines = _LINE_BREAK.split(source.text)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        return None
    front = parse_yaml(SourceText(path, "\n".join(lines[1:end]) + "\n")).value
    page = decode(html, path) if isinstance(html, bytes) else None
    if not isinstance(front, dict) or not isinstance(front.get("name"), str) or isinstance(page, Problem):
        return None
    return TemplateFile(
        **{key: front[key] for key in ("name", "subject", "description", "object") if isinstance(front.get(key), str)},
        language=parts[1],
        text="\n".join(lines[end + 1 :]),
        html=None if page is None else "\n".join(_LINE_BREAK.split(page.text)),
        extra=front["extra"] if isinstance(front.get("extra"), dict) else NOTHING,
        stem=parts[0],
        path=path,
    )


def read_aside(files: Mapping[str, bytes]) -> tuple[list[TemplateFile], list[str]]:
    """The templates that an export laid beside what its CRM can say, and the paths of files that are none.

    Args:
        files: of the foreign folder, by path.
    """
    found, wrong = [], []
    for path in sorted(path for path in files if is_aside(path) and path.endswith(".txt")):
        inside = path[path.index(f"{ASIDE}/templates/") + len(ASIDE) + 1 :]
        made = parse_template(inside, files[path], files.get(html_beside(path)))
        if made is None:
            wrong.append(path)
        else:
            found.append(replace(made, origin=path))
    return found, wrong


def is_aside(path: str) -> bool:
    """Is it a file of a template that an export laid aside?"""
    return f"/{ASIDE}/templates/email/" in f"/{path}" and path.endswith((".txt", ".html"))


def open_workspace(workspace: Path) -> Catalogue:
    """The catalogue of a workspace, for what is made of it.

    Raises:
        MetadataInvalid: the metadata has errors.
    """
    loaded = load(workspace)
    if loaded.catalogue is None:
        raise MetadataInvalid("The metadata has errors.", tuple(str(problem) for problem in loaded.problems))
    return loaded.catalogue
