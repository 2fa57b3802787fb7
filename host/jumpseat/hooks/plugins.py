"""The plugins of one host: found, checked, registered, asked once what they bring, and from then on known by their state.

Starting goes in this order:

1. Candidates are listed without importing any (``discovery``); blocked, repeated and unfitting ones are set aside.
2. Each remaining one is imported in a thread with a deadline (``importing``).
3. Its hooks are checked against the specifications (``checking``) and registered, all of them or none.
4. Its registry hooks are asked; one failure sets the whole plugin aside.
5. Names that two plugins claim are given to neither.
6. What is left is lent its runtime and put behind guards (``guarding``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pluggy

from jumpseat import hookspecs
from jumpseat.clock import Clock, SystemClock
from jumpseat.contract import REQUIRED, Extension, RecordSource, SessionType, Setting, ShareChannel, SignIn
from jumpseat.errors import NotFound, PluginNotLoaded
from jumpseat.hooks import checking, discovery, output
from jumpseat.hooks.discovery import Candidate, near
from jumpseat.hooks.dispatch import Dispatch, Ended, Implementation
from jumpseat.hooks.guarding import guard
from jumpseat.hooks.importing import Importer, foreign_threads
from jumpseat.hooks.runtime import LiveConfig, Loan, PluginRuntime
from jumpseat.hooks.trace import Trace, TraceOutcome
from jumpseat.hooks.values import Check, many, one
from jumpseat.hookspecs import PROJECT
from jumpseat.secret import Secret
from jumpseat.types import NOTHING, Provenance

if TYPE_CHECKING:
    import click

IMPORT_SECONDS = 20.0
"""Longest time one plugin's import, or one of its registry hooks, may take."""


def _no_settings(_: str) -> Mapping[str, Any]:
    """Where nobody has read the metadata."""
    return NOTHING


class PluginState(StrEnum):
    """What became of a plugin."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    """Left out on purpose; not imported."""
    REFUSED = "refused"
    """Something about it is wrong in a way that can be told without running it: its name, its version, its hooks."""
    FAILED = "failed"
    """It raised, hung or answered something wrong while it was loaded."""
    QUARANTINED = "quarantined"
    """One of its calls failed too often and is left out until a probe succeeds."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin as administrators see it."""

    name: str
    state: PluginState
    version: str | None = None
    distribution: str | None = None
    """None for one that was dropped in, or given by a test."""
    file: str | None = None
    hooks: tuple[str, ...] = ()
    session_types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    source_kinds: tuple[str, ...] = ()
    reason: str = ""
    """Why it is not active, or what of it could not be used; empty when all is well."""
    load_ms: float = 0.0


@dataclass(slots=True)
class _Loading:
    """One plugin on its way through the steps."""

    candidate: Candidate
    state: PluginState = PluginState.ACTIVE
    reasons: list[str] = field(default_factory=list)
    plugin: Any = None
    hooks: tuple[str, ...] = ()
    own_settings: tuple[Setting, ...] = ()
    session_types: tuple[SessionType, ...] = ()
    channels: tuple[ShareChannel, ...] = ()
    sources: tuple[type[RecordSource], ...] = ()
    sign_ins: tuple[SignIn, ...] = ()
    milliseconds: float = 0.0
    runtime: PluginRuntime | None = None
    clashed: bool = False
    """Something it registered is not used, for another plugin registers the same name."""

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def active(self) -> bool:
        return self.state is PluginState.ACTIVE

    def set_aside(self, state: PluginState, reason: str) -> None:
        self.state, self.plugin = state, None
        self.session_types, self.channels, self.sources, self.sign_ins = (), (), (), ()
        self.reasons.append(reason)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """Its own settings and those of its session types, channels and sign-ins, each once."""
        brought = (*self.session_types, *self.channels, *self.sign_ins)
        declared = [*self.own_settings, *(setting for extension in brought for setting in extension.settings)]
        return tuple({setting.name: setting for setting in reversed(declared)}.values())[::-1]


class Plugins:
    """All plugins of one host. Make it with ``load``; close it when the host closes.

    Attributes:
        dispatch: asks decisions, tells events, and runs every guarded call.
        session_types: by name, guarded, in plugin order.
        channels: by name, guarded, in plugin order.
        sources: by kind, the classes; ``open_source`` makes guarded instances.
        sign_ins: by name, guarded, in plugin order; those of record sources come with the sources.
        settings: by plugin, what may be set in ``metadata/plugins/NAME.yaml``.
        source_settings: by kind, what may be set in a source's file.
    """

    def __init__(
        self,
        workspace: Path,
        *,
        clock: Clock,
        settings: Callable[[str], Mapping[str, Any]],
        public_url: Callable[[], str],
        lends: Callable[[str, str], Loan] | None,
        trace: Trace,
        dispatch: Dispatch | None,
        load_seconds: float,
    ) -> None:
        self.workspace = workspace
        self.session_types: Mapping[str, SessionType] = NOTHING
        self.channels: Mapping[str, ShareChannel] = NOTHING
        self.sources: Mapping[str, type[RecordSource]] = NOTHING
        self.sign_ins: Mapping[str, SignIn] = NOTHING
        self.settings: Mapping[str, tuple[Setting, ...]] = NOTHING
        self.source_settings: Mapping[str, tuple[Setting, ...]] = NOTHING
        self._clock = clock
        self._settings = settings
        self._public_url = public_url
        self._lends = lends
        self._seconds = load_seconds
        self._importer = Importer()
        self._loading: dict[str, list[_Loading]] = {}
        self._source_runtimes: list[tuple[str, PluginRuntime]] = []
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self.dispatch = dispatch or Dispatch(clock=clock, trace=trace, secrets=self.secrets)
        output.attach()

    @classmethod
    def load(
        cls,
        workspace: Path,
        host: Any,
        *,
        order: Sequence[str] = (),
        blocked: Collection[str] = (),
        required: Collection[str] = (),
        no_plugins: Collection[str] = (),
        safe_mode: bool = False,
        discover: bool = True,
        extra: Iterable[Any] = (),
        clock: Clock | None = None,
        settings: Callable[[str], Mapping[str, Any]] = _no_settings,
        public_url: Callable[[], str] = lambda: "http://127.0.0.1:8400",
        lends: Callable[[str, str], Loan] | None = None,
        trace: Trace | None = None,
        dispatch: Dispatch | None = None,
        load_seconds: float = IMPORT_SECONDS,
    ) -> Plugins:
        """Find, check and register the plugins of a workspace.

        Args:
            workspace: folder whose ``plugins/`` is looked at, and under whose ``var/`` plugins get their folders.
            host: handed to the registry hooks.
            order: names that come first, in this order.
            blocked: names that are not loaded.
            required: names without which the host must not start.
            no_plugins: names that are left out this once.
            safe_mode: load the host's own plugins only.
            discover: False looks neither at installed distributions nor into the workspace.
            extra: plugins given as objects (modules, objects with hooks, pairs of name and object); they come in the order given.
            clock: the host's clock.
            settings: answers the values set for a plugin now, by plugin name.
            public_url: answers where the host is reached from outside, now.
            lends: answers what a plugin, or one of its record sources by name, may use of what the host keeps; nothing without it.
            trace: the trace log.
            dispatch: a dispatch with other limits than the usual ones.
            load_seconds: deadline of one import and of one registry hook.

        Raises:
            InvalidValue: ``no_plugins`` names a plugin that does not exist.
            PluginNotLoaded: a required plugin is missing or could not be loaded.
        """
        found = (*discovery.given(extra), *(discovery.discover(workspace) if discover else ()))
        arranged, reasons = discovery.arrange(found, order=order, blocked=blocked, no_plugins=no_plugins, safe_mode=safe_mode)
        clock = clock or SystemClock()
        plugins = cls(
            workspace,
            clock=clock,
            settings=settings,
            public_url=public_url,
            lends=lends,
            trace=trace or Trace(clock),
            dispatch=dispatch,
            load_seconds=load_seconds,
        )
        try:
            plugins._load(arranged, reasons, host)
            plugins._check_required(required)
        except BaseException:
            plugins.close()
            raise
        return plugins

    # --- what is known ---

    def infos(self) -> tuple[PluginInfo, ...]:
        """Every plugin that was found, in plugin order, with its state now."""
        return tuple(self._info(loading) for loadings in self._loading.values() for loading in loadings)

    def info(self, name: str) -> PluginInfo:
        """One plugin.

        Raises:
            NotFound: none of this name was found.
        """
        if name not in self._loading:
            raise NotFound(f"There is no plugin '{name}'{near(name, self._loading) or '.'}", param="name")
        return self._info(self._loading[name][0])

    def complete(self) -> bool:
        """Every plugin that was found is loaded, and all that it registered is used."""
        return all(loading.active and not loading.clashed for loadings in self._loading.values() for loading in loadings)

    def secrets(self, plugin: str) -> tuple[Secret, ...]:
        """The secret settings of a plugin and of its record sources, as they are now; masked wherever they turn up."""
        runtimes = [loading.runtime for loading in self._loading.get(plugin, ()) if loading.runtime]
        runtimes += [runtime for owner, runtime in self._source_runtimes if owner == plugin]
        return tuple(secret for runtime in runtimes for secret in runtime.config.secrets())

    def plugin_of(self, extension: Extension | type[RecordSource]) -> str:
        """Name of the plugin that brought a session type, a share channel or a kind of record source."""
        for loading in self._active():
            known: tuple[Any, ...] = (*loading.session_types, *loading.channels, *loading.sources, *loading.sign_ins)
            if any(brought.name == extension.name and _same_contract(brought, extension) for brought in known):
                return loading.name
        raise NotFound(f"No plugin brings '{extension.name}'.")

    # --- what plugins bring later ---

    def open_source(self, kind: str, name: str, settings: Callable[[], Mapping[str, Any]] = lambda: NOTHING) -> RecordSource:
        """One record source, ready and guarded.

        Args:
            kind: as in ``kind:`` of the source's file.
            name: the source's name.
            settings: answers the values set in its file now.

        Raises:
            PluginNotLoaded: no active plugin brings this kind.
            PluginError: its constructor failed.
        """
        if kind not in self.sources:
            known = ", ".join(sorted(self.sources)) or "none"
            raise PluginNotLoaded(
                f"No active plugin brings the kind of record source '{kind}', which the source '{name}' needs. There are: {known}.",
                param="kind",
            )
        plugin = self.plugin_of(self.sources[kind])
        file = f"metadata/sources/{name}.yaml"
        config = LiveConfig(f"record source '{name}'", file, self.source_settings[kind], settings)
        runtime = self._runtime(config, self._folder(plugin) / name, self._loan(plugin, name))
        self._source_runtimes.append((plugin, runtime))
        return self.dispatch.call(
            plugin, f"{kind}.open", self._made, (self.sources[kind], plugin, name, runtime), seconds=self._seconds, check=one(RecordSource)
        )

    def _made(self, kind: type[RecordSource], plugin: str, name: str, runtime: PluginRuntime) -> RecordSource:
        source = kind()
        source.source, source.runtime = name, runtime
        return guard(self.dispatch, plugin, source)

    def add_commands(self, cli: click.Group) -> None:
        """Let every plugin add its commands; one that takes a command's name that is taken adds none.

        Two plugins may bring a group of the same name, each with commands of its own in it (``import salesforce``, ``import dynamics``).

        Args:
            cli: the click group ``jumpseat``.
        """
        import click

        from jumpseat.hooks import commands

        for loading in self._having("register_commands"):
            group = click.Group(cli.name)
            ended = self._attempt(loading, "register_commands", {"cli": group}, _drop)
            taken = commands.taken(group, cli)
            if ended.outcome is not TraceOutcome.OK:
                loading.reasons.append(_why("register_commands", ended))
            elif taken:
                loading.reasons.append(f"It brings the command '{taken[0]}', which exists; none of its commands is used.")
            else:
                commands.add(group, cli)

    def routes(self, host: Any) -> Mapping[str, tuple[Any, ...]]:
        """HTTP routes by plugin, to be served under ``/-/NAME/``.

        Args:
            host: the host that serves.
        """
        found = {}
        for loading in self._having("register_routes"):
            ended = self._attempt(loading, "register_routes", {"host": host}, many(object))
            if ended.outcome is TraceOutcome.OK:
                found[loading.name] = ended.value
            else:
                loading.reasons.append(_why("register_routes", ended))
        return found

    def close(self) -> None:
        """Give up threads, connections and the modules of dropped-in plugins."""
        self.dispatch.close()
        for loading in self._active():
            if loading.runtime:
                loading.runtime.close()
        for _, runtime in self._source_runtimes:
            runtime.close()
        self._importer.close()
        output.detach()

    # --- loading ---

    def _load(self, arranged: Sequence[Candidate], reasons: Mapping[str, str], host: Any) -> None:
        for candidate in arranged:
            loading = _Loading(candidate)
            self._loading.setdefault(candidate.name, []).append(loading)
            if candidate.name in reasons:
                loading.set_aside(PluginState.BLOCKED, reasons[candidate.name])
            elif candidate.refused:
                loading.set_aside(PluginState.REFUSED, candidate.refused)
            else:
                self._import(loading)
        # pluggy calls the last registered first: registering from the end makes the order of calls the listed one.
        for loading in reversed(list(self._active())):
            self._register(loading)
        self.dispatch.use(self._implementations())
        for loading in self._active():
            self._ask_registry(loading, host)
        self._settle_names()
        self._lend()
        self.dispatch.use(self._implementations())

    def _import(self, loading: _Loading) -> None:
        began, threads = perf_counter(), foreign_threads()
        ended = self.dispatch.attempt(
            loading.name, "import", self._importer.load, (loading.candidate,), seconds=self._seconds, check=lambda plugin: plugin
        )
        loading.milliseconds = round((perf_counter() - began) * 1000, 1)
        if ended.outcome is not TraceOutcome.OK:
            self._importer.forget(loading.candidate)
            loading.set_aside(PluginState.FAILED, _why("import", ended))
            return
        problems = [checking.host_problem(ended.value)]
        if not problems[0]:
            problems = [*checking.hook_problems(ended.value, self.workspace)]
        if any(problems):
            self._importer.forget(loading.candidate)
            loading.set_aside(PluginState.REFUSED, "\n".join(filter(None, problems)))
            return
        loading.plugin, loading.hooks = ended.value, checking.hooks_of(ended.value)
        more = foreign_threads() - threads
        if more > 0:
            loading.reasons.append(f"It started {more} threads while it was imported; the host cannot stop them.")

    def _register(self, loading: _Loading) -> None:
        try:
            self._manager.register(loading.plugin, loading.name)
        except (pluggy.PluginValidationError, ValueError) as error:
            # pluggy before 1.7 leaves a plugin half registered here.
            if self._manager.has_plugin(loading.name):
                self._manager.unregister(name=loading.name)
            loading.set_aside(PluginState.REFUSED, f"Its hooks cannot be registered: {str(error).splitlines()[0]}.")

    def _ask_registry(self, loading: _Loading, host: Any) -> None:
        """Ask what the plugin brings; the first failure sets it aside whole."""
        answers: dict[str, Any] = {}
        for hook, check in _REGISTRY_CHECKS.items():
            if hook in loading.hooks:
                ended = self._attempt(loading, hook, {"host": host}, check)
                if ended.outcome is not TraceOutcome.OK:
                    self._manager.unregister(name=loading.name)
                    loading.set_aside(PluginState.FAILED, _why(hook, ended))
                    return
                answers[hook] = ended.value
        loading.own_settings = answers.get("register_settings", ())
        loading.session_types = answers.get("register_session_types", ())
        loading.channels = answers.get("register_share_channels", ())
        loading.sources = answers.get("register_record_sources", ())
        loading.sign_ins = answers.get("register_sign_ins", ())

    def _attempt(self, loading: _Loading, hook: str, arguments: Mapping[str, Any], check: Check[Any]) -> Ended:
        """Call all implementations of one registry hook in one plugin (usually one), their answers joined."""
        found = [one for one in self.dispatch.implementations(hook) if one.plugin == loading.name]
        ended = Ended(TraceOutcome.FAILED, reason="is not registered")
        for implementation in found:
            values = [arguments[name] for name in implementation.arguments]
            ended = self.dispatch.attempt(loading.name, hook, implementation.function, values, seconds=self._seconds, check=check)
        return ended

    def _settle_names(self) -> None:
        """A name that several plugins register for the same kind of thing is given to none of them."""
        for attribute, contract in _KINDS.items():
            holders: dict[str, list[_Loading]] = {}
            for loading in self._active():
                for extension in getattr(loading, attribute):
                    holders.setdefault(extension.name, []).append(loading)
            for name, several in holders.items():
                if len(several) > 1:
                    _refuse_name(name, several, attribute, checking.WORDS[contract])

    def _lend(self) -> None:
        """Give every extension its runtime, and put it behind a guard."""
        session_types: dict[str, SessionType] = {}
        channels: dict[str, ShareChannel] = {}
        sign_ins: dict[str, SignIn] = {}
        for loading in list(self._active()):
            file = f"metadata/plugins/{loading.name}.yaml"
            config = LiveConfig(f"plugin '{loading.name}'", file, loading.settings, self._settings_of(loading.name))
            loading.runtime = self._runtime(config, self._folder(loading.name), self._loan(loading.name))
            ended = self.dispatch.attempt(loading.name, "start", self._guarded, (loading,), seconds=self._seconds, check=lambda all_: all_)
            if ended.outcome is not TraceOutcome.OK:
                self._manager.unregister(name=loading.name)
                loading.set_aside(PluginState.FAILED, _why("start", ended))
                continue
            session_types |= ended.value[0]
            channels |= ended.value[1]
            sign_ins |= ended.value[2]
        self.session_types, self.channels = MappingProxyType(session_types), MappingProxyType(channels)
        self.sign_ins = MappingProxyType(sign_ins)
        self.sources = MappingProxyType({source.name: source for loading in self._active() for source in loading.sources})
        self.settings = MappingProxyType({loading.name: loading.settings for loading in self._active()})
        self.source_settings = MappingProxyType({kind: tuple(source.settings) for kind, source in self.sources.items()})

    def _guarded(self, loading: _Loading) -> tuple[dict[str, Any], ...]:
        brought: tuple[tuple[Extension, ...], ...] = (loading.session_types, loading.channels, loading.sign_ins)
        return tuple({one.name: guard(self.dispatch, loading.name, _lent(one, loading.runtime)) for one in kind} for kind in brought)

    def _implementations(self) -> Iterable[Implementation]:
        for hook in checking.HOOKS:
            caller = getattr(self._manager.hook, hook)
            for implementation in reversed(caller.get_hookimpls()):
                file, line = checking.place(implementation.function, self.workspace)
                provenance = Provenance(implementation.plugin_name, file, line)
                yield Implementation(implementation.plugin_name, hook, implementation.function, tuple(implementation.argnames), provenance)

    def _check_required(self, required: Collection[str]) -> None:
        for name in required:
            loadings = self._loading.get(name, ())
            if not loadings:
                raise PluginNotLoaded(
                    f"The plugin '{name}' is required by metadata/host.yaml and was not found{near(name, self._loading) or '.'}", param=name
                )
            if not loadings[0].active:
                raise PluginNotLoaded(
                    f"The plugin '{name}' is required by metadata/host.yaml and is {loadings[0].state}: {' '.join(loadings[0].reasons)}",
                    param=name,
                )

    # --- small things ---

    def _active(self) -> Iterable[_Loading]:
        return (loading for loadings in self._loading.values() for loading in loadings if loading.active)

    def _having(self, hook: str) -> Iterable[_Loading]:
        return (loading for loading in self._active() if hook in loading.hooks)

    def _runtime(self, config: LiveConfig, folder: Path, loan: Loan | None) -> PluginRuntime:
        return PluginRuntime(config, folder, self._clock, self._public_url, loan)

    def _loan(self, plugin: str, source: str = "") -> Loan | None:
        return self._lends(plugin, source) if self._lends else None

    def _folder(self, plugin: str) -> Path:
        return self.workspace / "var" / "plugins" / plugin

    def _settings_of(self, plugin: str) -> Callable[[], Mapping[str, Any]]:
        return lambda: self._settings(plugin)

    def _info(self, loading: _Loading) -> PluginInfo:
        candidate = loading.candidate
        info = PluginInfo(
            name=loading.name,
            state=loading.state,
            version=candidate.version,
            distribution=candidate.distribution,
            file=self._shown_file(candidate),
            hooks=loading.hooks,
            session_types=tuple(sorted(one.name for one in loading.session_types)),
            channels=tuple(sorted(one.name for one in loading.channels)),
            source_kinds=tuple(sorted(one.name for one in loading.sources)),
            reason="\n".join((*loading.reasons, *self._unset(loading))),
            load_ms=loading.milliseconds,
        )
        left_out = self.dispatch.quarantine.left_out(loading.name)
        if not loading.active or not left_out:
            return info
        calls = ", ".join(f"{call} until {until:%Y-%m-%dT%H:%M:%SZ}" for call, until in left_out.items())
        reason = f"It failed several times in a row and is left out of {calls}; the trace log says why."
        return replace(info, state=PluginState.QUARANTINED, reason=reason)

    def _unset(self, loading: _Loading) -> Iterable[str]:
        """The settings it cannot work without and that are not set now, as one sentence."""
        if not loading.active or self._settings is _no_settings:
            return
        given = self._settings(loading.name)
        unset = [f"'{one.name}'" for one in loading.settings if one.default is REQUIRED and one.name not in given]
        if unset:
            several, them = ("settings", "them") if len(unset) > 1 else ("setting", "it")
            yield f"It needs the {several} {', '.join(unset)}; write {them} in metadata/plugins/{loading.name}.yaml."

    def _shown_file(self, candidate: Candidate) -> str | None:
        if candidate.file is None:
            return None
        return checking.shown_path(candidate.file, self.workspace, candidate.module or "")


def _drop(value: Any) -> None:
    """``register_commands`` answers nothing."""


_REGISTRY_CHECKS: Mapping[str, Check[Any]] = {
    "register_settings": checking.settings,
    "register_session_types": checking.extensions(SessionType),
    "register_share_channels": checking.extensions(ShareChannel),
    "register_record_sources": checking.source_classes,
    "register_sign_ins": checking.extensions(SignIn),
}
_KINDS: Mapping[str, type[Extension]] = {
    "session_types": SessionType,
    "channels": ShareChannel,
    "sources": RecordSource,
    "sign_ins": SignIn,
}
"""What a plugin may bring, by where it is kept."""


def _why(step: str, ended: Ended) -> str:
    """Why a step of loading did not end well, for an administrator."""
    where = {"import": "while it was imported", "start": "while it was started"}.get(step, f"in {step}")
    detail = f": {ended.detail}" if ended.detail else "."
    return f"It {ended.reason} {where}{detail}"


def _refuse_name(name: str, several: Sequence[_Loading], attribute: str, word: str) -> None:
    plugins = " and ".join(f"'{loading.name}'" for loading in several)
    for loading in several:
        kept = tuple(extension for extension in getattr(loading, attribute) if extension.name != name)
        loading.own_settings = loading.settings  # its metadata stays right while the name is in dispute
        setattr(loading, attribute, kept)
        loading.clashed = True
        loading.reasons.append(
            f"The {word} '{name}' is registered by the plugins {plugins}; it is used of neither. Block all but one of them."
        )


def _lent(extension: Any, runtime: PluginRuntime | None) -> Any:
    """The extension with its runtime; a copy of one that belongs to another host of this process already."""
    if "runtime" in vars(extension):
        extension = copy.copy(extension)
    extension.runtime = runtime
    return extension


def _same_contract(one: Any, other: Any) -> bool:
    kinds = [thing if isinstance(thing, type) else type(thing) for thing in (one, other)]
    return any(all(issubclass(kind, contract) for kind in kinds) for contract in _KINDS.values())
