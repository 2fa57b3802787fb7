"""A second implementation of WebRTC (aiortc) in the place of one of the two browsers, over the same sockets of the host."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame
from websockets.asyncio.client import ClientConnection, connect

WIDTH, HEIGHT = 320, 240
SECONDS = 60
T = TypeVar("T")
Yuv = tuple[int, int, int]
RED: Yuv = (81, 90, 240)
BLUE: Yuv = (41, 240, 110)


class Halves(VideoStreamTrack):
    """A film: the left half red, the right half blue."""

    async def recv(self) -> VideoFrame:
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, left, right in zip(frame.planes, RED, BLUE, strict=True):
            row = bytes([left]) * (plane.width // 2) + bytes([right]) * (plane.line_size - plane.width // 2)
            plane.update(row * plane.height)
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


def is_halves(frame: VideoFrame) -> bool:
    """Is this what the camera of the tests sees?"""
    picture = frame.reformat(WIDTH, HEIGHT, "yuv420p")
    at = [HEIGHT // 2, HEIGHT // 4, HEIGHT // 4]
    for plane, row, left, right in zip(picture.planes, at, RED, BLUE, strict=True):
        line = bytes(plane)[row * plane.line_size :]
        if abs(line[plane.width // 4] - left) > 24 or abs(line[3 * plane.width // 4] - right) > 24:
            return False
    return True


def sees_halves(base: str, token: str) -> bool:
    """Join as a supporter, ask for the picture directly, and say whether it is the right one."""
    return _apart(_sees_halves(base, token))


async def _sees_halves(base: str, token: str) -> bool:
    async with asyncio.timeout(SECONDS), _line(base, "supporter") as line:
        await _say(line, hello={"token": token})
        peer, came = RTCPeerConnection(), asyncio.Queue[MediaStreamTrack]()
        peer.addTransceiver("video", direction="recvonly")
        peer.on("track", came.put_nowait)
        await peer.setLocalDescription(await peer.createOffer())
        await _say(line, rtc={"description": _described(peer)})
        hearing = asyncio.create_task(_hear(line, peer))
        try:
            track = await came.get()
            while not is_halves(await track.recv()):
                pass
            return True
        finally:
            hearing.cancel()
            await peer.close()


@contextmanager
def showing_halves(base: str, token: str) -> Iterator[None]:
    """Be a customer who shows the film, to whoever asks for it directly, while the block runs."""
    done, loop = threading.Event(), asyncio.new_event_loop()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            loop.run_until_complete(_show_halves(base, token, done.is_set))
        except BaseException as error:  # told below, in the test's own thread
            failed.append(error)

    with patch("aioice.ice.get_host_addresses", _loopback):
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join(SECONDS)
    loop.close()
    assert not failed, failed


async def _show_halves(base: str, token: str, done: Callable[[], bool]) -> None:
    async with _line(base, "customer") as line:
        await _say(line, hello={"token": token, "page": "another-browser"})
        await _say(line, sharing={"width": WIDTH, "height": HEIGHT})
        peers: dict[str, RTCPeerConnection] = {}
        while not done():
            try:
                message = json.loads(await asyncio.wait_for(line.recv(), 0.2))
            except TimeoutError:
                continue
            if "rtc" not in message:
                continue
            if "description" in message["rtc"]:
                peers[message["from"]] = await _answer(line, message)
            else:
                await _take(peers[message["from"]], message["rtc"])
        for peer in peers.values():
            await peer.close()


async def _answer(line: ClientConnection, message: dict[str, Any]) -> RTCPeerConnection:
    peer = RTCPeerConnection()
    peer.addTrack(Halves())
    await _take(peer, message["rtc"])
    await peer.setLocalDescription(await peer.createAnswer())
    await _say(line, rtc={"description": _described(peer)}, to=message["from"])
    return peer


async def _hear(line: ClientConnection, peer: RTCPeerConnection) -> None:
    async for message in line:
        if isinstance(message, str) and "rtc" in (said := json.loads(message)):
            await _take(peer, said["rtc"])
        elif isinstance(message, bytes):
            await _say(line, got=True)


async def _take(peer: RTCPeerConnection, rtc: dict[str, Any]) -> None:
    if "description" in rtc:
        await peer.setRemoteDescription(RTCSessionDescription(rtc["description"]["sdp"], rtc["description"]["type"]))
    elif rtc.get("candidate") and rtc["candidate"]["candidate"]:
        candidate = candidate_from_sdp(rtc["candidate"]["candidate"].partition(":")[2])
        candidate.sdpMid, candidate.sdpMLineIndex = rtc["candidate"]["sdpMid"], rtc["candidate"]["sdpMLineIndex"]
        await peer.addIceCandidate(candidate)


def _described(peer: RTCPeerConnection) -> dict[str, str]:
    return {"type": peer.localDescription.type, "sdp": peer.localDescription.sdp}


def _line(base: str, side: str) -> connect:
    return connect(f"ws{base.removeprefix('http')}/-/browser/{side}", origin=base, max_size=None, proxy=None)  # type: ignore[arg-type]  # a str is an Origin


async def _say(line: ClientConnection, **message: Any) -> None:
    await line.send(json.dumps(message))


def _loopback(**_: bool) -> list[str]:
    """One machine without a network is enough."""
    return ["127.0.0.1"]


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: the browser's driver has an event loop in this one."""
    answer: list[T] = []
    with patch("aioice.ice.get_host_addresses", _loopback):
        thread = threading.Thread(target=lambda: answer.append(asyncio.run(work)))
        thread.start()
        thread.join(2 * SECONDS)
    return answer[0]
