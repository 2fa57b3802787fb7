"""The published OpenAPI document: what FastAPI writes, brought to one dialect that low-code tools understand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from jumpseat import __version__
from jumpseat.api.problems import MEDIA_TYPE

DESCRIPTION = (
    "Remote-support sessions for any CRM record. Every error is a Problem; every list has items and, where there is more, nextLink."
)
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application; made once, as the routes do not change."""
    if app.openapi_schema is None:
        made = get_openapi(title="Jumpseat", version=__version__, description=DESCRIPTION, routes=app.routes)
        for operations in made["paths"].values():
            for operation in operations.values():
                _problems_as_problems(operation["responses"])
                _only_what_is_called(operation.get("callbacks", {}))
                _by_the_words_of_json_schema(operation.get("parameters", ()))
        for name in _FASTAPIS_OWN:
            made["components"]["schemas"].pop(name, None)
        _without_titles(made["components"]["schemas"])
        app.openapi_schema = made
    return app.openapi_schema


def _problems_as_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status >= "400" and "content" in response:
            (content,) = response["content"].values()
            response["content"] = {MEDIA_TYPE: content}


def _without_titles(schemas: dict[str, Any]) -> None:
    """Titles that FastAPI derives from names say nothing that the names do not."""
    for schema in schemas.values():
        schema.pop("title", None)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


def _only_what_is_called(callbacks: dict[str, Any]) -> None:
    """FastAPI describes a refusal for everything with a body; what a receiver answers is its own."""
    for callback in callbacks.values():
        for methods in callback.values():
            for operation in methods.values():
                operation["responses"] = {status: said for status, said in operation["responses"].items() if status < "300"}


_BOUNDS = {"ge": "minimum", "le": "maximum"}


def _by_the_words_of_json_schema(parameters: Sequence[dict[str, Any]]) -> None:
    """Bounds of a number that may be left out come under pydantic's own names, which nobody else knows."""
    for parameter in parameters:
        parameter["schema"] = {_BOUNDS.get(key, key): value for key, value in parameter["schema"].items() if key != "title"}
