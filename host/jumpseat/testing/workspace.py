"""The smallest workspace that does everything: one object, one CRM in memory, two permission sets, one template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_FILES: Mapping[str, Mapping[str, Any]] = {
    "metadata/host.yaml": {"company": "Example", "languages": ["en", "fr"], "default_language": "en", "phone_country": "FR"},
    "metadata/objects/case.yaml": {
        "label": "Case",
        "supported_object": "Case",
        "name_field": "CaseNumber",
        "email_template_description": "teamviewer_Case_template",
        "allow_custom_recipient": True,
    },
    "metadata/sources/recording.yaml": {"name": "recording", "kind": "recording", "label": "Recording CRM"},
    "metadata/permission_sets/administrator.yaml": {
        "name": "administrator",
        "label": "Administrator",
        "rights": {"everything": "all"},
        "assigned_to": {"crm_permissions": ["Jumpseat_Administrator"]},
    },
}
_TEMPLATE = """---
name: default
description: teamviewer_Case_template
subject: Your support session
---
Join us: {{ session.customer_link }} (code {{ session.code }})
"""


def make_workspace(folder: Path, plugin_settings: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """Write a small workspace into a folder.

    Args:
        folder: made when it does not exist.
        plugin_settings: the settings of ``metadata/plugins/NAME.yaml``, by plugin name.

    Returns:
        The folder.
    """
    for path, content in _FILES.items():
        _write(folder / path, content)
    for name, settings in (plugin_settings or {}).items():
        _write(folder / "metadata" / "plugins" / f"{name}.yaml", {"plugin": name, "settings": dict(settings)})
    template = folder / "templates" / "recording" / "default.en.txt"
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text(_TEMPLATE)
    return folder


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
