"""OpenAPI 3.0.3 as Salesforce External Services reads it: Apex and Flow call the host by it, and the Named Credential signs in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumpseat.api.descriptions.fitting import JSON, Fitting, body_of, fitting, parameters, responses, schema_of, words
from jumpseat.api.descriptions.schemas import NATIVE_PREFIX, Plain

VERSION = "3.0.3"


def external_services(document: Mapping[str, Any], server: str) -> dict[str, Any]:
    """The description for External Services.

    Args:
        document: the native document.
        server: address of the host, without a slash at the end.
    """
    plain = Plain(document["components"]["schemas"], NATIVE_PREFIX, "nullable")
    paths: dict[str, dict[str, Any]] = {}
    for each in fitting(document):
        paths.setdefault(each.path, {})[each.method] = _operation(each, plain)
    return {
        "openapi": VERSION,
        "info": document["info"],
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": plain.reachable([paths]), "securitySchemes": document["components"]["securitySchemes"]},
    }


def _operation(each: Fitting, plain: Plain) -> dict[str, Any]:
    native = each.operation
    made: dict[str, Any] = {
        "operationId": native["operationId"],
        "summary": native["summary"],
        "description": words(native["description"]),
        "security": native["security"],
    }
    if given := [_parameter(one, plain) for one in parameters(native)]:
        made["parameters"] = given
    if (body := body_of(native)) is not None:
        made["requestBody"] = {"required": native["requestBody"].get("required", False), "content": {JSON: {"schema": plain.schema(body)}}}
    made["responses"] = {
        status: {"description": words(said["description"]), "content": {JSON: {"schema": plain.schema(schema_of(said))}}}
        for status, said in responses(native).items()
    }
    return made


def _parameter(native: Mapping[str, Any], plain: Plain) -> dict[str, Any]:
    schema = plain.schema(native["schema"])
    described = schema.pop("description", "")
    made = {"name": native["name"], "in": native["in"], "required": native["required"], "schema": schema}
    return made | ({"description": described} if described else {})
