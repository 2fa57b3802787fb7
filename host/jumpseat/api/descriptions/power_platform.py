"""Swagger 2.0 as custom connectors of Power Platform read it, with their own words for drop-downs, pages and triggers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from jumpseat.api.descriptions.fitting import JSON, Fitting, body_of, fitting, parameters, responses, schema_of, success, words
from jumpseat.api.descriptions.schemas import NATIVE_PREFIX, Plain
from jumpseat.api.models.marks import CHOICES, RARE

PREFIX = "#/definitions/"
KEY = "API key"
KEY_HELP = "The word Bearer, a space, and an API key made with 'jumpseat keys create NAME'."
NEXT = "nextLink"
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_CAPITALS = {"id": "ID", "url": "URL", "html": "HTML", "csv": "CSV"}
_CALLED_AT = re.compile(r"\{\$request\.body#/(\w+)\}")
"""Key of a callback: the address is what the body of the call has under this name."""


def power_platform(document: Mapping[str, Any], server: str) -> dict[str, Any]:
    """The description for a custom connector.

    Args:
        document: the native document.
        server: address of the host, without a slash at the end.
    """
    native = document["components"]["schemas"]
    plain = Plain(native, PREFIX, "x-nullable")
    listed = {each.operation["operationId"] for each in fitting(document)}
    paths: dict[str, dict[str, Any]] = {}
    for each in fitting(document):
        paths.setdefault(each.path, {})[each.method] = _operation(each, plain, native, listed)
        paths[each.path] |= _told(each, plain)
    definitions = plain.reachable([paths])
    for name, schema in definitions.items():
        _name_properties(schema, native[name], listed)
    for each in fitting(document):
        _internal_addresses(each, definitions)
    parts = urlsplit(server)
    return {
        "swagger": "2.0",
        "info": document["info"],
        "host": parts.netloc,
        "basePath": parts.path or "/",
        "schemes": [parts.scheme],
        "consumes": [JSON],
        "produces": [JSON],
        "paths": paths,
        "definitions": definitions,
        "securityDefinitions": {KEY: {"type": "apiKey", "in": "header", "name": "Authorization", "description": KEY_HELP}},
        "security": [{KEY: []}],
    }


def _operation(each: Fitting, plain: Plain, named: Mapping[str, Any], listed: set[str]) -> dict[str, Any]:
    native = each.operation
    made: dict[str, Any] = {
        "operationId": native["operationId"],
        "summary": native["summary"],
        "description": words(native["description"]),
        "security": [{KEY: []}],
    }
    given = [_parameter(one, plain, listed) for one in parameters(native)]
    if (body := body_of(native)) is not None:
        given.append({"name": "body", "in": "body", "required": True, "schema": plain.schema(body), "x-ms-summary": "Body"})
        made["consumes"] = [JSON]
    made["produces"] = [JSON]
    made["parameters"] = given
    made["responses"] = {
        status: {"description": words(said["description"]), "schema": plain.schema(schema_of(said))}
        for status, said in responses(native).items()
    }
    if _has_pages(native, named):
        made["x-ms-pageable"] = {"nextLinkName": NEXT}
    if _callback(each) is not None:
        made["x-ms-trigger"] = "single"
    return made


def _parameter(native: Mapping[str, Any], plain: Plain, listed: set[str]) -> dict[str, Any]:
    """A parameter of Swagger is its own schema."""
    made = {"name": native["name"], "in": native["in"], "required": native["required"], **plain.schema(native["schema"])}
    if made.get("type") == "array":
        made["collectionFormat"] = "multi"
    return made | {"x-ms-summary": title(native["name"])} | _marks(native["schema"], listed)


def _has_pages(native: Mapping[str, Any], named: Mapping[str, Any]) -> bool:
    found = success(native)
    assert found is not None  # it fits
    name = str(schema_of(found[1]).get("$ref", "")).removeprefix(NATIVE_PREFIX)
    return NEXT in named.get(name, {}).get("properties", {}) and any(one["name"] == "before" for one in native.get("parameters", ()))


# --- words and marks --------------------------------------------------------------------------------------------------


def title(name: str) -> str:
    """The name of a parameter or property as a title: ``sessionId`` → ``Session ID``."""
    return " ".join(_CAPITALS.get(word.lower(), word.capitalize()) for word in _WORD.findall(name))


def _name_properties(made: dict[str, Any], native: Mapping[str, Any], listed: set[str]) -> None:
    """Give each property its title and marks; one that refers to another schema can have nothing beside the reference."""
    for name, schema in made.get("properties", {}).items():
        if "$ref" not in schema:
            schema["x-ms-summary"] = title(name)
            schema |= _marks(native["properties"][name], listed)


def _marks(native: Mapping[str, Any], listed: set[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"x-ms-visibility": "advanced"} if native.get(RARE) else {}
    choices = native.get(CHOICES)
    if choices and choices["operation"] in listed:
        made["x-ms-dynamic-values"] = {
            "operationId": choices["operation"],
            "value-collection": "items",
            "value-path": choices["value"],
            "value-title": choices["title"],
            **({"parameters": {name: {"parameter": beside} for name, beside in choices["given"].items()}} if choices["given"] else {}),
        }
    return made


# --- triggers ---------------------------------------------------------------------------------------------------------


def _callback(each: Fitting) -> tuple[str, Mapping[str, Any]] | None:
    """Under which name the body has the address that is called, and what is told there; None when nobody is called."""
    for callback in each.operation.get("callbacks", {}).values():
        for address, methods in callback.items():
            if found := _CALLED_AT.fullmatch(address):
                return found[1], schema_of(methods["post"]["requestBody"])
    return None


def _told(each: Fitting, plain: Plain) -> dict[str, Any]:
    """What a trigger's path says of the calls that follow."""
    found = _callback(each)
    return {"x-ms-notification-content": {"description": "What happened.", "schema": plain.schema(found[1])}} if found else {}


def _internal_addresses(each: Fitting, definitions: dict[str, Any]) -> None:
    """The address of a trigger is filled in by the platform, not by a person."""
    found, body = _callback(each), body_of(each.operation)
    if found is None or body is None:
        return
    address = definitions[body["$ref"].removeprefix(NATIVE_PREFIX)]["properties"][found[0]]
    address |= {"x-ms-notification-url": True, "x-ms-visibility": "internal"}
