"""How a server says that it is about to end: first it asks for no more calls (draining), then its streams have to end (stopping)."""

from __future__ import annotations

import asyncio
import threading


class Sign:
    """Raised once, from any thread or signal handler; looked at from anywhere, waited for in coroutines.

    ``app.state.draining``: readiness is false, calls are still taken. ``app.state.stopping``: no new connection is taken; an answer that
    streams has to end now, or it is cut off.
    """

    def __init__(self) -> None:
        self._raised = False
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def is_set(self) -> bool:
        """Was it raised?"""
        return self._raised

    def set(self) -> None:
        """Raise it, and wake whoever waits; safe to call again."""
        self._raised = True
        # Without the lock, which a signal handler could find held by the very thread that it interrupts.
        for loop, event in tuple(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        """Return as soon as it is raised."""
        one = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(one)
        try:
            if not self._raised:  # raised before this one was among those who wait
                await one[1].wait()
        finally:
            with self._lock:
                self._waiting.discard(one)
