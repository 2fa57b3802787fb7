"""Calls that create: at most once per idempotency key, and the same answer again for the same call."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Header, Request, Response
from pydantic import BaseModel

from jumpseat.api.models.common import Answer, Maybe
from jumpseat.api.models.marks import Rare
from jumpseat.api.signin import Caller, host_of
from jumpseat.store.idempotency import Answer as FirstAnswer, Keyed

T = TypeVar("T")

IdempotencyKey = Annotated[
    Maybe[str],
    Rare(),
    Header(
        alias="Idempotency-Key",
        pattern=r"^[ -~]+$",
        min_length=1,
        max_length=255,
        description="Fresh for each new wish, the same for each try of it: a repeat gets the first answer and has no second effect.",
    ),
]


def create(
    request: Request, caller: Caller, key: str | None, body: BaseModel, run: Callable[[Keyed | None], T], show: Callable[[T], Answer]
) -> Response:
    """Run a creating call, once per key.

    Args:
        request: the call; its path and query are part of what was asked.
        caller: whose key it is.
        key: the idempotency key, if there is one.
        body: the body as it was understood.
        run: does it; hands what it is given to the host's operation, which keeps the answer together with the effect.
        show: the answer for what was created; asks nothing.

    Returns:
        201 with the answer, or the stored answer of the first call.

    Raises:
        KeyReused, KeyInProgress: see ``Host.once``.
    """

    def answer(created: T) -> FirstAnswer:
        return FirstAnswer(201, show(created).model_dump_json(by_alias=True, exclude_none=True))

    first = host_of(request).once(caller.id, key, fingerprint(request, body), run, answer) if key else answer(run(None))
    return Response(first.body, first.status, media_type="application/json")


def fingerprint(request: Request, body: BaseModel) -> str:
    """Hash of everything that was asked."""
    asked = "\n".join((request.method, request.url.path, request.url.query, body.model_dump_json(exclude_none=True)))
    return hashlib.sha256(asked.encode()).hexdigest()
