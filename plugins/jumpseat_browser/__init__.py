"""A session in the customer's browser: the screen or the camera, seen by the supporter, with nothing to install.

``rooms`` is what a session is, as values; ``book`` keeps them where every process sees them; ``relay`` is the memory of one process;
``watching`` holds the two together; ``sockets`` and ``pages`` are what browsers meet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from jumpseat import SessionType, Setting, hookimpl
from jumpseat_browser.book import Book
from jumpseat_browser.session_types import SETTINGS, BrowserCamera, BrowserScreen

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

_BOOKS: WeakKeyDictionary[Any, ReferenceType[Book]] = WeakKeyDictionary()
"""Weakly both ways: a book reaches its host."""


@hookimpl
def register_session_types(host: Any) -> Iterable[SessionType]:
    screen = BrowserScreen()
    _BOOKS[host] = ref(screen.book)
    return [screen, BrowserCamera(screen.book)]


@hookimpl
def register_settings() -> Iterable[Setting]:
    return SETTINGS


@hookimpl
def register_routes(host: Any) -> Iterable[BaseRoute]:
    from jumpseat_browser import pages, sockets

    return [*pages.routes(host, book_of(host)), *sockets.routes(host, book_of(host))]


def book_of(host: Any) -> Book:
    """The rooms of a host; its session types hold them."""
    book = _BOOKS[host]()
    assert book is not None  # the session types live as long as the host
    return book
