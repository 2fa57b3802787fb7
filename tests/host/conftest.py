"""A whole host on real parts: the starter workspace, the emulator as provider, the outbox's real SMTP and HTTP gateways."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from jumpseat import Host, RecordRef, Supporter
from jumpseat_sandbox.outbox import Sent, read_outbox
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parent))  # for the helper modules beside the tests

ROOT = Path(__file__).parents[2]
CASE = RecordRef("Case", "500A000000D34xy")
Rewrite = Callable[..., None]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Any]:
    with Emulator().serve(port=0) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, emulator: Any, sqlite_template: Path) -> Iterator[Path]:
    """A fresh copy of the starter workspace whose plugins reach the emulator and the outbox."""
    folder = tmp_path / "workspace"
    shutil.copytree(ROOT / "metadata", folder / "metadata")
    shutil.copytree(ROOT / "templates", folder / "templates")
    (folder / "var").mkdir()
    shutil.copy(sqlite_template, folder / "var" / "jumpseat.db")
    (folder / "var" / "token").write_text(emulator.token)
    with Sinks.start(folder / "var" / "outbox") as sinks:
        teamviewer = {"api_url": emulator.url, "token": {"file": "var/token"}, "group": "Tests"}
        for plugin, settings in {**sinks.settings, "teamviewer": teamviewer}.items():
            write(folder / "metadata" / "plugins" / f"{plugin}.yaml", {"plugin": plugin, "settings": dict(settings)})
        yield folder


def write(file: Path, content: Mapping[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False), encoding="utf-8")


@pytest.fixture
def rewrite(workspace: Path) -> Rewrite:
    """Change keys of a metadata file: ``rewrite("objects/case.yaml", allow_custom_recipient=True)``."""

    def rewrite(path: str, **keys: Any) -> None:
        file = workspace / "metadata" / path
        known = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
        write(file, {**known, **keys})

    return rewrite


@pytest.fixture
def open_host(workspace: Path, database_url: str) -> Iterator[Callable[..., Host]]:
    """Opens hosts of the workspace; they are closed at the end."""
    hosts: list[Host] = []

    def open_host(**options: Any) -> Host:
        hosts.append(Host.open(workspace, **{"database_url": database_url, **options}))
        return hosts[-1]

    yield open_host
    for opened in hosts:
        opened.close()


@pytest.fixture
def host(open_host: Callable[..., Host]) -> Host:
    return open_host()


@pytest.fixture
def operator(host: Host) -> Supporter:
    return host.operator()


@pytest.fixture
def sent(workspace: Path) -> Callable[[], list[Sent]]:
    """What customers have received, oldest first."""
    return lambda: read_outbox(workspace / "var" / "outbox")


@pytest.fixture
def open_sqlite_host(workspace: Path) -> Iterator[Callable[..., Host]]:
    """Opens hosts on SQLite, for what no database decides."""
    hosts: list[Host] = []

    def open_sqlite_host(**options: Any) -> Host:
        hosts.append(Host.open(workspace, **options))
        return hosts[-1]

    yield open_sqlite_host
    for opened in hosts:
        opened.close()


@pytest.fixture
def sqlite_host(open_sqlite_host: Callable[..., Host]) -> Host:
    return open_sqlite_host()
