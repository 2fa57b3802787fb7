"""Small workspaces and a vocabulary for the tests of the catalogue."""

from __future__ import annotations

from pathlib import Path

from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.contract import REQUIRED, Setting
from jumpseat.types import ObjectInfo

GOOD = """\
label: Good
supported_object: Good__c
name_field: Name
email_template_description: teamviewer_Case_template
allow_custom_recipient: false
source: sandbox
"""
TEMPLATE = """\
---
name: case
description: teamviewer_Case_template
subject: Your session
---
Join with {{ session.customer_link }}
"""
DASHBOARD = """\
name: one
label: One
rows:
  - tiles:
      - {name: sessions, kind: number, title: Sessions, data: sessions}
"""
SOURCE = "name: sandbox\nkind: sandbox\nlabel: Sample CRM\n"

SALESFORCE = (
    Setting("instance_url", str, default=REQUIRED, help="Address of the organisation."),
    Setting("token", str, default=REQUIRED, secret=True, help="Token of the integration user."),
    Setting("optional", str, secret=True),
    Setting("timeout", float, default=10.0),
    Setting("retries", int, default=3),
    Setting("verify", bool, default=True),
    Setting("version", str, default="64.0"),
    Setting("flavour", str, choices=("sweet", "salty")),
    Setting("scopes", list[str]),
    Setting("headers", dict[str, str]),
)
INFO = {
    "Case": ObjectInfo("Case", "Case", "CaseNumber", frozenset({"Id", "CaseNumber", "ContactId", "AccountId", "Subject", "SuppliedEmail"})),
    "Good__c": ObjectInfo("Good__c", "Good", "Name", frozenset({"Id", "Name"})),
}


def describe(_source: str, name: str) -> ObjectInfo | None:
    return next((info for key, info in INFO.items() if key.casefold() == name.casefold()), None)


VOCABULARY = Vocabulary(
    session_types=frozenset({"remote_control", "pilot", "browser_screen"}),
    channels=frozenset({"email", "sms"}),
    source_kinds={"sandbox": (), "salesforce": SALESFORCE},
    plugins={"email": (Setting("host", str), Setting("password", str, secret=True)), "sms": (), "teamviewer": ()},
    describe=describe,
)


def write(workspace: Path, files: dict[str, str | bytes]) -> Path:
    """Write files by their path in the workspace."""
    for path, content in files.items():
        file = workspace / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return workspace


def small_workspace(folder: Path) -> Path:
    """A workspace with one object, one source and one template; it has no problems."""
    return write(
        folder,
        {
            "metadata/objects/good.yaml": GOOD,
            "metadata/sources/sandbox.yaml": SOURCE,
            "templates/email/case.en.txt": TEMPLATE,
        },
    )
