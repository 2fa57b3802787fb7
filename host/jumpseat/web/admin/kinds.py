"""Which fields the form of each kind of file has, and what a new file of it begins with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jumpseat.catalogue.positions import Steps
from jumpseat.catalogue.rights import EVERYTHING, RIGHTS
from jumpseat.catalogue.schemas import SCHEMAS
from jumpseat.host import Host
from jumpseat.speech import say
from jumpseat.types import Supporter
from jumpseat.web.admin.fields import Field, of_schema, of_settings
from jumpseat.web.admin.words import LABELS
from jumpseat.web.forms import Form

LEVELS = ("none", "own", "all")


@dataclass(frozen=True, slots=True)
class Group:
    """Some fields under a heading."""

    title: str
    fields: Sequence[Field]
    folded: bool = False
    """Shut at first, unless something is said in it: few files need it."""

    @property
    def open(self) -> bool:
        """Is something said in it?"""
        return any(field.value or (field.shape == "boolean" and field.ticked is not bool(field.default)) for field in self.fields)


@dataclass(frozen=True, slots=True)
class Kind:
    """How files of one kind are edited."""

    title: str
    list_at: str
    """The page from which one comes."""
    groups: Callable[[Host, Supporter, Mapping[str, Any]], list[Group]]
    first: Callable[[str, Mapping[str, str]], dict[str, Any]] = lambda _name, _asked: {}
    """What a new file says, from its name and from the address of the page."""
    deletable: bool = True


def _object(_host: Host, _supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    schema = SCHEMAS["supported-object"]
    required = schema["required"]
    fields = list(of_schema(schema, values, skip=("extra",)))
    usual = [field for field in fields if field.steps[0] in required]
    return [Group(say("Supported object"), usual), Group(say("More"), [field for field in fields if field not in usual], folded=True)]


def _first_object(_name: str, asked: Mapping[str, str]) -> dict[str, Any]:
    object = asked.get("for", "")
    label = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"__[a-z]+$", "", object).replace("_", " ")).strip()
    return {
        "label": label or object,
        "supported_object": object,
        "name_field": "Name",
        "email_template_description": f"teamviewer_{object}_template",
        "allow_custom_recipient": False,
    }


def _sessions(host: Host, _supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    fields = list(of_schema(SCHEMAS["sessions"], values, skip=("allow",)))
    allowed = [field for field in fields if str(field.steps[0]).startswith("allow_")]
    said = values.get("allow", {})
    others = [
        Field(("allow", name), say("Allow {type}", type=one.label), "boolean", ticked=said.get(name, True) is True, default=True)
        for name, one in sorted(host.session_types.items())
        if f"allow_{name}" not in SCHEMAS["sessions"]["properties"]
    ]
    return [
        Group(say("Session types"), [*allowed, *others]),
        Group(say("Life of a session"), [field for field in fields if field not in allowed]),
    ]


def _permission_set(_host: Host, _supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    schema = SCHEMAS["permission-set"]
    assigned = of_schema(schema["properties"]["assigned_to"], values.get("assigned_to", {}), above=("assigned_to",))
    named = of_schema(schema, values, skip=("rights", "assigned_to"))
    return [Group(say("Permission set"), list(named)), Group(say("Who has it"), list(assigned))]


def _first_permission_set(name: str, _asked: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "label": name.replace("_", " ").capitalize(), "rights": {"session": "own"}}


def _source(host: Host, supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    declared = host.declared_settings("source", str(values.get("kind", "")), supporter)
    own = of_schema(SCHEMAS["source"], values, skip=("settings", "vocabulary"))
    return [Group(say("Record source"), list(own)), Group(say("Settings"), list(of_settings(declared, values.get("settings") or {})))]


def _first_source(name: str, asked: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "kind": asked.get("for", ""), "label": name.replace("_", " ").capitalize()}


def _plugin(host: Host, supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    declared = host.declared_settings("plugin", str(values.get("plugin", "")), supporter)
    return [Group(say("Settings"), list(of_settings(declared, values.get("settings") or {})))]


def _host(_host: Host, _supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    return [Group(say("Host settings"), list(of_schema(SCHEMAS["host"], values)))]


def _jobs(_host: Host, _supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    jobs = SCHEMAS["jobs"]["properties"]
    return [Group(LABELS.get(name, name), list(of_schema(schema, values.get(name, {}), above=(name,)))) for name, schema in jobs.items()]


def _template(_host: Host, _supporter: Supporter, values: Mapping[str, Any]) -> list[Group]:
    help = {
        "name": say("Begins with 'TeamViewer Email' for a template that is found by its object."),
        "description": say("Equals the object's e-mail template description for a template that is found by it."),
        "object": say("The object of a template that is found by its name."),
        "subject": say("Of an e-mail; may hold variables."),
    }
    front = [Field((key,), LABELS[key], "text", str(values.get(key, "") or ""), text, required=key == "name") for key, text in help.items()]
    return [Group(say("Front matter"), front)]


def _first_template(name: str, asked: Mapping[str, str]) -> dict[str, Any]:
    stem = name.rpartition("/")[2].split(".")[0]
    said = {"name": stem}
    return (
        said
        | ({"description": asked["for"]} if asked.get("for") else {})
        | ({"subject": "Your support session"} if "email/" in name else {})
    )


def _nothing(_host: Host, _supporter: Supporter, _values: Mapping[str, Any]) -> list[Group]:
    return []


KINDS: Mapping[str, Kind] = {
    "object": Kind(say("Supported object"), "/admin/objects", _object, _first_object),
    "template": Kind(say("Template"), "/admin/templates", _template, _first_template),
    "permission_set": Kind(say("Permission set"), "/admin/permissions", _permission_set, _first_permission_set),
    "source": Kind(say("Record source"), "/admin/sources", _source, _first_source),
    "plugin": Kind(say("Plugin"), "/admin/plugins", _plugin, lambda name, _: {"plugin": name, "settings": {}}),
    "dashboard": Kind(say("Dashboard"), "/dashboards", _nothing),
    "sessions": Kind(say("Session settings"), "/admin", _sessions, deletable=False),
    "host": Kind(say("Host settings"), "/admin", _host, deletable=False),
    "jobs": Kind(say("Schedules"), "/admin/jobs", _jobs, deletable=False),
}


# --- rights of a permission set ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RightsRow:
    """One resource of a permission set."""

    resource: str
    levels: Mapping[str, str]
    """By verb."""


def rights_rows(values: Mapping[str, Any]) -> list[RightsRow]:
    """Every resource, with the level that the file itself says of each verb."""
    said = values.get("rights") or {}
    return [RightsRow(EVERYTHING, {"": str(said.get(EVERYTHING, "none"))})] + [
        RightsRow(resource, _levels(said.get(resource, "none"), verbs)) for resource, verbs in RIGHTS.items()
    ]


def _levels(said: Any, verbs: Sequence[str]) -> dict[str, str]:
    return {verb: str(said.get(verb, "none")) if isinstance(said, Mapping) else str(said) for verb in verbs}


def rights_keys(form: Form, values: Mapping[str, Any]) -> dict[Steps, Any]:
    """The resources whose levels a form changes; one whose verbs all have one level is written as that level."""
    changed: dict[str, Any] = dict(values.get("rights") or {})
    before = dict(changed)
    for row in rights_rows(values):
        levels = {verb: form.get(f"right.{row.resource}.{verb}") or level for verb, level in row.levels.items()}
        if levels == dict(row.levels):
            continue
        if set(levels.values()) == {"none"}:
            changed.pop(row.resource, None)
        elif len(set(levels.values())) == 1:
            changed[row.resource] = next(iter(levels.values()))
        else:
            changed[row.resource] = {verb: level for verb, level in levels.items() if level != "none"}
    return {("rights",): changed} if changed != before else {}
