"""Which operations a low-code tool can use at all, and what of them it is told; by rules, never by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jumpseat.api.models.marks import FORM

JSON = "application/json"
METHODS = ("get", "post", "put", "patch", "delete")
"""Those that External Services calls."""
_NEVER_IN_PATHS = frozenset("*?#")


class Fitting(NamedTuple):
    """One operation that fits."""

    path: str
    method: str
    operation: Mapping[str, Any]


def fitting(document: Mapping[str, Any]) -> Iterator[Fitting]:
    """The operations of the native document that fit, in its order."""
    for each in _every(document):
        if not unfit(each):
            yield each


def left_out(document: Mapping[str, Any]) -> dict[str, str]:
    """Operation ids of the others, each with why it does not fit."""
    return {each.operation["operationId"]: why for each in _every(document) if (why := unfit(each))}


def _every(document: Mapping[str, Any]) -> Iterator[Fitting]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Fitting(path, method, operation)


def unfit(each: Fitting) -> str:
    """Why an operation does not fit; empty when it does."""
    if not each.operation.get("security"):
        return "it asks for no sign-in, so it is there for browsers and for whatever watches the host"
    if success(each.operation) is None:
        return "its answer is not JSON"
    if each.method not in METHODS or (each.method == "get" and "requestBody" in each.operation):
        return "it is called in a way that these tools do not know"
    if _NEVER_IN_PATHS & set(each.path):
        return "its path holds a character that these tools do not take"
    return ""


def success(operation: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Status and response of the one success; None when it is not JSON."""
    for status, response in operation["responses"].items():
        if status.startswith("2") and JSON in response.get("content", {}):
            return status, response
    return None


def schema_of(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a response, also of a problem: a JSON document whatever its media type is called."""
    content = response["content"]
    chosen: Mapping[str, Any] = content[JSON] if JSON in content else next(iter(content.values()))
    return chosen["schema"]  # type: ignore[no-any-return]  # of the native document


def responses(operation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The one success and every failure of an operation that fits, by status."""
    found = success(operation)
    assert found is not None  # it fits
    status, response = found
    return {status: response, **{other: said for other, said in operation["responses"].items() if other >= "400"}}


def parameters(operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The parameters, without those that shape an answer that is not JSON."""
    return (one for one in operation.get("parameters", ()) if not one["schema"].get(FORM))


def body_of(operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of the body; None for a call without one."""
    body = operation.get("requestBody")
    return schema_of(body) if body else None


def words(text: str) -> str:
    """A description on one line: its line breaks are those of the source."""
    return " ".join(text.split())
