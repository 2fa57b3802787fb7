"""One thing that was looked at, and how a list of them is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["ok", "todo", "warning", "failed"]
"""``todo``: not set up, and the host runs without it. ``warning``: it works, and may not for long. ``failed``: something does not work."""
_SHOWN: dict[State, str] = {"ok": "ok", "todo": "todo", "warning": "warn", "failed": "FAIL"}
WIDEST = 36
"""Characters of the column of names; a longer name has a line of its own, so that no column moves."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    found: str
    """The fact."""
    fix: str = ""
    """What to do; empty when there is nothing."""
    link: str = ""
    """Where it is written: a heading of a README, or the file that is edited."""

    def as_json(self) -> dict[str, Any]:
        """The finding as ``--json`` shows it; what is empty is left out."""
        data: dict[str, Any] = {"what": self.what, "state": self.state, "ok": self.state != "failed", "found": self.found}
        return data | {key: text for key, text in (("fix", self.fix), ("link", self.link)) if text}


def printed(findings: Sequence[Finding]) -> str:
    """The findings in columns: state, name, fact; below each what to do, and where that is written."""
    width = min(max((len(item.what) for item in findings), default=0), WIDEST)
    return "\n".join(line for item in findings for line in _lines(item, width))


def _lines(item: Finding, width: int) -> list[str]:
    state = f"{_SHOWN[item.state]:<4}"
    found = " ".join(item.found.split())
    head = [f"{state} {item.what:<{width}}  {found}"] if len(item.what) <= width else [f"{state} {item.what}", f"{'':<{width + 7}}{found}"]
    return head + [f"     {name}: {text}" for name, text in (("fix", item.fix), ("see", item.link)) if text and item.state != "ok"]
