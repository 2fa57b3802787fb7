"""What passes between the HTTP server and a CRM: a call, an answer, a refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

JSON = "application/json;charset=UTF-8"


class CrmError(Exception):
    """A refusal; each CRM writes it in its own shape.

    Args:
        status: of the HTTP answer.
        code: ``INVALID_FIELD``, ``0x80040217``, ``invalid_grant`` …
        message: text for the caller.
        headers: of the answer.
        fields: names of the fields it is about.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None, fields: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers, self.fields = status, code, message, dict(headers or {}), fields


class OAuthError(CrmError):
    """A refusal of a token endpoint, which has a shape of its own."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came over the wire."""

    method: str
    path: str
    """Without its escapes."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    base: str
    """``http://127.0.0.1:PORT``, where the server stands."""

    @property
    def bearer(self) -> str | None:
        """The token it carries."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() == "bearer" and token.strip() else None

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            ValueError: it is none.
        """
        body = json.loads(self.body or b"{}")
        if not isinstance(body, dict):
            raise ValueError("The body is not a JSON object.")
        return body


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int = 200
    body: Any = None
    """Text and bytes go as they are, None as nothing, everything else as JSON."""
    headers: dict[str, str] = field(default_factory=dict)
    media: str = JSON

    def content(self) -> bytes:
        """The bytes of the body."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False)).encode()
