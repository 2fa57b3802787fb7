"""Many listeners to live events: ``crowd.py PORT LISTENERS KEY`` prints ``connected``, then for each event when the last one had it."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import suppress

AT_ONCE = 50
"""Connections that are made at the same time."""


async def listen(port: int, request: bytes, arrived: asyncio.Queue[None]) -> None:
    """One listener; notes when its stream began, and then each event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await reader.readuntil(b"retry: 2000\n")
    await reader.readuntil(b"\n\n")
    arrived.put_nowait(None)
    while True:
        await reader.readuntil(b"data: ")
        await reader.readuntil(b"\n\n")
        arrived.put_nowait(None)


async def main(port: int, listeners: int, key: str) -> None:
    """Connect all of them, then wait for events until killed."""
    request = f"GET /v1/events HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    arrived: asyncio.Queue[None] = asyncio.Queue()
    tasks = []
    while len(tasks) < listeners:
        some = min(AT_ONCE, listeners - len(tasks))
        tasks += [asyncio.create_task(listen(port, request, arrived)) for _ in range(some)]
        for _ in range(some):
            await arrived.get()
    print("connected", flush=True)
    while True:
        for _ in range(listeners):
            await arrived.get()
        print(time.time(), flush=True)


if __name__ == "__main__":
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    with suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
