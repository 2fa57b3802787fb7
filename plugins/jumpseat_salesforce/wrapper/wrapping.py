"""``jumpseat wrap salesforce``: a project for one workspace."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from jumpseat import Moved, WrapFacts, filled, wrap_facts, write_files
from jumpseat_salesforce.metadata_files.moving import API_VERSION, project_file
from jumpseat_salesforce.metadata_files.names import developer_name

_VIEWS = (
    ("Session", "session", "Session", 200),
    ("History", "history", "Session history", 400),
    ("Report", "connections", "Connection report", 400),
)
"""Ending of the page's name, what it shows, its label, its height in pixels."""
_ROLES = (
    {"name": "Jumpseat_Administrator", "label": "Jumpseat Administrator", "description": "Everything in remote support."},
    {"name": "Jumpseat_User", "label": "Jumpseat User", "description": "Remote-support sessions of the records one may see."},
)
_UNINSTALL = (
    "PermissionSet:Jumpseat_User PermissionSet:Jumpseat_Administrator 'LightningComponentBundle:jumpseat*' 'ApexPage:Jumpseat*' "
    "'ApexClass:Jumpseat*' NamedCredential:Jumpseat ExternalCredential:Jumpseat CspTrustedSite:Jumpseat "
    "CustomNotificationType:Jumpseat_Customer_Joined"
)


def wrap(workspace: Path, folder: Path, *, source: str | None = None, public_url: str | None = None, replace: bool = False) -> Moved:
    """Write the project for Salesforce.

    Args:
        workspace: the folder with ``metadata/``.
        folder: where to.
        source: the record source that the org is; None for the only one of the kind.
        public_url: instead of the workspace's.
        replace: files that say something else may be overwritten.

    Raises:
        InvalidValue: source or address cannot be used.
        Refused: files are in the way; nothing was written.
    """
    facts = wrap_facts(workspace, "salesforce", source, public_url)
    return Moved(write_files(folder, project(facts), replace=replace))


def project(facts: WrapFacts) -> dict[str, str]:
    """The files of the project, by path."""
    pages_of = _pages_of(facts)
    pages = tuple(
        {"name": name, "object": object, "view": view, "label": f"{label} of {object}", "height": height}
        for object, names in pages_of.items()
        for name, (_, view, label, height) in zip(names, _VIEWS, strict=True)
    )
    parts = urlsplit(facts.public_url)
    values = {
        "api_version": API_VERSION,
        "public_url": facts.public_url,
        "origin": f"{parts.scheme}://{parts.netloc}",
        "source": facts.source,
        "objects": facts.objects,
        "labels": ", ".join(label for _, label in facts.objects),
        "pages": pages,
        "pages_of": pages_of,
        "uninstall": _UNINSTALL,
    }
    return {"sfdx-project.json": project_file()} | filled(
        "jumpseat_salesforce", "wrapper/templates", values, {"page": pages, "role": _ROLES}
    )


def _pages_of(facts: WrapFacts) -> dict[str, list[str]]:
    """The names of the three pages of each object; at most 40 characters, like all such names."""
    taken: set[str] = set()
    found = {}
    for object, _ in facts.objects:
        short = developer_name(object, taken).replace("_", "")[:24]
        while short.casefold() in taken:
            short += "X"
        taken.add(short.casefold())
        found[object] = [f"Jumpseat{short}{ending}" for ending, *_ in _VIEWS]
    return found
