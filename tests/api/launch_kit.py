"""What the tests of launches share: a CRM with an address that counts what it is asked, and launches as that CRM signs them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import requests
from api_kit import CASE, USER, ShiftedClock

from jumpseat import Contact, ContactRule, Host, Record, RecordRef, Setting, Supporter, SupporterInfo, hookimpl
from jumpseat_sandbox.source import SandboxSource

SECRET = "launch-secret-of-the-sample-crm-0123456789"
OLD_SECRET = "launch-secret-that-was-there-before-0123456789"
INSTANCE = "https://example.my.salesforce.com"
ANCESTORS = ("https://example.lightning.force.com", "https://example.my.salesforce.com")
PUBLIC = "https://support.example.com"
UNRELATED = ("api_keys", "executors")
"""Tables in which it is noted that a key was used, and that processes live."""


class LaunchingCrm(SandboxSource):
    """The sample CRM at an address of its own, which counts what it is asked and can be told that users have left."""

    name = "launching_crm"
    settings = (*SandboxSource.settings, Setting("url", str, help="Where the CRM is."))
    asked: ClassVar[Counter[str]] = Counter()
    left: ClassVar[set[str]] = set()

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        self.asked["get"] += 1
        return super().get(ref, fields)

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        self.asked["contacts"] += 1
        return super().contacts(record, rule)

    def visible_to(self, ref: RecordRef, supporter: Supporter) -> bool | None:
        self.asked["visible_to"] += 1
        return super().visible_to(ref, supporter)

    def find_supporter(self, id: str) -> SupporterInfo | None:
        self.asked["find_supporter"] += 1
        found = super().find_supporter(id)
        if found is None or found.id not in self.left:
            return found
        return SupporterInfo(found.id, found.name, active=False)


class Plugin:
    """Brings the CRM."""

    __name__ = "launching_crm"

    @staticmethod
    @hookimpl
    def register_record_sources(host: object) -> list[type[SandboxSource]]:
        return [LaunchingCrm]


def launchable(workspace: Path) -> Path:
    """Let the workspace's record source launch: with an address, two secrets and two framing origins."""
    (workspace / "var").mkdir(exist_ok=True)
    (workspace / "var" / "launch").write_text(SECRET)
    (workspace / "var" / "old-launch").write_text(OLD_SECRET)
    (workspace / "metadata" / "sources" / "sandbox.yaml").write_text(
        f"name: sandbox\nkind: launching_crm\nlabel: Sample CRM\nsettings:\n  flavour: salesforce\n  url: {INSTANCE}\n"
        f"launch_secret: {{file: var/launch}}\nold_launch_secret: {{file: var/old-launch}}\n"
        f"frame_ancestors: [{', '.join(ANCESTORS)}]\n"
    )
    (workspace / "metadata" / "sources" / "plain.yaml").write_text("name: plain\nkind: sandbox\nlabel: Without launches\n")
    settings = workspace / "metadata" / "host.yaml"
    kept = [line for line in settings.read_text().splitlines() if not line.startswith(("public_url:", "default_source:"))]
    settings.write_text("\n".join([*kept, f"public_url: {PUBLIC}", "default_source: sandbox", ""]))
    return workspace


@contextmanager
def opened(workspace: Path, clock: ShiftedClock | None = None) -> Iterator[Host]:
    """A host of such a workspace."""
    LaunchingCrm.left.clear()
    with Host.open(workspace, clock=clock, plugins=[Plugin()]) as host:
        yield host


# --- as the CRM signs -------------------------------------------------------------------------------------------------


def canvas(now: float, record: str | None = CASE, user: str = USER, **changed: Any) -> dict[str, Any]:
    """What Canvas says of a user and a record."""
    environment: dict[str, Any] = {"parameters": {}, "displayLocation": "Visualforce"}
    if record is not None:
        url = f"/services/data/v67.0/sobjects/Case/{record}"
        environment["record"] = {"attributes": {"type": "Case", "url": url}, "Id": record}
    return {
        "algorithm": "HMACSHA256",
        "issuedAt": int(now),
        "userId": user,
        "client": {
            "instanceId": "_:Jumpseat:",
            "instanceUrl": INSTANCE,
            "targetOrigin": INSTANCE,
            "oauthToken": "00D!AQ",
            "refreshToken": None,
        },
        "context": {
            "user": {"userId": user, "language": "fr", "locale": "fr_FR"},
            "organization": {"organizationId": "00DA0000000JmpOIAS", "name": "Ateliers"},
            "environment": environment,
            "links": {},
        },
        **changed,
    }


def signed_request(said: Any, secret: str = SECRET, mac: Callable[[bytes, bytes], bytes] | None = None) -> str:
    """As Canvas signs it: base64 of the HMAC over the encoded JSON, a dot, the encoded JSON."""
    encoded = base64.b64encode(json.dumps(said).encode())
    signature = (mac or sha256)(secret.encode(), encoded)
    return f"{base64.b64encode(signature).decode()}.{encoded.decode()}"


def launch(now: float, record: str = CASE, user: str = USER, **changed: Any) -> dict[str, Any]:
    """What Jumpseat's own form says of a user and a record."""
    return {
        "version": 1,
        "audience": PUBLIC,
        "source": "sandbox",
        "supporter": user,
        "object": "Case",
        "recordId": record,
        "issuedAt": int(now),
        "nonce": secrets.token_urlsafe(16),
        **changed,
    }


def signed(said: Any, secret: str = SECRET) -> str:
    """As a CRM signs Jumpseat's own form; written out here as the README tells it, not with the host's own functions."""
    encoded = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=")
    signature = base64.urlsafe_b64encode(sha256(secret.encode(), encoded)).rstrip(b"=")
    return f"{encoded.decode()}.{signature.decode()}"


def sha256(secret: bytes, text: bytes) -> bytes:
    return hmac.new(secret, text, hashlib.sha256).digest()


# --- over HTTP --------------------------------------------------------------------------------------------------------


def post(base: str, path: str, form: Any, accept: str = "application/json, */*", **headers: str) -> requests.Response:
    """Post a form as a browser does."""
    return requests.post(base + path, data=form, headers={"Accept": accept, **headers}, timeout=30, allow_redirects=False)


def get(address: str, accept: str = "*/*") -> requests.Response:
    """Open an address as a frame does."""
    return requests.get(address, headers={"Accept": accept}, timeout=30, allow_redirects=False)


def contents(host: Host) -> dict[str, list[Any]]:
    """Every row of every table of the host's database but those that any call touches."""
    host._wiring.trace.flush()
    with sqlite3.connect(host.workspace / "var" / "jumpseat.db") as conn:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {name: conn.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables if name not in UNRELATED}
