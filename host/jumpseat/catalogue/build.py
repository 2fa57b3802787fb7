"""Plain values of checked files → the frozen values of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from jumpseat.catalogue.model import (
    Caps,
    HostSettings,
    JobSettings,
    PermissionSet,
    Retention,
    SessionSettings,
    SourceConfig,
    SupportedObject,
)
from jumpseat.catalogue.positions import Places, Reading
from jumpseat.catalogue.rights import EVERYTHING, RIGHTS
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.types import ContactRule, Level

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LEVELS = {"none": Level.NONE, "own": Level.OWN, "all": Level.ALL}
_LISTS = ("session_types", "share_channels", "email_fields", "phone_fields", "template_fields")


def duration(text: str) -> timedelta:
    """``90s``, ``15m``, ``24h``, ``7d`` as a timedelta; the form was checked."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


def lines_of(places: Places) -> Mapping[str, int]:
    """The line of each key, and of the keys one level below (``allow.browser_screen``)."""
    lines = {}
    for key, value in places.inside.items():
        lines[str(key)] = (value.key or value.value).line
        for below, inner in value.inside.items():
            if isinstance(below, str):
                lines[f"{key}.{below}"] = (inner.key or inner.value).line
    return MappingProxyType(lines)


def supported_object(reading: Reading) -> SupportedObject:
    """One file of ``metadata/objects/``."""
    values: dict[str, Any] = dict(reading.value)
    values["label"] = say(values["label"])
    for key in _LISTS:
        if key in values:
            values[key] = tuple(values[key])
    if "contacts" in values:
        values["contacts"] = tuple(contact_rule(rule) for rule in values["contacts"])
    if "write_back" in values:
        values["write_back"] = MappingProxyType(values["write_back"])
    if "extra" in values:
        values["extra"] = MappingProxyType({kind: MappingProxyType(facts) for kind, facts in values["extra"].items()})
    return SupportedObject(**values, file=reading.source.file, lines=lines_of(reading.places))


def contact_rule(rule: Any) -> ContactRule:
    """One item of ``contacts``: the word ``self``, or a mapping with one key."""
    if rule == "self":
        return ContactRule("self")
    kind, target = next(iter(rule.items()))
    if kind == "value":
        return ContactRule("value", fields=MappingProxyType(dict(target)))
    return ContactRule(kind, "" if kind == "self" else target)


def session_settings(reading: Reading) -> SessionSettings:
    """``metadata/sessions.yaml``."""
    values: dict[str, Any] = dict(reading.value)
    allowed = dict(values.pop("allow", {}))
    for key in ("allow_remote_control", "allow_pilot"):
        if key in values:
            allowed[key.removeprefix("allow_")] = values.pop(key)
    for key in ("valid_for", "close_unjoined_after"):
        if key in values:
            values[key] = duration(values[key])
    return SessionSettings(allowed=MappingProxyType(allowed), **values, file=reading.source.file, lines=lines_of(reading.places))


def permission_set(reading: Reading) -> PermissionSet:
    """One file of ``metadata/permission_sets/``."""
    values = reading.value
    assigned = values.get("assigned_to", {})
    return PermissionSet(
        name=values["name"],
        label=say(values["label"]),
        levels=MappingProxyType(_levels(values["rights"])),
        everyone=assigned.get("everyone", False),
        supporters=frozenset(assigned.get("supporters", ())),
        crm_permissions=frozenset(assigned.get("crm_permissions", ())),
        file=reading.source.file,
    )


def _levels(rights: Mapping[str, Any]) -> dict[str, Level]:
    """The level of every right: the wider of what is said of everything and of the resource."""
    everywhere = _LEVELS[rights.get(EVERYTHING, "none")]
    levels = {}
    for resource, verbs in RIGHTS.items():
        said = rights.get(resource, "none")
        for verb in verbs:
            level = said if isinstance(said, str) else said.get(verb, "none")
            levels[f"{resource}.{verb}"] = max(everywhere, _LEVELS[level])
    return levels


def jobs(reading: Reading) -> Mapping[str, JobSettings]:
    """``metadata/jobs.yaml``."""
    found = {}
    for name, said in reading.value.items():
        every = duration(said["every"]) if "every" in said else None
        place = reading.places.inside[name]
        found[name] = JobSettings(**{**said, "every": every}, line=(place.key or place.value).line)
    return MappingProxyType(found)


def source_config(reading: Reading, settings: Mapping[str, Any], launch_secrets: Sequence[Secret]) -> SourceConfig:
    """One file of ``metadata/sources/``, with its settings as they were checked, and the secrets that sign launches."""
    values = reading.value
    return SourceConfig(
        name=values["name"],
        kind=values["kind"],
        label=say(values["label"]),
        settings=MappingProxyType(dict(settings)),
        frame_ancestors=tuple(values.get("frame_ancestors", ())),
        launch_secrets=tuple(launch_secrets),
        vocabulary=MappingProxyType({key: MappingProxyType(dict(words)) for key, words in values.get("vocabulary", {}).items()}),
        file=reading.source.file,
        lines=lines_of(reading.places),
    )


def host_settings(reading: Reading) -> HostSettings:
    """``metadata/host.yaml``."""
    values: dict[str, Any] = dict(reading.value)
    for key in ("languages", "plugin_order", "required_plugins", "blocked_plugins"):
        if key in values:
            values[key] = tuple(values[key])
    values["administrators"] = tuple(values.get("administrators", ()))
    values["webhook_hosts"] = frozenset(name.lower() for name in values.get("webhook_hosts", ()))
    values["dashboard_frames"] = frozenset(origin.lower().removesuffix(":443") for origin in values.get("dashboard_frames", ()))
    values["caps"] = MappingProxyType({channel: Caps(**caps) for channel, caps in values.get("caps", {}).items()})
    values["retention"] = Retention(**{key: duration(text) for key, text in values.get("retention", {}).items()})
    if "trace_retention" in values:
        values["trace_retention"] = duration(values["trace_retention"])
    if "public_url" in values:
        values["public_url"] = values["public_url"].rstrip("/")
    return HostSettings(**values, file=reading.source.file, lines=lines_of(reading.places))
