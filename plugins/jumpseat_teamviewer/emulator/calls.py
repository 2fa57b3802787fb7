"""One call of the emulated API and its answer, and the forms in which answers are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from jumpseat_teamviewer.emulator.knobs import Knobs
from jumpseat_teamviewer.emulator.model import ApiError, Token, invalid
from jumpseat_teamviewer.emulator.state import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function answers; without a body it is 204."""

    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the gate."""

    state: State
    token: Token
    query: Mapping[str, str]
    body: Mapping[str, Any]
    ids: tuple[str, ...] = ()
    """Ids out of the path, in lower case."""

    @property
    def knobs(self) -> Knobs:
        return self.state.knobs

    def only(self, *known: str) -> None:
        """Refuse query parameters that the function does not have."""
        unknown = sorted(set(self.query) - set(known))
        if unknown and self.knobs.unknown_fields == "refuse":
            raise invalid(f"Unknown parameter: {unknown[0]}.")

    def user_only(self, what: str) -> None:
        """Refuse company tokens."""
        if self.token.company:
            raise ApiError(403, "invalid_permission", f"{what} is not available for company tokens.")

    def licensed(self, what: str) -> None:
        """Refuse accounts without a company licence."""
        if not self.knobs.company_licence:
            raise ApiError(403, "invalid_permission", f"{what} needs a Premium or Corporate licence.")


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the API: limits are counted by its name."""

    name: str
    method: str
    path: str
    """Regular expression over the path behind the version, in lower case."""
    scopes: tuple[str, ...]
    """One of them is needed."""
    run: Callable[[Call], Answer]


def case_word(knobs: Knobs, value: str) -> str:
    """A value of an enumeration in the case that the knob asks for."""
    return value.capitalize() if knobs.enum_case == "live" else value.lower()


def date_text(knobs: Knobs, moment: datetime | None) -> str | None:
    """A date in the form that the knob asks for; seconds, UTC, ``Z``."""
    if moment is None:
        return None
    return moment.strftime("%Y%m%dT%H%M%SZ" if knobs.dates == "compact" else "%Y-%m-%dT%H:%M:%SZ")


def trimmed(knobs: Knobs, body: Mapping[str, Any]) -> dict[str, Any]:
    """Unset fields left out, or written as null."""
    plain = {name: None if value == "" else value for name, value in body.items()}
    return plain if knobs.nulls == "emit" else {name: value for name, value in plain.items() if value is not None}


def page(rows: list[T], start: int, size: int) -> tuple[list[T], int]:
    """One page and how many rows come after it."""
    return rows[start : start + size], max(0, len(rows) - start - size)
