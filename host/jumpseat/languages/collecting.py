"""Which texts there are to translate: those of ``say`` and its like in Python, those of the pages, and labels in metadata."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from jinja2.ext import babel_extract

PREFIX = "jumpseat_"
KEYWORDS: dict[str, int] = {"say": 1, "say_n": 2, "gettext": 1, "_": 1, "ngettext": 2, "pgettext": 2}
"""Functions whose first arguments are texts, and how many; the first one of ``pgettext`` is the context."""
IN_TEMPLATES = ("gettext", "_", "ngettext", "pgettext")
TEMPLATE_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false", "extensions": "jinja2.ext.i18n,jinja2.ext.do"}
LABELS = ("label", "description", "title", "help", "text")
"""Keys of metadata files that people read."""
DECLARED = ("label", "title")
"""Attributes of classes that people read: of session types, channels, sources and errors."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text for translators."""

    id: str | tuple[str, str]
    """A pair for one that depends on a number."""
    place: str
    """The file it stands in."""
    context: str | None = None
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Package:
    """What shares one ``.po`` file per language."""

    root: Path
    """What the places of texts are relative to."""
    sources: tuple[Path, ...]
    locale: Path
    domain: str
    metadata: tuple[Path, ...] = field(default=())


def packages_of_repository(root: Path) -> list[Package]:
    """The host with the starter's metadata, and each first-party plugin."""
    host = root / "host" / "jumpseat"
    plugins = [folder for folder in sorted((root / "plugins").glob(f"{PREFIX}*")) if folder.is_dir()]
    return [
        Package(root, (host,), host / "locale", "jumpseat", (root / "metadata",)),
        *(plugin_package(folder, root) for folder in plugins),
    ]


def plugin_package(folder: Path, root: Path | None = None) -> Package:
    """The package of a plugin: ``jumpseat_pager`` keeps its texts in ``jumpseat_pager/locale/fr/LC_MESSAGES/pager.po``."""
    return Package(root or folder.parent, (folder,), folder / "locale", folder.name.removeprefix(PREFIX))


def texts_of(package: Package) -> list[Text]:
    """Every text of a package once, sorted by the file it is met in first and by its place there."""
    found: dict[object, Text] = {}
    for text in _all_texts(package):
        found.setdefault((text.context, text.id if isinstance(text.id, str) else text.id[0]), text)
    return list(found.values())


def _all_texts(package: Package) -> Iterator[Text]:
    for folder in package.sources:
        for file in sorted(folder.rglob("*.py")):
            yield from in_python(file, _place(file, package))
        for file in sorted(folder.rglob("templates/**/*.html")):
            yield from in_template(file, _place(file, package))
    for folder in package.metadata:
        for file in sorted(folder.rglob("*.yaml")):
            yield from in_metadata(file, _place(file, package))


def _place(file: Path, package: Package) -> str:
    return file.relative_to(package.root).as_posix()


def in_python(file: Path, place: str) -> Iterator[Text]:
    """Texts given to ``say`` and its like, and labels and titles of classes.

    What is no text written out is looked up when it is shown, and not collected here.
    """
    found: list[tuple[int, int, Text]] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        texts = _called(node, place) if isinstance(node, ast.Call) else _declared(node, place) if isinstance(node, ast.ClassDef) else ()
        found += [(at.lineno, at.col_offset, text) for at, text in texts]
    yield from (text for *_, text in sorted(found, key=lambda one: one[:2]))


def _called(call: ast.Call, place: str) -> Iterator[tuple[ast.expr, Text]]:
    name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""
    texts = [text for node in call.args[: KEYWORDS.get(name, 0)] if (text := _constant(node))]
    if texts and len(texts) == KEYWORDS[name]:
        yield call, _text(name, texts, place)


def _declared(declared: ast.ClassDef, place: str) -> Iterator[tuple[ast.expr, Text]]:
    """``label = "Pager"`` and ``name, label = "pager", "Pager"``."""
    for node in declared.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        for target in targets:
            names, values = (
                (target.elts, value.elts) if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) else ([target], [value])
            )
            for one, said in zip(names, values, strict=False):
                if isinstance(one, ast.Name) and one.id in DECLARED and said is not None and (text := _constant(said)):
                    yield said, Text(text, place)


def _constant(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def in_template(file: Path, place: str) -> Iterator[Text]:
    """Texts of ``{% trans %}`` and ``_()``."""
    with file.open("rb") as stream:
        for _, function, message, comments in babel_extract(stream, list(IN_TEMPLATES), ["Translators:"], dict(TEMPLATE_OPTIONS)):
            texts = [text for text in (message if isinstance(message, tuple) else (message,)) if isinstance(text, str) and text]
            wanted = KEYWORDS[function or "gettext"]
            if len(texts) >= wanted:
                yield _text(function or "gettext", texts[:wanted], place, tuple(comments))


def in_metadata(file: Path, place: str) -> Iterator[Text]:
    """Labels and descriptions, wherever they stand in the file."""
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        for text in _labels(document):
            yield Text(text, place)


def _labels(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in LABELS and isinstance(item, str) and item:
                yield item
            else:
                yield from _labels(item)
    if isinstance(value, list):
        for item in value:
            yield from _labels(item)


def _text(function: str, texts: list[str], place: str, comments: tuple[str, ...] = ()) -> Text:
    if function == "pgettext":
        return Text(texts[1], place, texts[0], comments)
    return Text((texts[0], texts[1]) if len(texts) == 2 else texts[0], place, None, comments)
