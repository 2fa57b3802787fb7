"""Live events over HTTP as server-sent events: one hub per application, and for each listener a queue instead of a thread.

A listener begins where it left off (``Last-Event-ID``): what happened since is read from the store up to where the hub is, and the rest
comes from the hub. It is cut off when it does not read, when its key or right is gone, and when the server stops; whoever was cut off
connects again and has missed nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.responses import StreamingResponse
from starlette.types import Send

from jumpseat import metrics
from jumpseat.api.signin import Caller
from jumpseat.api.stopping import Sign
from jumpseat.errors import NotSignedIn, RightMissing
from jumpseat.host import Host
from jumpseat.log import get_logger
from jumpseat.notices.feed import Told, Wanted
from jumpseat.store.events import Event
from jumpseat.types import Supporter
from jumpseat.views import event_view

log = get_logger(__name__)
T = TypeVar("T")

HEARTBEAT_SECONDS = 15.0
"""Between two comments that keep the line open; as often, it is asked whether the caller may still listen."""
CHECK_KEPT_SECONDS = 10.0
"""How long one answer to that serves all streams of the same caller; with the heartbeat, a revoked key ends after 25 s."""
RETRY_MILLISECONDS = 2000
"""How long a client waits before it connects again."""
MOST_WAITING = 1000
"""Events that a listener may be behind."""
GONE_SECONDS = 2.0
"""How long one that was cut off may take to read the rest."""
THREADS = 4
"""Questions to the store and the CRM that streams ask at once, besides the calls."""
RESET = "Events before this are no longer kept; read the lists again."
_HEARTBEAT = b": still here\n\n"


class Ended(Exception):
    """The stream is to end now; the client may connect again."""


@dataclass(frozen=True, slots=True)
class Item:
    """An event, and the bytes in which every listener gets it."""

    told: Told
    wire: bytes

    @property
    def id(self) -> int:
        return self.told.event.id


@dataclass(slots=True, eq=False)
class Listener:
    """What one listener has not been sent yet."""

    wanted: Callable[[Event], bool]
    waiting: deque[Item] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    cut: Callable[[], object] = lambda: None
    """Ends the stream even while its client does not read."""

    def give(self, items: Sequence[Item]) -> None:
        """Queue what it asked for; one that is too far behind is ended."""
        if self.ended:
            return
        before = len(self.waiting)
        self.waiting.extend(item for item in items if self.wanted(item.told.event))
        if len(self.waiting) > MOST_WAITING:
            self.end()
        elif len(self.waiting) > before:
            self.news.set()

    def end(self) -> None:
        """Let the stream end."""
        self.ended = True
        self.waiting.clear()
        self.news.set()
        asyncio.get_running_loop().call_later(GONE_SECONDS, self.cut)

    async def take(self, seconds: float) -> list[Item]:
        """What has come, at once or within so many seconds; empty when nothing has.

        Raises:
            Ended: by ``end``.
        """
        if not self.waiting and not self.ended:
            alarm = asyncio.get_running_loop().call_later(seconds, self.news.set)
            try:
                await self.news.wait()
            finally:
                alarm.cancel()
        self.news.clear()
        if self.ended:
            raise Ended
        items = list(self.waiting)
        self.waiting.clear()
        return items


class Hub:
    """Hands the events of the host's feed to the streams of one application; lives in the loop of its server.

    Args:
        host: what is served.
        stopping: raised when streams have to end.
    """

    def __init__(self, host: Host, stopping: Sign) -> None:
        self.host = host
        self.listeners: set[Listener] = set()
        self.position = 0
        """Id of the last event that listeners were given."""
        self.threads = anyio.CapacityLimiter(THREADS)
        self._stopping = stopping
        self._loop = asyncio.get_running_loop()
        self._started: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._checks: dict[str, tuple[float, asyncio.Task[Supporter | None]]] = {}

    async def start(self) -> None:
        """Begin to follow the feed; all but the first call only wait for the first."""
        if self._started is None or (self._started.done() and self._started.exception()):
            self._started = asyncio.create_task(self._follow())
        await asyncio.shield(self._started)

    async def ask(self, question: Callable[[], T]) -> T:
        """Run something that waits for the store or a CRM, in a thread."""
        return await anyio.to_thread.run_sync(question, limiter=self.threads)

    async def still(self, id: str, sign_in: Callable[[], Caller], before: Supporter) -> Supporter | None:
        """The caller as they may act now; None when they may not. One question serves all streams of a caller for some seconds.

        Args:
            id: of the caller.
            sign_in: asks again.
            before: the answer where nobody can say.
        """
        now = time.monotonic()
        asked_at, task = self._checks.get(id, (0.0, None))
        if task is None or now - asked_at > CHECK_KEPT_SECONDS:
            self._checks = {key: check for key, check in self._checks.items() if now - check[0] <= CHECK_KEPT_SECONDS}
            task = asyncio.create_task(self.ask(partial(_signed_in, sign_in, before)))
            self._checks[id] = (now, task)
        return await asyncio.shield(task)

    def item(self, told: Told) -> Item:
        """An event, ready for the wire."""
        shown = json.dumps(event_view(told, self.host.catalogue.host.public_url), ensure_ascii=False, separators=(",", ":"))
        return Item(told, f"id: {told.event.id}\nevent: {told.event.kind}\ndata: {shown}\n\n".encode())

    async def _follow(self) -> None:
        # What comes before the subscription's answer is here waits in the loop behind it.
        self.position = await self.ask(partial(self.host.feed.subscribe, self._tell))
        self._watch = asyncio.create_task(self._until_stopping())

    def _tell(self, news: Sequence[Told]) -> None:
        """From the feed's thread: one step in the loop, however many listen."""
        try:
            self._loop.call_soon_threadsafe(self._give, news)
        except RuntimeError:  # the server and its loop are gone
            self.host.feed.unsubscribe(self._tell)

    def _give(self, news: Sequence[Told]) -> None:
        items = [self.item(told) for told in news] if self.listeners else []
        self.position = max(self.position, news[-1].event.id)
        for listener in tuple(self.listeners):
            listener.give(items)

    async def _until_stopping(self) -> None:
        await self._stopping.wait()
        self.host.feed.unsubscribe(self._tell)
        for listener in tuple(self.listeners):
            listener.end()


def _signed_in(sign_in: Callable[[], Caller], before: Supporter) -> Supporter | None:
    try:
        return sign_in().supporter
    except (NotSignedIn, RightMissing):
        return None
    except Exception as error:  # whoever would have to say so is away; asked again at the next heartbeat
        log.warning("listener_not_checked", cause=type(error).__name__)
        return before


@dataclass(frozen=True, slots=True)
class Ear:
    """One for whom a stream listens."""

    caller: Caller
    sign_in: Callable[[], Caller]
    """Asks again who calls; raises when the key is gone."""
    wanted: Wanted
    """Which events were asked for."""


Hearing = Sequence[tuple[Ear, Supporter]]
"""Each with the supporter as they may act now."""


class Stream:
    """One answer that does not end by itself.

    Args:
        hub: of the application.
        ears: for whom it listens: what one of them asked for and may see is sent, once.
        last_event_id: of the last event that the client has seen; None for one that begins.
    """

    def __init__(self, hub: Hub, ears: Sequence[Ear], last_event_id: int | None) -> None:
        self.hub, self.ears, self.last_event_id = hub, ears, last_event_id
        self.listener = Listener(lambda event: any(ear.wanted(event) for ear in ears))
        self.position = 0
        """Where the hub was when the listener joined it: what comes later is queued, what came before is in the store."""
        self._seen = 0

    @contextmanager
    def listening(self, cut: Callable[[], object]) -> Iterator[None]:
        """Be given what happens while the block runs.

        Args:
            cut: ends the block.
        """
        self.listener.cut = cut
        self.hub.listeners.add(self.listener)
        metrics.LISTENERS.set(len(self.hub.listeners))
        self.position = self.hub.position
        try:
            yield
        finally:
            self.hub.listeners.discard(self.listener)
            metrics.LISTENERS.set(len(self.hub.listeners))

    async def chunks(self) -> AsyncIterator[bytes]:
        """What is sent, piece by piece, until the stream has to end; only while ``listening``."""
        self._seen = self.position if self.last_event_id is None else self.last_event_id
        yield f"retry: {RETRY_MILLISECONDS}\nid: {self._seen}\n\n".encode()
        try:
            async for chunk in self._replay():
                yield chunk
            async for chunk in self._live():
                yield chunk
        except Ended:
            return

    async def _replay(self) -> AsyncIterator[bytes]:
        """What happened since the client was last here, as far as the hub has it behind itself."""
        feed = self.hub.host.feed
        if self.last_event_id is not None and await self.hub.ask(partial(feed.lost, self.last_event_id)):
            self._seen = self.position
            shown = json.dumps({"id": str(self.position), "kind": "reset", "text": RESET}, separators=(",", ":"))
            yield f"id: {self.position}\nevent: reset\ndata: {shown}\n\n".encode()
        while self._seen < self.position:
            found = await self.hub.ask(partial(feed.replay, self._seen, self.position))
            if not found:
                return
            wire = await self._wire([self.hub.item(told) for told in found if self.listener.wanted(told.event)], self._hearing())
            if wire:
                yield wire
            self._seen = found[-1].event.id

    async def _live(self) -> AsyncIterator[bytes]:
        hearing, checked_at = self._hearing(), time.monotonic()
        while True:
            due = checked_at + HEARTBEAT_SECONDS
            items = await self.listener.take(max(0.0, due - time.monotonic()))
            # A client may have seen more than this process has: it was with another one before.
            wire = await self._wire([item for item in items if item.id > self._seen], hearing)
            if wire:
                yield wire
            if time.monotonic() >= due:
                hearing, checked_at = await self._checked(hearing), time.monotonic()
                yield _HEARTBEAT

    def _hearing(self) -> Hearing:
        return [(ear, ear.caller.supporter) for ear in self.ears]

    async def _wire(self, items: Sequence[Item], hearing: Hearing) -> bytes:
        """The bytes of those that somebody asked for and may see."""
        return b"".join([item.wire for item in items if await self._heard(item, hearing)])

    async def _heard(self, item: Item, hearing: Hearing) -> bool:
        for ear, supporter in hearing:
            if ear.wanted(item.told.event) and await self._may_see(item, supporter):
                return True
        return False

    async def _may_see(self, item: Item, supporter: Supporter) -> bool:
        visibility, event = self.hub.host.visibility, item.told.event
        known = visibility.known(event, supporter)
        return known if known is not None else await self.hub.ask(partial(visibility.ask, event, supporter))

    async def _checked(self, hearing: Hearing) -> Hearing:
        """Each as they may act now.

        Raises:
            Ended: one of them may not listen any more, or may see more or less than before.
        """
        checked = []
        for ear, before in hearing:
            now = await self.hub.still(ear.caller.id, ear.sign_in, before)
            if now is None or now.rights.level("session.read") != before.rights.level("session.read"):
                raise Ended
            checked.append((ear, now))
        return checked


class EventStream(StreamingResponse):
    """The answer of ``GET /v1/events``."""

    media_type = "text/event-stream"

    def __init__(self, stream: Stream) -> None:
        # Proxies are asked to pass on at once what comes in small pieces.
        super().__init__(stream.chunks(), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._stream = stream

    async def stream_response(self, send: Send) -> None:
        """Send until the stream ends, the client hangs up, or it is cut off."""
        with anyio.CancelScope() as scope, self._stream.listening(scope.cancel):
            await super().stream_response(send)
