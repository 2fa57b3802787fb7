"""``jumpseat objects``: the supported objects, and the smallest file for a new one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context
from jumpseat.errors import InvalidValue, MetadataInvalid, ObjectNotSupported, Refused

if TYPE_CHECKING:
    from jumpseat.catalogue.model import Catalogue, SupportedObject


@click.group()
def objects() -> None:
    """List, show and add supported objects."""


@objects.command("list")
@json_option
@pass_context
def list_command(ctx: Context, as_json: bool) -> None:
    """All supported objects of the workspace, by label."""
    catalogue = _catalogue(ctx.find_workspace())
    rows = [_row(catalogue, one) for one in catalogue.objects]
    width = max((len(row["label"]) for row in rows), default=0)
    lines = [
        f"{row['label']:<{width}}  {row['supported_object']:<28} {row['file']}{'' if row['enabled'] else '  (not enabled)'}" for row in rows
    ]
    answer(as_json, {"items": rows}, lambda: "\n".join(lines) or "No supported objects. 'jumpseat objects new NAME' writes one.")


@objects.command()
@click.argument("name")
@json_option
@pass_context
def show(ctx: Context, name: str, as_json: bool) -> None:
    """All keys of the supported object NAME (its API name or label), with the values in force."""
    from jumpseat.catalogue.vocabulary import near

    catalogue = _catalogue(ctx.find_workspace())
    found = [one for one in catalogue.objects if name.casefold() in {one.supported_object.casefold(), one.label.casefold()}]
    if not found:
        meant = near(name, [one.supported_object for one in catalogue.objects])
        hint = f"Did you mean '{meant}'?" if meant else "'jumpseat objects list' shows those there are."
        raise ObjectNotSupported(f"No supported object is called '{name}'. {hint}", param="name")
    shown = [_details(catalogue, one) for one in found]
    answer(as_json, shown[0] if len(shown) == 1 else {"items": shown}, lambda: "\n\n".join(_as_text(one) for one in shown))


@objects.command()
@click.argument("name")
@click.option("--label", help="What people call the object (else made of NAME).")
@click.option("--name-field", default="Name", show_default=True, help="The field that holds the name of a record.")
@click.option("--allow-custom-recipient", is_flag=True, help="Let supporters type addresses.")
@click.option("--source", help="Name of the record source, where there are several.")
@json_option
@pass_context
def new(
    ctx: Context, name: str, label: str | None, name_field: str, allow_custom_recipient: bool, source: str | None, as_json: bool
) -> None:
    """Write the smallest file that makes the object NAME a supported one."""
    workspace = ctx.find_workspace()
    values: dict[str, Any] = {
        "label": label or _label_of(name),
        "supported_object": name,
        "name_field": name_field,
        "email_template_description": f"teamviewer_{name}_template",
        "allow_custom_recipient": allow_custom_recipient,
    }
    if source:
        values["source"] = source
    file = workspace / "metadata" / "objects" / f"{_file_name(name)}.yaml"
    _write_new(workspace, file, values)
    shown = file.relative_to(workspace).as_posix()
    answer(as_json, {"file": shown} | values, lambda: f"Wrote {shown}. A running host takes it within two seconds.")


def _catalogue(workspace: Path) -> Catalogue:
    from jumpseat.catalogue.load import load

    loaded = load(workspace)
    if loaded.catalogue is None:
        raise MetadataInvalid("The metadata has errors.", tuple(str(problem) for problem in loaded.problems))
    return loaded.catalogue


def _row(catalogue: Catalogue, one: SupportedObject) -> dict[str, Any]:
    return {
        "label": one.label,
        "supported_object": one.supported_object,
        "source": catalogue.source_of(one),
        "enabled": one.enabled,
        "file": one.file,
    }


def _details(catalogue: Catalogue, one: SupportedObject) -> dict[str, Any]:
    values = {key.name: _plain(getattr(one, key.name)) for key in fields(one) if key.name != "lines"}
    return {key: value for key, value in values.items() if value is not None} | {"source": catalogue.source_of(one)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if hasattr(value, "kind"):
        return {value.kind: dict(value.fields) or value.target or True}
    return value


def _as_text(values: Mapping[str, Any]) -> str:
    width = max(len(key) for key in values)
    return "\n".join(
        f"{key:<{width}}  {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}" for key, value in values.items()
    )


def _label_of(name: str) -> str:
    """``Service_Contract__c`` → ``Service Contract``; ``ServiceContract`` too."""
    words = re.sub(r"__[a-z]+$", "", name).replace("_", " ")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", words).strip() or name


def _file_name(name: str) -> str:
    return _label_of(name).lower().replace(" ", "_")


def _write_new(workspace: Path, file: Path, values: Mapping[str, Any]) -> None:
    from jumpseat.catalogue.load import load
    from jumpseat.catalogue.positions import read_yaml
    from jumpseat.catalogue.validate import check

    # JSON texts are YAML texts in quotes; those that need none are written without, to read like a form.
    lines = [f"{key}: {value if isinstance(value, str) and _is_plain(value) else json.dumps(value)}" for key, value in values.items()]
    text = "\n".join(["# yaml-language-server: $schema=../schema/supported-object.json", *lines, ""])
    problems = check("supported-object", read_yaml(text.encode(), file.name))
    if problems:
        raise InvalidValue(f"The file would not be right: {problems[0].cause}. {problems[0].fix[:1].upper()}{problems[0].fix[1:]}.")
    catalogue = load(workspace).catalogue
    there = next((one for one in catalogue.objects if one.supported_object == values["supported_object"]), None) if catalogue else None
    if there and values.get("source") in {None, there.source}:
        raise Refused(f"'{there.supported_object}' is a supported object already, in {there.file}. Edit that file.")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        shown = file.relative_to(workspace).as_posix()
        raise Refused(f"{shown} exists already and is not overwritten. Edit it, or move it away.") from None


def _is_plain(text: str) -> bool:
    from jumpseat.catalogue.positions import looks_like

    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_ .-]*", text) is not None and looks_like(text) is None
