"""One shape for everything that goes wrong: problem details with the host's code, on every path."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from sqlalchemy.exc import OperationalError, TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from jumpseat.api.models.common import Answer, Maybe
from jumpseat.errors import InvalidValue, JumpseatError, NotFound, StoreUnreachable, UsageError
from jumpseat.hooks.trace import correlation_id

log = logging.getLogger(__name__)
RETRY_SECONDS = 5
"""When to try again while the database is away."""
MEDIA_TYPE = "application/problem+json"


class Problem(Answer):
    """What went wrong, to what, and what to do (RFC 9457)."""

    code: str = Field(description="Stable name of the kind of problem, such as JS-SESSION-VALID.")
    title: str = Field(description="The kind of problem in words.")
    detail: str = Field(description="What happened, to what, and what to do: a sentence for a person.")
    status: int = Field(description="The HTTP status.")
    param: Maybe[str] = Field(default=None, description="The argument, key or field at fault.")
    correlation_id: str = Field(description="Also stands in the logs and in the plugin trace log.")
    retry_after_seconds: Maybe[int] = Field(default=None, description="When trying again makes sense.")


class MethodNotAllowed(UsageError):
    """The path exists, the method does not."""

    code, title, status = "JS-METHOD", "The method is not allowed here", 405


class BodyTooLarge(UsageError):
    """The body is larger than the host reads."""

    code, title, status = "JS-BODY-SIZE", "The body is too large", 413


class BodyTooSlow(UsageError):
    """The body takes longer to arrive than the host waits."""

    code, title, status = "JS-BODY-TIME", "The body took too long to arrive", 408


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation documents, for FastAPI's ``responses``."""
    return {status: {"model": Problem, "description": _WORDS[status]} for status in sorted(statuses)}


_WORDS = {
    400: "The call is wrong: the body is not JSON.",
    401: "The key is missing, unknown or revoked, or the launch is over.",
    403: "The supporter lacks a right, which the detail names, or the launch is for another record.",
    404: "There is none, or it is not the supporter's to see.",
    408: "The body took too long to arrive.",
    409: "The host understood and says no, or sign-in to the provider is needed.",
    413: "The body is too large.",
    422: "A value is not valid, or not allowed here.",
    429: "A cap on shares is reached; the detail names it.",
    500: "Something went wrong inside the host.",
    502: "A provider or a plugin failed.",
    503: "A provider, a plugin or the database cannot be reached.",
    504: "A provider or a plugin did not answer in time.",
}
SIGNED_IN = (401, 403, 409, 422, 500, 502, 503, 504)
"""Every operation with a sign-in: asking the CRM who the supporter is can fail as well."""
WITH_BODY = (400, 408, 413)


def problem_response(error: JumpseatError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for an error of the host."""
    shown = Problem(
        code=error.code,
        title=error.title,
        detail=error.message,
        status=error.status,
        param=error.param,
        correlation_id=correlation_id(),
        retry_after_seconds=error.retry_after_seconds,
    )
    return Response(
        shown.model_dump_json(by_alias=True, exclude_none=True),
        error.status,
        {**_headers(error), **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def _headers(error: JumpseatError) -> dict[str, str]:
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="jumpseat"'
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    return headers


def internal_error() -> JumpseatError:
    """What a caller learns of an exception that nobody foresaw: nothing of its text."""
    return JumpseatError(
        f"The host failed while working on this call. Its log has the cause under the correlation id {correlation_id()}; "
        "tell it to your administrator."
    )


def install(app: FastAPI, methods_of: Callable[[str], Sequence[str]]) -> None:
    """Answer every kind of error of the app with a problem.

    Args:
        app: the application.
        methods_of: path → the methods that it has; for the header ``Allow``.
    """

    async def known(_: Request, error: Exception) -> Response:
        return problem_response(error) if isinstance(error, JumpseatError) else problem_response(internal_error())

    async def invalid(_: Request, error: Exception) -> Response:
        return problem_response(invalid_call(error.errors() if isinstance(error, RequestValidationError) else ()))

    async def http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        # A plugin's routes are not the app's own: only the answer of its router knows their methods.
        told = (error.headers or {}).get("Allow") if isinstance(error, HTTPException) and request.url.path.startswith("/-/") else None
        return _http_problem(status, request, lambda path: told.split(", ") if told else methods_of(path))

    async def without_store(_: Request, error: Exception) -> Response:
        log.error("database unreachable", extra={"correlation_id": correlation_id(), "cause": type(error).__name__})
        return problem_response(
            StoreUnreachable("The host's database does not answer; try again in a moment.", retry_after_seconds=RETRY_SECONDS)
        )

    app.add_exception_handler(JumpseatError, known)
    app.add_exception_handler(OperationalError, without_store)
    app.add_exception_handler(PoolTimeout, without_store)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _http_problem(status: int, request: Request, methods_of: Callable[[str], Sequence[str]]) -> Response:
    path = request.url.path[:100]
    if status == 404:
        return problem_response(NotFound(f"There is nothing at '{path}'. /openapi.json lists the operations."))
    if status == 405:
        allowed = ", ".join(methods_of(request.url.path))
        return problem_response(MethodNotAllowed(f"{request.method} is not possible at '{path}'; allowed: {allowed}."), {"Allow": allowed})
    if status == 400:
        return problem_response(UsageError("The body cannot be read as JSON in UTF-8."))
    return problem_response(internal_error())


# --- validation -------------------------------------------------------------------------------------------------------


def invalid_call(errors: Sequence[Mapping[str, Any]]) -> JumpseatError:
    """The first thing that is wrong with a call, in words, and how many more there are; never what the caller sent."""
    # What may be left out is a type or nothing to pydantic, which reports both; a caller cannot send "nothing".
    first, *others = [error for error in errors if error["type"] != "none_required"] or errors
    if first["type"] == "json_invalid":
        return UsageError(f"The body is not JSON: {first['ctx']['error']} at character {first['loc'][-1]}.")
    more = f" There {'is 1 more problem' if len(others) == 1 else f'are {len(others)} more problems'} in this call." if others else ""
    return InvalidValue(_sentence(first) + more, param=_param(first["loc"]))


def _sentence(error: Mapping[str, Any]) -> str:
    param = _param(error["loc"])
    if param == "body":
        return "The body has to be a JSON object, sent with the header 'Content-Type: application/json'."
    if error["type"] == "missing":
        return f"'{param}' is missing."
    if error["type"] == "extra_forbidden":
        return f"There is no key '{param}' here."
    if error["input"] is None:
        return f"'{param}' is null; leave it out instead."
    if error["type"].startswith("datetime_"):
        return f"'{param}' is not a time: write it like 2026-03-28T12:00:00Z, and a '+' in an address as '%2B'."
    if error["type"] == "too_long" and isinstance(error["input"], str):
        return f"'{param}' is longer than {error['ctx']['max_length']} characters."
    return f"'{param}' is not valid: {_small(str(error['msg']))}."


def _small(text: str) -> str:
    text = text.removeprefix("Value error, ").rstrip(".")
    return text[:1].lower() + text[1:]


def _param(place: Iterable[Any]) -> str:
    """``("body", "shares", 0, "channel")`` → ``shares.0.channel``, ``("query", "kinds", 0)`` → ``kinds.0``."""
    where, *path = place
    if where != "body":
        # Behind the name of a parameter stand the places in a list, and names of pydantic's own for the type that was tried.
        path = path[:1] + [part for part in path[1:] if isinstance(part, int)]
    return ".".join(str(part)[:80] for part in path) or str(where)
