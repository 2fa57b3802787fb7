"""What can be turned at the emulator while it runs: the forms of its answers, its licences, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, get_type_hints


@dataclass(slots=True)
class Knobs:
    """One field per knob; the defaults are what the live service is believed to do."""

    enum_case: str = "live"
    """``live``: ``Open``, ``Online``; ``documented``: ``open``, ``online``."""
    nulls: str = "omit"
    """What becomes of unset fields: ``omit``, or ``emit`` them as null."""
    dates: str = "extended"
    """``extended``: ``2026-03-04T09:15:00Z``; ``compact``: ``20260304T091500Z``."""
    unknown_fields: str = "refuse"
    """Fields that the API does not know: ``refuse`` or ``ignore``."""
    error_form: str = "json"
    """Bodies of errors: ``json``, ``text``, ``html`` or ``empty``."""
    page_size: int = 1000
    code_digits: int = 9
    """8 (older accounts) or 9."""
    link_base: str = ""
    """Where session links point; empty: the emulator itself; ``live``: the provider's own hosts."""
    online_in_answer: bool = False
    """Does the answer to a new session hold ``online``?"""
    ar_licence: bool = True
    """Without it a Pilot session is refused."""
    company_licence: bool = True
    """Without it company tokens, users and connection reports are refused."""
    session_cap: int | None = None
    """Open, unexpired sessions at a time; None for no limit."""
    sms_for_default: bool = False
    """May an SMS be sent for a session that is not Pilot?"""
    close_expired_after_hours: float | None = None
    """None: an expired session stays open until somebody closes it."""
    report_delay_seconds: float = 0.0
    token_lifetime_seconds: int = 86400
    """Of tokens obtained through OAuth from now on."""
    rate_limit: int | None = None
    """Calls per function and token in a sliding window; None for no limit."""
    rate_window_seconds: float = 3600.0
    rate_status: int = 403
    """403 without a header, or 429 with ``Retry-After``."""
    latency_seconds: float = 0.0
    blocked: bool = False
    """Answer 403 ``blocked`` to everything."""
    fail_next: int = 0
    """So many next calls answer 500, before any effect."""
    drop_after_effect: int = 0
    """So many next writes take effect and lose their connection before the answer."""
    expire_token_after: int | None = None
    """After so many further calls the calling token ends (401 half-way), once."""

    def turn(self, name: str, value: Any) -> None:
        """Set a knob.

        Args:
            name: of the knob.
            value: of its type, or as text (``true``, ``12``, ``none``).

        Raises:
            ValueError: there is no such knob, or the value is none of its own; the message is for a person.
        """
        hints = get_type_hints(Knobs)
        if name not in hints:
            raise ValueError(f"There is no knob '{name}'. Knobs: {', '.join(sorted(hints))}.")
        chosen = _read(name, value, hints[name])
        if name in CHOICES and chosen not in CHOICES[name]:
            raise ValueError(f"Knob '{name}' takes {' or '.join(str(choice) for choice in CHOICES[name])}, not {value!r}.")
        setattr(self, name, chosen)

    def as_dict(self) -> dict[str, Any]:
        """All knobs by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


CHOICES: dict[str, tuple[object, ...]] = {
    "enum_case": ("live", "documented"),
    "nulls": ("omit", "emit"),
    "dates": ("extended", "compact"),
    "unknown_fields": ("refuse", "ignore"),
    "error_form": ("json", "text", "html", "empty"),
    "code_digits": (8, 9),
    "rate_status": (403, 429),
}
_WORDS = {"true": True, "false": False, "none": None, "null": None}


def _read(name: str, value: Any, hint: Any) -> Any:
    kinds = getattr(hint, "__args__", (hint,))
    if isinstance(value, str) and str not in kinds:
        value = _WORDS.get(value.lower(), value)
    if value is None and type(None) in kinds:
        return None
    kind = next(kind for kind in kinds if kind is not type(None))
    if (kind is bool) != isinstance(value, bool) or value is None:
        raise ValueError(f"Knob '{name}' takes {kind.__name__}, not {value!r}.")
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise ValueError(f"Knob '{name}' takes {kind.__name__}, not {value!r}.") from None
