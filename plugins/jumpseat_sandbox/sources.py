"""The two record sources of the demonstration's workspace: the sample CRM in Salesforce's words, and in Dynamics'."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

SOURCES = {"salesforce": "sandbox", "dynamics": "dynamics"}
"""Name of the source by flavour; the first is the one that a new workspace has."""
_SECRET = "var/launch-secret"  # noqa: S105  # its place, not itself
_DYNAMICS: Mapping[str, tuple[str, str, str]] = {
    "account": ("Account", "name", "Account"),
    "contact": ("Contact", "fullname", "Contact"),
    "lead": ("Lead", "fullname", "Lead"),
    "incident": ("Case", "title", "Case"),
    "opportunity": ("Opportunity", "name", "Opportunity"),
}
"""Label, name field and template of each object in Dynamics' words; a new workspace has those in Salesforce's."""


def write_sources(workspace: Path, crm: str, secret: str) -> None:
    """Let the workspace read both CRMs, be launched by their pages, and stand in frames there.

    Args:
        workspace: a new one, as ``jumpseat init`` makes it.
        crm: origin of the pages that show the host's components.
        secret: what signs launches; kept in a file that only its owner reads.
    """
    file = workspace / _SECRET
    file.write_text(secret, encoding="utf-8")
    file.chmod(0o600)
    for flavour, name in SOURCES.items():
        source = {"name": name, "kind": "sandbox", "label": f"Sample CRM, {flavour.capitalize()}-like", "settings": {"flavour": flavour}}
        _write(
            workspace / "metadata" / "sources" / f"{name}.yaml", {**source, "frame_ancestors": [crm], "launch_secret": {"file": _SECRET}}
        )
    for object, (label, name_field, template) in _DYNAMICS.items():
        supported = {"label": label, "supported_object": object, "name_field": name_field}
        sharing = {"email_template_description": f"teamviewer_{template}_template", "allow_custom_recipient": object == "account"}
        file = workspace / "metadata" / "objects" / f"dynamics_{object}.yaml"
        _write(file, {**supported, **sharing, "source": SOURCES["dynamics"]})


def journal_of(workspace: Path, source: str, flavour: str) -> Path:
    """Where the record source writes down what changes in the sample CRM."""
    return workspace / "var" / "plugins" / "sandbox" / source / f"{source}-{flavour}.jsonl"


def _write(file: Path, values: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True), encoding="utf-8")
