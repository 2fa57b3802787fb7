"""How an operation of the API is declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute


class Operation(APIRoute):
    """A route whose answers leave out what is absent."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "response_model_exclude_none": True})


def operations() -> APIRouter:
    """A router for one group of operations."""
    return APIRouter(route_class=Operation)
