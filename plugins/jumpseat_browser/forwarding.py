"""A page that came to another process than the one that has its room: everything is passed on, both ways."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from jumpseat_browser.messages import Hello
from jumpseat_browser.wires import MOVED

FORWARDED = "jumpseat-forwarded"
"""The header by which the other process knows that it is asked by one of its own kind."""
OPEN_SECONDS = 3.0
LARGEST_MESSAGE = 4 * 1024 * 1024
_OWN_CODES = range(4000, 5000)


class Unreachable(Exception):
    """The other process does not answer."""


async def forward(socket: WebSocket, address: str, side: str, hello: Hello) -> None:
    """Talk for a page with the process that has its room, until one of them has ended.

    Args:
        socket: of the page.
        address: where the other process is.
        side: ``customer`` or ``supporter``.
        hello: what the page said first.

    Raises:
        Unreachable: nothing was passed on.
    """
    opening = connect(
        f"ws{address.removeprefix('http')}/-/browser/{side}",
        origin=address,  # type: ignore[arg-type]  # a string like any other; that of the page was checked here
        additional_headers={FORWARDED: "1"},
        compression=None,
        open_timeout=OPEN_SECONDS,
        max_size=LARGEST_MESSAGE,
        max_queue=2,
        proxy=None,
    )
    try:
        link = await opening.__aenter__()
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise Unreachable from error
    try:
        with suppress(ConnectionClosed):
            await link.send(json.dumps({"hello": {"token": hello.token, "page": hello.page}}))
        await _both_ways(socket, link)
    finally:
        await opening.__aexit__(None, None, None)


async def _both_ways(socket: WebSocket, link: ClientConnection) -> None:
    directions = {asyncio.create_task(_in(socket, link)), asyncio.create_task(_out(socket, link))}
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)  # one of them may have found its end gone
    code = link.close_code or MOVED
    with suppress(Exception):  # the page may be gone
        await socket.close(code if code in _OWN_CODES else MOVED)


async def _in(socket: WebSocket, link: ClientConnection) -> None:
    """From the page to the room."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        data = message.get("bytes")
        await link.send(data if data is not None else message["text"])


async def _out(socket: WebSocket, link: ClientConnection) -> None:
    """From the room to the page."""
    async for message in link:
        if isinstance(message, bytes):
            await socket.send({"type": "websocket.send", "bytes": message})
        else:
            await socket.send({"type": "websocket.send", "text": message})
