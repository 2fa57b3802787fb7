"""A real MeshCentral server on loopback, and a customer who starts its program on a display."""

from __future__ import annotations

import atexit
import base64
import getpass
import hashlib
import html
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import fasteners
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from display import Display

import jumpseat_meshcentral
from jumpseat import Secret
from jumpseat_meshcentral.commands import FILES, make_token
from jumpseat_meshcentral.line import Line
from jumpseat_meshcentral.server import Server

VERSION = "1.1.55"
README = Path(jumpseat_meshcentral.__file__).parent / "README.md"
INSTALL_SECONDS, START_SECONDS = 300, 60
NO_NETWORK = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH")
LINUX_X86_64 = 6
T = TypeVar("T")


def needs(*programs: str) -> None:
    """Skip where one of them is missing; in CI, which installs them where that is possible, fail."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and os.environ.get("CI") == "true" and "JUMPSEAT_TEST_NO_DESKTOP" not in os.environ:
        pytest.fail(f"Not installed: {', '.join(missing)}.")
    if missing:
        pytest.skip(f"Not installed here: {', '.join(missing)}.")


def soon(look: Callable[[], T], what: str, seconds: float = 60) -> T:
    """What ``look`` answers, as soon as it is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.1)
    pytest.fail(f"{what} within {seconds} s.")


# --- the server ---------------------------------------------------------------------------------------------------------


def installed() -> Path:
    """The folder with the npm package, which is fetched once and kept for later runs."""
    cache = _cache() / f"meshcentral-{VERSION}"
    cache.mkdir(exist_ok=True)
    with fasteners.InterProcessLock(cache.with_suffix(".lock")):
        if not (cache / "complete").exists():
            command = ["npm", "install", f"meshcentral@{VERSION}", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(cache)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
            away = any(word in done.stderr for word in NO_NETWORK)
            if done.returncode and not away and os.environ.get("CI") == "true":
                pytest.fail(f"npm install: {done.stderr[-500:]}")
            if done.returncode:
                pytest.skip("MeshCentral cannot be fetched from npm here.")
            (cache / "complete").touch()
    return cache


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jumpseat-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True)
class Mesh:
    """A server that runs, with an account for the plugin."""

    folder: Path
    port: int
    user: Secret
    password: Secret

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "data" / "root-cert-public.crt"

    @property
    def settings(self) -> dict[str, Any]:
        """As an administrator would set them."""
        return {"url": self.url, "token_user": self.user.reveal(), "token_password": self.password.reveal(), "ca_file": str(self.ca_file)}

    def get(self, url: str) -> tuple[int, bytes]:
        """What a page answers to somebody who comes by its link; the certificate is verified."""
        tls = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(url, timeout=20, context=tls) as answer:  # of this server
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def line(self) -> Line:
        """A connection as the plugin has one."""
        return Line(Server(self.url, "", self.user, self.password, str(self.ca_file)))


@contextmanager
def mesh_server(folder: Path) -> Iterator[Mesh]:
    """A server on loopback alone, in a folder of its own beside the shared package."""
    package, port = installed(), _free_port()
    command = _command(package, folder, port)
    (folder / "data").mkdir()
    (folder / "data" / "config.json").write_text(json.dumps(_config(folder, port)))
    account = Mesh(folder, port, Secret("crmsvc"), Secret("p" + secrets.token_hex(16)))
    made = ["--createaccount", "crmsvc", "--pass", account.password.reveal(), "--email", "crmsvc@example.test"]
    subprocess.run([*command, *made], cwd=folder, check=True, capture_output=True, timeout=START_SECONDS)
    try:
        with (folder / "server.log").open("wb") as log, _started(command, folder, log):
            soon(lambda: _answers(account), "The server answers", START_SECONDS)
            yield _with_token(account)
    finally:
        shutil.rmtree(folder / "data")  # holds the keys of the server


def _command(package: Path, folder: Path, port: int) -> list[str]:
    """How it is run. Said once more here is what must hold even if the configuration were not read: without it, it would listen to all."""
    program = str(package / "node_modules" / "meshcentral")
    return ["node", program, "--datapath", str(folder / "data"), "--port", str(port), "--portbind", "127.0.0.1", "--redirport", "0"]


def _config(folder: Path, port: int) -> dict[str, Any]:
    """The configuration of the README, for this port and these folders."""
    text = re.search(r"```json\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert text
    config: dict[str, Any] = json.loads(text[1])
    config["settings"] |= {"port": port, "datapath": str(folder / "data"), "filespath": str(folder / "files")}
    return config


def _with_token(account: Mesh) -> Mesh:
    """The server, with a login token of that account, made as the README says."""
    arguments = ["--url", account.url, "--account", account.user.reveal(), "--ca-file", str(account.ca_file), "--into", str(account.folder)]
    done = CliRunner().invoke(make_token, arguments, input=f"{account.password.reveal()}\n", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    user, password = (Secret((account.folder / file).read_text()) for file in FILES)
    return replace(account, user=user, password=password)


@contextmanager
def _started(command: list[str], folder: Path, log: Any) -> Iterator[None]:
    with subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True) as process:
        try:
            yield
        finally:
            end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that began a session of its own, and all that it started."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


def _answers(mesh: Mesh) -> bool:
    try:
        return mesh.ca_file.exists() and mesh.get(f"{mesh.url}/health.ashx") == (200, b"ok")
    except (OSError, ssl.SSLError):
        return False


def pin_of(mesh: Mesh) -> str:
    """The hash of the server's key, by which a browser knows it."""
    host, port = "127.0.0.1", mesh.port
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate((host, port), ca_certs=str(mesh.ca_file)).encode())
    key = certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- the customer -------------------------------------------------------------------------------------------------------


class Customer:
    """A customer who opens the link they were sent, fetches the program from that page, and starts it.

    Args:
        mesh: the server.
        link: the customer link.
        folder: where they keep the program.
        display: what they look at; None: a machine without one.
    """

    def __init__(self, mesh: Mesh, link: str, folder: Path, display: Display | None = None) -> None:
        self._display = display
        self._folder = folder = _folder_of_programs(folder)
        program = folder / "meshagent"
        program.write_bytes(_download(mesh, link))
        program.chmod(0o700)
        (folder / "bin").mkdir()
        if display is not None:
            _stand_ins(folder / "bin", display)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program."""
        seen = self._display.environment if self._display else {}
        environment = {"PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}", "HOME": str(self._folder), **seen}
        with (self._folder / "agent.log").open("ab") as log:
            command = [str(self._folder / "meshagent"), "-connect"]
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log, env=environment, start_new_session=True)

    @property
    def runs(self) -> bool:
        """Is the program still there?"""
        return self._process is not None and self._process.poll() is None

    def question(self) -> str:
        """What the dialog asks that the program shows; empty while it shows none."""
        assert self._process is not None
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = file.read_bytes().split(b"\0")
                if b"--question" in words and os.getsid(int(file.parent.name)) == self._process.pid:
                    return b" ".join(words).decode()
        return ""

    def leave(self) -> None:
        """End the program, however it goes."""
        if self._process is not None:
            end_group(self._process)


def _folder_of_programs(folder: Path) -> Path:
    """A folder from which programs run; where the temporary ones lie in memory, that may be forbidden there."""
    folder.mkdir()
    if not os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return folder
    elsewhere = Path(tempfile.mkdtemp(prefix="customer-", dir=_cache()))
    atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
    return elsewhere


def _download(mesh: Mesh, link: str) -> bytes:
    """The program for Linux, by the address that the page of the invitation makes."""
    status, page = mesh.get(link)
    assert status == 200, f"The page of the invitation answers {status}."
    said = re.search(r"var meshid = '([^']+)'", page.decode())
    assert said, "The page of the invitation names no group."
    group = urllib.parse.quote(html.unescape(said[1]), safe="")
    status, program = mesh.get(f"{mesh.url}/meshagents?id={group}&installflags=1&meshinstall={LINUX_X86_64}")
    assert (status, program[:4]) == (200, b"\x7fELF")
    return program


def _stand_ins(folder: Path, display: Display) -> None:
    """What the program asks of a desktop system, on a machine on which nobody has logged in and others have displays too."""
    user, processes = getpass.getuser(), shutil.which("ps")
    sessions = f'echo "SESSION UID USER SEAT TTY"; echo "1 {os.getuid()} {user} seat0 tty1"; echo; echo "1 sessions listed."'
    answers = f'echo "Id=1"; echo "User={os.getuid()}"; echo "Name={user}"; echo "Active=yes"; echo "State=active"; echo "Type=x11"'
    own = f"""own="$({processes} -o sid= -p $$ | tr -d ' ')"; [ "$1" = -e ] && shift; exec {processes} -s "$own" -p {display.pid} "$@" """
    scripts = {"loginctl": f"case $1 in list-sessions) {sessions};; *) {answers};; esac", "ps": own}
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o700)
