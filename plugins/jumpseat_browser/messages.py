"""What pages send, read with care: each message becomes one small value, and what has another form becomes none."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from jumpseat_browser import tokens

LONGEST_TEXT = 500
LARGEST = 64 * 1024
"""Characters of one message; descriptions of peer connections are the longest."""
_PAGE_ID_MOST = 64
_SIDE_MOST = 32_768


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: who comes."""

    token: str
    page: str = ""


@dataclass(frozen=True, slots=True)
class Sharing:
    """The customer pressed share; the size of the picture."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The customer shows nothing any more."""


@dataclass(frozen=True, slots=True)
class Text:
    """A line that people read."""

    text: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a supporter points, 0 to 1; nowhere when there is no place."""

    at: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Rtc:
    """For the peer connection of the two browsers; the host only hands it on."""

    body: Mapping[str, Any]
    to: str = ""


@dataclass(frozen=True, slots=True)
class RtcOn:
    """The picture reaches this supporter from browser to browser, or does not any more."""

    on: bool


@dataclass(frozen=True, slots=True)
class Got:
    """A picture has arrived; the next one may come."""


@dataclass(frozen=True, slots=True)
class End:
    """A supporter ends the session."""


Message = Sharing | Stopped | Text | Pointer | Rtc | RtcOn | Got | End


def read_hello(text: str) -> Hello | None:
    """The first message of a page; None when it is none."""
    hello = _object(text).get("hello")
    if not isinstance(hello, dict):
        return None
    token, page = hello.get("token"), hello.get("page", "")
    if not isinstance(token, str) or not isinstance(page, str) or len(page) > _PAGE_ID_MOST or not page.isascii():
        return None
    return Hello(token, page) if tokens.looks_like_one(token) else None


def read_customer(text: str) -> Message | None:
    """A message of a customer's page; None when it is none."""
    return _read(text, _CUSTOMER)


def read_supporter(text: str) -> Message | None:
    """A message of a supporter's page; None when it is none."""
    return _GOT if text == _GOT_WRITTEN else _read(text, _SUPPORTER)  # one for each picture


def _read(text: str, readers: Mapping[str, Callable[[Any, Mapping[str, Any]], Message | None]]) -> Message | None:
    given = _object(text)
    return next((readers[name](value, given) for name, value in given.items() if name in readers), None)


def _object(text: str) -> Mapping[str, Any]:
    if len(text) > LARGEST:
        return {}
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}


def _sharing(value: Any, _: Mapping[str, Any]) -> Message | None:
    width, height = (value.get("width"), value.get("height")) if isinstance(value, dict) else (None, None)
    return Sharing(width, height) if _is_side(width) and _is_side(height) else None


def _is_side(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= _SIDE_MOST


def _text(value: Any, _: Mapping[str, Any]) -> Message | None:
    text = value.strip() if isinstance(value, str) else ""
    return Text(text) if 0 < len(text) <= LONGEST_TEXT else None


def _pointer(value: Any, _: Mapping[str, Any]) -> Message | None:
    if value is None:
        return Pointer(None)
    x, y = (value.get("x"), value.get("y")) if isinstance(value, dict) else (None, None)
    return Pointer((round(float(x), 4), round(float(y), 4))) if _is_part(x) and _is_part(y) else None


def _is_part(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value <= 1


def _rtc(value: Any, given: Mapping[str, Any]) -> Message | None:
    to = given.get("to", "")
    return Rtc(value, to) if isinstance(value, dict) and isinstance(to, str) else None


def _said_true(message: Message) -> Callable[[Any, Mapping[str, Any]], Message | None]:
    return lambda value, _: message if value is True else None


_GOT, _GOT_WRITTEN = Got(), '{"got":true}'
_CUSTOMER = {"sharing": _sharing, "stopped": _said_true(Stopped()), "text": _text, "rtc": _rtc}
_SUPPORTER = {
    "got": _said_true(_GOT),
    "pointer": _pointer,
    "text": _text,
    "rtc": _rtc,
    "rtc_on": lambda value, _: RtcOn(value) if isinstance(value, bool) else None,
    "end": _said_true(End()),
}
