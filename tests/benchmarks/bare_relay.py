"""The baseline of the picture relay: hands on what comes in at ``/N/customer`` to ``/N/supporter``, and knows nothing else.

Run as a process of its own: ``python bare_relay.py``; prints its address.
"""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.server import ServerConnection, serve

SUPPORTERS: dict[str, ServerConnection] = {}


async def page(socket: ServerConnection) -> None:
    assert socket.request is not None
    _, room, side = socket.request.path.split("/")
    if side == "supporter":
        SUPPORTERS[room] = socket
    async for message in socket:
        if side == "customer" and room in SUPPORTERS:
            await SUPPORTERS[room].send(message)


async def main() -> None:
    async with serve(page, "127.0.0.1", 0, compression=None, max_size=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
