"""What a picture costs on its way through the host: how many arrive, how late, and the processor time of a session, beside a bare relay."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil
import pytest
from playwright.sync_api import Error, sync_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from jumpseat import Host
from jumpseat.testing import a_session, a_supporter, an_open_request
from jumpseat_browser import book_of

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins" / "browser"))
from rooms_kit import make_workspace  # after the path above

pytestmark = pytest.mark.benchmark
HERE = Path(__file__).parent
SESSIONS = (1, 10, 50)
PER_SECOND = 15
"""Pictures a second that each customer's page would send."""
SECONDS = float(os.environ.get("JUMPSEAT_BENCH_SECONDS", "5"))
ROUNDS = 3
DRAW = """async () => {
  const canvas = new OffscreenCanvas(1280, 720), pen = canvas.getContext('2d'), blobs = [], times = [];
  for (let number = 0; number < 12; number++) {
    pen.fillStyle = '#e8eaee'; pen.fillRect(0, 0, 1280, 720);
    for (let window = 0; window < 3; window++) {
      const x = 40 + window * 400 + number * 9, y = 40 + window * 60;
      pen.fillStyle = '#fff'; pen.fillRect(x, y, 560, 480); pen.fillStyle = '#1d4f91'; pen.fillRect(x, y, 560, 28);
      pen.fillStyle = '#222'; pen.font = '13px sans-serif';
      for (let line = 0; line < 12; line++)
        pen.fillText('Invoice ' + (line * 7919 + number) + ' of 17 March is open since 12 days, please check', x + 8, y + 50 + line * 18);
    }
    const began = performance.now();
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.6 });
    times.push(performance.now() - began);
    blobs.push(btoa(new Uint8Array(await blob.arrayBuffer()).reduce((text, byte) => text + String.fromCharCode(byte), '')));
  }
  return [blobs, times];
}"""


@dataclass(frozen=True)
class Pictures:
    """JPEGs of a desktop, 1280 by 720, and how long a browser took for one."""

    frames: tuple[bytes, ...]
    encoding: float | None


@dataclass
class Seen:
    """What arrived in one round."""

    delays: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0

    def row(self, sessions: int) -> str:
        late = quantiles(self.delays, n=20)[-1] if len(self.delays) > 1 else 0.0
        per_session = len(self.delays) / self.seconds / sessions
        return f"{per_session:.1f}/s, {median(self.delays) * 1e3:.1f} / {late * 1e3:.1f} ms, {self.share(sessions):.1%}"

    def share(self, sessions: int) -> float:
        """Of one core, per session."""
        return self.cpu / self.seconds / sessions


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Made by a browser; where there is none, as many bytes."""
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            blobs, times = browser.new_page().evaluate(DRAW)
            browser.close()
    except Error:
        return Pictures(tuple(os.urandom(80_000) for _ in range(4)), None)
    return Pictures(tuple(base64.b64decode(blob) for blob in blobs), median(times) / 1e3)


@contextmanager
def process(*command: str, **environment: str) -> Iterator[tuple[str, psutil.Process]]:
    """A server in a process of its own: its address, and what can be asked of it."""
    started = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        assert started.stdout is not None
        yield json.loads(started.stdout.readline())["url"], psutil.Process(started.pid)
    finally:
        started.kill()
        started.communicate()


async def show(socket: ClientConnection, frames: Sequence[bytes], until: float, credit: asyncio.Semaphore | None) -> None:
    """A customer's page: so many pictures a second, as far as they are wanted; each says when it was sent."""
    number, due = 0, time.monotonic()
    with suppress(ConnectionClosed):
        while (now := time.monotonic()) < until:
            await asyncio.sleep(max(0.0, due - now))
            if credit is not None:
                await credit.acquire()
            due = max(due + 1 / PER_SECOND, time.monotonic() - 1 / PER_SECOND)
            await socket.send(frames[number % len(frames)] + time.monotonic_ns().to_bytes(8, "big"))
            number += 1


async def listen(socket: ClientConnection, credit: asyncio.Semaphore) -> None:
    """What the host says to a customer's page."""
    with suppress(ConnectionClosed):
        async for message in socket:
            for _ in range(json.loads(message).get("take", 0)):
                credit.release()


async def look(socket: ClientConnection, seen: Seen, *, says_so: bool) -> None:
    """A supporter's page."""
    with suppress(ConnectionClosed):
        async for message in socket:
            if isinstance(message, bytes):
                seen.delays.append((time.monotonic_ns() - int.from_bytes(message[-8:], "big")) / 1e9)
                if says_so:
                    await socket.send('{"got":true}')


async def run(pairs: Sequence[tuple[Any, Any]], hellos: Sequence[Any], frames: Sequence[bytes], server: psutil.Process) -> Seen:
    """All sessions for some seconds; ``hellos`` are empty where the relay is bare."""
    seen, tasks, credits = Seen(), [], []
    for number, (customer, viewer) in enumerate(pairs):
        hello = hellos[number] if hellos else None
        credits.append(asyncio.Semaphore(0) if hello else None)
        if hello:
            await viewer.send(hello[1])
            await customer.send(hello[0])
            await customer.send('{"sharing":{"width":1280,"height":720}}')
            tasks.append(asyncio.create_task(listen(customer, credits[-1])))
        tasks.append(asyncio.create_task(look(viewer, seen, says_so=bool(hello))))
    await asyncio.sleep(1.0)
    seen.delays.clear()
    began, used = time.monotonic(), sum(server.cpu_times()[:2])
    showing = [show(pair[0], frames, began + SECONDS, credit) for pair, credit in zip(pairs, credits, strict=True)]
    await asyncio.wait([asyncio.create_task(one) for one in showing], timeout=SECONDS)
    seen.seconds, seen.cpu = time.monotonic() - began, sum(server.cpu_times()[:2]) - used
    for task in tasks:
        task.cancel()
    return seen


async def round_of(addresses: Sequence[tuple[str, str]], hellos: Sequence[Any], frames: Sequence[bytes], server: psutil.Process) -> Seen:
    origin = "http" + addresses[0][0].removeprefix("ws").split("/-/")[0] if hellos else None
    options: dict[str, Any] = {"origin": origin, "compression": None, "max_size": None, "proxy": None, "max_queue": 2}
    opened = [[connect(address, **options) for address in pair] for pair in addresses]
    pairs = [(await one.__aenter__(), await other.__aenter__()) for one, other in opened]
    try:
        return await run(pairs, hellos, frames, server)
    finally:
        for manager in (manager for pair in opened for manager in pair):
            await manager.__aexit__(None, None, None)


def rooms_of(host: Host, many: int, mark: str) -> list[tuple[str, str]]:
    """Sessions, each with the first messages of its two pages."""
    book, found = book_of(host), []
    for number in range(many):
        request = replace(an_open_request(f"bench-{mark}-{number}"), valid_until=host.clock.now() + timedelta(hours=8))
        opened = book.open(request, "browser_screen", "screen")
        token = book.invite(a_session(opened, request, "browser_screen"), a_supporter())
        customer = {"hello": {"token": opened.customer_link.rpartition("/")[2], "page": f"page-{number}"}}
        found.append((json.dumps(customer), json.dumps({"hello": {"token": token}})))
    return found


def idle(server: psutil.Process) -> float:
    """What it takes of a core while nobody wants anything of it."""
    time.sleep(1.0)
    began, used = time.monotonic(), sum(server.cpu_times()[:2])
    time.sleep(SECONDS)
    return (sum(server.cpu_times()[:2]) - used) / (time.monotonic() - began)


def test_a_picture_is_encoded(pictures: Pictures, table: Any) -> None:
    """What the customer's machine does for each picture, by the encoder of FFmpeg: what the relay adds stands beside this."""
    av = pytest.importorskip("av")
    with av.open(io.BytesIO(pictures.frames[0]), format="mjpeg") as film:
        picture = next(film.decode(video=0))
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = picture.width, picture.height, "yuvj420p", Fraction(1, PER_SECOND)
    encoder.options = {"threads": "1"}
    times, size = [], 0
    for number in range(60):
        picture.pts, picture.pict_type = number, av.video.frame.PictureType.NONE
        began = time.thread_time()
        size = sum(packet.size for packet in encoder.encode(picture))
        times.append(time.thread_time() - began)
    seconds = median(times)
    table.note(
        "a picture encoded",
        f"{seconds * 1e3:.1f} ms, {seconds * PER_SECOND:.1%}",
        "–",
        "–",
        beside=f"of a core at {PER_SECOND}/s, {size // 1000} kB",
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sessions", SESSIONS)
def test_pictures_through_the_host(tmp_path: Path, pictures: Pictures, sessions: int, table: Any) -> None:
    workspace, url = make_workspace(tmp_path / "workspace"), f"sqlite:///{tmp_path / 'jumpseat.db'}"
    serve = ("-m", "jumpseat", "--workspace", str(workspace), "serve", "--port", "0", "--no-worker", "--json")
    rounds: tuple[list[Seen], list[Seen]] = ([], [])
    with (
        Host.open(workspace, database_url=url) as host,
        process(*serve, JUMPSEAT_DATABASE_URL=url) as (base, ours),
        process(str(HERE / "bare_relay.py")) as (bare_base, bare),
    ):
        at, bare_at = f"ws{base.removeprefix('http')}/-/browser", f"ws{bare_base.removeprefix('http')}"
        if sessions == 1:
            table.note("a server without a session", f"{idle(ours):.1%}", f"{idle(bare):.1%}", "–", beside="a bare relay; part of a core")
        for number in range(ROUNDS):
            hellos = rooms_of(host, sessions, str(number))
            rounds[0].append(asyncio.run(round_of([(f"{at}/customer", f"{at}/supporter")] * sessions, hellos, pictures.frames, ours)))
            pairs = [(f"{bare_at}/{number}-{room}/customer", f"{bare_at}/{number}-{room}/supporter") for room in range(sessions)]
            rounds[1].append(asyncio.run(round_of(pairs, [], pictures.frames, bare)))
    shown, other = (sorted(found, key=lambda seen: seen.cpu)[len(found) // 2] for found in rounds)
    assert shown.delays
    size = f"{sessions} sessions, {sum(map(len, pictures.frames)) // len(pictures.frames) // 1000} kB"
    ratio = f"{shown.share(sessions) / other.share(sessions):.2f}" if other.cpu else "–"
    beside = f"a bare relay; pictures, delay (median / 95th), part of a core per session, at {PER_SECOND}/s offered"
    table.note("pictures relayed", shown.row(sessions), other.row(sessions), ratio, beside=beside, size=size)
