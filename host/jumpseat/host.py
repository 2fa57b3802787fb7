"""``Host``: opens a workspace and owns its catalogue, plugins, store and work. Every face calls it and nothing deeper.

Each public operation names the right it needs (``@operation``) and takes the supporter who acts, so that no face can forget to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from jumpseat.access.rights import UNGUARDED, operation, require, union
from jumpseat.administration import Administration
from jumpseat.calling import Calling
from jumpseat.catalogue.model import SupportedObject
from jumpseat.clock import Clock
from jumpseat.contract import RecordSource, SessionType, ShareChannel
from jumpseat.editing_metadata import EditingMetadata
from jumpseat.errors import (
    JumpseatError,
    KeyInProgress,
    KeyReused,
    NotSignedIn,
    ProviderSignInNeeded,
    SessionTypeNotAllowed,
)
from jumpseat.launching import Launching
from jumpseat.listening import Listening
from jumpseat.operating import Operating
from jumpseat.records.offer import Buttons, Offer
from jumpseat.records.own_fields import filled
from jumpseat.reporting import Reporting
from jumpseat.secret import Secret
from jumpseat.sharing import Sharing
from jumpseat.signing_in import SigningIn
from jumpseat.speech import say
from jumpseat.store import (
    given,
    keys as key_rows,
    sessions as session_rows,
)
from jumpseat.store.idempotency import Answer, Answered, Keyed
from jumpseat.store.keys import ApiKey
from jumpseat.types import (
    NOTHING,
    Contact,
    Level,
    Record,
    RecordRef,
    Session,
    SessionState,
    Supporter,
    Template,
    TimelineEntry,
)
from jumpseat.visiting import Visiting
from jumpseat.wiring import Options, Wiring

T = TypeVar("T")


class Host(Administration, Calling, EditingMetadata, Launching, Listening, Operating, Reporting, Sharing, SigningIn, Visiting):
    """One workspace, opened. Made by ``Host.open``; use it in a ``with`` block.

    Two hosts in one process share nothing but the rule that one process runs one worker.
    """

    def __init__(self, workspace: str | Path, options: Options) -> None:
        self._wiring = Wiring(Path(workspace), options, self)
        self.workspace = self._wiring.workspace
        self.clock = self._wiring.clock
        self.own_url = ""
        """Where other processes on the same database reach this one, without a slash at the end; empty where nothing is served."""

    # --- opening ------------------------------------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        workspace: str | Path,
        *,
        safe_mode: bool = False,
        no_plugins: Sequence[str] = (),
        discover: bool = True,
        plugins: Sequence[object] = (),
        database_url: str | None = None,
        clock: Clock | None = None,
        watch: bool = False,
    ) -> Self:
        """Open a workspace: read its metadata, load the plugins, connect the store when it is first needed.

        Args:
            workspace: folder with ``metadata/`` and ``templates/``.
            safe_mode: load first-party plugins only.
            no_plugins: names of plugins to leave out.
            discover: look for installed and dropped-in plugins; tests turn it off.
            plugins: further plugin modules or objects, named by their ``__name__``.
            database_url: ``sqlite:///…`` or ``postgresql://…``; else ``JUMPSEAT_DATABASE_URL``, else a file in ``var/``.
            clock: what the time is; the machine's own when left out.
            watch: take edits of the metadata over while running.

        Raises:
            WorkspaceNotFound: the folder has no ``metadata/``.
            MetadataInvalid: the metadata has problems and there is no last good version.
            PluginNotLoaded: a plugin that ``host.yaml`` requires is not there.
        """
        options = Options(safe_mode, tuple(no_plugins), discover, tuple(plugins), database_url, clock, watch)
        return cls(workspace, options)

    def close(self) -> None:
        """Stop the worker and the watching of files, and let go of the database."""
        self._wiring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what is there ------------------------------------------------------------------------------------------------

    @property
    def session_types(self) -> Mapping[str, SessionType]:
        """All registered session types by name, forbidden ones too."""
        return self._wiring.plugins.session_types

    @property
    def share_channels(self) -> Mapping[str, ShareChannel]:
        return self._wiring.plugins.channels

    @property
    def sources(self) -> Mapping[str, RecordSource]:
        return self._wiring.sources()

    @property
    def database(self) -> str:
        """Address of the database this host uses, without its password."""
        return self._wiring.store.shown

    # --- who acts -----------------------------------------------------------------------------------------------------

    def supporter(self, id: str, source: str | None = None) -> Supporter:
        """The CRM user who acts, with the union of their permission sets.

        Args:
            id: the CRM's id of the user.
            source: which record source knows them; when left out, the default one is asked first.

        Raises:
            NotSignedIn: the CRM says that the user is no longer active, or that it has none of this id.
        """
        return self._acting(id, source)

    def key_supporter(self, secret: Secret, supporter_id: str | None = None) -> Supporter:
        """Who acts when an API key calls: the supporter it names, never with more rights than the key's permission set.

        Args:
            secret: the key.
            supporter_id: the CRM user on whose behalf the CRM calls; None when the key acts for itself.

        Raises:
            NotSignedIn: the key is unknown or revoked, or the CRM has no such user, or says that they are not active.
        """
        with self._wiring.store.read() as connection:
            key = key_rows.find(connection, secret)
        if key is None:
            raise NotSignedIn(say("The API key is unknown or was revoked. 'jumpseat keys create NAME' makes one."))
        self._note_use(key)
        if supporter_id is None:
            allowed = union(item for item in self.catalogue.permission_sets if item.name == key.permission_set)
            return Supporter(f"key:{key.name}", key.name, permission_sets=(key.permission_set,), rights=allowed, key=key.name)
        return self._for_key(key, self.supporter(supporter_id))

    def _note_use(self, key: ApiKey) -> None:
        now = self.clock.now()
        if key.last_used_at is None or now - key.last_used_at >= key_rows.USED_EVERY:
            with self._wiring.store.write() as connection:
                key_rows.used(connection, key, now)

    # --- records ------------------------------------------------------------------------------------------------------

    @operation(UNGUARDED)
    def objects(self) -> tuple[SupportedObject, ...]:
        """The enabled supported objects."""
        return tuple(item for item in self.catalogue.objects if item.enabled)

    @operation("session.read")
    def resolve(self, asked: RecordRef | Record, supporter: Supporter) -> Offer:
        """What can this supporter do with this record now, and why not?

        Args:
            asked: a reference, or the record by value with the fields and contacts that the CRM sends along.
            supporter: who asks.

        Raises:
            ObjectNotSupported: no enabled supported object has this name.
            RecordNotFound: there is none, or the supporter may not see it.
            RightMissing: the supporter may not see sessions at all.
        """
        require(supporter, "session.read", own=True)
        resolver = self._resolver()
        return self._offer(resolver, self._place(resolver, asked, supporter, "session.read"), supporter)

    @operation("session.read")
    def buttons(self, ref: RecordRef, supporter: Supporter) -> Buttons:
        """Every button rule of a record, and nothing else of its offer: the record is read once, nobody is asked for contacts.

        Args:
            ref: the record.
            supporter: who asks.

        Raises:
            ObjectNotSupported: no enabled supported object has this name.
            RecordNotFound: there is none, or the supporter may not see it.
            RightMissing: the supporter may not see sessions at all.
        """
        return self._buttons(ref, supporter)

    @operation("history.read")
    def history(self, ref: RecordRef, supporter: Supporter) -> list[Session]:
        """Every session of a record, newest first."""
        require(supporter, "history.read", own=True)
        place = self._place(self._resolver(), ref, supporter, "history.read")
        return self._wiring.life.history(place.record.ref)

    # --- sessions -----------------------------------------------------------------------------------------------------

    @operation("session.open")
    def open_session(
        self,
        asked: RecordRef | Record,
        session_type: str,
        supporter: Supporter,
        *,
        replace: bool = False,
        fields: Mapping[str, Any] = NOTHING,
        keyed: Keyed | None = None,
    ) -> Session:
        """Open a session of a record.

        Args:
            asked: the record, by reference or by value.
            session_type: name of an allowed session type.
            supporter: who opens it.
            replace: close the record's valid session, if there is one, and open the next in one step.
            fields: own fields of the session type, by name.
            keyed: the idempotency key of the call, see ``once``.

        Raises:
            InvalidValue: a field is unknown, missing, or does not fit.
            SessionTypeNotAllowed: the settings, the object or a plugin forbid it; the message says which and why.
            ValidSessionExists: the record has a valid session, and ``replace`` is false.
            ProviderError: the provider refused or cannot be reached; the record is as it was.
            AnswerLost: it is not known yet whether the session was opened; the host settles it by itself.
        """
        require(supporter, "session.open", own=True)
        resolver = self._resolver()
        place = self._place(resolver, asked, supporter, "session.open")
        offer = self._offer(resolver, place, supporter)
        self._require_type(offer, session_type, supporter)
        opener = self.session_types[session_type]
        values = filled(opener.fields, fields, opener.label)
        language = self._language(offer.customer, supporter)

        def reserved(connection: Connection, session: Session) -> None:
            if isinstance(asked, Record):
                given.keep(connection, session.id, offer.record)

        return self._wiring.life.open(
            offer.record,
            session_type,
            supporter,
            customer=offer.customer,
            language=language,
            fields=values,
            replace=replace,
            keyed=keyed,
            reserved=reserved,
        )

    @operation("session.read")
    def session(self, session_id: str, supporter: Supporter) -> Session:
        """One session; while it is valid, its provider is asked about it soon, for somebody waits.

        Raises:
            SessionNotFound: there is none, or it is not this supporter's to see.
        """
        session = self._session(session_id, supporter, "session.read")
        self._wiring.life.wanted(session)
        return session

    @operation("session.read")
    def timeline(self, session_id: str, supporter: Supporter) -> list[TimelineEntry]:
        """What happened to a session, oldest first."""
        return self._wiring.life.timeline(self._session(session_id, supporter, "session.read").id)

    @operation(UNGUARDED)
    def names(self, ids: Collection[str]) -> Mapping[str, str]:
        """What supporters are called, by id, as far as sessions that they opened tell; for showing beside what somebody may see."""
        with self._wiring.store.read() as connection:
            return session_rows.names(connection, ids)

    @operation("session.read")
    def sessions(
        self,
        supporter: Supporter,
        *,
        state: SessionState | None = None,
        session_type: str | None = None,
        object: str | None = None,
        record: RecordRef | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> session_rows.Page:
        """Search sessions, newest first; those of others only with the level *all*.

        Args:
            supporter: who asks.
            state: only this state.
            session_type: only this type.
            object: only records of this supported object.
            record: only this record, as far as the store knows it: the CRM is not asked.
            limit: at most so many (1–200).
            before: cursor that the previous page answered.

        Returns:
            One page, with the cursor of the next.
        """
        level = require(supporter, "session.read", own=True)
        only = self._named(record, supporter) if record else supporter.bound_to
        with self._wiring.store.read() as connection:
            return session_rows.search(
                connection,
                states=(state,) if state else (),
                session_type=session_type,
                object=object,
                record=only,
                opened_by=None if level is Level.ALL else supporter.id,
                before=before,
                limit=limit,
            )

    @operation("session.join")
    def join_session(self, session_id: str, supporter: Supporter) -> Secret:
        """The supporter link for this click; never stored, shown to nobody else.

        Raises:
            SessionNotValid: the session is over.
        """
        session = self._session(session_id, supporter, "session.join")
        return self._wiring.life.join(session, supporter)

    @operation("session.close")
    def close_session(self, session_id: str, supporter: Supporter) -> Session:
        """Close a session and free its record; closing one that is over changes nothing."""
        session = self._session(session_id, supporter, "session.close")
        return self._wiring.life.close(session, supporter)

    @operation(UNGUARDED)
    def provider_trouble(self, session: Session) -> str:
        """Why it is not known now whether the customer of a session is there, in words; empty when all is well.

        Args:
            session: one that the caller was given.
        """
        return self._wiring.life.trouble(session)

    def session_changed(self, correlation_id: str) -> None:
        """Ask a provider now what became of a session; for the routes of plugins, which have heard that something did.

        Args:
            correlation_id: of the session, as ``OpenRequest`` had it; one that is not known, or over, changes nothing.
        """
        with self._wiring.store.read() as connection:
            session = session_rows.by_correlation(connection, correlation_id)
        if session is not None:
            self._wiring.life.news(session)

    # --- templates ----------------------------------------------------------------------------------------------------

    @operation(UNGUARDED)
    def templates(self, channel: str | None = None) -> tuple[Template, ...]:
        """The templates of the workspace, of one channel if it is named."""
        return tuple(item for item in self.catalogue.templates if channel in (None, item.channel))

    # --- calls that must not double --------------------------------------------------------------------------------------

    def once(self, caller: str, key: str, fingerprint: str, run: Callable[[Keyed], T], show: Callable[[T], Answer]) -> Answer:
        """Run a creating call at most once per idempotency key; a repeat gets the stored answer, also after a crash.

        Args:
            caller: whose key it is; keys of different callers do not meet.
            key: what the caller sent as ``Idempotency-Key``.
            fingerprint: hash of what was asked; another one under the same key is refused.
            run: does it; passes what it is given on to the operation, which keeps the answer in the transaction of the effect.
            show: the answer for what was created.

        Raises:
            KeyReused: the key was used for something else.
            KeyInProgress: the same call is still running.
        """
        call = Keyed(caller, key, fingerprint, show, self.clock.now)
        answer = self._answer_of(call)
        if answer is not None:
            return answer
        try:
            created = run(call)
        except Answered as twin:
            return twin.answer
        except JumpseatError:
            # A twin may have been faster, and what it did may be what is in the way now.
            with suppress(KeyInProgress, KeyReused):
                answer = self._answer_of(call)
            if answer is None:
                raise
            return answer
        return call.answer or self._kept_now(call, created)

    def _answer_of(self, call: Keyed) -> Answer | None:
        with self._wiring.store.read() as connection:
            if not call.known(connection):
                return None
        with self._wiring.store.write() as connection:
            return call.stored(connection)

    def _kept_now(self, call: Keyed, created: object) -> Answer:
        """Keep the answer of a call whose effect somebody else completed: reconciliation, for one."""
        try:
            with self._wiring.store.write() as connection:
                answer = call.stored(connection)
                if answer is None:
                    call(connection, created)
        except Answered as twin:
            return twin.answer
        return answer or call.show(created)

    # --- what a server asks -------------------------------------------------------------------------------------------

    def routes(self) -> Mapping[str, tuple[Any, ...]]:
        """HTTP routes that the plugins bring, by plugin; served under ``/-/NAME/``."""
        return self._wiring.plugins.routes(self)

    def store_reachable(self) -> bool:
        """Does the database answer?"""
        return self._wiring.store.reachable()

    # --- work ---------------------------------------------------------------------------------------------------------

    def start_worker(self, role: str = "work", on_lost: Callable[[], object] = lambda: None) -> None:
        """Deliver, watch, expire and settle in the background of this process until the host is closed.

        Args:
            role: what this process does besides: ``work`` or ``serve+work``; shown in the list of processes.
            on_lost: called when another process took this one's executor id and the worker has stopped.

        Raises:
            WorkspaceInUse: this process runs a worker already, or a living one holds the executor id.
        """
        self._wiring.start_worker(role, on_lost)

    def tick(self) -> None:
        """One round of everything that runs by itself: expire, settle what was cut off, ask the providers, send notices."""
        self._wiring.life.expire()
        self._wiring.life.reconcile()
        self._wiring.life.watch()
        self._wiring.settling.recover()
        self._wiring.join_notices.follow()
        self._wiring.telling.tell_crm()
        self._wiring.telling.mail()
        self._wiring.writing_back.run()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _require_type(self, offer: Offer, session_type: str, supporter: Supporter) -> None:
        offered = offer.session_type(session_type)
        if offered is None and session_type in self.session_types:
            raise SessionTypeNotAllowed(self.session_types[session_type].missing(), param="sessionType")
        if offered is None:
            known = ", ".join(item.name for item in offer.session_types) or "none"
            raise SessionTypeNotAllowed(
                say("There is no session type '{session_type}'. Known: {known}.", session_type=session_type, known=known),
                param="sessionType",
            )
        asked = self.session_types[session_type]
        missing = asked.missing()
        if missing:
            raise ProviderSignInNeeded(missing, param="sessionType")
        if not offered.allowed:
            why = next(reason for reason in offered.reasons if not reason.allowed)
            if why.text == asked.missing_for(supporter):
                raise ProviderSignInNeeded(why.text, param="sessionType")
            raise SessionTypeNotAllowed(
                say("{label} is not allowed here: {reason} (decided by {by})", label=offered.label, reason=why.text, by=why.provenance),
                param="sessionType",
            )

    def _language(self, customer: Contact | None, supporter: Supporter) -> str:
        return (customer and customer.language) or supporter.language or self.catalogue.host.default_language
