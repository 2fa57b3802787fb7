"""What every test of a plugin needs: settings and a runtime, lent as the host would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jumpseat import HttpSession


class FixedClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@dataclass
class LentRuntime:
    """What the host lends, with the settings of one test."""

    folder: Path
    config: SimpleNamespace
    http: HttpSession = field(default_factory=HttpSession)
    clock: FixedClock = field(default_factory=FixedClock)
    public_url: str = "http://127.0.0.1:8400"


@pytest.fixture
def lend(tmp_path: Path) -> Callable[..., Any]:
    """``lend(extension, name=value, …)``: the extension with a runtime; settings that are not named have their defaults."""

    def lend_to(extension: Any, **settings: Any) -> Any:
        defaults = {setting.name: setting.default for setting in extension.settings}
        unknown = set(settings) - set(defaults)
        assert not unknown, f"not a setting of {extension.name}: {unknown}"
        extension.runtime = LentRuntime(tmp_path / extension.name, SimpleNamespace(**(defaults | settings)))
        return extension

    return lend_to
