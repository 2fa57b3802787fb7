"""Which addresses stand in a finished message. It may show the session's customer link, and hosts that the template itself names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"""(?:[a-z][a-z0-9+.-]{1,20}://|www\.)[^\s<>"']+""", re.IGNORECASE)
_BEHIND = ".,;:!?)]}»…*_"
_WEB = frozenset({"http", "https"})


def links(text: str) -> Iterator[str]:
    """Every web address in a plain text, as long as a program could take it to be."""
    return (found.group() for found in _ADDRESS.finditer(text))


def hosts(text: str) -> frozenset[str]:
    """The hosts that a text names in its addresses."""
    return frozenset(host for one in links(text) if (host := _host(one)))


def is_same(found: str, link: str) -> bool:
    """Is the address that was found the link, but for a full stop or a bracket behind it?"""
    return found == link or (found.startswith(link) and not found[len(link) :].strip(_BEHIND))


def foreign(found: Iterable[str], link: str, allowed_hosts: frozenset[str]) -> str | None:
    """The first address that is neither the link nor at an allowed host; None when there is none."""
    return next((one for one in found if not is_same(one, link) and _host(one) not in allowed_hosts), None)


def is_customer_link(link: str) -> bool:
    """Can the text be a link at all: http or https, a host, and no white space?"""
    return urlsplit_safe(link) is not None and is_same(next(links(link), ""), link)


def urlsplit_safe(address: str) -> tuple[str, str] | None:
    """Scheme and host as a browser reads them (``\\`` is ``/``); None where it is no web address."""
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:
        return None
    return (parts.scheme, parts.hostname) if parts.scheme in _WEB and parts.hostname else None


def _host(address: str) -> str:
    parts = urlsplit_safe(address if "://" in address[:24] else f"http://{address}")
    return parts[1].rstrip(_BEHIND) if parts else ""
