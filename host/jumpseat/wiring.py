"""How a host is put together: plugins, catalogue, store and work of one workspace, and the threads between them.

Opening goes in this order: the settings of ``host.yaml`` that say which plugins to load; the plugins; the metadata, checked against
what the plugins bring. The database is connected when it is first needed, so that a command that needs none does not pay for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from jumpseat import metrics
from jumpseat.catalogue.live import LiveCatalogue
from jumpseat.catalogue.model import Catalogue
from jumpseat.catalogue.rights import all_rights
from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.clock import Clock, SystemClock
from jumpseat.contract import Extension, RecordSource, ShareChannel, SignIn
from jumpseat.early import early_settings
from jumpseat.errors import InvalidValue, PluginError, WorkspaceNotFound
from jumpseat.hooks.dispatch import Dispatch
from jumpseat.hooks.plugins import Plugins
from jumpseat.hooks.runtime import Loan
from jumpseat.hooks.trace import Trace, TraceLevel, TraceRow, TraceSetting, trace_level
from jumpseat.log import get_logger
from jumpseat.types import NOTHING, Level, ObjectInfo, Record, Rights, Session, Share, Supporter

if TYPE_CHECKING:
    from jumpseat.accounts.keeping import Keeping
    from jumpseat.catalogue.load import Cache
    from jumpseat.egress import Egress
    from jumpseat.jobs.running import Body, Runner
    from jumpseat.jobs.runs import JobRuns
    from jumpseat.notices.alerts import Alerts
    from jumpseat.notices.feed import Feed
    from jumpseat.notices.joined import JoinNotices
    from jumpseat.notices.telling import Telling
    from jumpseat.notices.visible import Visibility
    from jumpseat.reports.exporting import Exporting
    from jumpseat.reports.importing import Importing
    from jumpseat.reports.write_back import WritingBack
    from jumpseat.sealing import Sealer
    from jumpseat.sessions.life import SessionLife
    from jumpseat.shares.outcomes import Outcomes
    from jumpseat.shares.sending import Sending
    from jumpseat.shares.settling import Settling
    from jumpseat.shares.storing import Storing
    from jumpseat.store.store import Store
    from jumpseat.webhooks.delivering import Delivering
    from jumpseat.webhooks.fan_out import FanOut
    from jumpseat.work.heartbeat import Heartbeat, Presence
    from jumpseat.work.queue import Work
    from jumpseat.work.worker import Worker

log = get_logger(__name__)
T = TypeVar("T")

OPERATOR_RIGHTS = Rights(MappingProxyType(dict.fromkeys(all_rights(), Level.ALL)))
"""Of whoever has the workspace's files in hand, and so can write themselves any right."""
NOTICE_SWEEPS = {"join_notices": 0.5, "crm_notices": 0.5, "mail_notices": 1.0}
WEBHOOK_SWEEPS = {"webhooks": 0.5}
SWEEPS = MappingProxyType(
    {"expire": 5.0, "reconcile": 15.0, "watch": 1.0, "recover": 5.0, "jobs": 5.0, "write_back": 30.0} | NOTICE_SWEEPS | WEBHOOK_SWEEPS
)
"""Seconds between two runs of what the worker does by itself."""


class _Once(Generic[T]):
    """A property that is made on first use, by one thread: requests, the worker and the trace log may all be the first."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__

    def __get__(self, wiring: Wiring, _: type[Wiring]) -> T:
        made = wiring.made
        if self._name not in made:
            with wiring.making:
                if self._name not in made:
                    made[self._name] = self._make(wiring)
        return made[self._name]  # type: ignore[no-any-return]  # what _make answered


@dataclass(frozen=True, slots=True)
class Options:
    """How a host was asked to open."""

    safe_mode: bool = False
    no_plugins: tuple[str, ...] = ()
    discover: bool = True
    extra: tuple[object, ...] = ()
    database_url: str | None = None
    clock: Clock | None = None
    watch: bool = False


class Wiring:
    """Everything that one host owns.

    Args:
        workspace: folder with ``metadata/`` and ``templates/``.
        options: how to open it.
        host: handed to the registry hooks of plugins.

    Raises:
        WorkspaceNotFound: the folder has no ``metadata/``.
        MetadataInvalid: the metadata has problems and there is no last good version.
        PluginNotLoaded: a required plugin is not there.
    """

    def __init__(self, workspace: Path, options: Options, host: object) -> None:
        if not (workspace / "metadata").is_dir():
            raise WorkspaceNotFound(
                f"{workspace} is not a workspace: it has no metadata/ folder. Make one with 'jumpseat init {workspace}'."
            )
        self.workspace = workspace.resolve()
        self.var = self.workspace / "var"
        self.clock = options.clock or SystemClock()
        self._options = options
        self._lock = threading.RLock()
        self.made: dict[str, Any] = {}
        self.making = threading.RLock()
        self._live: LiveCatalogue | None = None
        self._sources: tuple[tuple[tuple[str, str], ...], Mapping[str, RecordSource]] = ((), NOTHING)
        self._worker: Worker | None = None
        self._executor: str | None = None
        """The id under which the worker's sweeps act, from before the first of them."""
        self._stopping = threading.Lock()
        self._heart: Heartbeat | None = None
        self._presence: Presence | None = None
        self.left_running = False
        """Set by ``close``: something could not be finished in time, and its thread lives as long as the process does."""
        self.trace = Trace(self.clock, _StoreSink(self))
        self._early = early_settings(self.workspace)
        self.plugins = self._load_plugins(host)
        try:
            self._live = LiveCatalogue(self.workspace, self.vocabulary(), self.var)
        except BaseException:
            self.plugins.close()
            raise
        if options.watch:
            self._live.start()

    def _load_plugins(self, host: object) -> Plugins:
        early, options = self._early, self._options
        return Plugins.load(
            self.workspace,
            host,
            order=early.plugin_order,
            blocked=early.blocked_plugins,
            required=early.required_plugins,
            no_plugins=options.no_plugins,
            safe_mode=options.safe_mode,
            discover=options.discover,
            extra=options.extra,
            clock=self.clock,
            settings=lambda plugin: self._live.current.plugins.get(plugin, NOTHING) if self._live else NOTHING,
            public_url=lambda: (self._live.current.host if self._live else early).public_url,
            lends=self._lend,
            trace=self.trace,
        )

    # --- catalogue and plugins ------------------------------------------------------------------------------------------

    @property
    def live(self) -> LiveCatalogue:
        assert self._live is not None  # set before the host is handed out
        return self._live

    @property
    def catalogue(self) -> Catalogue:
        return self.live.current

    @property
    def dispatch(self) -> Dispatch:
        return self.plugins.dispatch

    def vocabulary(self, *, live: bool = False) -> Vocabulary:
        """What metadata may name because the plugins bring it.

        Args:
            live: let the record sources be asked which objects and fields they have.
        """
        return Vocabulary(
            session_types=frozenset(self.plugins.session_types),
            channels=frozenset(self.plugins.channels),
            source_kinds=self.plugins.source_settings,
            plugins=self.plugins.settings,
            describe=self._describe if live else None,
            complete=self.plugins.complete() and self._options.discover,
        )

    def _describe(self, source: str, object: str) -> ObjectInfo | None:
        found = self.sources().get(source)
        return found.describe(object) if found else None

    def sources(self) -> Mapping[str, RecordSource]:
        """The record sources by name; made anew when the metadata names others or other kinds."""
        configured = tuple((config.name, config.kind) for config in self.catalogue.sources.values())
        with self._lock:
            if self._sources[0] != configured:
                self._sources = (configured, self._opened(configured))
            return self._sources[1]

    def _opened(self, configured: Sequence[tuple[str, str]]) -> Mapping[str, RecordSource]:
        found: dict[str, RecordSource] = {}
        for name, kind in configured:
            try:
                found[name] = self.plugins.open_source(kind, name, self._source_settings(name))
            except PluginError as error:
                # The others go on; whoever needs this one is told by name.
                log.error("record_source_not_opened", source=name, kind=kind, reason=error.message)
        return MappingProxyType(found)

    def _source_settings(self, name: str) -> Callable[[], Mapping[str, Any]]:
        def settings() -> Mapping[str, Any]:
            config = self.catalogue.sources.get(name)
            return config.settings if config else NOTHING

        return settings

    def default_source(self) -> str | None:
        """The record source that is meant when none is named."""
        if self.catalogue.host.default_source:
            return self.catalogue.host.default_source
        return next(iter(self.catalogue.sources)) if len(self.catalogue.sources) == 1 else None

    @_Once
    def edit_cache(self) -> Cache:
        """Files as edits have read them last, so that one file of a thousand is tried without reading the others again."""
        from jumpseat.catalogue.load import Cache

        return Cache()

    # --- sign-ins ---------------------------------------------------------------------------------------------------------

    def sign_in(self, name: str) -> SignIn | None:
        """The sign-in of this name: a plugin's, else that of the record source so called; None when nothing running brings it."""
        found = self.plugins.sign_ins.get(name)
        if found is None and (source := self.sources().get(name)):
            found = source.sign_in()
        return found

    def _lend(self, plugin: str, source: str) -> Loan:
        from jumpseat.lending import lend

        return lend(self, plugin, source)

    @_Once
    def accounts(self) -> Keeping:
        """Keeps the sign-ins at providers and CRMs."""
        from jumpseat.accounts.keeping import Around, Keeping

        settings = (lambda: self.sealer), self.sign_in, (lambda: self.alerts), (lambda: self.catalogue.host.public_url)
        return Keeping(Around(self.store, self.clock, *settings))

    # --- store, sessions, shares ------------------------------------------------------------------------------------------

    @_Once
    def store(self) -> Store:
        from jumpseat.store.store import Store

        url = self._options.database_url or os.environ.get("JUMPSEAT_DATABASE_URL") or f"sqlite:///{self.var / 'jumpseat.db'}"
        if "://" not in url:
            raise InvalidValue("JUMPSEAT_DATABASE_URL is not an address; write postgresql://USER@HOST/NAME or sqlite:///PATH.")
        store = Store.open(url, self.clock)
        self.trace.load(_stored_levels(store))
        return store

    @_Once
    def life(self) -> SessionLife:
        from jumpseat.sessions.life import SessionLife

        types, settings = (lambda: self.plugins.session_types), (lambda: self.catalogue.sessions)
        return SessionLife(self.store, self.clock, types, settings, Told(self), self.alerts, lambda: self._executor)

    @_Once
    def queue(self) -> Work:
        from jumpseat.work.queue import Work

        return Work(self.store.url)

    @_Once
    def outcomes(self) -> Outcomes:
        from jumpseat.shares.outcomes import Outcomes

        return Outcomes(self.store, self.queue, self.clock, self._channels, Told(self))

    @_Once
    def storing(self) -> Storing:
        from jumpseat.shares.storing import Storing

        return Storing(
            self.store,
            self.queue,
            self.clock,
            self._channels,
            settings=lambda: self.catalogue.host,
            alert=self.alerts.raise_alert,
            outcomes=self.outcomes,
        )

    @_Once
    def sending(self) -> Sending:
        from jumpseat.shares.breaker import Breaker
        from jumpseat.shares.sending import Sending

        return Sending(self.store, self.queue, self.clock, self._channels, Breaker(self.clock), self.outcomes, lambda: self._executor)

    @_Once
    def settling(self) -> Settling:
        from jumpseat.shares.settling import Settling

        return Settling(self.store, self.queue, self.clock, self._channels, self.outcomes)

    def _channels(self) -> Mapping[str, ShareChannel]:
        return self.plugins.channels

    @_Once
    def alerts(self) -> Alerts:
        """Administrators are told of incidents: ``raise_alert(key, title, text)`` and ``clear(key)``, outside of transactions."""
        from jumpseat.notices.alerts import Alerts

        return Alerts(self.store, self.clock, lambda: self.catalogue.host)

    @_Once
    def feed(self) -> Feed:
        from jumpseat.notices.feed import Feed

        return Feed(self.store, self.clock, lambda: self.catalogue.sessions)

    @_Once
    def visibility(self) -> Visibility:
        from jumpseat.notices.visible import Visibility

        return Visibility(self.sources)

    @_Once
    def join_notices(self) -> JoinNotices:
        from jumpseat.notices.joined import JoinNotices

        return JoinNotices(self.store, self.clock, lambda: self.catalogue.sessions, self.sources)

    @_Once
    def telling(self) -> Telling:
        from jumpseat.notices.telling import Telling

        return Telling(self.store, self.clock, lambda: self.catalogue, lambda: self.plugins.channels, self.sources)

    @_Once
    def sealer(self) -> Sealer:
        """Seals what lies in the database and must not be read there."""
        from jumpseat.sealing import Sealer

        return Sealer.of(self.var)

    def egress(self) -> Egress:
        """Where the host may call an address that somebody typed."""
        from jumpseat.egress import Egress

        settings = self.catalogue.host
        return Egress(settings.webhook_hosts, loopback=urlsplit(settings.public_url).hostname in ("127.0.0.1", "::1", "localhost"))

    @_Once
    def fan_out(self) -> FanOut:
        from jumpseat.webhooks.fan_out import FanOut

        return FanOut(self.store, self.clock, lambda: self.catalogue.host.public_url)

    @_Once
    def webhook_calls(self) -> Delivering:
        from jumpseat.webhooks.delivering import Delivering

        return Delivering(self.store, self.clock, lambda: self.sealer, self.egress, self.alerts)

    def call_webhooks(self) -> None:
        """Tell the webhooks what is new, and try again what is due."""
        self.fan_out.follow()
        self.webhook_calls.run()

    # --- reports ----------------------------------------------------------------------------------------------------------

    @_Once
    def exporting(self) -> Exporting:
        """Writes the company report to files."""
        from jumpseat.reports.exporting import Exporting

        return Exporting(self.store)

    @_Once
    def writing_back(self) -> WritingBack:
        """Writes to records what came of their sessions."""
        from jumpseat.reports.write_back import WritingBack

        return WritingBack(self.store, self.clock, lambda: self.catalogue, self.sources)

    # --- jobs -------------------------------------------------------------------------------------------------------------

    @_Once
    def importing(self) -> Importing:
        """Takes the connections of all provider accounts in."""
        from jumpseat.reports.importing import Importing

        return Importing(
            self.store, self.clock, lambda: self.plugins.session_types, kept_for=lambda: self.catalogue.host.retention.connections
        )

    @_Once
    def job_runs(self) -> JobRuns:
        """Schedules and runs of the jobs."""
        from jumpseat.jobs.runs import JobRuns
        from jumpseat.jobs.schedule import DEFAULTS

        return JobRuns(self.store, self.queue, self.clock, lambda: self.catalogue.jobs, tuple(DEFAULTS))

    @_Once
    def job_runner(self) -> Runner:
        """Carries out runs of jobs in this process."""
        from jumpseat.jobs.running import Runner
        from jumpseat.work.heartbeat import default_executor_id, own_id

        return Runner(self.job_runs, self._job_bodies(), self.alerts, lambda: default_executor_id() if self._worker else own_id())

    def _job_bodies(self) -> Mapping[str, Body]:
        from jumpseat.jobs.bodies import Reconciliation, SignIns
        from jumpseat.jobs.retention import RetentionJob

        passes = {"sessions": lambda: self.life.reconcile().settled, "shares": lambda: len(self.settling.recover())}
        return {
            "company_report": self.importing.read_all,
            "reconciliation": Reconciliation(self.store, passes).run,
            "retention": RetentionJob(self.store, self.queue, self.clock, lambda: self.catalogue.host).run,
            "token_refresh": SignIns(self.store, self._signed_in, self.alerts, self.accounts.renew_due).run,
        }

    def _signed_in(self) -> Mapping[str, Extension]:
        """Whoever may have a sign-in to keep; of several session types that share a provider account, one."""
        found: dict[str, Extension] = {one.account or one.name: one for one in self.plugins.session_types.values()}
        found |= {f"channel {name}": channel for name, channel in self.plugins.channels.items()}
        return found | {f"source {name}": source for name, source in self.sources().items()}

    # --- trace ------------------------------------------------------------------------------------------------------------

    def set_trace_level(self, level: str, plugin: str | None, hook: str | None) -> None:
        """Set a level now and for later starts."""
        from jumpseat.store import trace as rows

        kept = trace_level(level)
        with self.store.write() as connection:
            rows.set_level(connection, plugin or "", hook or "", kept.value)
        self.trace.set_level(kept, plugin, hook)

    def trace_settings(self) -> tuple[TraceSetting, ...]:
        """The levels in force; those of the store are loaded with it."""
        _ = self.store  # the stored levels come with it
        return self.trace.settings

    # --- work -------------------------------------------------------------------------------------------------------------

    def start_worker(self, role: str = "work", on_lost: Callable[[], object] = lambda: None) -> None:
        """Deliver, watch, expire and settle in the background of this process.

        Args:
            role: what the process does: ``work`` or ``serve+work``.
            on_lost: called when another process holds the executor id and the worker has stopped.
        """
        from jumpseat.jobs.running import AT_ONCE
        from jumpseat.jobs.runs import QUEUE
        from jumpseat.work.heartbeat import default_executor_id
        from jumpseat.work.worker import Worker

        runs: Mapping[str, Callable[[], Any]] = {
            "expire": self.life.expire,
            "reconcile": self.life.reconcile,
            "watch": self.life.watch_due,
            "recover": self.settling.recover,
            "join_notices": self.join_notices.follow,
            "crm_notices": self.telling.tell_crm,
            "mail_notices": self.telling.mail,
            "webhooks": self.call_webhooks,
            "jobs": self.job_runs.sweep,
            "write_back": self.writing_back.run,
        }
        sweeps = {name: (SWEEPS[name], run) for name, run in runs.items()}
        heartbeat = self._heartbeat(default_executor_id(), role)
        queues = {QUEUE: (AT_ONCE, self.job_runner.carry_out)}
        worker = Worker(self.store, heartbeat, self.plugins.channels, self.sending.deliver, sweeps, on_lost, queues)
        self._executor = heartbeat.id
        worker.start()
        self._worker = worker

    def stop_worker(self) -> None:
        """Finish what the worker runs, within its time, and give the rest back; nothing where there is none, or when it has stopped."""
        with self._stopping:
            worker, self._worker = self._worker, None
            if "job_runner" in self.made:
                self.job_runner.stop()
            calls: Delivering | None = self.made.get("webhook_calls")
            if calls is not None:
                calls.stop(0)
            if worker is not None and not worker.stop():
                self.left_running = True
            if calls is not None and not calls.stop(1):
                self.left_running = True
            for name in ("webhook_calls", "job_runner"):
                self.made.pop(name, None)  # a worker that is started again makes new ones

    def announce(self, role: str) -> None:
        """List this process, which runs no worker, among the processes of the host."""
        from jumpseat.work.heartbeat import Presence, own_id

        self._heart = self._heartbeat(own_id(), role)
        self._presence = Presence(self._heart)
        self._presence.start()

    def _heartbeat(self, id: str, role: str) -> Heartbeat:
        from jumpseat.work.heartbeat import Heartbeat

        return Heartbeat(self.store, id, role, version("jumpseat"), lambda: self.catalogue.version, self.var / "executors")

    def close(self) -> None:
        """Stop everything in the order that loses nothing: worker, files, plugins, database."""
        self.stop_worker()
        if self._presence is not None and self._heart is not None:
            self._presence.stop()
            _leave(self._heart)
        self.live.stop()
        self.plugins.close()
        if "feed" in self.made:
            self.feed.stop()
        if "queue" in self.made:
            self.queue.close()
        if "store" in self.made:
            self.store.close()


def _leave(heartbeat: Heartbeat) -> None:
    """Give the row back; where the database is away, it is dead in half a minute by itself."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        heartbeat.release()
    except SQLAlchemyError as error:
        log.warning("executor_not_released", executor=heartbeat.id, cause=type(error).__name__)


class Told:
    """Who is told what happened: the plugins' events."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def session_opened(self, session: Session, record: Record, supporter: Supporter) -> None:
        self._wiring.dispatch.notify("session_opened", session=session, record=record, supporter=supporter)

    def session_shared(self, session: Session, share: Share) -> None:
        metrics.SHARES.labels(share.channel, share.state.value).inc()
        self._wiring.life.shared(session)
        self._wiring.dispatch.notify("session_shared", session=session, share=share)

    def customer_joined(self, session: Session) -> None:
        self._wiring.dispatch.notify("customer_joined", session=session)

    def session_closed(self, session: Session) -> None:
        self._wiring.dispatch.notify("session_closed", session=session)

    def session_expired(self, session: Session) -> None:
        self._wiring.dispatch.notify("session_expired", session=session)


class _StoreSink:
    """Writes trace rows to the store, in transactions of their own."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def write(self, row: TraceRow) -> None:
        from jumpseat.store import trace as rows

        with self._wiring.store.write() as connection:
            rows.add(connection, row)


def _stored_levels(store: Store) -> list[TraceSetting]:
    from jumpseat.store import trace as rows

    with store.read() as connection:
        return [TraceSetting(TraceLevel(level), plugin or None, hook or None) for (plugin, hook), level in rows.levels(connection).items()]
