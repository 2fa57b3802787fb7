"""Where values stand in the HTML of a template: only in the text and in quoted attributes that are no address, style or script.

There, escaping is enough to keep a value from becoming markup. The same reading finds the addresses of a finished message.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from jumpseat.catalogue.template_language import LINK_PLACE, VALUE_PLACE
from jumpseat.speech import say

ADDRESS_ATTRIBUTES = frozenset(
    {"href", "src", "srcset", "action", "formaction", "background", "poster", "data", "cite", "longdesc", "xlink:href"}
)
FORBIDDEN_TAGS = frozenset({"script", "iframe", "object", "embed", "form", "base"})
SCHEMES = frozenset({"https", "http", "mailto", "tel"})

_TAG_NAME = re.compile(r"</?([A-Za-z][^\s/>\"']*)")
_PIECE = re.compile(r'"[^"]*"|\'[^\']*\'|[^"\'>]+')
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30}):")
_BLANKS = re.compile(r"[\x00-\x20]+")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag of an HTML text."""

    start: int
    name: str
    """In small letters."""
    quoted: tuple[tuple[str, str], ...] = ()
    """Attributes with a quoted value, as written."""
    naked: str = ""
    """What stands outside of quotes."""
    closed: bool = True
    content: str = ""
    """For ``style`` and ``script``: what stands between the tags."""
    end: int = 0
    """Offset behind the tag and its content."""


def tags(text: str) -> Iterator[Tag]:
    """The tags of an HTML text in order, comments left out; linear in its length."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        if text.startswith("<!--", start):
            at = text.find("-->", start + 4)
            if at < 0:
                return
            continue
        named = _TAG_NAME.match(text, start)
        if named is None:
            at = start + 1
            continue
        tag, at = _read_tag(text, start, named)
        yield tag
        if not tag.closed:
            return


def _read_tag(text: str, start: int, named: re.Match[str]) -> tuple[Tag, int]:
    at, naked, quoted = named.end(), [""], []
    while piece := _PIECE.match(text, at):
        at = piece.end()
        if piece.group()[0] in "\"'":
            quoted.append((_attribute(naked[-1]), piece.group()[1:-1]))
            naked.append("")
        else:
            naked[-1] += piece.group()
    name, closed = named.group(1).lower(), text.startswith(">", at)
    content = ""
    if closed and name in ("style", "script") and text[start + 1] != "/":
        end = re.compile(f"</{name}", re.IGNORECASE).search(text, at)
        content = text[at + 1 : end.start() if end else len(text)]
    at += 1 + len(content)
    return Tag(start, name, tuple(quoted), " ".join(naked), closed, content, at), at


def _attribute(before: str) -> str:
    """Name of the attribute whose value follows ``before``."""
    words = before.rstrip().removesuffix("=").replace("/", " ").split()
    return words[-1].lower() if words else ""


def naked_addresses(tag: Tag) -> Iterator[str]:
    """Values without quotes of address attributes."""
    for word in tag.naked.replace(" =", "=").replace("= ", "=").split():
        name, equals, value = word.partition("=")
        if equals and name.lower() in ADDRESS_ATTRIBUTES and value:
            yield value


def addresses(text: str) -> Iterator[str]:
    """Every address in an attribute of an HTML text, as a mail program reads it."""
    for tag in tags(text):
        for name, value in tag.quoted:
            if name in ADDRESS_ATTRIBUTES:
                yield html.unescape(value).strip()
        yield from (html.unescape(value) for value in naked_addresses(tag))


def words_of(text: str) -> str:
    """What a reader of an HTML text sees, roughly: no tags, character references resolved."""
    pieces, at = [], 0
    for tag in tags(text):
        pieces.append(text[at : tag.start])
        at = tag.end
    return html.unescape(" ".join([*pieces, text[at:]]))


def unsafe_places(skeleton: str) -> Iterator[tuple[int, str, str]]:
    """Offset, cause and fix of every place where a value, or the markup itself, could do harm."""
    for tag in tags(skeleton):
        yield from ((tag.start, cause, fix) for cause, fix in _unsafe(tag))


def _unsafe(tag: Tag) -> Iterator[tuple[str, str]]:
    if not tag.closed:
        yield say("the tag <{shown}> is not closed", shown=_shown(tag.name)), say("close it with '>', and every quote in it")
        return
    if tag.name in FORBIDDEN_TAGS:
        yield say("<{tag}> is not allowed in a message", tag=tag.name), say("mail programs drop it; leave it out")
    if _holds_place(tag.name) or _holds_place(tag.naked):
        yield (
            say("a value stands in the tag <{shown}> without quotes", shown=_shown(tag.name)),
            say('put quotes around it: title="{{ record.name }}"'),
        )
    if _holds_place(tag.content):
        yield say("a value stands inside <{tag}>", tag=tag.name), say("values belong into the text")
    for name, value in tag.quoted:
        yield from _unsafe_attribute(name, value)
    for value in naked_addresses(tag):
        yield from _unsafe_attribute("href", value)


def _unsafe_attribute(name: str, value: str) -> Iterator[tuple[str, str]]:
    if (name == "style" or name.startswith("on")) and _holds_place(value):
        yield say("a value stands in the attribute '{name}'", name=name), say("values belong into the text")
    if name.startswith("on"):
        yield say("the attribute '{name}' is not allowed in a message", name=name), say("mail programs drop scripts; leave it out")
    if name in ADDRESS_ATTRIBUTES and value.strip() != LINK_PLACE:
        if _holds_place(value):
            yield (
                say("the address in '{name}' is put together from values", name=name),
                say('write the whole link: href="{{ session.customer_link }}"'),
            )
        elif (scheme := scheme_of(value)) and scheme not in SCHEMES:
            yield say("an address in '{name}' begins with '{scheme}:'", name=name, scheme=scheme), say("use https:, mailto: or tel:")


def scheme_of(address: str) -> str:
    """The scheme of an address as a browser sees it (``java\\nscript:`` is ``javascript``); empty when it has none."""
    found = _SCHEME.match(_BLANKS.sub("", html.unescape(address)).lower())
    return found.group(1) if found else ""


def _holds_place(text: str) -> bool:
    return LINK_PLACE in text or VALUE_PLACE in text


def _shown(name: str) -> str:
    return name.replace(LINK_PLACE, "").replace(VALUE_PLACE, "")
