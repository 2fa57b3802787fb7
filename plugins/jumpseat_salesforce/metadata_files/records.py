"""One record of the custom metadata type: its XML, and the supported object that it says."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from jumpseat import InvalidValue, Left, ObjectFile
from jumpseat_salesforce.metadata_files.names import (
    FIELDS,
    MORE,
    TYPE,
    developer_name,
    field_of,
    in_namespace,
    is_developer_name,
    is_more,
    namespace_of,
)
from jumpseat_salesforce.metadata_files.xml_files import HEAD, INSTANCE, METADATA, Unreadable, element, escaped, local, parsed, text_of

KIND = "salesforce"
"""Under which kind of CRM an object and a template keep their further facts."""
_FILE_NAME = re.compile(r"(?:.*/)?(?P<type>\w+?)(?:__mdt)?\.(?P<record>\w+)\.md(?:-meta\.xml)?", re.ASCII)
_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_REQUIRED = ("label", "supported_object", "name_field", "email_template_description", "allow_custom_recipient")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_LONGEST_MORE = 32_768


@dataclass(frozen=True, slots=True)
class Value:
    """What one field holds."""

    type: str = ""
    """``xsd:string``; empty when the file does not say."""
    text: str | None = None
    """None for ``xsi:nil``."""


@dataclass(frozen=True, slots=True)
class MetadataRecord:
    """One file of ``customMetadata/``."""

    type: str
    """API name without ``__mdt``, with its namespace."""
    name: str
    """DeveloperName, with its namespace."""
    label: str
    protected: bool = False
    description: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


def named(path: str) -> tuple[str, str] | None:
    """Type and record that the name of a file says, in both forms (with and without ``__mdt``); None when it says none."""
    found = _FILE_NAME.fullmatch(path)
    return (found["type"], found["record"]) if found else None


def read_record(content: bytes, type: str, name: str) -> MetadataRecord:
    """The record that a file holds.

    Raises:
        Unreadable: it is no record, or a field stands in it twice.
    """
    root = parsed(content, "CustomMetadata")
    texts: dict[str, str] = {}
    values: dict[str, Value] = {}
    for child in root:
        if local(child) == "values":
            known, value = _value(child)
            if known in values:
                raise Unreadable(f"the field {known} stands twice")
            values[known] = value
        elif local(child) in texts:
            raise Unreadable(f"<{local(child)}> stands twice")
        else:
            texts[local(child)] = text_of(child)
    if unknown := sorted(set(texts) - {"label", "protected", "description", "fullName"}):
        raise Unreadable(f"<{unknown[0]}> is not a part of a record")
    protected = texts.get("protected", "false").strip()
    if protected not in _BOOLEANS:
        raise Unreadable(f"<protected> is '{protected[:40]}', not true or false")
    return MetadataRecord(type, name, texts.get("label", ""), _BOOLEANS[protected], texts.get("description"), values)


def _value(values: Any) -> tuple[str, Value]:
    parts = {local(child): child for child in values}
    if sorted(local(child) for child in values) != ["field", "value"]:
        raise Unreadable("<values> does not hold one <field> and one <value>")
    name = text_of(parts["field"]).strip()
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise Unreadable(f"'{name[:60]}' is not the API name of a field")
    value = parts["value"]
    if _BOOLEANS.get(value.get(f"{{{INSTANCE}}}nil", "false").strip(), False):
        return name, Value()
    kind = value.get(f"{{{INSTANCE}}}type", "").strip().rpartition(":")[2]
    return name, Value(f"xsd:{kind}" if kind else "", text_of(value))


# --- record → object -------------------------------------------------------------------------------------------------


def to_object(record: MetadataRecord, path: str) -> tuple[ObjectFile, list[Left]]:
    """The supported object that a record says, and what had to be assumed.

    Raises:
        Unreadable: the record names no object, or holds something else than it should.
    """
    values, left = _known_values(record, path)
    values["label"] = record.label.strip() or record.name
    more, has_more = _more(record)
    values |= more
    facts = _facts(record, str(values["supported_object"]))
    extra = dict(more.get("extra", {})) | ({KIND: facts} if facts else {})
    if extra:
        values["extra"] = extra
    ordered = {key: values[key] for key in (*_REQUIRED, *(key for key in values if key not in _REQUIRED))}
    name = record.name.rpartition("__")[2].lower()
    return ObjectFile(ordered, name=name, complete=has_more, origin=path), left


def _known_values(record: MetadataRecord, path: str) -> tuple[dict[str, Any], list[Left]]:
    found: dict[str, Any] = {}
    left = []
    for name, value in record.values.items():
        known = field_of(name)
        if known and known.key in found:
            raise Unreadable(f"two fields hold the {known.label}, the second is {name}")
        if known and value.text is not None and value.text.strip():
            found[known.key] = _boolean(name, value.text) if known.xml_type == "xsd:boolean" else value.text.strip()
    if "supported_object" not in found:
        raise Unreadable("the field of the supported object is empty or missing")
    assumed = {
        "name_field": "Name",
        "email_template_description": f"teamviewer_{found['supported_object']}_template",
        "allow_custom_recipient": False,
    }
    for known in FIELDS:
        if known.key in assumed and known.key not in found:
            found[known.key] = assumed[known.key]
            shown = str(assumed[known.key]).lower() if isinstance(assumed[known.key], bool) else assumed[known.key]
            left.append(Left(path, known.label, f"Empty or missing; '{shown}' was taken."))
    return found, left


def _boolean(name: str, text: str) -> bool:
    if text.strip() not in _BOOLEANS:
        raise Unreadable(f"{name} is '{text[:40]}', not true or false")
    return _BOOLEANS[text.strip()]


def _more(record: MetadataRecord) -> tuple[dict[str, Any], bool]:
    """The optional keys, and whether the record can hold any."""
    held = [value for name, value in record.values.items() if is_more(name)]
    if not held or not held[0].text:
        return {}, bool(held)
    try:
        more = json.loads(held[0].text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{MORE} holds no JSON") from error
    if not isinstance(more, dict) or set(more) & set(_REQUIRED) or not isinstance(more.get("extra", {}), dict):
        raise Unreadable(f"{MORE} does not hold optional keys of a supported object")
    return more, True


def _facts(record: MetadataRecord, supported_object: str) -> dict[str, str]:
    """What the keys of an object cannot say; only what differs from what an export writes by itself."""
    facts = {}
    namespace = namespace_of(record.type)
    if record.type != TYPE:
        facts["type"] = record.type
    if record.name != developer_name(supported_object):
        facts["name"] = record.name
    if record.protected:
        facts["protected"] = "true"
    if record.description is not None:
        facts["description"] = packed(Value("", record.description))
    for name, value in sorted(record.values.items()):
        known = field_of(name)
        if known and name != in_namespace(known.name, namespace):
            facts[f"field.{known.key}"] = name
        elif not known and not is_more(name):
            facts[name] = packed(value)
    return facts


def packed(value: Value) -> str:
    """A value as one text: type, space, text; ``nil``; with characters that metadata may not hold as escapes behind ``json:``."""
    if value.text is None:
        return "nil"
    kind = value.type or "-"
    return f"json:{kind} {json.dumps(value.text)}" if _HIDDEN.search(value.text) else f"{kind} {value.text}"


def unpacked(text: str) -> Value:
    """The value that ``packed`` made a text of.

    Raises:
        InvalidValue: it is none.
    """
    if text == "nil":
        return Value()
    kind, space, rest = text.partition(" ")
    try:
        content = json.loads(rest) if kind.startswith("json:") else rest
    except ValueError:
        content = None
    kind = kind.removeprefix("json:")
    if not space or not isinstance(content, str) or not re.fullmatch(r"-|xsd:[A-Za-z]+", kind):
        raise InvalidValue(f"'{text[:60]}' under extra is not a value of Salesforce. Write it like 'xsd:string Some words', or 'nil'.")
    return Value("" if kind == "-" else kind, content)


# --- object → record -------------------------------------------------------------------------------------------------


def to_record(values: Mapping[str, Any], namespace: str, taken: Collection[str]) -> MetadataRecord:
    """The record that says a supported object.

    Args:
        values: of the object's file.
        namespace: prefix of the package that has the type, where the object does not name its own; empty for none.
        taken: names of records that exist, in small letters.

    Raises:
        InvalidValue: what stands under ``extra`` is not Salesforce's.
    """
    facts = dict(values.get("extra", {}).get(KIND, {}))
    kind = facts.pop("type", in_namespace(TYPE, namespace))
    name = facts.pop("name", None) or developer_name(str(values["supported_object"]), taken)
    protected = facts.pop("protected", "false") == "true"
    description = unpacked(facts.pop("description")).text if "description" in facts else None
    held: dict[str, Value] = {}
    for known in FIELDS:
        spelt = facts.pop(f"field.{known.key}", in_namespace(known.name, namespace_of(kind)))
        value = values[known.key]
        held[spelt] = Value(known.xml_type, str(value).lower() if isinstance(value, bool) else str(value))
    if is_own_type(kind, namespace):
        held[in_namespace(MORE, namespace)] = _more_value(values)
    held |= {spelt: unpacked(text) for spelt, text in facts.items()}
    bare = name.rpartition("__")[2]
    if not is_developer_name(bare):
        raise InvalidValue(f"'{name[:60]}' is not a name that a record of Salesforce can have. Mend extra.salesforce.name.")
    return MetadataRecord(kind, name, str(values["label"]), protected, description, held)


def is_own_type(kind: str, namespace: str) -> bool:
    """Is it the type whose definition an export writes?"""
    return kind == in_namespace(TYPE, namespace)


def optional_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the five fields and the facts of Salesforce do not hold."""
    more = {key: value for key, value in values.items() if key not in (*_REQUIRED, "extra")}
    extra = {kind: facts for kind, facts in values.get("extra", {}).items() if kind != KIND}
    return more | ({"extra": extra} if extra else {})


def _more_value(values: Mapping[str, Any]) -> Value:
    more = optional_keys(values)
    if not more:
        return Value()
    text = json.dumps(more, ensure_ascii=False, separators=(", ", ": "))
    if len(text) > _LONGEST_MORE:
        raise InvalidValue(f"The optional keys of '{values['label']}' need more than {_LONGEST_MORE} characters. Make them shorter.")
    return Value("xsd:string", text)


def record_path(record: MetadataRecord) -> str:
    """Path of a record's file in a package folder, in the form without ``__mdt``."""
    return f"customMetadata/{record.type}.{record.name}.md-meta.xml"


def record_xml(record: MetadataRecord) -> str:
    """The file of a record.

    Raises:
        InvalidValue: a text cannot stand in XML.
    """
    lines = [
        HEAD,
        f'<CustomMetadata xmlns="{METADATA}" xmlns:xsi="{INSTANCE}" xmlns:xsd="http://www.w3.org/2001/XMLSchema">\n',
        "" if record.description is None else element("description", record.description),
        element("label", record.label),
        element("protected", str(record.protected).lower()),
    ]
    for name, value in sorted(record.values.items()):
        lines += ["    <values>\n", element("field", name, "        "), f"        {_value_xml(value)}\n", "    </values>\n"]
    return "".join([*lines, "</CustomMetadata>\n"])


def _value_xml(value: Value) -> str:
    if value.text is None:
        return '<value xsi:nil="true"/>'
    kind = f' xsi:type="{value.type}"' if value.type else ""
    return f"<value{kind}>{escaped(value.text)}</value>"
