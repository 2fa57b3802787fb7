"""Calls that create: at most once per idempotency key, and the same answer again for the same call."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import BaseModel

from jumpseat.api.models.common import Answer, Maybe
from jumpseat.api.signin import Caller, host_of

IdempotencyKey = Annotated[
    Maybe[str],
    Header(
        alias="Idempotency-Key",
        pattern=r"^[ -~]+$",
        min_length=1,
        max_length=255,
        description="Fresh for each new wish, the same for each try of it: a repeat gets the first answer and has no second effect.",
    ),
]


def create(request: Request, caller: Caller, key: str | None, body: BaseModel, run: Callable[[], Answer]) -> Response:
    """Run a creating call, once per key.

    Args:
        request: the call; its path and query are part of what was asked.
        caller: whose key it is.
        key: the idempotency key, if there is one.
        body: the body as it was understood.
        run: does it.

    Returns:
        201 with the answer of ``run``, or the stored answer of the first call.

    Raises:
        KeyReused, KeyInProgress: see ``Host.once``.
    """

    def answer() -> tuple[int, str]:
        return 201, run().model_dump_json(by_alias=True, exclude_none=True)

    status, text = host_of(request).once(caller.id, key, fingerprint(request, body), answer) if key else answer()
    return Response(text, status, media_type="application/json")


def fingerprint(request: Request, body: BaseModel) -> str:
    """Hash of everything that was asked."""
    asked = "\n".join((request.method, request.url.path, request.url.query, body.model_dump_json(exclude_none=True)))
    return hashlib.sha256(asked.encode()).hexdigest()
