"""A real server on loopback: the whole host over the sample CRM, the emulated provider account, and real mail and SMS gateways."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jumpseat import Host
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Emulator, Running

sys.path.insert(0, str(Path(__file__).parent))
from api_kit import ADMINISTRATOR, USER, Api, ShiftedClock, make_workspace, serving  # after the path above


@pytest.fixture(scope="session")
def emulator() -> Iterator[Running]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture(scope="session")
def sinks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    with Sinks.start(tmp_path_factory.mktemp("outbox")) as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path, emulator: Running, sinks: Sinks, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace of the repository, with every gateway on loopback."""
    monkeypatch.delenv("JUMPSEAT_DATABASE_URL", raising=False)
    made = make_workspace(tmp_path / "workspace", emulator, sinks)
    (made / "var").mkdir(exist_ok=True)
    shutil.copy(sqlite_template, made / "var" / "jumpseat.db")
    return made


@pytest.fixture
def moving_clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
def host(workspace: Path, moving_clock: ShiftedClock) -> Iterator[Host]:
    with Host.open(workspace, clock=moving_clock, watch=True) as host:
        yield host


@pytest.fixture
def admin_key(host: Host) -> str:
    return host.create_key("crm", "administrator", host.operator()).reveal()


@pytest.fixture
def server(host: Host) -> Iterator[str]:
    with serving(host) as base:
        yield base


@pytest.fixture
def api(server: str, admin_key: str) -> Api:
    """The CRM's key, acting for an administrator."""
    return Api(server, admin_key, ADMINISTRATOR)


@pytest.fixture
def user(api: Api) -> Api:
    """The CRM's key, acting for an ordinary user."""
    return api.as_(USER)


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory, emulator: Running, sinks: Sinks) -> Iterator[Host]:
    """One host for all tests of a module: for those that only look, or do not mind what others left."""
    folder = tmp_path_factory.mktemp("shared") / "workspace"
    with Host.open(make_workspace(folder, emulator, sinks), database_url=f"sqlite:///{folder / 'var' / 'jumpseat.db'}") as host:
        yield host


@pytest.fixture(scope="module")
def shared_api(shared_host: Host) -> Iterator[Api]:
    """Like ``api``, on the shared host."""
    key = shared_host.create_key("crm", "administrator", shared_host.operator()).reveal()
    with serving(shared_host) as base:
        yield Api(base, key, ADMINISTRATOR)
