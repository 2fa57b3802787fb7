"""A template and a context become a message. Preview and sending call the same function.

What keeps a rendering harmless, each on its own: the template keeps to the small language of the catalogue (checked again here);
Jinja runs in a sandbox in which nothing but the context can be looked up and nothing can be called; values are plain data; the
output is counted while it grows. There is no clock: with no loops and no calls, time is linear in the template (64 KiB at most)
and its values (10,000 characters each at most), and the count stops at 256 KiB. The largest template took about a second when it
was compiled for the first time, hundredths of a second afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import jinja2

from jumpseat.catalogue.html_places import addresses, unsafe_places, words_of
from jumpseat.catalogue.template_language import inspect
from jumpseat.catalogue.templates import ENCODED_WORD
from jumpseat.catalogue.variables import VARIABLES, TemplateContext
from jumpseat.errors import MessageUnsafe
from jumpseat.shares.clean import dead_links, one_line, printable, several_lines
from jumpseat.shares.links import foreign, hosts, is_customer_link, is_same, links
from jumpseat.shares.sandbox import Kind, RecordValues, environment
from jumpseat.speech import say
from jumpseat.types import Template

MAX_OUTPUT: Final = 256 * 1024
"""Most characters of a rendered text or HTML."""
LONGEST_SUBJECT: Final = 255


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a recipient gets, but for the address."""

    subject: str
    """One line; empty for channels without."""
    text: str
    """Lines end with ``\\n``; no white space at either end."""
    html: str | None


def render(template: Template, context: TemplateContext) -> Rendered:
    """The message that a template makes of a context.

    Raises:
        MessageUnsafe: the customer link is missing, another address got in, the message is too large, or the template is not
            one that the catalogue would have taken; the message names the template and its file.
    """
    values = plain(context)
    link = values["session"]["customer_link"]
    if not is_customer_link(link):
        raise _unsafe(template, say("the session has no customer link that could be shown"))
    text = _tidy(_filled(template, "text", template.body, values), short=template.subject is None)
    of_company = hosts(values["company"]["name"])
    _check_text(template, text, link, of_company)
    html = None if template.html is None else _tidy(_filled(template, "html", template.html, values), short=False)
    if html is not None:
        _check_html(template, html, link, of_company)
    return Rendered(_subject(template, values), text, html)


def _unsafe(template: Template, cause: str) -> MessageUnsafe:
    return MessageUnsafe(
        say(
            "The template '{template}' ({file}) cannot be sent: {cause}.",
            template=template.name,
            file=template.file or template.language,
            cause=cause,
        )
    )


def _subject(template: Template, values: Mapping[str, Any]) -> str:
    if template.subject is None:
        return ""
    if ENCODED_WORD.search(template.subject):
        raise _unsafe(template, say("its subject holds an encoded word"))
    subject = one_line(_filled(template, "subject", template.subject, values), LONGEST_SUBJECT)
    if not subject:
        raise _unsafe(template, say("its subject is empty for this record"))
    if ENCODED_WORD.search(subject) or foreign(links(subject), "", hosts(template.subject)):
        raise _unsafe(template, say("its subject holds an encoded word or a foreign address for this record"))
    return subject


def _check_text(template: Template, text: str, link: str, allowed: frozenset[str]) -> None:
    found = list(links(text))
    if not any(is_same(one, link) for one in found):
        raise _unsafe(template, say("its text does not show the customer link; put {{ session.customer_link }} into it"))
    if foreign(found, link, allowed | _prepared(template.body, "text", template.language).hosts) is not None:
        raise _unsafe(template, say("its text shows an address that is neither the customer link nor written in the template"))


def _check_html(template: Template, html: str, link: str, allowed: frozenset[str]) -> None:
    written = _prepared(template.html or "", "html", template.language)
    in_attributes, in_words = list(addresses(html)), list(links(words_of(html)))
    if link not in in_attributes and not any(is_same(one, link) for one in in_words):
        raise _unsafe(template, say("its HTML does not show the customer link; put {{ session.customer_link }} into it"))
    if any(one != link and one not in written.addresses for one in in_attributes):
        raise _unsafe(template, say("its HTML links to an address that is neither the customer link nor written in the template"))
    if foreign(in_words, link, allowed | written.hosts) is not None:
        raise _unsafe(template, say("its HTML shows an address that is neither the customer link nor written in the template"))


def _tidy(text: str, *, short: bool) -> str:
    """No white space at ends of lines, no two empty lines in a row; in short messages no empty line and single spaces."""
    lines = [(" ".join(line.split()) if short else line.rstrip()) for line in printable(text).split("\n")]
    kept = [line for number, line in enumerate(lines) if line or (not short and number and lines[number - 1])]
    tidy = "\n".join(kept).strip()
    # The ellipsis is not in the alphabet of telephones and would halve what an SMS holds.
    return tidy.replace("…", "...") if short else tidy


# --- the context ------------------------------------------------------------------------------------------------------


def plain(context: TemplateContext) -> dict[str, Any]:
    """The context as plain, cleaned data: exactly the documented names, and the template fields beside ``record.name``."""
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        group, _, name = variable.name.rpartition(".")
        value = _cleaned(getattr(getattr(context, group) if group else context, name), variable.kind)
        (values.setdefault(group, RecordValues() if group == "record" else {}) if group else values)[name] = value
    for path, value in context.record.fields.items():
        _put(values["record"], path.split("."), _field_value(value))
    return values


def _cleaned(value: Any, kind: str) -> Any:
    if kind == "time":
        return value
    if kind == "link":
        return str(value).strip()
    if kind == "own":
        return one_line(str(value))
    return dead_links(several_lines(str(value)) if kind == "lines" else one_line(str(value)))


def _field_value(value: Any) -> Any:
    """A field of a record: texts cleaned, numbers, dates and true or false as they are, everything else empty."""
    if isinstance(value, str):
        return dead_links(several_lines(value))
    return value if type(value) in (bool, int, float, datetime, date) else ""


def _put(record: RecordValues, path: list[str], value: Any) -> None:
    """Place ``Account.Name`` where ``record.Account.Name`` finds it; documented names are never replaced."""
    for step in path[:-1]:
        inner = record.setdefault(step, RecordValues())
        if not isinstance(inner, RecordValues):
            return
        record = inner
    record.setdefault(path[-1], value)


# --- checked and compiled ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A text, checked and compiled."""

    compiled: jinja2.Template
    hosts: frozenset[str]
    """Hosts that the template itself names."""
    addresses: frozenset[str]
    """Addresses that stand in its HTML attributes."""


class _Refused(Exception):
    """The text does not keep to the language of templates; ``args[0]`` says why."""


def _filled(template: Template, kind: Kind, source: str, values: Mapping[str, Any]) -> str:
    pieces: list[str] = []
    size = 0
    try:
        for piece in _prepared(source, kind, template.language).compiled.generate(values):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_OUTPUT:
                raise _Refused(say("its {kind} is longer than {size} KiB for this record", kind=say(kind), size=MAX_OUTPUT // 1024))
    except _Refused as error:
        raise _unsafe(template, error.args[0]) from None
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError):
        raise _unsafe(template, say("its {kind} cannot be filled in for this record", kind=say(kind))) from None
    return "".join(pieces)


@lru_cache(maxsize=1024)
def _prepared(source: str, kind: Kind, language: str) -> _Prepared:
    inspected = inspect(source)
    problem = next((problem.cause for problem in inspected.problems), None)
    if problem is None and kind == "html":
        problem = next((cause for _, cause, _ in unsafe_places(inspected.skeleton)), None)
    if problem is not None:
        raise _Refused(problem)
    is_html, skeleton = kind == "html", inspected.skeleton
    return _Prepared(
        compiled=environment(kind, language).from_string(source),
        hosts=hosts(words_of(skeleton) if is_html else skeleton),
        addresses=frozenset(addresses(skeleton)) if is_html else frozenset(),
    )
