"""EntityDefinitions: what the Web API tells of tables, columns and relationships."""

from __future__ import annotations

import re
from typing import Any

from jumpseat_fake_crm.dynamics.environment import Environment, Navigation
from jumpseat_fake_crm.dynamics.odata import Query, read, wrong
from jumpseat_fake_crm.dynamics.writing import LONGEST
from jumpseat_fake_crm.rows import Field, Table
from jumpseat_fake_crm.web import Answer, Call, CrmError

_TABLE = re.compile(r"EntityDefinitions\(LogicalName='([^']*)'\)(?:/(.+))?")
_ATTRIBUTE = re.compile(r"Attributes\(LogicalName='([^']*)'\)(?:/Microsoft\.Dynamics\.CRM\.(\w+))?")
_VERSION = "Microsoft.Dynamics.CRM.globalmetadataversion"
_LISTS = {"Attributes", "ManyToOneRelationships", "OneToManyRelationships", "ManyToManyRelationships"}
_ORGANIZATION_OWNED = {"template", "systemuser", "role", "businessunit", "team"}


def answer(environment: Environment, call: Call, rest: str) -> Answer:
    """``EntityDefinitions`` and everything below it.

    Raises:
        CrmError: 404 for a table or column that does not exist, 400 for a property that does not.
    """
    query = read(call.query)
    root = f"{call.base}/api/data/v9.2/$metadata#EntityDefinitions"
    context: dict[str, Any] = {"@odata.context": root}
    prefer = call.headers.get("prefer", "")
    if _VERSION in prefer or "*" in prefer:
        context[f"@{_VERSION}"] = str(environment.metadata_version)
    if rest == "EntityDefinitions":
        tables = [one for one in environment.rows.tables.values() if _meant(_table(one), query)]
        return Answer(200, {**context, "value": [_picked(_table(one), query, environment, one) for one in tables]})
    match = _TABLE.fullmatch(rest)
    if match is None:
        raise CrmError(404, "0x80060888", f"Resource not found for the segment '{rest}'.")
    table = environment.rows.tables.get(match[1])
    if table is None:
        raise CrmError(404, "0x80040217", f"Could not find an entity with name '{match[1]}' in the MetadataCache.")
    if match[2]:
        return _below(environment, table, match[2], query, context)
    return Answer(200, {**context, **_picked(_table(table), query, environment, table)})


def _below(environment: Environment, table: Table, rest: str, query: Query, context: dict[str, Any]) -> Answer:
    name, _, cast = rest.partition("/Microsoft.Dynamics.CRM.")
    if name in _LISTS:
        found = [one for one in _list(environment, table, name) if not cast or one.get("@odata.type", "").endswith("." + cast)]
        return Answer(200, {**context, "value": [_picked(one, query) for one in found if _meant(one, query)]})
    match = _ATTRIBUTE.fullmatch(rest)
    field = table.fields.get(match[1]) if match else None
    if field is None:
        raise CrmError(404, "0x80041102", f"Could not find an attribute with name '{match[1] if match else rest}' on '{table.name}'.")
    return Answer(200, {**context, **_picked(_attribute(environment, table, field), query)})


def _picked(facts: dict[str, Any], query: Query, environment: Environment | None = None, table: Table | None = None) -> dict[str, Any]:
    """The properties that were selected, and for a table its lists that were expanded."""
    unknown = [name for name in query.select if name not in facts]
    if unknown:
        raise wrong(f"Could not find a property named '{unknown[0]}' on type 'Microsoft.Dynamics.CRM.Metadata'.")
    picked = {name: value for name, value in facts.items() if not query.select or name in {*query.select, "MetadataId"}}
    for name, inner in query.expand:
        if environment is None or table is None or name not in _LISTS:
            raise wrong(f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.Metadata'.")
        picked[name] = [_picked(one, inner) for one in _list(environment, table, name) if _meant(one, inner)]
    return picked


def _meant(facts: dict[str, Any], query: Query) -> bool:
    """Metadata is filtered by ``Property eq 'value'``, with and, or, not."""

    def holds(condition: Any) -> bool:
        if condition is None:
            return True
        if hasattr(condition, "parts"):
            if condition.operator == "not":
                return not holds(condition.parts[0])
            return (all if condition.operator == "and" else any)(holds(part) for part in condition.parts)
        if condition.operator not in {"eq", "ne"}:
            raise wrong(f"Metadata cannot be filtered with '{condition.operator}'.")
        return bool((facts.get(condition.path) == condition.value) == (condition.operator == "eq"))

    return holds(query.filter)


def _list(environment: Environment, table: Table, name: str) -> list[dict[str, Any]]:
    if name == "Attributes":
        fields = list(table.fields.values())
        return [_attribute(environment, table, one) for one in fields] + [
            _text_of(environment, table, one) for one in fields if _has_text(one)
        ]
    kind, shown = {
        "ManyToOneRelationships": ("one", _many_to_one),
        "OneToManyRelationships": ("some", _one_to_many),
        "ManyToManyRelationships": ("many", _many_to_many),
    }[name]
    return [shown(table, way, environment.rows.tables[way.target].id_field) for way in environment.navigations(table) if way.kind == kind]


def _many_to_one(table: Table, way: Navigation, key: str) -> dict[str, Any]:
    return {
        "SchemaName": f"{table.name}_{way.name}",
        "ReferencingEntity": table.name,
        "ReferencingAttribute": way.column,
        "ReferencingEntityNavigationPropertyName": way.name,
        "ReferencedEntity": way.target,
        "ReferencedAttribute": key,
    }


def _one_to_many(table: Table, way: Navigation, key: str) -> dict[str, Any]:
    return {
        "SchemaName": way.name,
        "ReferencedEntity": table.name,
        "ReferencedAttribute": table.id_field,
        "ReferencedEntityNavigationPropertyName": way.name,
        "ReferencingEntity": way.target,
        "ReferencingAttribute": way.column,
        "ReferencingEntityPrimaryIdAttribute": key,
    }


def _many_to_many(table: Table, way: Navigation, key: str) -> dict[str, Any]:
    return {
        "SchemaName": way.name,
        "Entity1LogicalName": table.name,
        "Entity1NavigationPropertyName": way.name,
        "Entity2LogicalName": way.target,
        "Entity2IntersectAttribute": key,
    }


def _table(table: Table) -> dict[str, Any]:
    custom = table.name.startswith("new_")
    return {
        "LogicalName": table.name,
        "SchemaName": "new_ServiceContract" if custom else table.name.capitalize(),
        "EntitySetName": table.spec["set"],
        "LogicalCollectionName": table.spec["set"],
        "PrimaryIdAttribute": table.id_field,
        "PrimaryNameAttribute": table.spec["name_field"],
        "ObjectTypeCode": table.spec["code"],
        "OwnershipType": "OrganizationOwned" if table.name in _ORGANIZATION_OWNED else "UserOwned",
        "IsCustomEntity": custom,
        "IsActivity": table.name == "task",
        "HasNotes": "annotation.objectid" in table.spec.get("collections", {}).values(),
        "IsOptimisticConcurrencyEnabled": not table.spec.get("no_concurrency"),
        "DisplayName": _label(table.spec["label"]),
        "DisplayCollectionName": _label(table.spec["plural"]),
        "MetadataId": f"3e7ada7a-0000-4000-8000-{table.spec['code']:012d}",
    }


def _attribute(environment: Environment, table: Table, field: Field) -> dict[str, Any]:
    kind = "Lookup" if field.targets else {"Uniqueidentifier": "UniqueIdentifier", "Date": "DateTime"}.get(field.type, field.type)
    secured = any(name == field.name and one == table.name for _, one, name in environment.rows.hidden_fields)
    facts: dict[str, Any] = {
        "@odata.type": f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "LogicalName": field.name,
        "SchemaName": field.relation or field.name,
        "AttributeType": field.type,
        "AttributeTypeName": {"Value": f"{field.type}Type"},
        "EntityLogicalName": table.name,
        "IsValidForRead": True,
        "IsValidForCreate": "readonly" not in field.flags,
        "IsValidForUpdate": "readonly" not in field.flags,
        "IsPrimaryId": field.name == table.id_field,
        "IsPrimaryName": field.name == table.spec["name_field"],
        "IsSecured": secured,
        "IsCustomAttribute": field.name.startswith("new_"),
        "RequiredLevel": {"Value": "ApplicationRequired" if "required" in field.flags else "None"},
        "DisplayName": _label(field.name),
        "AttributeOf": None,
    }
    if field.type in LONGEST:
        facts["MaxLength"] = LONGEST[field.type]
    if kind == "DateTime":
        facts["DateTimeBehavior"] = {"Value": "DateOnly" if field.type == "Date" else "UserLocal"}
        facts["AttributeType"] = "DateTime"
    return {**facts, **({"Targets": list(field.targets)} if field.targets else {})}


def _has_text(field: Field) -> bool:
    return bool(field.targets) or field.type in {"Picklist", "State", "Boolean"}


def _text_of(environment: Environment, table: Table, field: Field) -> dict[str, Any]:
    """The column ``customeridname`` of ``customerid``: it is told of, and read as an annotation of the other one only."""
    facts = {**_attribute(environment, table, field), "LogicalName": f"{field.name}name", "SchemaName": f"{field.name}name"}
    facts.pop("Targets", None)
    kind = "String" if field.targets else "Virtual"
    return {
        **facts,
        "@odata.type": f"#Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
        "AttributeOf": field.name,
        "MaxLength": 100,
        "IsValidForCreate": False,
        "IsValidForUpdate": False,
    }


def _label(text: str) -> dict[str, Any]:
    one = {"Label": text, "LanguageCode": 1033, "IsManaged": True}
    return {"LocalizedLabels": [one], "UserLocalizedLabel": one}
