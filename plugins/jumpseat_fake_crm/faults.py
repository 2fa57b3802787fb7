"""What can go wrong on demand: one switch per trouble, the same for both CRMs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, get_type_hints

HOSTILE = ("", "huge", "redirect", "broken_json", "wrong_types", "html", "foreign_next")


@dataclass(slots=True)
class Faults:
    """One field per switch; the defaults are a CRM in good health."""

    expire_after: int | None = None
    """So many further calls pass, then every access token is refused with 401; once."""
    quota_spent: bool = False
    """Salesforce: 403 ``REQUEST_LIMIT_EXCEEDED`` for every call."""
    throttle_calls: int = 0
    """So many next calls answer 429 with ``Retry-After``."""
    throttle_seconds: float = 0.0
    """For so long every call answers 429, and each call during it begins the wait anew."""
    throttle_code: str = ""
    """Dataverse: ``0x80072322`` (requests), ``0x80072321`` (time), ``0x80072326`` (concurrency); empty: the first."""
    retry_after: str = "2"
    """Value of ``Retry-After``: seconds, a date, or nonsense; empty: no such header."""
    retired: bool = False
    """410 for every version of the API."""
    delay_seconds: float = 0.0
    """Every answer comes so much later."""
    fail_calls: int = 0
    """So many next calls answer ``fail_status``, before any effect."""
    fail_status: int = 503
    drop_after_effect: int = 0
    """So many next writes take effect and lose their connection before the answer."""
    hostile: str = ""
    """``huge``, ``redirect``, ``broken_json``, ``wrong_types``, ``html``, ``foreign_next`` (a next page on another host); empty: none."""
    hostile_target: str = "http://169.254.10.10:9"
    """The other host of ``redirect`` and ``foreign_next``."""
    hostile_path: str = ""
    """Only calls with this in their path; empty: every call of the API, none of the sign-in."""
    huge_bytes: int = 64 * 1024 * 1024
    instance_url: str = ""
    """Salesforce: what token answers say instead of the server's own address."""
    null_expands: bool = False
    """Related rows come back as null."""
    page_size: int | None = None
    """No page is larger than this."""
    token_lifetime_seconds: int = 3600
    chatter_off: bool = False
    """Salesforce: feeds are not switched on."""
    notifications_off: bool = False
    """The caller may not send notifications."""
    may_act_for_others: bool = True
    """Dataverse: the application holds ``prvActOnBehalfOfAnotherUser``."""
    supporters_lack: str = ""
    """Dataverse: a privilege, such as ``prvCreateNote``, that nobody holds for whom the application acts; empty: none."""
    hidden_columns: str = "refuse"
    """Dataverse, a column that is kept from a user: ``refuse`` with 403 when it is asked for, or answer ``null``."""

    def turn(self, name: str, value: Any) -> None:
        """Set a switch.

        Args:
            name: of the switch.
            value: of its type.

        Raises:
            ValueError: there is no such switch, or it does not take the value; the message is for a person.
        """
        hints = get_type_hints(Faults)
        if name not in hints:
            raise ValueError(f"There is no switch '{name}'. Switches: {', '.join(sorted(hints))}.")
        kinds = getattr(hints[name], "__args__", (hints[name],))
        if float in kinds and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) not in kinds:
            raise ValueError(f"Switch '{name}' takes {' or '.join(kind.__name__ for kind in kinds)}, not {value!r}.")
        if name in CHOICES and value not in CHOICES[name]:
            raise ValueError(f"Switch '{name}' takes {', '.join(repr(choice) for choice in CHOICES[name])}, not {value!r}.")
        setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """All switches by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


CHOICES: dict[str, tuple[str, ...]] = {
    "hostile": HOSTILE,
    "hidden_columns": ("refuse", "null"),
    "throttle_code": ("", "0x80072322", "0x80072321", "0x80072326"),
}
