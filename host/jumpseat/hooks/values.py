"""What crosses the border between host and plugin: arguments are frozen before, answers are checked after.

Both walk the values of ``types.py`` by their annotations, so a field that is added there is frozen and checked here by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cache
from itertools import islice
from types import MappingProxyType, UnionType
from typing import Any, Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

from jumpseat.contract import Health
from jumpseat.secret import MASK, Secret, redact
from jumpseat.types import Grant, OpenedSession, Outcome, SessionStatus, Verdict

MAX_TEXT = 1_000_000
"""Characters in one text of an answer."""
MAX_ITEMS = 100_000
"""Values in one answer."""
MAX_REASON = 2_000
"""Characters of a reason that is shown to people."""

MAX_ADDRESS = 8_000
"""Characters of an address that a browser is sent to."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_WEB_LINK = re.compile(r"https?://[^\s/?#<>\"']+[^\s<>\"]*", re.IGNORECASE)

T = TypeVar("T")
Test = Callable[[Any], bool]
Check = Callable[[Any], T]
"""Answers what a plugin answered, checked, or raises ``WrongAnswer``."""


class WrongAnswer(Exception):
    """A plugin answered something that the contract does not know; the text is the host's own."""


# --- arguments --------------------------------------------------------------------------------------------------------


class FrozenDict(dict[str, Any]):
    """A dict that plugins can read and dump as JSON, but not change."""

    __slots__ = ()

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("What the host hands to a plugin cannot be changed; make a copy with dict(...) first.")

    __setitem__ = __delitem__ = _refuse
    update = setdefault = pop = popitem = clear = __ior__ = _refuse


_ATOMS = frozenset({str, int, float, bool, type(None), datetime, Secret, FrozenDict, bytes})


def freeze(value: Any) -> Any:
    """``value`` with every list, set and dict in it replaced by one that cannot change; the same object when nothing can.

    Args:
        value: a value of ``types.py``, or plain data; other objects pass as they are.
    """
    kind: Any = type(value)
    if kind in _ATOMS:
        return value
    if kind is tuple:
        frozen = tuple([freeze(item) for item in value])
        return value if all(map(_same, frozen, value)) else frozen
    if kind is list:
        return tuple([freeze(item) for item in value])
    if kind is dict:
        return FrozenDict({key: freeze(item) for key, item in value.items()})
    if kind is MappingProxyType:
        changes = any(freeze(item) is not item for item in value.values())
        return FrozenDict({key: freeze(item) for key, item in value.items()}) if changes else value
    if kind is set:
        return frozenset(value)
    changed = {}
    for name in _frozen_fields(kind):
        item = getattr(value, name)
        if type(item) not in _ATOMS and (frozen := freeze(item)) is not item:
            changed[name] = frozen
    return replace(value, **changed) if changed else value


def _same(one: object, other: object) -> bool:
    return one is other


@cache
def _frozen_fields(kind: Any) -> tuple[str, ...]:
    """Fields of a frozen dataclass; none of anything else, which is passed on as it is."""
    if not is_dataclass(kind) or not getattr(kind, "__dataclass_params__").frozen:  # noqa: B009  # an attribute no type checker knows
        return ()
    return tuple(field.name for field in fields(kind))


# --- answers ----------------------------------------------------------------------------------------------------------


def nothing(value: Any) -> None:
    """Whatever is answered where nothing is asked for is dropped."""


def one(kind: type[T]) -> Check[T]:
    """Exactly one ``kind``."""
    return lambda value: _checked(value, kind)


def optional(kind: type[T]) -> Check[T | None]:
    """One ``kind`` or None."""
    return lambda value: None if value is None else _checked(value, kind)


def many(kind: type[T]) -> Check[tuple[T, ...]]:
    """Any iterable of ``kind``, read to its end here; answered as a tuple. None counts as empty."""

    def check(value: Any) -> tuple[T, ...]:
        if isinstance(value, (str, bytes, Mapping)):
            raise WrongAnswer(f"answered {kind_of(value)} where several {kind.__name__} are needed")
        try:
            items = tuple(islice(iter(() if value is None else value), MAX_ITEMS + 1))
        except TypeError as error:
            raise WrongAnswer(f"answered {kind_of(value)} where several {kind.__name__} are needed") from error
        if len(items) > MAX_ITEMS:
            raise WrongAnswer(f"answered more than {MAX_ITEMS} values")
        return tuple([_checked(item, kind) for item in items])

    return check


def opened(value: Any) -> OpenedSession:
    """An opened session with a code to speak and a link that a browser may follow."""
    session: OpenedSession = _checked(value, OpenedSession)
    if not session.code.strip():
        raise WrongAnswer("answered OpenedSession.code without a character; the code is shown to people and read out")
    if not _is_web_link(session.customer_link):
        raise WrongAnswer("answered OpenedSession.customer_link that is no https:// or http:// address; customers are sent there")
    return session


def opened_or_none(value: Any) -> OpenedSession | None:
    """The same, or None."""
    return None if value is None else opened(value)


def web_secret(value: Any) -> Secret:
    """A secret link that a browser may follow; the link itself is never part of a message."""
    link: Secret = _checked(value, Secret)
    if not _is_web_link(link.reveal()):
        raise WrongAnswer("answered a Secret that is no https:// or http:// address; supporters are sent there")
    return link


def grant(value: Any) -> Grant:
    """What a sign-in gave, with a token that can stand in a header."""
    found: Grant = _checked(value, Grant)
    for name, token in (("access_token", found.access_token), ("refresh_token", found.refresh_token)):
        if token is not None and not _TOKEN.fullmatch(token.reveal()):
            raise WrongAnswer(f"answered Grant.{name} that is empty, too long, or holds blanks, line breaks or foreign letters")
    return found


def web_page(value: Any) -> str:
    """An address that a browser is sent to."""
    address: str = _checked(value, str)
    if not _is_web_link(address) or len(address) > MAX_ADDRESS or not (address.isascii() and address.isprintable()):
        raise WrongAnswer("answered a page that is no https:// or http:// address; browsers are sent there")
    return address


def _is_web_link(text: str) -> bool:
    # Other schemes (javascript:, data:, file:) run or read something where the link is clicked.
    return _WEB_LINK.fullmatch(text) is not None


def statuses(count: int) -> Check[tuple[SessionStatus, ...]]:
    """Exactly ``count`` statuses, one per session asked about."""
    check = many(SessionStatus)

    def checked(value: Any) -> tuple[SessionStatus, ...]:
        answer = check(value)
        if len(answer) != count:
            raise WrongAnswer(f"answered {len(answer)} statuses for {count} sessions")
        return answer

    return checked


def one_of(candidates: Sequence[Any]) -> Check[Any]:
    """One of the candidates, or None."""

    def check(value: Any) -> Any:
        if value is None:
            return None
        for candidate in candidates:
            if value is candidate or (type(value) is type(candidate) and value == candidate):
                return candidate
        raise WrongAnswer(f"answered {kind_of(value)} that is not one of the candidates")

    return check


def read_fields(value: Any) -> Mapping[str, Any]:
    """The fields of a record, frozen."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise WrongAnswer(f"answered {kind_of(value)} where the fields by name are needed")
    if sum(len(item) for item in value.values() if isinstance(item, str)) > MAX_TEXT:
        raise WrongAnswer(f"answered fields of more than {MAX_TEXT} characters")
    return FrozenDict({key: freeze(item) for key, item in value.items()})


def cleaned(value: Any, secrets: Callable[[], tuple[Secret, ...]]) -> Any:
    """An answer whose words are shown to people: without secrets, and of a length that a page bears."""
    kind = type(value)
    if kind is Outcome and (value.reason or value.reference):
        known = secrets()
        return replace(value, reason=_shown(value.reason, known), reference=_without(value.reference, known))
    if kind is Verdict and value.reason:
        return replace(value, reason=_shown(value.reason, secrets()))
    if kind is Health and value.text:
        return replace(value, text=_shown(value.text, secrets()))
    return value


def _without(reference: str | None, secrets: tuple[Secret, ...]) -> str | None:
    """A gateway's id, stored as it is but for known secrets: an id may have the shape of a secret and be none."""
    for secret in secrets:
        if reference and secret:
            reference = reference.replace(secret.reveal(), MASK)
    return reference


def _shown(text: str, secrets: tuple[Secret, ...]) -> str:
    # Masked first and cut afterwards, so that no half of a secret is left at the cut.
    return redact(text[: 10 * MAX_REASON], secrets)[:MAX_REASON]


def _checked(value: Any, kind: Any) -> Any:
    """``value``, when it is a ``kind`` whose every field holds what its annotation says."""
    if not isinstance(value, kind):
        raise WrongAnswer(f"answered {kind_of(value)} where {kind.__name__} is needed")
    if kind is str and len(value) > MAX_TEXT:
        raise WrongAnswer(f"answered a text of {len(value)} characters; {MAX_TEXT} are allowed")
    plan = _plan(kind)
    for name, right, hint in plan:
        item = getattr(value, name)
        if not right(item):
            raise _wrong_field(f"{kind.__name__}.{name}", item, hint)
    if plan and type(value) is not kind:  # a subclass may change its mind later; the host keeps plain values only
        value = kind(**{name: getattr(value, name) for name, _, _ in plan})
    return freeze(value)


def _wrong_field(place: str, value: Any, hint: Any) -> WrongAnswer:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return WrongAnswer(f"answered {place} with {len(value)} characters; {MAX_TEXT} are allowed")
    if isinstance(value, datetime):
        return WrongAnswer(f"answered {place} without a time zone; UTC is needed")
    return WrongAnswer(f"answered {place} as {kind_of(value)}; {written(hint)} is needed")


@cache
def _plan(kind: Any) -> tuple[tuple[str, Test, Any], ...]:
    """Name, test and annotation of each field; empty for what is no dataclass."""
    if not is_dataclass(kind):
        return ()
    hints = get_type_hints(kind)
    return tuple((field.name, _test(hints[field.name]), hints[field.name]) for field in fields(kind))


def fits(value: Any, hint: Any) -> bool:
    """Is the value what the annotation says?"""
    return _test(hint)(value)


@cache
def _test(hint: Any) -> Test:
    """An annotation as a test; made once, for it runs on every answer of every plugin."""
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return lambda _: True
    if origin in (Union, UnionType):
        tests = tuple(_test(part) for part in parts)
        return lambda value: any(test(value) for test in tests)
    if origin is Literal:
        return lambda value: isinstance(value, str) and value in parts
    if origin is not None:
        return _container_test(origin, tuple(_test(part) for part in parts if part is not ...))
    return _plain_test(hint)


def _container_test(origin: Any, parts: tuple[Test, ...]) -> Test:
    if len(parts) == 2:
        key, item = parts
        return lambda value: isinstance(value, origin) and all(key(name) and item(value[name]) for name in value)
    return lambda value: isinstance(value, origin) and all(map(parts[0], value))


def _plain_test(hint: Any) -> Test:
    if hint is str:
        return lambda value: isinstance(value, str) and len(value) <= MAX_TEXT
    if hint is datetime:
        return lambda value: isinstance(value, datetime) and value.utcoffset() is not None
    if hint is int or hint is float:
        return lambda value: isinstance(value, hint) and not isinstance(value, bool)
    plan = _plan(hint)
    return lambda value: isinstance(value, hint) and all(right(getattr(value, name)) for name, right, _ in plan)


def kind_of(value: Any) -> str:
    """What a value is, for a message."""
    return "None" if value is None else type(value).__name__


def written(hint: Any) -> str:
    """An annotation as a message names it."""
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(hint))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint.__name__
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("jumpseat.types.", "").replace("NoneType", "None")
