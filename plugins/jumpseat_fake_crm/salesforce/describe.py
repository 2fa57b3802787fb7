"""What the API tells of objects and versions."""

from __future__ import annotations

from email.utils import formatdate, parsedate_to_datetime
from typing import Any

from jumpseat_fake_crm.rows import Field, Table
from jumpseat_fake_crm.salesforce.schema import Org
from jumpseat_fake_crm.web import Answer, Call

LENGTHS = {
    "string": 255,
    "email": 80,
    "phone": 40,
    "url": 255,
    "picklist": 255,
    "textarea": 32000,
    "id": 18,
    "reference": 18,
    "multipicklist": 4099,
    "base64": 50 * 1024 * 1024,
}
_SOAP = {
    "base64": "xsd:base64Binary",
    "boolean": "xsd:boolean",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "currency": "xsd:double",
    "int": "xsd:int",
    "id": "tns:ID",
    "reference": "tns:ID",
}


def name_field(table: Table) -> str:
    """The field that holds the name of a row."""
    return str(table.spec.get("name_field", "Name" if "Name" in table.fields else "Id"))


def unchanged(call: Call, moment: float) -> bool:
    """Does the caller hold a copy that is as new (``If-Modified-Since``)?"""
    try:
        return parsedate_to_datetime(call.headers["if-modified-since"]).timestamp() >= int(moment)
    except (KeyError, ValueError, TypeError):
        return False


def describe(org: Org, table: Table, user: str, version: str, call: Call) -> Answer:
    """``sobjects/{Name}/describe``: fields that the user may not read are not among them."""
    headers = {"Last-Modified": formatdate(org.described, usegmt=True)}
    if unchanged(call, org.described):
        return Answer(304, None, headers)
    fields = [_field(org, table, field) for field in table.fields.values() if org.rows.reads(user, table.name, field.name)]
    children = [
        {"childSObject": target.split(".")[0], "field": target.split(".")[1], "relationshipName": name}
        for name, target in table.spec.get("children", {}).items()
    ]
    body = {**brief(table, version), "fields": fields, "childRelationships": children, "recordTypeInfos": []}
    return Answer(200, body, headers)


def brief(table: Table, version: str) -> dict[str, Any]:
    """An object as the list of all objects shows it."""
    address = f"/services/data/{version}/sobjects/{table.name}"
    writes = not table.name.endswith("__mdt") and table.name != "UserRecordAccess"
    return {
        "name": table.name,
        "label": table.spec["label"],
        "labelPlural": table.spec["plural"],
        "keyPrefix": table.spec["prefix"] or None,
        "custom": table.name.endswith(("__c", "__mdt")),
        "createable": writes,
        "updateable": writes,
        "deletable": writes,
        "queryable": True,
        "retrieveable": True,
        "searchable": writes,
        "feedEnabled": feeds(table),
        "urls": {"sobject": address, "describe": f"{address}/describe", "rowTemplate": f"{address}/{{ID}}"},
    }


def feeds(table: Table) -> bool:
    """Has the object a feed?"""
    return table.name in {"Account", "Contact", "Lead", "Case", "Opportunity", "Service_Contract__c", "User"}


def _field(org: Org, table: Table, field: Field) -> dict[str, Any]:
    writes = "readonly" not in field.flags and field.type != "id"
    return {
        "name": field.name,
        "label": field.name.removesuffix("__c").replace("_", " "),
        "type": field.type,
        "soapType": _SOAP.get(field.type, "xsd:string"),
        "length": LENGTHS.get(field.type, 0),
        "nillable": "required" not in field.flags and field.type != "boolean",
        "nameField": field.name == name_field(table),
        "custom": field.name.endswith("__c"),
        "calculated": field.name in table.spec.get("mirrors", {}),
        "createable": writes,
        "updateable": writes,
        "filterable": field.type != "textarea",
        "sortable": field.type != "textarea",
        "externalId": "external" in field.flags,
        "unique": "external" in field.flags,
        "defaultedOnCreate": field.type == "boolean",
        "referenceTo": list(field.targets),
        "relationshipName": (org.relation(field) or None) if field.targets else None,
        "polymorphicForeignKey": len(field.targets) > 1,
        "picklistValues": [],
    }
