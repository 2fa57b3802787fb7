"""The one table of rights: what a permission set can give, resource by resource."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RIGHTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "session": ("read", "open", "join", "close"),
        "share": ("read", "send"),
        "contact": ("add",),
        "history": ("read",),
        "connection_report": ("read",),
        "company_report": ("read", "refresh"),
        "devices": ("read", "connect"),
        "dashboard": ("read", "edit"),
        "settings": ("read", "edit"),
        "objects": ("read", "edit"),
        "plugins": ("read", "edit"),
        "trace": ("read", "edit"),
        "jobs": ("read", "run"),
        "keys": ("read", "edit"),
        "webhooks": ("read", "edit"),
        "accounts": ("read", "edit"),
    }
)
"""The verbs of each resource; a right is written ``resource.verb``."""

EVERYTHING = "everything"
"""In a permission set: one level for all rights; what is said of a single resource goes further, never less far."""


def all_rights() -> tuple[str, ...]:
    """Every right there is, in the order of the table."""
    return tuple(f"{resource}.{verb}" for resource, verbs in RIGHTS.items() for verb in verbs)
