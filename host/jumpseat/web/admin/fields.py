"""Fields of a form for one file of metadata, made from its schema; and back from what was posted to the keys that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from jumpseat.catalogue.positions import Steps, parse_yaml
from jumpseat.catalogue.source_text import SourceText
from jumpseat.contract import REQUIRED, Setting
from jumpseat.editing.planning import ABSENT
from jumpseat.editing.rendering import headed, mapping
from jumpseat.editing.splicing import same
from jumpseat.errors import InvalidValue
from jumpseat.speech import say
from jumpseat.web.admin.words import LABELS
from jumpseat.web.forms import Form

Shape = Literal["text", "number", "boolean", "choice", "lines", "yaml", "secret"]
_PREFIX = "key."


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a file as a form shows it."""

    steps: Steps
    label: str
    shape: Shape
    value: str = ""
    """As it stands in the form; of a secret, the name of its place and never itself."""
    help: str = ""
    ticked: bool = False
    choices: tuple[str, ...] = ()
    required: bool = False
    default: Any = None
    where: str = ""
    """Of a secret: ``env`` or ``file``; empty where there is none."""

    @property
    def name(self) -> str:
        """Of the field in the form."""
        return _PREFIX + ".".join(str(step) for step in self.steps)

    @property
    def id(self) -> str:
        return self.name.replace(".", "-")


def of_schema(schema: Mapping[str, Any], values: Mapping[str, Any], skip: Sequence[str] = (), above: Steps = ()) -> Iterator[Field]:
    """A field for each key of a schema.

    Args:
        schema: of a mapping.
        values: what the file says.
        skip: keys for which the page has something of its own.
        above: path of the mapping in the file.
    """
    for key, inner in schema["properties"].items():
        if key not in skip:
            value = values.get(key)
            label = LABELS.get(key) or key.replace("_", " ").capitalize()
            base = Field((*above, key), label, "text", help=inner.get("description", ""), required=key in schema.get("required", ()))
            yield _filled(_shaped(base, inner), value)


def _shaped(field: Field, schema: Mapping[str, Any]) -> Field:
    field = replace(field, default=schema.get("default"))
    if set(schema.get("properties", ())) == {"env", "file"}:
        return replace(field, shape="secret")
    kind = schema.get("type")
    if kind == "boolean":
        return replace(field, shape="boolean")
    if kind == "integer":
        return replace(field, shape="number")
    if kind == "string":
        return replace(field, shape="choice", choices=tuple(schema["enum"])) if "enum" in schema else field
    if kind == "array" and schema["items"].get("type") == "string":
        return replace(field, shape="lines")
    return replace(field, shape="yaml")


def of_settings(declared: Sequence[Setting], values: Mapping[str, Any]) -> Iterator[Field]:
    """A field for each setting that a plugin or a record source declares.

    Args:
        declared: the settings there are.
        values: what stands below ``settings`` in the file.
    """
    shapes: Mapping[Any, Shape] = {str: "text", int: "number", float: "number", bool: "boolean", list[str]: "lines"}
    for setting in declared:
        shape: Shape = "secret" if setting.secret else "choice" if setting.choices else shapes.get(setting.type, "yaml")
        required, default = setting.default is REQUIRED, None if setting.default is REQUIRED else setting.default
        label = setting.name.replace("_", " ").capitalize()
        field = Field(
            ("settings", setting.name), label, shape, "", setting.help, False, tuple(map(str, setting.choices)), required, default
        )
        yield _filled(field, values.get(setting.name))


def _filled(field: Field, value: Any) -> Field:
    """The field with what the file says."""
    if field.shape == "boolean":
        return replace(field, ticked=bool(field.default) if value is None else value is True)
    if field.shape == "secret":
        where = next(iter(value)) if isinstance(value, Mapping) and set(value) in ({"env"}, {"file"}) else ""
        return replace(field, where=where, value=str(value[where]) if where else "")
    if value is None:
        return field
    if field.shape == "lines" and isinstance(value, list):
        return replace(field, value="\n".join(str(one) for one in value))
    if field.shape == "yaml":
        return replace(field, value=as_yaml(value))
    return replace(field, value=str(value))


def as_yaml(value: Any) -> str:
    """A value as YAML, for a field in which it is edited as such."""
    if isinstance(value, Mapping):
        return "\n".join(mapping(value, 0, 2))
    return "\n".join(line for line in headed("", value, 0, 0) if line).strip()


def typed(fields: Sequence[Field], form: Form) -> list[Field]:
    """The fields with what somebody typed, to be shown again beside what is wrong with it."""
    return [_typed(field, form) for field in fields]


def _typed(field: Field, form: Form) -> Field:
    if field.shape == "boolean":
        return replace(field, ticked=form.ticked(field.name))
    if field.shape == "secret":
        return field  # what stands here is refused if it is a secret, and not repeated either way
    return replace(field, value=form.text(field.name))


def keys_of(fields: Sequence[Field], form: Form, values: Mapping[str, Any]) -> dict[Steps, Any]:
    """The keys that a form changes, and no others.

    Args:
        fields: of the form, as it was shown.
        form: what was posted.
        values: what the file says now.

    Raises:
        InvalidValue: a field that holds YAML cannot be read.
    """
    changed: dict[Steps, Any] = {}
    for field in fields:
        now = _at(values, field.steps)
        wanted = _wanted(field, form, now)
        if wanted is ABSENT:
            if now is not None:
                changed[field.steps] = ABSENT
        elif not same(now, wanted):
            changed[field.steps] = wanted
    return changed


def _at(values: Any, steps: Steps) -> Any:
    for step in steps:
        if not isinstance(values, Mapping) or step not in values:
            return None
        values = values[step]
    return values


def _wanted(field: Field, form: Form, now: Any) -> Any:
    """The value that a field asks for; ``ABSENT`` for none."""
    if field.shape == "boolean":
        ticked = form.ticked(field.name)
        return ABSENT if now is None and not field.required and ticked is bool(field.default) else ticked
    text = form.get(field.name)
    if now is not None and field.shape in ("text", "number", "choice") and text == str(now):
        return now  # also a value of another type than the form has
    if field.shape == "secret":
        where = form.get(f"{field.name}.where")
        return {where: text} if where in ("env", "file") and text else ABSENT
    if not text:
        return "" if field.required and now is None else ABSENT if not field.required else ""
    if field.shape == "lines":
        return [line.strip() for line in form.text(field.name).split("\n") if line.strip()]
    if field.shape == "number":
        number = parse_yaml(SourceText("", text)).value
        return number if isinstance(number, int | float) and not isinstance(number, bool) else text
    return _parsed(field, form.text(field.name)) if field.shape == "yaml" else text


def _parsed(field: Field, text: str) -> Any:
    reading = parse_yaml(SourceText("", text.strip() + "\n"))
    if reading.problems:
        problem = reading.problems[0]
        raise InvalidValue(say("'{field}', line {n}: {cause}.", field=field.label, n=problem.line, cause=problem.cause), param=field.name)
    return reading.value
