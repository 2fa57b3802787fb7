"""XML of the Metadata API: read without expanding anything, and written from pieces of text so that no declaration gets lost."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError  # types only: what reads is defusedxml
from xml.sax.saxutils import escape  # writes only

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from jumpseat import InvalidValue

METADATA = "http://soap.sforce.com/2006/04/metadata"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENTITIES = {'"': "&quot;", "'": "&apos;", "\r": "&#13;"}


class Unreadable(Exception):
    """A foreign file is not what it should be.

    Args:
        why: what is wrong, without a full stop.
        line: where, from 1; None when it is about the whole file.
    """

    def __init__(self, why: str, line: int | None = None) -> None:
        super().__init__(why)
        self.why, self.line = why, line

    def told(self, path: str) -> str:
        """The problem with its place."""
        return f"{path}{f':{self.line}' if self.line else ''}: {self.why}"


def parsed(content: bytes, root: str) -> Element:
    """The root element of a file.

    Args:
        content: its bytes.
        root: name that the root has to have, in the namespace of the Metadata API.

    Raises:
        Unreadable: it is no XML, brings a document type, or has another root.
    """
    try:
        found: Element = fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        raise Unreadable(f"no readable XML at column {column + 1}: {_reason(error)}", line) from error
    except DefusedXmlException as error:
        raise Unreadable("it brings a document type or entities, which are refused") from error
    except (LookupError, ValueError) as error:
        raise Unreadable("its encoding is not known; save it as UTF-8") from error
    if found.tag != f"{{{METADATA}}}{root}":
        raise Unreadable(f"its root is not {root} of the namespace {METADATA}")
    return found


def _reason(error: ParseError) -> str:
    return str(error).partition(":")[0]


def local(element: Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def text_of(element: Element) -> str:
    """The text of an element that holds nothing else.

    Raises:
        Unreadable: there are elements in it.
    """
    if len(element):
        raise Unreadable(f"<{local(element)}> holds elements where a text is expected")
    return element.text or ""


def escaped(text: str) -> str:
    """A text as it stands between two tags; carriage returns survive.

    Raises:
        InvalidValue: it holds a character that XML cannot.
    """
    if found := _NOT_XML.search(text):
        raise InvalidValue(f"'{text[:40]!a}' holds the character U+{ord(found[0]):04X}, which XML cannot hold. Take it out.")
    return escape(text, _ENTITIES)


def element(name: str, text: str, indent: str = "    ") -> str:
    """One line with one element."""
    return f"{indent}<{name}>{escaped(text)}</{name}>\n"
