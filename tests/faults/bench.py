"""One host on the fault bench: in the test's process, and in processes that are killed.

    bench.py        for each line [order, …] on stdin: ``start`` forks a process and answers its number, ``wait`` answers how it ended

A forked process plays one part (``PARTS``) with the real host, the real worker and the real channels, and is killed with SIGKILL at a
named step if it is given one. Steps are seen from outside: the transactions of the rooms ``shares`` and ``sessions`` by the function
that opens them, and what leaves the host. Without a step to be killed at, a process prints those it reaches.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import jumpseat.shares.tries as tries_room
from jumpseat import (
    Abilities,
    Contact,
    Host,
    Message,
    OpenedSession,
    OpenRequest,
    Outcome,
    Record,
    RecordRef,
    Secret,
    Session,
    SessionStatus,
    SessionType,
    ShareChannel,
    ShareWish,
    Supporter,
    hookimpl,
)
from jumpseat.store.store import Store
from jumpseat.work.queue import Work
from jumpseat_email.channel import EmailChannel
from jumpseat_sms.channel import SmsChannel

ROOT = Path(__file__).parents[2]
KINDS = ("keyed", "lookup", "plain", "mail")
OBJECT = "label: Case\nsupported_object: Case\nname_field: Name\nemail_template_description: none\nallow_custom_recipient: true\n"
CUSTOMER = Contact("c1", "Paul", email="paul@client.example", mobile="+33612345678")
PR_SET_PDEATHSIG = 1
DEADLINE = 2.0
"""Of every channel unless a bench says otherwise, in seconds: a share that was cut off is settled twice this and a margin later."""


def record(number: int = 0) -> Record:
    """A record by value; each number is another one."""
    return Record(RecordRef("Case", f"C{number}"), f"Printer {number}", contacts=(CUSTOMER,))


class LaterClock:
    """The machine's clock, some seconds ahead: what has to be waited for has been waited for."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)


class Steps:
    """What is reached, and where the process ends."""

    def __init__(self, kill_at: str = "", nth: int = 1) -> None:
        self.kill_at, self.left = kill_at, nth
        self.reached: list[str] = []
        self.lock = threading.Lock()

    def __call__(self, step: str) -> None:
        with self.lock:
            self.reached.append(step)
            if step == self.kill_at:
                self.left -= 1
                if not self.left:
                    os.kill(os.getpid(), signal.SIGKILL)


class Desk:
    """The provider's sessions, in a file that outlives every process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._connect() as conn:
            conn.execute("CREATE TABLE IF NOT EXISTS held (number INTEGER PRIMARY KEY, correlation_id TEXT, open INTEGER)")

    @contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=30)) as conn, conn:
            yield conn

    def create(self, correlation_id: str) -> int:
        with self._connect() as conn:
            return int(conn.execute("INSERT INTO held (correlation_id, open) VALUES (?, 1)", [correlation_id]).lastrowid or 0)

    def find(self, correlation_id: str) -> tuple[int, bool] | None:
        with self._connect() as conn:
            row = conn.execute("SELECT number, open FROM held WHERE correlation_id = ?", [correlation_id]).fetchone()
        return (row[0], bool(row[1])) if row else None

    def close(self, correlation_id: str) -> None:
        with self._connect() as conn:
            conn.execute("UPDATE held SET open = 0 WHERE correlation_id = ?", [correlation_id])

    def all(self) -> list[tuple[str, bool]]:
        with self._connect() as conn:
            return [(row[0], bool(row[1])) for row in conn.execute("SELECT correlation_id, open FROM held")]


class DeskType(SessionType):
    """Opens sessions at the desk."""

    name, label = "desk", "Desk"
    abilities = Abilities(findable=True, joined_signal=True)
    deadline_seconds = DEADLINE

    def __init__(self, desk: Desk, step: Callable[[str], None]) -> None:
        self.desk, self.step = desk, step

    def open(self, request: OpenRequest) -> OpenedSession:
        self.step("before the provider opens")
        number = self.desk.create(request.correlation_id)
        self.step("after the provider opened")
        return OpenedSession(f"d{number}", f"https://desk.test/d{number}")

    def supporter_link(self, session: Session, supporter: Supporter) -> Secret:
        return Secret(f"https://desk.test/{session.code}-{supporter.id}")

    def status(self, sessions: Sequence[Session]) -> Sequence[SessionStatus]:
        found = dict(self.desk.all())
        return [SessionStatus("open" if found.get(session.correlation_id) else "closed") for session in sessions]

    def close(self, session: Session) -> None:
        self.desk.close(session.correlation_id)

    def find(self, correlation_id: str, since: datetime) -> OpenedSession | None:
        found = self.desk.find(correlation_id)
        return OpenedSession(f"d{found[0]}", f"https://desk.test/d{found[0]}") if found and found[1] else None


def channel(kind: str, step: Callable[[str], None], deadline: float) -> ShareChannel:
    """The real channel for SMS or mail, under the name of a kind of gateway, with its sending seen."""
    real: type[ShareChannel] = EmailChannel if kind == "mail" else SmsChannel

    class Seen(real):  # type: ignore[misc, valid-type]  # one of two classes
        name, label, templated, deadline_seconds = kind, kind, False, deadline

        def send(self, message: Message) -> Outcome:
            step("before the message leaves")
            outcome = super().send(replace(message, text=message.customer_link, subject="Support"))
            step("after the gateway answered")
            return outcome

        def look_up(self, message: Message) -> Outcome | None:
            step("before the gateway is asked")
            found: Outcome | None = super().look_up(message)
            step("after the gateway told")
            return found

    return Seen()


def plugin(name: str, *, types: Sequence[SessionType] = (), channels: Sequence[ShareChannel] = (), step: Any = None) -> Any:
    """A plugin of this name."""

    class Plugin:
        __name__ = name

        @hookimpl
        def register_session_types(self) -> Sequence[SessionType]:
            return types

        @hookimpl
        def register_share_channels(self) -> Sequence[ShareChannel]:
            return channels

        @hookimpl
        def session_shared(self, share: Any) -> None:
            if step is not None:
                step("the outcome is told")

    return Plugin()


@dataclass(frozen=True)
class Bench:
    """A workspace, its database, and gateways of a test."""

    folder: str
    database: str
    http_port: int
    smtp_port: int
    deadline: float = DEADLINE

    def lay_out(self) -> None:
        """Write the workspace."""
        metadata = Path(self.folder) / "metadata"
        (metadata / "objects").mkdir(parents=True, exist_ok=True)
        (metadata / "plugins").mkdir(exist_ok=True)
        shutil.copytree(ROOT / "metadata" / "permission_sets", metadata / "permission_sets", dirs_exist_ok=True)
        (metadata / "objects" / "case.yaml").write_text(OBJECT)
        many = "{per_supporter: 100000, per_record: 100000, per_object: 100000, per_day: 100000}"
        (metadata / "host.yaml").write_text(f"caps: {{{', '.join(f'{kind}: {many}' for kind in KINDS)}}}\n")
        (metadata / "sessions.yaml").write_text("allow: {desk: true}\n")
        base = f"http://127.0.0.1:{self.http_port}"
        sms = "body: {key: '{key}', to: '{to}', text: '{text}'}, id_path: id"
        kinds = {
            "keyed": f"url: '{base}/keyed', honours_key: true, {sms}",
            "lookup": f"url: '{base}/lookup', lookup_url: '{base}/lookup/{{key}}', {sms}",
            "plain": f"url: '{base}/plain', {sms}",
            "mail": f"host: 127.0.0.1, port: {self.smtp_port}, security: none, sender: support@jumpseat.example, timeout_seconds: 2.0",
        }
        for kind, settings in kinds.items():
            (metadata / "plugins" / f"{kind}.yaml").write_text(f"plugin: {kind}\nsettings: {{{settings}}}\n")

    def queue(self, kind: str, count: int) -> None:
        """Store messages of a kind, each to another customer."""
        with self.open() as host:
            Queue(host).add({kind: count})

    def outcomes(self) -> dict[str, Counter[str]]:
        """How many shares there are by kind and state."""
        found: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
        store = Store.open(self.database)
        with store.read() as conn:
            for row in conn.execute(sa.text("SELECT channel, state, count(*) FROM shares GROUP BY channel, state")):
                found[row[0]][row[1]] = row[2]
        store.close()
        return found

    def busy(self) -> bool:
        """Is a share without its outcome, or a job begun or due?"""
        return self._any("shares WHERE state IN ('queued', 'sending')") or self.due()

    def due(self) -> bool:
        """Is a job begun or due?"""
        jobs = "workflow_status" if self.database.startswith("sqlite") else "dbos.workflow_status"
        return self._any(f"{jobs} WHERE status IN ('ENQUEUED', 'PENDING')")

    def _any(self, rows: str) -> bool:
        with _engine(self.database).connect() as conn:
            return bool(conn.scalar(sa.text(f"SELECT EXISTS (SELECT 1 FROM {rows})")))

    @property
    def desk(self) -> Desk:
        return Desk(Path(self.folder) / "desk.db")

    def open(self, step: Callable[[str], None] = lambda step: None, ahead: float = 0.0) -> Host:
        """A host of the workspace."""
        made = [plugin(kind, channels=[channel(kind, step, self.deadline)]) for kind in KINDS]
        made.append(plugin("desk", types=[DeskType(self.desk, step)], step=step))
        return Host.open(self.folder, discover=False, plugins=made, database_url=self.database, clock=LaterClock(ahead))


class Queue:
    """Stores messages, each to another customer, with one host."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.stored: Counter[str] = Counter()
        self.sessions: dict[str, str] = {}

    def add(self, counts: Mapping[str, int]) -> None:
        """Store so many more of each kind."""
        for kind, count in counts.items():
            if kind not in self.sessions:
                self.sessions[kind] = self.host.open_session(record(KINDS.index(kind)), "desk", self.host.operator()).id
            address = "c{}@client.example" if kind == "mail" else "+336{:08d}"
            numbers = range(self.stored[kind], self.stored[kind] + count)
            wishes = [ShareWish(kind, address=address.format(12_000_000 + number)) for number in numbers]
            for start in range(0, count, 20):
                self.host.share(self.sessions[kind], wishes[start : start + 20], self.host.operator())
            self.stored[kind] += count


@cache
def _engine(url: str) -> sa.Engine:
    return sa.create_engine(url, poolclass=sa.NullPool)


# --- the processes ----------------------------------------------------------------------------------------------------


def watch_steps(step: Callable[[str], None]) -> None:
    """See the transactions of the rooms, and what is enqueued in them, in this process from now on."""
    write, enqueue = Store.write, Work.enqueue_delivery

    @contextmanager
    def seen_write(store: Store) -> Iterator[sa.Connection]:
        function = _caller()
        with write(store) as conn:
            yield conn
            if function:
                step(f"before {function} commits")
        if function:
            step(f"after {function} committed")

    def seen_enqueue(work: Work, *args: Any, **kwargs: Any) -> None:
        step("before a delivery is enqueued")
        enqueue(work, *args, **kwargs)
        step("after a delivery is enqueued")

    @sa.event.listens_for(sa.Engine, "handle_error")
    def note(context: sa.ExceptionContext) -> None:
        print(f"database: {context.original_exception} in {context.statement}", flush=True)

    Store.write = seen_write  # type: ignore[method-assign]  # in a process that is about to be killed
    Work.enqueue_delivery = seen_enqueue  # type: ignore[method-assign]  # as above


BESIDE = frozenset({"_note_use", "_hurry"})
"""What is written beside the path of a share: that a key was used, and that a provider account is due; so is all that the watch does."""


def _caller() -> str:
    """Which function of the rooms begins the transaction; empty for the others."""
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__") == "contextlib" and frame.f_back:
        frame = frame.f_back
    module = str(frame.f_globals.get("__name__"))
    known = module.startswith(("jumpseat.shares", "jumpseat.sessions", "jumpseat.host")) and module != "jumpseat.sessions.watch"
    known = known and frame.f_code.co_name not in BESIDE
    return frame.f_code.co_name if known else ""


def share(bench: Bench, step: Callable[[str], None], session_id: str, kinds: Sequence[str]) -> None:
    """Part: share a session, once per kind."""
    with bench.open(step) as host:
        host.share(session_id, [ShareWish(kind) for kind in kinds], host.operator())


def work(bench: Bench, step: Callable[[str], None], ahead: float = 0.0, seconds: float = 60.0) -> None:
    """Part: a worker, until every share has its outcome and every job has ended; it is not closed, as if it had lost its power then."""
    host = bench.open(step, ahead)
    host.start_worker()
    if ahead:
        host.tick()  # what was cut off is settled by a sweep, which a test does not wait for
    until = time.monotonic() + seconds
    while bench.busy() and time.monotonic() < until:
        time.sleep(0.05)


def toil(bench: Bench, step: Callable[[str], None]) -> None:
    """Part: a worker, until it is killed."""
    with bench.open(step) as host:
        host.start_worker()
        signal.pause()


def serve(bench: Bench, step: Callable[[str], None], fd: int) -> None:
    """Part: serve the API on a socket that the test made."""
    import uvicorn

    from jumpseat.api.app import create_app

    with bench.open(step) as host:
        config = uvicorn.Config(create_app(host), log_config=None, access_log=False, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        # It sends itself the signal again once it has stopped; with the default action the host would not be closed.
        signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
        server.run(sockets=[socket.socket(fileno=fd)])


def settle(bench: Bench, step: Callable[[str], None], ahead: float = 600.0) -> None:
    """Part: reconcile what was cut off, as much later."""
    with bench.open(step, ahead) as host:
        host.tick()


PARTS: dict[str, Callable[..., None]] = {"share": share, "work": work, "toil": toil, "serve": serve, "settle": settle}


def play(part: str, bench: dict[str, Any], arguments: Sequence[Any], kill_at: str, nth: int) -> None:
    """What a forked process does: its part, then it prints the steps it reached."""
    with open(os.path.join(bench["folder"], "processes.log"), "ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.environ["JUMPSEAT_EXECUTOR"] = os.environ.get("JUMPSEAT_EXECUTOR", "bench")
    tries_room.FIRST_DELAY_SECONDS = 1  # what a test would otherwise wait for
    steps = Steps(kill_at, nth)
    watch_steps(steps)
    code = 1
    try:
        PARTS[part](Bench(**bench), steps, *arguments)
        Path(bench["folder"], "steps.json").write_text(json.dumps(steps.reached))
        code = 0
    except BaseException as error:
        import traceback

        traceback.print_exception(error)
    finally:
        sys.stdout.flush()
        os._exit(code)


def fork(part: str, bench: dict[str, Any], arguments: Sequence[Any] = (), kill_at: str = "", nth: int = 1) -> int:
    """Start a process that plays a part."""
    child = os.fork()
    if not child:
        os.close(0)
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # nothing of a test outlives it
        play(part, bench, arguments, kill_at, nth)
    return child


def warm_up() -> None:
    """Import what every process needs, once for all."""
    for module in (
        *("alembic.command", "alembic.runtime.migration", "dbos", "phonenumbers", "psycopg", "uvicorn", "uvicorn.protocols.http.auto"),
        *(
            "jumpseat.api.app",
            "jumpseat.sessions.life",
            "jumpseat.shares.compose",
            "jumpseat.shares.sending",
            "jumpseat.shares.settling",
        ),
        *("jumpseat.store.upgrade", "jumpseat.work.heartbeat", "jumpseat.work.worker"),
    ):
        importlib.import_module(module)


def main() -> None:
    """Take orders until stdin ends."""
    warm_up()
    for line in sys.stdin:
        order, *rest = json.loads(line)
        answer = fork(*rest) if order == "start" else os.waitstatus_to_exitcode(os.waitpid(rest[0], 0)[1])
        print(answer, flush=True)


if __name__ == "__main__":
    main()
