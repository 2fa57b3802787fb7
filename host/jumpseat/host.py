"""``Host``: opens a workspace and owns its catalogue, plugins, store and work. Every face calls it and nothing deeper.

Each public operation names the right it needs (``@operation``) and takes the supporter who acts, so that no face can forget to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from jumpseat.access.rights import UNGUARDED, assignments, narrowed, operation, require, union
from jumpseat.administration import Administration
from jumpseat.calling import Calling
from jumpseat.catalogue.model import SupportedObject
from jumpseat.clock import Clock
from jumpseat.contract import RecordSource, SessionType, ShareChannel
from jumpseat.errors import (
    InvalidValue,
    JumpseatError,
    KeyInProgress,
    KeyReused,
    NotFound,
    NotSignedIn,
    ProviderSignInNeeded,
    RecordNotFound,
    SessionNotFound,
    SessionNotValid,
    SessionTypeNotAllowed,
)
from jumpseat.listening import Listening
from jumpseat.operating import Operating
from jumpseat.records.offer import Offer
from jumpseat.records.resolve import Place, Resolver
from jumpseat.reporting import Reporting
from jumpseat.secret import Secret
from jumpseat.sessions.words import over
from jumpseat.shares.compose import Composed, Composer
from jumpseat.store import (
    given,
    keys as key_rows,
    sessions as session_rows,
    shares as share_rows,
    timeline,
)
from jumpseat.store.idempotency import Answer, Answered, Kept, Keyed
from jumpseat.store.keys import ApiKey
from jumpseat.types import (
    Contact,
    Level,
    Outcome,
    Record,
    RecordRef,
    Session,
    SessionState,
    Share,
    ShareWish,
    Supporter,
    Template,
    TimelineEntry,
)
from jumpseat.wiring import OPERATOR_RIGHTS, Options, Wiring

OPERATOR = "operator"
T = TypeVar("T")


class Host(Administration, Calling, Listening, Operating, Reporting):
    """One workspace, opened. Made by ``Host.open``; use it in a ``with`` block.

    Two hosts in one process share nothing but the rule that one process runs one worker.
    """

    def __init__(self, workspace: str | Path, options: Options) -> None:
        self._wiring = Wiring(Path(workspace), options, self)
        self.workspace = self._wiring.workspace
        self.clock = self._wiring.clock

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

    def operator(self) -> Supporter:
        """Whoever has the workspace's files in hand: the command line, with every right."""
        return Supporter(OPERATOR, "Operator", permission_sets=("operator",), rights=OPERATOR_RIGHTS)

    def supporter(self, id: str, source: str | None = None) -> Supporter:
        """The CRM user who acts, with the union of their permission sets.

        Args:
            id: the CRM's id of the user.
            source: which record source knows them; the default one when left out.

        Raises:
            NotSignedIn: the CRM says that the user is no longer active.
        """
        name = source or self._wiring.default_source()
        info = self._info(id, name)
        sets = [given.permission_set for given in assignments(info, self.catalogue.permission_sets)]
        return Supporter(
            id=info.id,
            name=info.name,
            email=info.email,
            language=info.language,
            permission_sets=tuple(item.name for item in sets),
            rights=union(sets),
            source=name,
        )

    def key_supporter(self, secret: Secret, supporter_id: str | None = None) -> Supporter:
        """Who acts when an API key calls: the supporter it names, never with more rights than the key's permission set.

        Args:
            secret: the key.
            supporter_id: the CRM user on whose behalf the CRM calls; None when the key acts for itself.

        Raises:
            NotSignedIn: the key is unknown or revoked, or the user is not active.
        """
        with self._wiring.store.read() as connection:
            key = key_rows.find(connection, secret)
        if key is None:
            raise NotSignedIn("The API key is unknown or was revoked. 'jumpseat keys create NAME' makes one.")
        self._note_use(key)
        allowed = union(item for item in self.catalogue.permission_sets if item.name == key.permission_set)
        if supporter_id is None:
            return Supporter(f"key:{key.name}", key.name, permission_sets=(key.permission_set,), rights=allowed)
        named = self.supporter(supporter_id)
        return replace(named, rights=narrowed(named.rights, allowed))

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

    @operation("history.read")
    def history(self, ref: RecordRef, supporter: Supporter) -> list[Session]:
        """Every session of a record, newest first."""
        require(supporter, "history.read", own=True)
        place = self._place(self._resolver(), ref, supporter, "history.read")
        return self._wiring.life.history(place.record.ref)

    # --- sessions -----------------------------------------------------------------------------------------------------

    @operation("session.open")
    def open_session(
        self, asked: RecordRef | Record, session_type: str, supporter: Supporter, *, replace: bool = False, keyed: Keyed | None = None
    ) -> Session:
        """Open a session of a record.

        Args:
            asked: the record, by reference or by value.
            session_type: name of an allowed session type.
            supporter: who opens it.
            replace: close the record's valid session, if there is one, and open the next in one step.
            keyed: the idempotency key of the call, see ``once``.

        Raises:
            SessionTypeNotAllowed: the settings, the object or a plugin forbid it; the message says which and why.
            ValidSessionExists: the record has a valid session, and ``replace`` is false.
            ProviderError: the provider refused or cannot be reached; the record is as it was.
            AnswerLost: it is not known yet whether the session was opened; the host settles it by itself.
        """
        require(supporter, "session.open", own=True)
        resolver = self._resolver()
        place = self._place(resolver, asked, supporter, "session.open")
        offer = self._offer(resolver, place, supporter)
        self._require_type(offer, session_type)
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

    @operation("session.read")
    def sessions(
        self,
        supporter: Supporter,
        *,
        state: SessionState | None = None,
        session_type: str | None = None,
        object: str | None = None,
        limit: int = 50,
        before: str | None = None,
    ) -> session_rows.Page:
        """Search sessions, newest first; those of others only with the level *all*.

        Args:
            supporter: who asks.
            state: only this state.
            session_type: only this type.
            object: only records of this supported object.
            limit: at most so many (1–200).
            before: cursor that the previous page answered.

        Returns:
            One page, with the cursor of the next.
        """
        level = require(supporter, "session.read", own=True)
        with self._wiring.store.read() as connection:
            return session_rows.search(
                connection,
                states=(state,) if state else (),
                session_type=session_type,
                object=object,
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

    # --- shares -------------------------------------------------------------------------------------------------------

    @operation("share.send")
    def share(
        self,
        session_id: str,
        wishes: Sequence[ShareWish],
        supporter: Supporter,
        *,
        message: str = "",
        chat_message: str = "",
        resend: bool = False,
        kept: Kept | None = None,
    ) -> list[Share]:
        """Send the customer link of a session; answers one share per wish, each with its own outcome.

        A share that is the same as one of the last 10 seconds is a double click: it is not sent again, and the first one is answered.

        Args:
            session_id: a valid session.
            wishes: what to send through which channels; the ticked channels of the offer when empty.
            supporter: who shares.
            message: a text of the supporter for the customer, where the template has a place for it.
            chat_message: a text for the record's feed in the CRM.
            resend: send it even if the same was shared a moment ago; so does a call with an idempotency key of its own.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            SessionNotValid: the session is over.
            ChannelNotAllowed, RecipientMissing, RecipientInvalid, CustomRecipientNotAllowed, TemplateNotApplicable,
            MessageUnsafe, CapReached: nothing was stored and nothing is sent.
        """
        session, place, composed = self._composed(session_id, wishes, supporter, message)
        accepted = self._wiring.sending.send(session, composed, supporter, again=resend, kept=kept)
        if chat_message and accepted.fresh:
            self._post_note(session, place, chat_message, supporter)
        return accepted.shares

    @operation("share.send")
    def resend_share(self, share_id: str, supporter: Supporter, *, kept: Kept | None = None) -> Share:
        """Send a share once more, in one action.

        One that failed, or of which nobody knows whether it was sent, is queued again with the same message under the same key. One
        that was sent or refused makes a new share with the same text. The rules for channels and recipients apply as they stand now.

        Args:
            share_id: the share.
            supporter: who asks.
            kept: keeps the answer of the call, see ``once``.

        Returns:
            The share that is queued now.

        Raises:
            NotFound: there is no such share, or it is not this supporter's to see.
            SessionNotValid: its session is over, and so is the link.
            ShareBusy: it is on its way already.
            ChannelNotAllowed, RecipientInvalid, CustomRecipientNotAllowed, CapReached: it may not be sent any more.
        """
        require(supporter, "share.send", own=True)
        share = self._share(share_id, supporter)
        session, _, composer = self._composer(share.session_id, supporter)
        label = composer.still_possible(share.channel, share.address)
        return self._wiring.sending.resend(share, session, supporter, label, kept=kept)

    def settle_share(self, channel: str, outcome: Outcome, *, key: str | None = None, reference: str | None = None) -> Share | None:
        """Take what a gateway says later of a message; for the routes of plugins, which have made sure that it is the gateway that says it.

        An unknown share gets its outcome, a sent one can turn out not to have arrived; what is over already stays as it is.

        Args:
            channel: name of the share channel.
            outcome: sent, refused or failed.
            key: ``Message.key``, where the gateway repeats it.
            reference: the gateway's own id, as ``Outcome.sent`` named it.

        Returns:
            The share as it is now; None when there is none of this key or reference.

        Raises:
            InvalidValue: neither key nor reference is given.
        """
        if not key and not reference:
            raise InvalidValue("A receipt names its message by 'key' or by 'reference'.", param="key")
        return self._wiring.sending.settle(channel, outcome, key=key or None, reference=reference or None)

    @operation("share.send")
    def preview_share(self, session_id: str, wishes: Sequence[ShareWish], supporter: Supporter, *, message: str = "") -> list[Composed]:
        """Exactly what ``share`` would send, without sending it."""
        return self._composed(session_id, wishes, supporter, message)[2]

    @operation("share.read")
    def shares(self, session_id: str, supporter: Supporter) -> list[Share]:
        """The shares of a session, oldest first, each with its outcome."""
        session = self._session(session_id, supporter, "share.read")
        with self._wiring.store.read() as connection:
            return list(share_rows.of_session(connection, session.id))

    def deliver(self, share_id: str) -> Share | None:
        """Try to deliver one queued share here and now; the worker calls it, and so may a command without one."""
        return self._wiring.sending.deliver(share_id)

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
        self._wiring.sending.recover()
        self._wiring.join_notices.follow()
        self._wiring.telling.tell_crm()
        self._wiring.telling.mail()
        self._wiring.writing_back.run()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _resolver(self) -> Resolver:
        """One resolver per operation: the catalogue cannot change in the middle of it."""
        wiring = self._wiring
        return Resolver(self.catalogue, wiring.dispatch, wiring.plugins.session_types, wiring.plugins.channels, wiring.sources())

    def _place(self, resolver: Resolver, asked: RecordRef | Record, supporter: Supporter, right: str) -> Place:
        place = resolver.find(asked)
        if supporter.rights.level(right) < Level.ALL and place.source and place.source.visible_to(place.record.ref, supporter) is False:
            raise RecordNotFound(f"There is no {place.supported.label} '{place.record.id}', or {supporter.name} may not see it.")
        return place

    def _offer(self, resolver: Resolver, place: Place, supporter: Supporter) -> Offer:
        valid = self._wiring.life.valid_of(place.record.ref)
        return resolver.offer(place, supporter, valid, self.clock.now())

    def _require_type(self, offer: Offer, session_type: str) -> None:
        offered = offer.session_type(session_type)
        if offered is None:
            known = ", ".join(item.name for item in offer.session_types) or "none"
            raise SessionTypeNotAllowed(f"There is no session type '{session_type}'. Known: {known}.", param="sessionType")
        missing = self.session_types[session_type].missing()
        if missing:
            raise ProviderSignInNeeded(missing, param="sessionType")
        if not offered.allowed:
            why = next(reason for reason in offered.reasons if not reason.allowed)
            raise SessionTypeNotAllowed(
                f"{offered.label} is not allowed here: {why.text} (decided by {why.provenance})", param="sessionType"
            )

    def _language(self, customer: Contact | None, supporter: Supporter) -> str:
        return (customer and customer.language) or supporter.language or self.catalogue.host.default_language

    def _session(self, session_id: str, supporter: Supporter, right: str) -> Session:
        """The session, if the supporter's level of the right reaches it; one that is not theirs looks like none."""
        level = require(supporter, right, own=True)
        session = self._wiring.life.get(session_id)
        if level is not Level.ALL and not self._is_own(session, supporter):
            raise SessionNotFound(f"There is no session '{session_id[:100]}'.", param="sessionId")
        return session

    def _is_own(self, session: Session, supporter: Supporter) -> bool:
        if session.opened_by == supporter.id:
            return True
        source = self.sources.get(session.record.source or "")
        return source is not None and source.visible_to(session.record, supporter) is True

    def _share(self, share_id: str, supporter: Supporter) -> Share:
        with self._wiring.store.read() as connection:
            share = share_rows.get(connection, share_id)
        if share is not None:
            with suppress(SessionNotFound):
                self._session(share.session_id, supporter, "share.send")
                return share
        raise NotFound(f"There is no share '{share_id[:100]}'.", param="shareId")

    def _composed(
        self, session_id: str, wishes: Sequence[ShareWish], supporter: Supporter, message: str
    ) -> tuple[Session, Place, list[Composed]]:
        session, place, composer = self._composer(session_id, supporter, message)
        return session, place, composer.compose(wishes)

    def _composer(self, session_id: str, supporter: Supporter, message: str = "") -> tuple[Session, Place, Composer]:
        session = self._session(session_id, supporter, "share.send")
        if not session.valid_at(self.clock.now()):
            raise SessionNotValid(over(session))
        resolver = self._resolver()
        place = resolver.find(self._asked(session))
        offer = self._offer(resolver, place, supporter)
        return session, place, Composer(resolver, offer, session, supporter, message)

    def _asked(self, session: Session) -> RecordRef | Record:
        """The session's record as it was asked for: by reference, or by value as the caller gave it."""
        with self._wiring.store.read() as connection:
            return given.find(connection, session.id, session.record) or session.record

    def _post_note(self, session: Session, place: Place, text: str, supporter: Supporter) -> None:
        """Write the supporter's message to the record's feed; a CRM that does not take it is noted, the shares go on."""
        if place.source is None or not (place.supported.chat_message and place.source.can_post_note):
            said = "The message for the record's feed was not posted: the CRM or the object does not take one."
        else:
            try:
                place.source.post_note(place.record, text)
                said = "A message was posted to the record's feed."
            except JumpseatError as error:
                said = f"The message for the record's feed was not posted: {error.message}"
        with self._wiring.store.write() as connection:
            timeline.add(connection, session.id, self.clock.now(), "note", said, supporter.id)
