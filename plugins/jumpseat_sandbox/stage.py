"""The stage of the demonstration: a workspace of its own, the emulator, the outbox, the host and a stand-in CRM, all on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from jumpseat_sandbox.outbox import Sent, read_outbox
from jumpseat_sandbox.sinks import Sinks
from jumpseat_sandbox.sources import SOURCES, journal_of, write_sources
from jumpseat_sandbox.stand_in.desk import Desk
from jumpseat_sandbox.stand_in.launching import Launcher
from jumpseat_sandbox.stand_in.server import ADDRESS, StandIn

START_SECONDS = 60
"""Longest wait for one process to say that it is ready."""
STOP_SECONDS = 15


class StageFailed(Exception):
    """A process of the demonstration did not come up."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and how to reach it."""

    workspace: Path
    api: str
    """Address of the host's HTTP API."""
    key: str
    """API key with the permission set ``administrator``."""
    emulator: str
    outbox: Path
    crm: str
    """Address of the stand-in CRM, on another site than the host."""

    def sent(self) -> list[Sent]:
        """What customers have received, oldest first."""
        return read_outbox(self.outbox)


@contextmanager
def raised(folder: Path) -> Iterator[Stage]:
    """Set the stage in a folder, and clear it at the end; the workspace stays.

    Args:
        folder: where the workspace is made.

    Raises:
        StageFailed: a process did not come up; its last words are in the message.
    """
    with ExitStack() as running:
        workspace = folder / "workspace"
        _answer("init", str(workspace))
        sinks = running.enter_context(Sinks.start(workspace / "var" / "outbox"))
        emulator = running.enter_context(_process(workspace, "emulator", "--port", "0"))
        _fill_in(workspace, sinks.settings, emulator)
        port, secret = _free_port(), secrets.token_urlsafe(32)
        public_url = f"http://localhost:{port}"  # by name, while the CRM is reached by number: two sites, as in life
        listener = running.enter_context(socket.create_server((ADDRESS, 0)))
        _set_address(workspace, public_url)
        write_sources(workspace, f"http://{ADDRESS}:{listener.getsockname()[1]}", secret)
        key = _answer("--workspace", str(workspace), "keys", "create", "demo", "--permission-set", "administrator")["key"]
        served = running.enter_context(_process(workspace, "serve", "--port", str(port)))
        desks = {look: Desk(look, source, journal_of(workspace, source, look)) for look, source in SOURCES.items()}
        launcher = Launcher(public_url, secret, key)
        stand_in = StandIn(desks, launcher, sinks.folder, _sign_in_links(workspace))
        crm = running.enter_context(stand_in.serve(listener))
        yield Stage(workspace, served["url"], key, emulator["url"], sinks.folder, crm)


def _fill_in(workspace: Path, gateways: Mapping[str, Mapping[str, Any]], emulator: Mapping[str, str]) -> None:
    """Write the plugins' settings as an administrator would, the token as a file that only its owner reads."""
    token = workspace / "var" / "teamviewer-token"
    token.write_text(emulator["token"], encoding="utf-8")
    token.chmod(0o600)
    teamviewer = {"api_url": emulator["url"], "token": {"file": "var/teamviewer-token"}, "group": "Jumpseat", "poll_seconds": 0.5}
    teamviewer |= {"calls_per_day": 0}  # the emulator has no licence to keep to
    for plugin, settings in {**gateways, "teamviewer": teamviewer}.items():
        text = yaml.safe_dump({"plugin": plugin, "settings": dict(settings)}, sort_keys=False, allow_unicode=True)
        (workspace / "metadata" / "plugins" / f"{plugin}.yaml").write_text(text, encoding="utf-8")


def _set_address(workspace: Path, address: str) -> None:
    """Say where the host will be reached, so that its support links lead to it."""
    file = workspace / "metadata" / "host.yaml"
    settings = {**yaml.safe_load(file.read_text(encoding="utf-8")), "public_url": address}
    file.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _sign_in_links(workspace: Path) -> Callable[[str, str], str]:
    """Links for the host's own pages, made as an administrator makes them."""

    def link(source: str, supporter: str) -> str:
        made: str = _answer("--workspace", str(workspace), "sign-in-link", "--as", supporter, "--source", source)["url"]
        return made

    return link


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "jumpseat", *arguments, "--json"]


def _answer(*arguments: str) -> Any:
    """Run a command of the host to its end and read its answer."""
    done = subprocess.run(_command(*arguments), capture_output=True, text=True, timeout=START_SECONDS, check=False)
    if done.returncode != 0:
        raise StageFailed(f"'jumpseat {arguments[0]}' ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout) if done.stdout.strip() else None


@contextmanager
def _process(workspace: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """A command that runs until it is stopped and says in one line of JSON when it is ready."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    log = workspace / "var" / f"{arguments[0]}.log"
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            _command("--workspace", str(workspace), *arguments), stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
    try:
        assert process.stdout is not None
        yield _ready(process.stdout, arguments[0], log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(output: IO[str], name: str, log: Path) -> dict[str, str]:
    """The first line of a process; what it prints later is read and dropped, so that it never blocks."""
    line: list[str] = []
    came = threading.Event()

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed while reading: the process ended
            line.append(output.readline())
            came.set()
            for _ in output:
                pass

    threading.Thread(target=read, name=f"output-{name}", daemon=True).start()
    if not came.wait(START_SECONDS) or not line[0].strip():
        raise StageFailed(f"'jumpseat {name}' did not start. It said: {log.read_text(encoding='utf-8').strip()[-2000:] or 'nothing'}")
    ready: dict[str, str] = json.loads(line[0])
    return ready
