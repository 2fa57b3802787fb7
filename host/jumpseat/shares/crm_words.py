"""The words of a template that is kept in the CRM, made a template like those of the workspace: rendered and checked like any other.

A CRM that fills its template in itself has put values of the record into it. None of that is evaluated, and an address that the
template as it is kept does not name is refused: it came with a value, and would be a link under our sender.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from jumpseat.catalogue.html_places import addresses, words_of
from jumpseat.catalogue.merge_fields import RecordFields, translate
from jumpseat.catalogue.template_language import inspect
from jumpseat.catalogue.variables import CUSTOMER_LINK, VARIABLES
from jumpseat.errors import MessageUnsafe
from jumpseat.interchange.plain_text import plain_text
from jumpseat.shares.links import foreign, hosts, links
from jumpseat.speech import say
from jumpseat.types import CrmWords, Template

LINK = f"{{{{ {CUSTOMER_LINK} }}}}"
"""What stands in a template of the CRM where the customer link belongs."""
PLACES = frozenset(variable.name for variable in VARIABLES if not variable.name.startswith("record."))
"""What may be written into a template that the CRM fills in: the host fills these in afterwards."""
_BLANK = r"(?:\s|&nbsp;|&#160;|\u00a0|%20)*"
_PLACE = re.compile(rf"(?:\{{\{{|%7B%7B){_BLANK}([a-z_.]+){_BLANK}(?:\}}\}}|%7D%7D)", re.IGNORECASE)
"""A place, as editors of HTML leave it: with hard spaces, or written as an address is in ``href``."""
_OPENS = re.compile(r"\{(?=[{%#])")
_BODY_ENDS = re.compile(r"</body\s*>", re.IGNORECASE)


def with_words(template: Template, words: CrmWords, record: RecordFields) -> Template:
    """The template with its words, ready to be rendered.

    Args:
        template: as it is offered, without words.
        words: what the record source answered for the record.
        record: what merge fields may show.

    Raises:
        MessageUnsafe: a merge field is not understood, or an address came from somewhere else than the template; the message says which.
    """
    if not words.text and not words.html:
        raise _unsafe(template, say("the CRM answered it without a text"))
    if words.merge_fields:
        subject, text = (_translated(template, part, record) for part in (words.subject, words.text))
        html = _translated(template, words.html or "", record, is_html=True)
    else:
        _refuse_addresses_of_values(template, words)
        subject, text, html = _inert(words.subject), _inert(words.text), _inert(words.html or "")
    text = text or plain_text(html)
    return replace(template, subject=subject, body=_with_link(text), html=_with_link_in_html(html) if html else None)


def _unsafe(template: Template, cause: str) -> MessageUnsafe:
    return MessageUnsafe(
        say("The template '{template}', which is kept in the CRM, cannot be sent: {cause}.", template=template.name, cause=cause)
    )


def _translated(template: Template, text: str, record: RecordFields, *, is_html: bool = False) -> str:
    done = translate(text, record, is_html=is_html)
    if done.problems:
        raise _unsafe(template, f"{done.problems[0].cause}; {done.problems[0].fix}")
    return done.source


def _inert(text: str) -> str:
    """The text in which only the known places are places."""
    pieces, at = [], 0
    for found in _PLACE.finditer(text):
        if found[1].lower() in PLACES:
            pieces += [_literal(text[at : found.start()]), f"{{{{ {found[1].lower()} }}}}"]
            at = found.end()
    return "".join([*pieces, _literal(text[at:])])


def _literal(text: str) -> str:
    return _OPENS.sub("{{ '{' }}", text)


def _refuse_addresses_of_values(template: Template, words: CrmWords) -> None:
    written = words.written
    known = hosts(written) | hosts(words_of(written)) | frozenset(host for one in addresses(written) for host in hosts(_absolute(one)))
    found = foreign(_addresses(words), "", known)
    if found is not None:
        cause = say(
            "it shows the address {address}, which does not stand in the template and so came with a value of the record",
            address=found[:100],
        )
        raise _unsafe(template, cause)


def _addresses(words: CrmWords) -> Iterator[str]:
    yield from links(words.subject)
    yield from links(words.text)
    yield from links(words_of(words.html or ""))
    for one in addresses(words.html or ""):
        yield from links(_absolute(one))


def _absolute(address: str) -> str:
    """An address that begins with ``//`` has the scheme of the page; mail programs take it for a web address."""
    address = address.replace("\\", "/")
    return f"https:{address}" if address.startswith("//") else address


def _shows_link(text: str) -> bool:
    return inspect(text).shows_link


def _with_link(text: str) -> str:
    """The text; where it has no place for the customer link, that stands on a line of its own at the end."""
    return text if _shows_link(text) else f"{text.rstrip()}\n\n{LINK}\n"


def _with_link_in_html(html: str) -> str:
    if _shows_link(html):
        return html
    line = f'<p><a href="{LINK}">{LINK}</a></p>\n'
    end = next(reversed(list(_BODY_ENDS.finditer(html))), None)
    return f"{html[: end.start()]}{line}{html[end.start() :]}" if end else f"{html.rstrip()}\n{line}"
