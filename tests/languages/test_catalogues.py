"""The French texts are complete and well written, and nothing that people read gets by them."""

from __future__ import annotations

import ast
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import pytest
from babel.messages.catalog import Message

from jumpseat.errors import JumpseatError
from jumpseat.languages import updating
from jumpseat.languages.collecting import Package, packages_of_repository, texts_of

ROOT = Path(__file__).parents[2]
PACKAGES = packages_of_repository(ROOT)
FRENCH = [
    (package.domain, message)
    for package in PACKAGES
    for message in updating.read(package.locale / "fr" / "LC_MESSAGES" / f"{package.domain}.po", "fr")
    if message.id
]
PLACE = re.compile(r"\{\{|\}\}|\{(\w*)[^{}]*\}|%\((\w+)\)[sd]")


def forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, (tuple, list)) else (str(text),)


def places(text: str) -> set[str]:
    return {found[1] or found[2] for found in PLACE.finditer(text) if found[1] or found[2]}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.domain)
def test_every_text_has_its_french_translation(package: Package) -> None:
    kept = updating.read(package.locale / "fr" / "LC_MESSAGES" / f"{package.domain}.po", "fr")
    merged = updating.merge(texts_of(package), kept, "fr")

    missing = [message.id for message in merged if message.id and not updating.is_translated(message)]
    assert missing == [], "'python -m jumpseat.languages update' collects them; then translate them in the .po file"


def test_a_translation_has_the_places_of_its_text() -> None:
    different = [
        (domain, message.id)
        for domain, message in FRENCH
        if updating.is_translated(message)
        and (
            places(forms(message.string)[-1]) != places(forms(message.id)[-1])
            or places(forms(message.string)[0]) - places(forms(message.id)[-1])
        )
    ]
    assert different == []


QUOTED = re.compile(r"«[^»]*»|\w+: \{\{[^}]*\}\}|https?://\S+")
WRONG = re.compile(r" [:;?!»]|« |[^\s\d\W][;?!](?=\s|$)|[^\s\d\W]:(?=\s)|[a-zà-ÿ]'[a-zà-ÿ]", re.IGNORECASE)


def mistakes(message: Message) -> list[str]:
    return [text for text in forms(message.string) if WRONG.search(QUOTED.sub("…", text)) or re.search(r"« | »", text)]


def test_french_has_its_own_spaces_and_apostrophes() -> None:
    assert [found for _, message in FRENCH for found in mistakes(message)] == []


def test_the_wheel_carries_the_texts(tmp_path: Path) -> None:
    from hatchling.builders.wheel import WheelBuilder

    wheel = next(iter(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])))
    names = set(zipfile.ZipFile(wheel).namelist())

    assert {f"{package.locale.parent.name}/locale/fr/LC_MESSAGES/{package.domain}.po" for package in PACKAGES if texts_of(package)} <= names


# --- pages --------------------------------------------------------------------------------------------------------------

SHOWN_ATTRIBUTES = ("title", "placeholder", "alt", "aria-label", "aria-description", "label")
NOT_TRANSLATED = {"Jumpseat", "UTC", "CSV", "HTTP", "JSON", "YAML", "https"}


class _Texts(HTMLParser):
    """What a page says in its own words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style", "code")
        self.said += [value for name, value in attrs if value and name in SHOWN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(re.sub(r'[\w-]+="[^"]*"', "", data))  # a macro may hold attributes for its callers' tags


def hard_coded(source: str) -> list[str]:
    """Words of a template outside of ``{% trans %}`` and ``_()``."""
    plain, inside, block = [], False, ""
    for _, kind, value in jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True).lex(source):
        block = "" if kind == "block_begin" else block or (value if kind == "name" else "")
        if kind == "block_end":
            inside = block == "trans" or (inside and block != "endtrans")
        if kind == "data" and not inside:
            plain.append(value)
        if kind == "variable_begin":
            plain.append("0")  # something stands there
    texts = _Texts()
    texts.feed("".join(plain))
    texts.close()
    words = [word for text in texts.said for word in re.findall(r"[^\W\d_]{2,}", text)]
    return [word for word in words if word not in NOT_TRANSLATED]


def templates() -> Iterator[Path]:
    for folder in (ROOT / "host" / "jumpseat" / "web", ROOT / "plugins" / "jumpseat_browser"):
        yield from (folder / "templates").rglob("*.html")


def test_pages_say_nothing_that_is_not_translated() -> None:
    assert {str(file.relative_to(ROOT)): found for file in templates() if (found := hard_coded(file.read_text(encoding="utf-8")))} == {}


def test_a_word_in_a_template_is_found_wherever_it_is_shown() -> None:
    assert hard_coded('<p class="note">{% trans %}Fine{% endtrans %} {{ _("Fine") }}</p><code>{{ x }} kept</code>') == []
    assert hard_coded("<p>Wrong</p>{% if x %}{% trans %}a{% endtrans %}too{% endif %}") == ["Wrong", "too"]
    assert hard_coded('<a title="Wrong" href="/right">{{ x }}</a>') == ["Wrong"]


# --- rooms --------------------------------------------------------------------------------------------------------------

HOST = ROOT / "host" / "jumpseat"
ROOMS = (
    *("records", "sessions", "shares", "access", "accounts", "jobs", "reports"),
    *("administration.py", "calling.py", "host.py", "launching.py", "listening.py", "operating.py", "reach.py", "reporting.py"),
    *("sharing.py", "signing_in.py", "visiting.py"),
)
SPOKEN = {"Reason": 0, "SkippedTemplate": 2, "refuse": 0, "refused": 0, "failed": 0, "unknown": 0}


def spoken(name: str) -> bool:
    from jumpseat import errors

    found = getattr(errors, name, None)
    return name in SPOKEN or (isinstance(found, type) and issubclass(found, JumpseatError))


def written_out(file: Path) -> Iterator[str]:
    """Refusals and reasons whose words are not said."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        place = SPOKEN.get(name, 0)
        if spoken(name) and len(node.args) > place and any(map(is_bare, parts_of(node.args[place]))):
            yield f"{file.relative_to(ROOT)}:{node.lineno} {name}"


def parts_of(node: ast.expr) -> list[ast.expr]:
    """What may become the text: both ends of a condition and of a sum."""
    if isinstance(node, ast.IfExp):
        return [*parts_of(node.body), *parts_of(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [part for value in node.values for part in parts_of(value)]
    if isinstance(node, ast.BinOp):
        return [*parts_of(node.left), *parts_of(node.right)]
    return [node]


def is_bare(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != "")


def test_refusals_and_reasons_are_said_so_that_they_can_be_translated() -> None:
    files = [file for room in ROOMS for file in ([HOST / room] if room.endswith(".py") else (HOST / room).rglob("*.py"))]
    plugins = [file for file in (ROOT / "plugins").rglob("*.py") if not set(file.parts) & LEFT_OUT]

    assert [found for file in (*files, *plugins) for found in written_out(file)] == []


LEFT_OUT = {
    *("emulator", "stand_in", "jumpseat_fake_crm", "wrapper", "metadata_files"),
    *("metadata_rows.py", "rows_commands.py", "template_rows.py", "commands.py"),
}
"""What stands in for a provider or a CRM, and what speaks on the command line alone."""
