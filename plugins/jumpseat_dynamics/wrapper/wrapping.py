"""``jumpseat wrap dynamics``: an unpacked solution for one workspace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jumpseat import InvalidValue, Moved, WrapFacts, filled, wrap_facts, write_files
from jumpseat_dynamics.metadata_rows import COLUMNS, LONGEST_MORE, PREFIX, TABLE

VERSION = "1.0.0.0"
"""Of the solution."""
_RESOURCES = tuple(f"jmp_jumpseat/{name}" for name in ("frame.html", "frame.js", "jumpseat.js"))
_BUTTONS = (
    {"action": "new", "label": "New session", "help": "Open a remote-support session for this record.", "sequence": 80},
    {"action": "join", "label": "Join", "help": "Join the session of this record.", "sequence": 81},
    {"action": "share", "label": "Share", "help": "Send the customer the link to the session.", "sequence": 82},
    {"action": "close", "label": "Close session", "help": "Close the session of this record.", "sequence": 83},
)
_APIS = (
    {"name": "jmp_JumpseatLaunch", "label": "Jumpseat: launch", "help": "An address that opens the record's page once, within a minute."},
    {"name": "jmp_JumpseatActions", "label": "Jumpseat: actions", "help": "Which actions are possible on the record, and why not."},
)
_SHOWN = "ValidForAdvancedFind|ValidForForm|ValidForGrid"
_WORDS: Mapping[str, tuple[str, str]] = {
    "name": ("Label", "What the object is called in Jumpseat."),
    "supportedobject": ("Table", "Logical name of the table."),
    "namefield": ("Name column", "Logical name of the column that holds the name of a row."),
    "emailtemplatedescription": ("E-mail template description", "E-mail templates with this description apply to the table."),
    "allowcustomrecipient": ("Allow custom recipient", "May a supporter type an address that is not one of the row's contacts?"),
    "morekeys": ("More keys", "Optional keys of the supported object as JSON. Written by an export; leave it as it is."),
}
"""Label and help of each column of the table of supported objects."""
LONGEST_TEXT = 255
"""Characters of a text in the metadata."""
_TEXT, _SECRET = 100_000_000, 100_000_005
"""Types of environment variables."""


def wrap(workspace: Path, folder: Path, *, source: str | None = None, public_url: str | None = None, replace: bool = False) -> Moved:
    """Write the solution for Dynamics 365.

    Args:
        workspace: the folder with ``metadata/``.
        folder: where to.
        source: the record source that the environment is; None for the only one of the kind.
        public_url: instead of the workspace's.
        replace: files that say something else may be overwritten.

    Raises:
        InvalidValue: source, address or a table's name cannot be used.
        Refused: files are in the way; nothing was written.
    """
    facts = wrap_facts(workspace, "dynamics", source, public_url)
    return Moved(write_files(folder, solution(facts), replace=replace))


def solution(facts: WrapFacts) -> dict[str, str]:
    """The files of the solution and of its plug-in, by path.

    Raises:
        InvalidValue: an object's name is not the logical name of a table.
    """
    for name, _ in facts.objects:
        if name != name.lower():
            raise InvalidValue(
                f"'{name}' is not the logical name of a table: those are in small letters, such as 'incident'.", param="source"
            )
    parts = urlsplit(facts.public_url)
    entities = tuple({"name": name, "logical": name, "label": label} for name, label in facts.objects)
    variables = (
        {"name": "jmp_JumpseatUrl", "label": "Jumpseat: address", "help": "Where the host is.", "value": facts.public_url, "type": _TEXT},
        {"name": "jmp_JumpseatKey", "label": "Jumpseat: API key", "help": "Points to a secret of Key Vault.", "value": "", "type": _SECRET},
    )
    values = {
        "version": VERSION,
        "public_url": facts.public_url,
        "origin": f"{parts.scheme}://{parts.netloc}",
        "source": facts.source,
        "objects": facts.objects,
        "labels": ", ".join(label for _, label in facts.objects),
        "resources": _RESOURCES,
        "entities": entities,
        "buttons": _BUTTONS,
        "variables": variables,
        "table": TABLE,
        "columns": (_column(f"{TABLE}id", "primarykey", "Supported object", "Id of the row."), *map(_object_column, COLUMNS)),
    }
    return filled("jumpseat_dynamics", "wrapper/templates", values, {"entity": entities, "api": _APIS, "variable": variables})


def _object_column(name: str) -> Mapping[str, Any]:
    """A column of the table into which an export's rows of supported objects are imported."""
    what = name.removeprefix(f"{PREFIX}_")
    kind = {"allowcustomrecipient": "bit", "morekeys": "ntext"}.get(what, "nvarchar")
    return _column(name, kind, *_WORDS[what], primary=what == "name")


def _column(name: str, type: str, label: str, help: str, *, primary: bool = False) -> Mapping[str, Any]:
    mask = f"PrimaryName|{_SHOWN}|RequiredForForm" if primary else _SHOWN
    required = {"primarykey": "systemrequired", "nvarchar": "required"}.get(type, "none")
    return {
        "name": name,
        "type": type,
        "label": label,
        "help": help,
        "required": required,
        "mask": "ValidForAdvancedFind|RequiredForGrid" if type == "primarykey" else mask,
        "length": LONGEST_MORE if type == "ntext" else LONGEST_TEXT,
    }
