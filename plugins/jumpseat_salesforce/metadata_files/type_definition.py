"""The definition of the custom metadata type, so that records can be deployed to an org that has not got it."""

from __future__ import annotations

from jumpseat_salesforce.metadata_files.names import FIELDS, MORE, TYPE, Field
from jumpseat_salesforce.metadata_files.xml_files import HEAD, METADATA, element

_LONG_TEXT = (("length", "32768"), ("type", "LongTextArea"), ("visibleLines", "5"))


def type_files() -> dict[str, str]:
    """The files of the type and its fields, by path in a package folder."""
    folder = f"objects/{TYPE}__mdt"
    files = {f"{folder}/{TYPE}__mdt.object-meta.xml": _object()}
    for field in FIELDS:
        files[f"{folder}/fields/{field.name}.field-meta.xml"] = _field(field)
    help_text = "Optional keys of the supported object as JSON. Written by an export; leave it as it is."
    files[f"{folder}/fields/{MORE}.field-meta.xml"] = _field_xml(MORE, "More Keys", help_text, _LONG_TEXT, required=False)
    return files


def _object() -> str:
    return "".join(
        (
            HEAD,
            f'<CustomObject xmlns="{METADATA}">\n',
            element("description", "Objects whose records may have remote-support sessions."),
            element("label", "Supported Object"),
            element("pluralLabel", "Supported Objects"),
            element("visibility", "Public"),
            "</CustomObject>\n",
        )
    )


_HELP = {
    "allow_custom_recipient": "May a supporter type an address that is not one of the record's contacts?",
    "email_template_description": "E-mail templates with this description apply to the object.",
    "name_field": "API name of the field that holds the name of a record.",
    "supported_object": "API name of the object.",
}


def _field(field: Field) -> str:
    if field.xml_type == "xsd:boolean":
        kind: tuple[tuple[str, str], ...] = (("type", "Checkbox"),)
        return _field_xml(field.name, field.label, _HELP[field.key], kind, default="false")
    return _field_xml(field.name, field.label, _HELP[field.key], (("length", "255"), ("type", "Text"), ("unique", "false")), required=True)


def _field_xml(
    name: str, label: str, help: str, kind: tuple[tuple[str, str], ...], *, required: bool | None = None, default: str | None = None
) -> str:
    parts = [("fullName", name), ("inlineHelpText", help), ("label", label), ("fieldManageability", "SubscriberControlled"), *kind]
    if default is not None:
        parts.append(("defaultValue", default))
    if required is not None and ("type", "LongTextArea") not in kind:
        parts.append(("required", str(required).lower()))
    first, *rest = parts
    body = "".join(element(*part) for part in (first, *sorted(rest)))
    return f'{HEAD}<CustomField xmlns="{METADATA}">\n{body}</CustomField>\n'
