"""An answer that is written while it is read, however long it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Closable(Iterator[bytes], Protocol):
    """Pieces that hold something until they are closed."""

    def close(self) -> None: ...


class Export(StreamingResponse):
    """Sends pieces as fast as the caller reads them, and closes them when the caller goes.

    A failure on the way cuts the connection: the answer has begun, and a caller sees that it is not whole.

    Args:
        pieces: of the answer.
        media_type: of the whole.
        headers: further headers.
    """

    def __init__(self, pieces: Closable, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._pieces.close)
