"""What the tests of the hooks room share: a workspace for dropped-in plugins, a loader that closes what it opened, a trace to read."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from jumpseat.hooks import Dispatch, Plugins, Trace, TraceRow
from jumpseat.hooks.discovery import discover
from jumpseat.hooks.pool import Pool
from jumpseat.testing.fakes import FakeClock

HOSTILE = Path(__file__).parent / "hostile"


class Rows:
    """A sink that keeps the rows it is given."""

    def __init__(self) -> None:
        self.rows: list[TraceRow] = []

    def write(self, row: TraceRow) -> None:
        self.rows.append(row)


class DropIns:
    """A workspace whose ``plugins/`` a test fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "plugins").mkdir(parents=True)
        (folder / "metadata").mkdir()

    def write(self, name: str, code: str) -> Path:
        file = self.folder / "plugins" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(code))
        return file

    def copy(self, name: str) -> None:
        shutil.copy(HOSTILE / name, self.folder / "plugins" / name)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def workspace(tmp_path: Path) -> DropIns:
    return DropIns(tmp_path / "workspace")


@pytest.fixture
def sink() -> Rows:
    return Rows()


@pytest.fixture
def trace(clock: FakeClock, sink: Rows) -> Trace:
    return Trace(clock, sink)


@pytest.fixture
def load(workspace: DropIns, clock: FakeClock, trace: Trace) -> Iterator[Callable[..., Plugins]]:
    """``Plugins.load`` on the test's workspace without the host's own plugins; with short deadlines when ``seconds`` is given."""
    opened: list[Plugins] = []

    def load(*, seconds: float | None = None, own: bool = False, **options: Any) -> Plugins:
        if not own:
            options["blocked"] = {*options.get("blocked", ()), *(found.name for found in discover(None) if found.first_party)}
        if seconds is not None:
            options["dispatch"] = Dispatch(clock=clock, trace=trace, decision_seconds=seconds, event_seconds=seconds, pool=Pool(threads=8))
            options["load_seconds"] = seconds
        opened.append(Plugins.load(workspace.folder, "the host", clock=clock, trace=trace, **options))
        return opened[-1]

    yield load
    for plugins in opened:
        plugins.close()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Puts a distribution on the path as an installer would: a module and a dist-info folder."""
    modules: list[str] = []

    def install(
        distribution: str, entry_point: str, code: str = "", *, module: str | None = None, requires: str = "", version: str = "1.0"
    ) -> Path:
        site = tmp_path / f"site-{distribution}"
        module = module or distribution.replace("-", "_")
        info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        needs = f"Requires-Dist: {requires}\n" if requires else ""
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{needs}")
        (info / "entry_points.txt").write_text(f"[jumpseat]\n{entry_point} = {module}\n")
        (site / f"{module}.py").write_text(dedent(code))
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()
        modules.append(module)
        return site

    yield install
    for module in modules:
        sys.modules.pop(module, None)


@pytest.fixture
def paged() -> list[tuple[str, Any]]:
    """What the gateway got: key and body."""
    return []


@pytest.fixture
def gateway(paged: list[tuple[str, Any]]) -> Iterator[str]:
    """Address of a gateway that takes messages everywhere but at ``/elsewhere``."""

    class Gateway(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paged.append((self.headers["Idempotency-Key"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            answer = b'{"id": "page-1"}'
            self.send_response(503 if self.path == "/elsewhere" else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
