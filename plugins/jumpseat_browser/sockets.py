"""The two sockets: ``/customer`` and ``/supporter``. Each message of a page is read, checked and counted first."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from jumpseat import Host, JumpseatError
from jumpseat_browser import messages
from jumpseat_browser.book import Book, Viewer
from jumpseat_browser.forwarding import FORWARDED, Unreachable, forward
from jumpseat_browser.messages import End, Got, Hello, Pointer, Rtc, RtcOn, Sharing, Stopped, Text
from jumpseat_browser.relay import LARGEST_PICTURE, LiveRoom, Looking, Page
from jumpseat_browser.rooms import Room
from jumpseat_browser.snapshots import snapshots
from jumpseat_browser.watching import Elsewhere, Relay
from jumpseat_browser.wires import ENDED, MOVED, TAKEN, TOO_MUCH, UNKNOWN, Allowance, Wire

log = logging.getLogger("jumpseat.browser")
HELLO_SECONDS = 10.0
TURN_SECONDS = 3600
STRIKES = 40
"""How often, besides once a second, a page may send too much or what nobody understands, before it is cut off."""


def routes(host: Host, book: Book) -> list[BaseRoute]:
    """What the pages of one host talk with.

    Args:
        host: whose sessions they are for.
        book: its rooms.
    """
    sockets = Sockets(host, book, Relay(host, book, host.own_url))
    return [
        WebSocketRoute("/customer", sockets.customer),
        WebSocketRoute("/supporter", sockets.supporter),
        Route("/snapshot", snapshots(host, book), methods=["POST"]),
    ]


class Sockets:
    """What answers a page that connects.

    Args:
        host: whose sessions they are for.
        book: its rooms.
        relay: those of this process.
    """

    def __init__(self, host: Host, book: Book, relay: Relay) -> None:
        self._host, self._book, self._relay = host, book, relay

    async def customer(self, socket: WebSocket) -> None:
        """A page of a customer."""
        hello = await self._hello(socket)
        if hello is None:
            return
        live = await self._enter(socket, "customer", hello, lambda: self._book.customer(hello.token) if hello.page else None)
        if live is None:
            return
        page = Page(hello.page)
        if not live.come(page):
            await _close(socket, TAKEN)
            return
        page.wire.say({"you": self._rtc(page.id)})
        try:
            await self._talk(socket, page.wire, _Customer(live, page, self._relay))
        finally:
            live.go(page)
            self._relay.note(live)

    async def supporter(self, socket: WebSocket) -> None:
        """A page of a supporter."""
        hello = await self._hello(socket)
        if hello is None:
            return
        found: list[Viewer] = []
        live = await self._enter(socket, "supporter", hello, lambda: self._seen_by(hello.token, found))
        if live is None:
            return
        looking = Looking(found[0])
        if not live.look(looking):
            await _close(socket, TAKEN)
            return
        looking.wire.say({"you": {"id": looking.id, "name": looking.viewer.name, **self._rtc(looking.id)}})
        self._relay.note(live)
        try:
            await self._talk(socket, looking.wire, _Supporter(live, looking, self._end), lambda: live.next_picture(looking))
        finally:
            live.look_away(looking)
            self._relay.note(live)

    async def _hello(self, socket: WebSocket) -> Hello | None:
        """The first message, from a page of this host; without it the socket is closed."""
        if not self._is_own(socket.headers):
            await socket.close(UNKNOWN)  # before it was accepted: the browser gets 403
            return None
        await socket.accept()
        hello = None
        with suppress(TimeoutError):
            async with asyncio.timeout(HELLO_SECONDS):
                first = await socket.receive()
            if first["type"] == "websocket.disconnect":
                return None
            hello = messages.read_hello(first.get("text") or "")
        if hello is None:
            await _close(socket, UNKNOWN)
        return hello

    def _is_own(self, headers: Mapping[str, str]) -> bool:
        """Was the socket opened by a page of this host? Browsers tell the truth in this header, and nobody else has a token."""
        origin = urlsplit(headers.get("origin", ""))
        public = urlsplit(self._book.runtime.public_url)
        return bool(origin.netloc) and (
            (origin.scheme, origin.netloc) == (public.scheme, public.netloc) or origin.netloc == headers.get("host", "")
        )

    def _seen_by(self, token: str, viewers: list[Viewer]) -> Room | None:
        """The room of a supporter's token; whose it is becomes one of ``viewers``."""
        found = self._book.viewer(token)
        if found is None:
            return None
        viewers.append(found[0])
        return found[1]

    async def _enter(self, socket: WebSocket, side: str, hello: Hello, look_up: Callable[[], Room | None]) -> LiveRoom | None:
        """The room in this process; None when there is none, or it is over, or the page was passed on to where it is."""
        try:
            room = await asyncio.to_thread(look_up)
            return await self._enter_room(socket, side, hello, room)
        except JumpseatError as error:
            log.warning("the database cannot be asked about rooms", extra={"cause": type(error).__name__})
            await _close(socket, MOVED)
            return None

    async def _enter_room(self, socket: WebSocket, side: str, hello: Hello, room: Room | None) -> LiveRoom | None:
        if room is None:
            await _close(socket, UNKNOWN)
            return None
        where = await self._relay.enter(room)
        if isinstance(where, Elsewhere):
            where = await self._pass_on(socket, side, hello, room, where)
            if isinstance(where, Elsewhere):
                return None
        if where is None:
            why = room.why_ended()
            await _send(socket, {"room": {"state": "ended", "why": why, "sharing": False, "kind": room.kind}})
            await _close(socket, ENDED)
        return where

    async def _pass_on(self, socket: WebSocket, side: str, hello: Hello, room: Room, home: Elsewhere) -> LiveRoom | Elsewhere | None:
        """Talk for the page with the process that has the room, until one of them ends; where it has died, take its place."""
        if FORWARDED in socket.headers:  # once is enough: where that is not the home, the page comes back and finds it
            await _close(socket, MOVED)
            return home
        try:
            await forward(socket, home.address, side, hello)
        except Unreachable:
            where = await self._relay.enter(room, after_failure=True)
            if isinstance(where, Elsewhere):
                self._relay.missed(where)
                await _close(socket, MOVED)
            return where
        return home

    def _rtc(self, id: str) -> Mapping[str, Any]:
        """What a page needs to talk to the other browser directly."""
        config = self._book.runtime.config
        if not config.webrtc:
            return {"rtc": False, "ice": []}
        urls, secret = list(config.ice_servers), config.turn_secret
        turn = [url for url in urls if url.startswith(("turn:", "turns:"))] if secret else []
        ice: list[Mapping[str, Any]] = [{"urls": url} for url in urls if url not in turn]
        if turn:
            # As coturn and others check it (use-auth-secret): a name that says until when, and its proof.
            name = f"{int(time.time()) + TURN_SECONDS}:{id}"
            proof = hmac.new(secret.reveal().encode(), name.encode(), hashlib.sha1).digest()
            ice.append({"urls": turn, "username": name, "credential": base64.b64encode(proof).decode()})
        return {"rtc": True, "ice": ice}

    def _end(self, viewer: Viewer) -> None:
        """Close the session for this supporter, with the rights that they have now."""
        supporter = self._host.supporter(viewer.supporter, viewer.source or None)
        self._host.close_session(viewer.session, supporter)

    async def _talk(self, socket: WebSocket, wire: Wire, talker: _Talker, picture: Callable[[], bytes | None] = lambda: None) -> None:
        """Both ways, until one of them has ended."""
        ways = [asyncio.create_task(_read(socket, talker)), asyncio.create_task(wire.write(socket.send, picture))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            if ways[0].done() and ways[0].result() == MOVED:
                await self._relay.farewell()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)  # nobody is there any more to whom it could be sent


async def _read(socket: WebSocket, talker: _Talker) -> int | None:
    """What the page says; answers the code with which the socket was closed."""
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        data = message.get("bytes")
        if data is not None:
            talker.bytes(data)
        else:
            talker.text(message["text"])
    return message.get("code")


class _Talker:
    """One page: what it says is done, unless it says too much."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._all, self._rtc, self._texts, self._pointers = Allowance(100, 150), Allowance(25, 100), Allowance(2, 5), Allowance(30, 30)
        self._strikes = Allowance(1, STRIKES)

    def strike(self) -> None:
        """One more message that was dropped."""
        if not self._strikes.take():
            self.wire.close(TOO_MUCH)

    def bytes(self, data: bytes) -> None:
        """Pages that show nothing send no pictures."""
        self.strike()

    def text(self, text: str) -> None:
        """One message."""
        message = self.read(text) if self._all.take() else None
        if message is None or not self._may(message):
            self.strike()
        else:
            self.do(message)

    def _may(self, message: messages.Message) -> bool:
        match message:
            case Text():
                return self._texts.take()
            case Rtc():
                return self._rtc.take()
            case Pointer(at) if at is not None:
                return self._pointers.take()
        return True

    def read(self, text: str) -> messages.Message | None:
        """Of this kind of page."""
        raise NotImplementedError

    def do(self, message: messages.Message) -> None:
        """Of this kind of page."""
        raise NotImplementedError


class _Customer(_Talker):
    def __init__(self, live: LiveRoom, page: Page, relay: Relay) -> None:
        super().__init__(page.wire)
        self._live, self._page, self._relay = live, page, relay
        self._pictures = Allowance(20, 20)

    def bytes(self, data: bytes) -> None:
        if len(data) > LARGEST_PICTURE or not self._pictures.take():
            self.strike()
        else:
            self._live.picture(self._page, data)

    def read(self, text: str) -> messages.Message | None:
        return messages.read_customer(text)

    def do(self, message: messages.Message) -> None:
        live, page = self._live, self._page
        live.heard(page)
        match message:
            case Sharing():
                live.share(page, message)
            case Stopped():
                live.stop(page)
            case Text():
                live.text(page, message.text)
            case Rtc():
                live.rtc(page, message)
        self._relay.note(live)


class _Supporter(_Talker):
    def __init__(self, live: LiveRoom, looking: Looking, end: Callable[[Viewer], None]) -> None:
        super().__init__(looking.wire)
        self._live, self._looking, self._end = live, looking, end
        self._ending: asyncio.Task[None] | None = None

    def read(self, text: str) -> messages.Message | None:
        return messages.read_supporter(text)

    def do(self, message: messages.Message) -> None:
        live, looking = self._live, self._looking
        match message:
            case Got():
                live.got(looking)
            case Pointer():
                live.point(looking, message)
            case Text():
                live.text(looking, message.text)
            case Rtc():
                live.rtc(looking, message)
            case RtcOn():
                live.rtc_on(looking, message.on)
            case End():
                if self._ending is None or self._ending.done():
                    self._ending = asyncio.create_task(self._close())

    async def _close(self) -> None:
        try:
            await asyncio.to_thread(self._end, self._looking.viewer)
        except JumpseatError as error:
            self.wire.say({"refused": error.message})


async def _send(socket: WebSocket, message: Mapping[str, Any]) -> None:
    with suppress(Exception):  # nobody is there any more
        await socket.send_json(message)


async def _close(socket: WebSocket, code: int) -> None:
    with suppress(Exception):  # nobody is there any more
        await socket.close(code)
