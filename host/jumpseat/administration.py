"""What administrators do: plugins, API keys, the trace log, and why somebody may do something or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jumpseat.access.rights import OPERATIONS, explain, operation, require
from jumpseat.catalogue.problems import Problem
from jumpseat.contract import SignIn
from jumpseat.errors import InvalidValue, NotFound
from jumpseat.hooks.plugins import PluginInfo
from jumpseat.hooks.trace import TraceSetting
from jumpseat.reach import Reach
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.store import executors as executor_rows, keys as key_rows, trace as trace_rows
from jumpseat.store.keys import ApiKey
from jumpseat.store.trace import TraceRow
from jumpseat.types import RecordRef, Supporter
from jumpseat.work.heartbeat import Process


class Administration(Reach):
    """The part of a host that administrators use; ``Host`` adds what supporters do."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the metadata as it lies on disk; with errors, the version before is served."""
        return self._wiring.live.problems

    @property
    def id(self) -> str:
        """Tells this host from others; the same for all of its processes, as long as they have the same secret key.

        Raises:
            InvalidValue: the key in the environment is none.
            OSError: there is no key, and none can be written.
        """
        return self._wiring.sealer.host_id

    @property
    def sign_ins(self) -> Mapping[str, SignIn]:
        """What can be signed in to, by name; what record sources bring has the source's name."""
        of_sources = {name: found for name, source in self._wiring.sources().items() if (found := source.sign_in()) is not None}
        return {**of_sources, **self._wiring.plugins.sign_ins}

    @operation("plugins.read")
    def plugins(self, supporter: Supporter) -> tuple[PluginInfo, ...]:
        """Every plugin that was found, with its state and the reason for it."""
        require(supporter, "plugins.read")
        return self._wiring.plugins.infos()

    @operation("settings.read")
    def processes(self, supporter: Supporter) -> list[Process]:
        """Every process that said it serves or works for this workspace's database, with the metadata that it has.

        Args:
            supporter: who asks.

        Returns:
            By id; a process that was killed stays listed, as not alive, until its work was taken over.
        """
        require(supporter, "settings.read")
        with self._wiring.store.read() as connection:
            now = executor_rows.database_now(connection)
            found = executor_rows.listed(connection)
        return [Process.of(row, now) for row in found]

    @operation("settings.read")
    def metrics(self, supporter: Supporter) -> str:
        """What this process counted and what the database knows, as Prometheus reads it.

        Args:
            supporter: who asks.
        """
        require(supporter, "settings.read")
        from jumpseat.work.exposition import exposition

        return exposition(self._wiring.store)

    @operation("settings.read")
    def metadata_problems(self, supporter: Supporter) -> tuple[Problem, ...]:
        """Problems of the latest edit of the metadata."""
        require(supporter, "settings.read")
        return self.problems

    @operation("keys.edit")
    def create_key(self, name: str, permission_set: str, supporter: Supporter) -> Secret:
        """A new API key, shown once; only its hash is kept.

        Args:
            name: what the key is for, unique.
            permission_set: the most that its calls may do.
            supporter: who creates it.
        """
        require(supporter, "keys.edit")
        if permission_set not in {item.name for item in self.catalogue.permission_sets}:
            known = ", ".join(item.name for item in self.catalogue.permission_sets)
            raise InvalidValue(
                say("There is no permission set '{permission_set}'. Known: {known}.", permission_set=permission_set, known=known),
                param="permissionSet",
            )
        with self._wiring.store.write() as connection:
            return key_rows.create(connection, name, permission_set, self.clock.now())[1]

    @operation("keys.read")
    def keys(self, supporter: Supporter) -> list[ApiKey]:
        """All API keys, without their secrets; revoked ones too."""
        require(supporter, "keys.read")
        with self._wiring.store.read() as connection:
            return list(key_rows.listed(connection))

    @operation("keys.edit")
    def revoke_key(self, name: str, supporter: Supporter) -> None:
        """Revoke an API key; calls with it are refused from now on.

        Raises:
            NotFound: there is no such key, or it was revoked before.
        """
        require(supporter, "keys.edit")
        with self._wiring.store.write() as connection:
            revoked = key_rows.revoke(connection, name, self.clock.now())
        if not revoked:
            raise NotFound(
                say("There is no API key '{name}' that could be revoked; 'jumpseat keys list' shows them.", name=name[:100]), param="name"
            )

    @operation("trace.edit")
    def set_trace_level(self, level: str, supporter: Supporter, *, plugin: str | None = None, hook: str | None = None) -> None:
        """Set what the plugin trace log keeps: ``off``, ``exceptions`` or ``all``, for everything, a plugin or one of its hooks."""
        require(supporter, "trace.edit")
        self._wiring.set_trace_level(level, plugin, hook)

    @operation("trace.read")
    def trace_levels(self, supporter: Supporter) -> tuple[TraceSetting, ...]:
        """The levels in force, widest first."""
        require(supporter, "trace.read")
        return self._wiring.trace_settings()

    @operation("trace.read")
    def trace(
        self,
        supporter: Supporter,
        *,
        plugin: str | None = None,
        correlation_id: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[TraceRow]:
        """Rows of the plugin trace log, newest first.

        Args:
            supporter: who asks.
            plugin: only this plugin's.
            correlation_id: only the rows of one error that somebody saw, oldest first.
            before: only rows with a smaller id.
            limit: at most so many (1–1000).
        """
        require(supporter, "trace.read")
        self._wiring.trace.flush()
        with self._wiring.store.read() as connection:
            if correlation_id is not None:
                return list(trace_rows.of_correlation(connection, correlation_id))
            return list(trace_rows.listed(connection, plugin=plugin, before=before, limit=limit))

    @operation("trace.read")
    def trace_row(self, row_id: int, supporter: Supporter) -> TraceRow:
        """One row of the plugin trace log with its whole text."""
        found = self.trace(supporter, before=row_id + 1, limit=1)
        if not found or found[0].id != row_id:
            raise NotFound(
                say("There is no trace row {row_id}; rows are kept for {span}.", row_id=row_id, span=self.catalogue.host.trace_retention)
            )
        return found[0]

    def announce(self, role: str) -> None:
        """List this process, which runs no worker, among the processes of the host until the host is closed.

        Args:
            role: what it does, such as ``serve``.
        """
        self._wiring.announce(role)

    def stop_worker(self) -> None:
        """Stop the worker of this process, if it runs one, before the host is closed."""
        self._wiring.stop_worker()

    @property
    def left_running(self) -> bool:
        """After closing: could something not be finished in time, so that its thread lives on until the process ends?"""
        return self._wiring.left_running

    def explain_access(self, supporter_id: str, operation_name: str) -> Mapping[str, Any]:
        """Which permission sets apply to a CRM user, what each says of an operation, and what comes of it.

        Args:
            supporter_id: the CRM's id of the user.
            operation_name: name of a method of the host, such as ``open_session``.
        """
        if operation_name not in OPERATIONS:
            known = ", ".join(sorted(OPERATIONS))
            raise InvalidValue(
                say("There is no operation '{operation}'. Known: {known}.", operation=operation_name, known=known), param="operation"
            )
        return explain(self._user(supporter_id, None)[0], operation_name, self.catalogue.permission_sets)

    @operation("settings.read")
    def explain_visibility(self, supporter_id: str, ref: RecordRef, operation_name: str, supporter: Supporter) -> Mapping[str, Any]:
        """Why a CRM user may or may not do something with a record: their permission sets, and what the CRM says of the record.

        Args:
            supporter_id: the CRM's id of the user.
            ref: the record.
            operation_name: as for ``explain_access``.
            supporter: who asks.

        Returns:
            As ``explain_access``, and ``visible``: true, false, or None where the record source cannot tell; ``source``: its name.

        Raises:
            ObjectNotSupported: no enabled supported object has this name.
            NotSignedIn: the CRM does not know the user, or says that they are no longer active.
        """
        require(supporter, "settings.read")
        said = self.explain_access(supporter_id, operation_name)
        asked = self._resolver().written(ref)
        source = self._wiring.sources().get(asked.source or "")
        visible = source.visible_to(asked, self._acting(supporter_id, None)) if source else None
        return {**said, "visible": visible, "source": asked.source or ""}
