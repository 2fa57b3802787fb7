"""The way of an API call: block, token, limits, faults, scope, function; and the form of an error answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from jumpseat_teamviewer.emulator import account, reports, sessions
from jumpseat_teamviewer.emulator.calls import Answer, Call, Function
from jumpseat_teamviewer.emulator.model import ERROR_CODES, ApiError, Token, invalid
from jumpseat_teamviewer.emulator.oauth import SignIn
from jumpseat_teamviewer.emulator.state import State, new_token

FUNCTIONS = (*sessions.FUNCTIONS, *reports.FUNCTIONS, *account.FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived, without HTTP around it."""

    method: str
    path: str
    """Behind ``/api/v1/``."""
    query: Mapping[str, str]
    authorization: str
    content_type: str
    body: bytes

    @property
    def token(self) -> str | None:
        """The bearer token, if there is one."""
        kind, _, text = self.authorization.partition(" ")
        return text.strip() or None if kind.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Written:
    """What goes back."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    drop: bool = False
    """Lose the connection instead of answering."""


def answer(state: State, sign_in: SignIn, request: Request) -> Written:
    """Answer one call; the caller holds no lock."""
    with state.lock:
        try:
            found = _dispatch(state, sign_in, request)
            return _success(state, request, found)
        except ApiError as error:
            return _failure(state, error)


def _dispatch(state: State, sign_in: SignIn, request: Request) -> Answer:
    if state.knobs.blocked:
        raise ApiError(403, "blocked", "Your IP address is blocked.")
    path = request.path.strip("/").lower()
    if path == "ping" and request.method == "GET":
        state.calls.append("ping")
        return Answer({"token_valid": _is_valid(state, request.token)})
    if path == "oauth2/token" and request.method == "POST":
        state.calls.append("token")
        return sign_in.token(_form(request))
    if path == "oauth2/revoke" and request.method == "POST":
        return sign_in.revoke(state.usable_token(request.token))
    return _call(state, request, path)


def _call(state: State, request: Request, path: str) -> Answer:
    function, ids = _function(request.method, path)
    token = state.usable_token(request.token)
    state.calls.append(function.name)
    state.spend(token, function.name)
    if state.knobs.fail_next > 0:
        state.knobs.fail_next -= 1
        raise ApiError(500, "internal_error", "An internal error has occurred.")
    _check_rights(state, token, function)
    body = _json(request) if request.method in {"POST", "PUT"} else {}
    return function.run(Call(state, token, request.query, body, ids))


def _function(method: str, path: str) -> tuple[Function, tuple[str, ...]]:
    for function in FUNCTIONS:
        match = re.fullmatch(function.path, path)
        if match and function.method == method:
            return function, tuple(id for id in match.groups() if id is not None)
    raise ApiError(404, "not_found", "There is no such function.")


def _check_rights(state: State, token: Token, function: Function) -> None:
    if not token.scopes & set(function.scopes):
        raise ApiError(403, "invalid_permission", f"The token lacks the right {' or '.join(function.scopes)}.")
    if token.company and not state.knobs.company_licence:
        raise ApiError(403, "invalid_permission", "Company tokens need a Premium or Corporate licence.")


def _is_valid(state: State, text: str | None) -> bool:
    try:
        return bool(state.usable_token(text))
    except ApiError:
        return False


def _json(request: Request) -> Mapping[str, Any]:
    kind = request.content_type.partition(";")[0].strip().lower()
    if kind not in {"application/json", "text/json", "application/scim+json"}:
        raise invalid("The body has to be JSON.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise invalid("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise invalid("The body has to be an object.")
    return body


def _form(request: Request) -> Mapping[str, str]:
    if "json" in request.content_type:
        return {name: str(value) for name, value in _json(request).items()}
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def _success(state: State, request: Request, found: Answer) -> Written:
    drop = request.method != "GET" and state.knobs.drop_after_effect > 0
    if drop:
        state.knobs.drop_after_effect -= 1
    if found.body is None:
        return Written(204, b"", "", found.headers, drop)
    return Written(200, json.dumps(found.body, ensure_ascii=False).encode(), "application/json", found.headers, drop)


def _failure(state: State, error: ApiError) -> Written:
    if not error.error:
        return Written(error.status, b"", "", error.headers)
    form = "text" if error.plain else state.knobs.error_form
    if form == "json":
        body: dict[str, Any] = {"error": error.error, "error_description": error.description, "error_code": ERROR_CODES[error.error]}
        if error.error == "internal_error":
            body["error_signature"] = int(new_token()[:5])
        return Written(error.status, json.dumps(body).encode(), "application/json", error.headers)
    texts = {
        "text": (error.description, "text/plain"),
        "html": (f"<html><body><h1>{error.status}</h1><p>{escape(error.description)}</p></body></html>", "text/html"),
        "empty": ("", ""),
    }
    text, kind = texts[form]
    return Written(error.status, text.encode(), kind, error.headers)
