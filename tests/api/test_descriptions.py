"""The descriptions for low-code tools: each of their rules, held to every operation and schema there is, and the public validators.

A rule is data: what it is about, and the JSON Schema that each such thing has to satisfy. ``breaks`` is such a thing that it refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from api_kit import Api
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from jumpseat.api.app import native_document
from jumpseat.api.descriptions import DIALECTS, external_services, left_out, power_platform
from jumpseat.api.descriptions.power_platform import title

SERVER = "https://support.example.com/jumpseat"
SALESFORCE, MICROSOFT = "external-services", "power-platform"
BOTH = (SALESFORCE, MICROSOFT)
METHODS = {"get", "post", "put", "patch", "delete"}
PROBLEM = {"enum": ["#/components/schemas/Problem", "#/definitions/Problem"]}


@dataclass(frozen=True)
class Rule:
    """One rule of a tool."""

    says: str
    about: str
    holds: dict[str, Any]
    breaks: Any
    dialects: tuple[str, ...] = BOTH


RULES = (
    # the document
    Rule("OpenAPI 3.0.3, not 3.1", "document", {"properties": {"openapi": {"const": "3.0.3"}}}, {"openapi": "3.1.0"}, (SALESFORCE,)),
    Rule(
        "Swagger 2.0 with host, schemes, consumes and produces",
        "document",
        {"properties": {"swagger": {"const": "2.0"}}, "required": ["swagger", "host", "schemes", "consumes", "produces"]},
        {"swagger": "2.0"},
        (MICROSOFT,),
    ),
    Rule("less than 1 MB", "size", {"exclusiveMaximum": 1_000_000}, 1_000_000, (MICROSOFT,)),
    Rule("less than 10 million characters", "size", {"exclusiveMaximum": 10_000_000}, 10_000_000, (SALESFORCE,)),
    Rule("at most 256 operations", "operation ids", {"maxItems": 256}, [str(number) for number in range(257)], (MICROSOFT,)),
    Rule("at most 512 schemas", "schema names", {"maxItems": 512}, [str(number) for number in range(513)], (MICROSOFT,)),
    Rule("descriptions are shorter than 1333 characters", "description", {"maxLength": 1332}, "x" * 1333),
    Rule("descriptions are one line", "description", {"pattern": r"^[^\n]+$"}, "one\ntwo"),
    Rule("nothing of one tool's words", "key", {"not": {"pattern": "^x-"}}, "x-ms-summary", (SALESFORCE,)),
    Rule("no marks of the native description", "key", {"not": {"pattern": "^x-jumpseat"}}, "x-jumpseat-rare"),
    # operations
    Rule("operation ids are unique, whatever their capitals", "operation ids", {"uniqueItems": True}, ["a", "a"]),
    Rule(
        "operation ids are letters and digits, in camelCase, at most 60",
        "operation",
        {"properties": {"operationId": {"pattern": "^[a-z][A-Za-z0-9]{0,59}$"}}, "required": ["operationId"]},
        {"operationId": "list-objects"},
    ),
    Rule(
        "a summary in sentence case of at most 80 characters, without a full stop",
        "operation",
        {"properties": {"summary": {"pattern": "^[A-Z][^A-Z.]{0,79}$"}}, "required": ["summary"]},
        {"summary": "List Supported Objects"},
    ),
    Rule(
        "a description that ends like a sentence",
        "operation",
        {"properties": {"description": {"pattern": r"\.$"}}, "required": ["description"]},
        {"description": "List objects"},
    ),
    Rule(
        "only methods that both tools call",
        "operation",
        {"properties": {"method": {"enum": ["get", "post", "put", "patch", "delete"]}}},
        {"method": "head"},
    ),
    Rule(
        "no body on GET",
        "operation",
        {
            "if": {"properties": {"method": {"const": "get"}}},
            "then": {
                "not": {"required": ["requestBody"]},
                "properties": {"parameters": {"not": {"contains": {"properties": {"in": {"const": "body"}}, "required": ["in"]}}}},
            },
        },
        {"method": "get", "parameters": [{"in": "body"}]},
    ),
    Rule("one success", "success", {"minItems": 1, "maxItems": 1}, ["200", "201"]),
    Rule("the success has a named schema", "success schema", {"required": ["$ref"]}, {"type": "object"}),
    Rule(
        "every failure is the one flat error", "failure schema", {"properties": {"$ref": PROBLEM}, "required": ["$ref"]}, {"type": "object"}
    ),
    Rule("no response headers", "response", {"not": {"required": ["headers"]}}, {"headers": {}}),
    Rule("every response says what it means", "response", {"required": ["description"]}, {}),
    Rule("JSON only", "media type", {"const": "application/json"}, "application/problem+json"),
    Rule(
        "consumes is said where there is a body",
        "operation",
        {
            "if": {"properties": {"parameters": {"contains": {"properties": {"in": {"const": "body"}}}}}},
            "then": {"required": ["consumes"]},
        },
        {"parameters": [{"in": "body"}]},
        (MICROSOFT,),
    ),
    Rule(
        "long lists name the link of the next page",
        "operation",
        {"properties": {"x-ms-pageable": {"properties": {"nextLinkName": {"const": "nextLink"}}, "required": ["nextLinkName"]}}},
        {"x-ms-pageable": {"nextLinkName": "next"}},
        (MICROSOFT,),
    ),
    # paths and parameters
    Rule("no '*', '?' or '#' in paths", "path", {"pattern": "^[^*?#]+$"}, "/v1/objects?x"),
    Rule("no two paths that cannot be told apart", "paths without names", {"uniqueItems": True}, ["/v1/{}", "/v1/{}"]),
    Rule(
        "no parameter is called connectionId",
        "parameter",
        {"properties": {"name": {"not": {"pattern": "^(?i:connectionid)$"}}}},
        {"name": "connectionId"},
    ),
    Rule("names of parameters are ASCII", "parameter", {"properties": {"name": {"pattern": "^[A-Za-z][A-Za-z0-9-]*$"}}}, {"name": "né"}),
    Rule(
        "parameters are in path, query, header or body", "parameter", {"properties": {"in": {"not": {"const": "cookie"}}}}, {"in": "cookie"}
    ),
    Rule(
        "parameters have one plain type",
        "parameter",
        {
            "if": {"properties": {"in": {"not": {"const": "body"}}}},
            "then": {"properties": {"type": {"type": "string"}}, "required": ["type"]},
        },
        {"in": "query", "schema": {}},
        (MICROSOFT,),
    ),
    Rule(
        "a body is one parameter with a named schema",
        "parameter",
        {
            "if": {"properties": {"in": {"const": "body"}}},
            "then": {"properties": {"name": {"const": "body"}, "schema": {"required": ["$ref"]}}, "required": ["name", "schema"]},
        },
        {"in": "body", "name": "body", "schema": {"type": "object"}},
        (MICROSOFT,),
    ),
    Rule(
        "parameters have a title in title case",
        "parameter",
        {"properties": {"x-ms-summary": {"pattern": "^[A-Z][A-Za-z]*( [A-Z][A-Za-z0-9]*)*$"}}, "required": ["x-ms-summary"]},
        {"x-ms-summary": "Session id"},
        (MICROSOFT,),
    ),
    # schemas
    Rule("schema names are Apex identifiers", "schema name", {"pattern": "^[A-Za-z](_?[A-Za-z0-9])*$", "maxLength": 80}, "Body__x"),
    Rule("schema names differ in more than capitals", "schema names", {"uniqueItems": True}, ["case", "case"]),
    Rule("properties differ in more than capitals", "property names", {"uniqueItems": True}, ["id", "id"]),
    Rule("properties are camelCase identifiers", "property name", {"pattern": "^[a-z][A-Za-z0-9]*$"}, "session_id"),
    Rule(
        "no choice of several schemas",
        "schema",
        {"not": {"anyOf": [{"required": ["oneOf"]}, {"required": ["anyOf"]}, {"required": ["not"]}, {"required": ["discriminator"]}]}},
        {"anyOf": []},
    ),
    Rule(
        "one type each, never null",
        "schema",
        {"properties": {"type": {"type": "string", "not": {"const": "null"}}}},
        {"type": ["string", "null"]},
    ),
    Rule(
        "optional is absent, not null",
        "schema",
        {"not": {"anyOf": [{"required": ["nullable"]}, {"required": ["x-nullable"]}]}},
        {"nullable": True},
    ),
    Rule(
        "lists are of names or of plain values",
        "schema",
        {"properties": {"items": {"properties": {"type": {"enum": ["string", "integer", "number", "boolean"]}}}}},
        {"items": {"type": "array", "items": {}}},
    ),
    Rule(
        "an object inside another has a name",
        "property",
        {"not": {"properties": {"type": {"const": "object"}}, "required": ["type"]}},
        {"type": "object"},
    ),
    Rule("no free-form maps", "schema", {"not": {"required": ["additionalProperties"]}}, {"additionalProperties": True}),
    Rule("enums are words", "schema", {"properties": {"enum": {"items": {"type": "string"}}, "const": False}}, {"enum": [1]}),
    Rule(
        "numbers say how large they get",
        "schema",
        {"if": {"properties": {"type": {"enum": ["integer", "number"]}}, "required": ["type"]}, "then": {"required": ["format"]}},
        {"type": "integer"},
    ),
    Rule(
        "nothing stands beside a reference",
        "schema",
        {"if": {"required": ["$ref"]}, "then": {"maxProperties": 1}},
        {"$ref": "x", "title": "y"},
    ),
    Rule("defaults are plain values", "schema", {"properties": {"default": {"type": ["string", "number", "boolean"]}}}, {"default": []}),
    Rule(
        "properties have a title in title case",
        "property",
        {
            "anyOf": [
                {"required": ["$ref"]},
                {"properties": {"x-ms-summary": {"pattern": "^[A-Z][A-Za-z]*( [A-Z][A-Za-z0-9]*)*$"}}, "required": ["x-ms-summary"]},
            ]
        },
        {"type": "string", "x-ms-summary": "a title"},
        (MICROSOFT,),
    ),
    Rule(
        "visibility is one of three words",
        "key value x-ms-visibility",
        {"enum": ["important", "advanced", "internal"]},
        "rare",
        (MICROSOFT,),
    ),
    Rule(
        "drop-downs name an operation, and the keys of its items",
        "key value x-ms-dynamic-values",
        {"properties": {"operationId": {"pattern": "^list"}}, "required": ["operationId", "value-collection", "value-path", "value-title"]},
        {"operationId": "getOffer"},
        (MICROSOFT,),
    ),
)


# --- what the rules are about -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dialect:
    """A description, taken apart."""

    document: dict[str, Any]

    def things(self, about: str) -> Iterator[tuple[str, Any]]:
        """Everything that a rule is about, with its place."""
        if about.startswith("key value "):
            wanted = about.removeprefix("key value ")
            return ((place, node[wanted]) for place, node in walk(self.document) if wanted in node)
        found: Callable[[], Iterator[tuple[str, Any]]] = getattr(self, f"_{about.replace(' ', '_')}")
        return found()

    def _document(self) -> Iterator[tuple[str, Any]]:
        yield "", self.document

    def _size(self) -> Iterator[tuple[str, Any]]:
        yield "", len(json.dumps(self.document, indent=2))

    def _key(self) -> Iterator[tuple[str, Any]]:
        yield from ((place, key) for place, node in walk(self.document) for key in node)

    def _description(self) -> Iterator[tuple[str, Any]]:
        yield from ((place, node["description"]) for place, node in walk(self.document) if isinstance(node.get("description"), str))

    def _path(self) -> Iterator[tuple[str, Any]]:
        yield from ((path, path) for path in self.document["paths"])

    def _paths_without_names(self) -> Iterator[tuple[str, Any]]:
        yield "", [re.sub(r"{\w+}", "{}", path) for path in self.document["paths"]]

    def _operation(self) -> Iterator[tuple[str, Any]]:
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if not method.startswith("x-"):
                    yield f"{method.upper()} {path}", {"method": method, **operation}

    def _operation_ids(self) -> Iterator[tuple[str, Any]]:
        yield "", [operation["operationId"].lower() for _, operation in self._operation()]

    def _parameter(self) -> Iterator[tuple[str, Any]]:
        yield from ((call, one) for call, operation in self._operation() for one in operation.get("parameters", ()))

    def _success(self) -> Iterator[tuple[str, Any]]:
        yield from ((call, [status for status in operation["responses"] if status < "400"]) for call, operation in self._operation())

    def _response(self) -> Iterator[tuple[str, Any]]:
        for call, operation in self._operation():
            yield from ((f"{call} {status}", response) for status, response in operation["responses"].items())

    def _success_schema(self) -> Iterator[tuple[str, Any]]:
        yield from ((place, schema_of(response)) for place, response in self._response() if place.split()[-1] < "400")

    def _failure_schema(self) -> Iterator[tuple[str, Any]]:
        yield from ((place, schema_of(response)) for place, response in self._response() if place.split()[-1] >= "400")

    def _media_type(self) -> Iterator[tuple[str, Any]]:
        for place, node in walk(self.document):
            for key in ("consumes", "produces", "content"):
                yield from ((place, kind) for kind in node.get(key, ()))

    @property
    def schemas(self) -> dict[str, Any]:
        return self.document["definitions"] if "definitions" in self.document else self.document["components"]["schemas"]

    def _schema_name(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, name) for name in self.schemas)

    def _schema_names(self) -> Iterator[tuple[str, Any]]:
        yield "", [name.lower() for name in self.schemas]

    def _schema(self) -> Iterator[tuple[str, Any]]:
        for name, schema in self.schemas.items():
            yield from nested(schema, name)
        for call, parameter in self._parameter():
            yield f"{call} {parameter['name']}", parameter.get("schema", parameter)
        yield from self._success_schema()

    def _property(self) -> Iterator[tuple[str, Any]]:
        for name, schema in self.schemas.items():
            yield from ((f"{name}.{key}", inner) for key, inner in schema.get("properties", {}).items())

    def _property_name(self) -> Iterator[tuple[str, Any]]:
        yield from ((place, place.partition(".")[2]) for place, _ in self._property())

    def _property_names(self) -> Iterator[tuple[str, Any]]:
        yield from ((name, [key.lower() for key in schema.get("properties", {})]) for name, schema in self.schemas.items())


def schema_of(response: dict[str, Any]) -> dict[str, Any]:
    return response["schema"] if "schema" in response else response["content"]["application/json"]["schema"]


def walk(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of a document with its place."""
    if isinstance(node, dict):
        yield place, node
        for key, inner in node.items():
            yield from walk(inner, f"{place}/{key}")
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from walk(inner, f"{place}/{number}")


def nested(schema: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and those inside of it."""
    yield place, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nested(inner, f"{place}.{name}")
    if "items" in schema:
        yield from nested(schema["items"], f"{place}[]")


@pytest.fixture(scope="module")
def native() -> dict[str, Any]:
    return native_document()


@pytest.fixture(scope="module")
def dialects(native: dict[str, Any]) -> dict[str, Dialect]:
    return {name: Dialect(DIALECTS[name](native, SERVER)) for name in BOTH}


# --- the rules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "name"), [pytest.param(rule, name, id=f"{name}: {rule.says}") for rule in RULES for name in rule.dialects]
)
def test_every_rule_of_a_tool_holds_everywhere(rule: Rule, name: str, dialects: dict[str, Dialect]) -> None:
    check = Draft202012Validator(rule.holds)
    things = list(dialects[name].things(rule.about))

    assert things
    assert [f"{place}: {thing}"[:300] for place, thing in things if not check.is_valid(thing)] == []


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.says) for rule in RULES])
def test_every_rule_can_be_broken(rule: Rule) -> None:
    Draft202012Validator.check_schema(rule.holds)

    assert not Draft202012Validator(rule.holds).is_valid(rule.breaks)


@pytest.mark.parametrize(
    ("name", "validator"),
    [("native", OpenAPIV31SpecValidator), (SALESFORCE, OpenAPIV30SpecValidator), (MICROSOFT, OpenAPIV2SpecValidator)],
)
def test_every_description_is_valid(name: str, validator: Any, native: dict[str, Any]) -> None:
    validator(DIALECTS[name](native, SERVER)).validate()


def test_every_schema_is_used_and_every_reference_leads_somewhere(dialects: dict[str, Dialect]) -> None:
    for dialect in dialects.values():
        used = {node["$ref"].rpartition("/")[2] for _, node in walk(dialect.document) if isinstance(node.get("$ref"), str)}
        assert used == set(dialect.schemas)


def test_what_is_left_out_is_left_out_for_a_reason(native: dict[str, Any], dialects: dict[str, Dialect]) -> None:
    missing = left_out(native)
    every = {operation["operationId"] for methods in native["paths"].values() for operation in methods.values()}

    assert missing["streamEvents"] == "its answer is not JSON"
    assert set(missing.values()) <= {
        "its answer is not JSON",
        "it asks for no sign-in, so it is there for browsers and for whatever watches the host",
    }
    for dialect in dialects.values():
        assert {operation["operationId"] for _, operation in dialect.things("operation")} == every - set(missing)


def test_what_shapes_another_answer_than_json_is_left_out(native: dict[str, Any], dialects: dict[str, Dialect]) -> None:
    there = {one["name"] for one in native["paths"]["/v1/connections"]["get"]["parameters"]}

    for dialect in dialects.values():
        assert there - {one["name"] for one in dialect.document["paths"]["/v1/connections"]["get"]["parameters"]} == {
            "format",
            "header",
            "bom",
        }


# --- Power Platform's own words ---------------------------------------------------------------------------------------


def test_drop_downs_lead_to_operations_that_answer_what_they_name(dialects: dict[str, Dialect]) -> None:
    dialect = dialects[MICROSOFT]
    operations = {operation["operationId"]: operation for _, operation in dialect.things("operation")}
    asked = set()
    for place, choices in dialect.things("key value x-ms-dynamic-values"):
        operation = operations[choices["operationId"]]
        answer = dialect.schemas[operation["responses"]["200"]["schema"]["$ref"].rpartition("/")[2]]
        item = dialect.schemas[answer["properties"]["items"]["items"]["$ref"].rpartition("/")[2]]
        assert {choices["value-path"], choices["value-title"]} <= set(item["properties"]), place
        required = {one["name"] for one in operation["parameters"] if one["required"]}
        known = {one["name"] for one in operation["parameters"]}
        assert required <= set(choices.get("parameters", {})) <= known, place
        asked.add(choices["operationId"])
    assert asked >= {"listSessionTypes", "listShareChannels", "listTemplates", "listContacts", "listObjects"}


def test_a_drop_down_takes_its_parameters_from_the_call_it_stands_in(dialects: dict[str, Dialect]) -> None:
    dialect = dialects[MICROSOFT]
    contact = dialect.schemas["ShareRequest"]["properties"]["contactId"]["x-ms-dynamic-values"]

    assert contact["parameters"] == {"sessionId": {"parameter": "sessionId"}}
    for path in ("/v1/sessions/{sessionId}/shares", "/v1/sessions/{sessionId}/shares/preview"):
        assert "sessionId" in {one["name"] for one in dialect.document["paths"][path]["post"]["parameters"]}


def test_creating_a_webhook_is_a_trigger_that_says_what_it_tells(dialects: dict[str, Dialect]) -> None:
    dialect = dialects[MICROSOFT]
    path = dialect.document["paths"]["/v1/webhooks"]

    assert path["post"]["x-ms-trigger"] == "single"
    assert path["x-ms-notification-content"]["schema"] == {"$ref": "#/definitions/Told"}
    url = dialect.schemas["CreateWebhook"]["properties"]["url"]
    assert (url["x-ms-notification-url"], url["x-ms-visibility"]) == (True, "internal")
    assert [place for place, _ in dialect.things("key value x-ms-trigger")] == ["/paths//v1/webhooks/post"]


def test_pages_are_followed_where_there_is_a_cursor(dialects: dict[str, Dialect]) -> None:
    paged = {place for place, operation in dialects[MICROSOFT].things("operation") if "x-ms-pageable" in operation}

    assert {"GET /v1/sessions", "GET /v1/connections", "GET /v1/trace"} <= paged
    assert not {"GET /v1/plugins", "GET /v1/session-types"} & paged


def test_what_is_rarely_needed_is_tucked_away(dialects: dict[str, Dialect]) -> None:
    rare = {parameter["name"] for _, parameter in dialects[MICROSOFT].things("parameter") if parameter.get("x-ms-visibility") == "advanced"}

    assert rare == {"Idempotency-Key", "before", "limit", "source"}


def test_the_key_goes_into_one_header(dialects: dict[str, Dialect]) -> None:
    (scheme,) = dialects[MICROSOFT].document["securityDefinitions"].values()

    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "Authorization")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("sessionId", "Session ID"),
        ("url", "URL"),
        ("Idempotency-Key", "Idempotency Key"),
        ("emailOptOut", "Email Opt Out"),
        ("durationMs", "Duration Ms"),
    ],
)
def test_names_become_titles(name: str, shown: str) -> None:
    assert title(name) == shown


# --- what a later operation may bring ---------------------------------------------------------------------------------


def with_field(native: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    """The native document with one more field of a device."""
    schemas = native["components"]["schemas"]
    device = {**schemas["Device"], "properties": {**schemas["Device"]["properties"], "extra": field}}
    return {**native, "components": {**native["components"], "schemas": {**schemas, "Device": device}}}


@pytest.mark.parametrize(
    ("field", "in_30", "in_2"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}, {"type": "string", "x-nullable": True}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer", "format": "int64", "nullable": True}, None),
        ({"allOf": [{"$ref": "#/components/schemas/JobRun"}], "description": "x"}, {"$ref": "#/components/schemas/JobRun"}, None),
        ({"$ref": "#/components/schemas/JobRun", "description": "x"}, {"$ref": "#/components/schemas/JobRun"}, None),
        ({"const": "one", "type": "string"}, {"type": "string", "enum": ["one"]}, None),
        ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "format": "double", "minimum": 0, "exclusiveMinimum": True}, None),
        ({"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 9, "format": "int32"}, None),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
            None,
        ),
    ],
)
def test_words_of_3_1_are_translated(
    native: dict[str, Any], field: dict[str, Any], in_30: dict[str, Any], in_2: dict[str, Any] | None
) -> None:
    document = with_field(native, field)

    made = external_services(document, SERVER)["components"]["schemas"]["Device"]["properties"]["extra"]
    swagger = power_platform(document, SERVER)["definitions"]["Device"]["properties"]["extra"]
    swagger.pop("x-ms-summary", None)

    assert made == in_30
    assert swagger == (
        in_2 or json.loads(json.dumps(in_30).replace("#/components/schemas/", "#/definitions/").replace('"nullable"', '"x-nullable"'))
    )


# --- where they are served --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "name"), [("/openapi-3.0.json", SALESFORCE), ("/swagger-2.0.json", MICROSOFT)])
def test_a_running_host_serves_them_with_its_own_address(shared_api: Api, native: dict[str, Any], path: str, name: str) -> None:
    answer = Api(shared_api.base).get(path)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == DIALECTS[name](native, "http://127.0.0.1:8400")


def test_an_address_with_a_path_is_taken_apart(dialects: dict[str, Dialect]) -> None:
    document = dialects[MICROSOFT].document

    assert (document["schemes"], document["host"], document["basePath"]) == (["https"], "support.example.com", "/jumpseat")
    assert dialects[SALESFORCE].document["servers"] == [{"url": SERVER}]
