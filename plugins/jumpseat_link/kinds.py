"""What the three kinds share: settings that make a kind exist, and a code for each session."""

from __future__ import annotations

import hashlib
from typing import ClassVar
from urllib.parse import urlsplit

from jumpseat import Secret, SessionType, say

SETTINGS_FILE = "metadata/plugins/link.yaml"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class LinkSession(SessionType):
    """A session type that exists once one of its settings is set."""

    needed: ClassVar[tuple[str, ...]] = ()
    """Settings without which it cannot be used; the first one is an address."""

    @property
    def dormant(self) -> bool:  # type: ignore[override]  # follows the settings
        return not any(getattr(self.config, setting.name) for setting in self.settings)

    def missing(self) -> str:
        for name in self.needed:
            if not getattr(self.config, name):
                return say("{label} needs the setting '{name}' in {file}.", label=self.label, name=name, file=SETTINGS_FILE)
        addresses = [setting.name for setting in self.settings if setting.name.endswith("_url")]
        for name in addresses:
            if (address := getattr(self.config, name)) and not _leads_there(address):
                return say("'{name}' in {file} has to be an https address.", name=name, file=SETTINGS_FILE)
        return ""


def code_of(correlation_id: str) -> str:
    """A speakable code; the meeting tools have none of their own. The same for the same session, however often it is asked for."""
    digits = f"{int.from_bytes(hashlib.sha256(correlation_id.encode()).digest()[:8]) % 10**9:09}"
    return f"m{digits[:3]}-{digits[3:6]}-{digits[6:]}"


def _leads_there(address: str | Secret) -> bool:
    parts = urlsplit(address.reveal() if isinstance(address, Secret) else address)
    return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in _LOOPBACK)
