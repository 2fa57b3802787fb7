"""The contract with plugins, in three sections told apart by grammar.

*Registry* hooks are imperative and run once per start; *decisions* are questions about one record and change nothing; *events*
stand in the past tense and cannot veto. All arguments are positional, none has a default, and an implementation may leave out
those it does not need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from jumpseat.contract import RecordSource, SessionType, Setting, ShareChannel, SignIn
from jumpseat.types import Contact, PluginFailure, Recipient, Record, Session, Share, Supporter, Template, Verdict

if TYPE_CHECKING:
    import click

PROJECT = "jumpseat"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function as the implementation of a hook: ``@hookimpl``."""

# --- Registry ---------------------------------------------------------------------------------------------------------


@hookspec
def register_session_types(host: Any) -> Iterable[SessionType]:
    """Which session types does this plugin bring?

    Called once per start. A failure quarantines the plugin whole and the host starts without it; a name that another
    plugin registered too is refused for both.

    Args:
        host: the ``Host`` that is starting; do not keep more of it than is needed.

    Returns:
        Instances of subclasses of ``SessionType``.

    Example:
        @hookimpl
        def register_session_types(host):
            return [MeetingRoom()]
    """
    raise NotImplementedError


@hookspec
def register_share_channels(host: Any) -> Iterable[ShareChannel]:
    """Which share channels does this plugin bring?

    Called once per start, like ``register_session_types``.

    Args:
        host: the ``Host`` that is starting.

    Returns:
        Instances of subclasses of ``ShareChannel``.

    Example:
        @hookimpl
        def register_share_channels(host):
            return [Pager()]
    """
    raise NotImplementedError


@hookspec
def register_record_sources(host: Any) -> Iterable[type[RecordSource]]:
    """Which kinds of record source does this plugin bring?

    Called once per start. The host makes one instance for each file in ``metadata/sources/`` whose ``kind`` is the class's
    ``name``.

    Args:
        host: the ``Host`` that is starting.

    Returns:
        Subclasses of ``RecordSource`` (the classes, not instances).

    Example:
        @hookimpl
        def register_record_sources(host):
            return [HelpdeskSource]
    """
    raise NotImplementedError


@hookspec
def register_sign_ins(host: Any) -> Iterable[SignIn]:
    """At which providers do people sign in for this plugin?

    Called once per start, like ``register_session_types``. The host leads people through the sign-in and keeps what it gives;
    ``runtime.accounts`` hands it out. A record source brings its sign-in itself, by ``RecordSource.sign_in``.

    Args:
        host: the ``Host`` that is starting.

    Returns:
        Instances of subclasses of ``SignIn``.

    Example:
        @hookimpl
        def register_sign_ins(host):
            return [MeetingSignIn()]
    """
    raise NotImplementedError


@hookspec
def register_settings() -> Iterable[Setting]:
    """Which settings does this plugin have, besides those of its session types and channels?

    Called once per start; the settings are filled in ``metadata/plugins/NAME.yaml`` and checked like all metadata.

    Returns:
        ``Setting`` records: name, type, default, help, secret.

    Example:
        @hookimpl
        def register_settings():
            return [Setting("region", str, default="eu", help="Where the account lives.")]
    """
    raise NotImplementedError


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the command line.

    Called when the command line starts and not before; heavy imports belong inside the commands.

    Args:
        cli: the click group ``jumpseat``.

    Example:
        @hookimpl
        def register_commands(cli):
            cli.add_command(my_command)
    """
    raise NotImplementedError


@hookspec
def register_routes(host: Any) -> Iterable[Any]:
    """Which HTTP routes does this plugin bring?

    Called when the HTTP API starts. The routes are served under ``/-/NAME/``, where NAME is the plugin's name; they have no
    sign-in of their own unless the plugin brings one.

    Args:
        host: the ``Host`` that serves.

    Returns:
        Starlette routes (``starlette.routing.Route`` and ``WebSocketRoute``). A websocket is closed with 1012 when the server ends;
        a message on it may have 4 MiB, and a body 3 MiB.

    Example:
        @hookimpl
        def register_routes(host):
            return [Route("/receipt", receive, methods=["POST"])]
    """
    raise NotImplementedError


# --- Decisions --------------------------------------------------------------------------------------------------------


@hookspec
def session_type_allowed(record: Record, session_type: SessionType, supporter: Supporter) -> Verdict | None:
    """May this supporter open this type of session on this record?

    Asked of every plugin for every type, each time a record is resolved; any refusal wins, and all verdicts are kept for
    ``jumpseat resolve --explain``. A plugin that raises counts as a refusal that names the plugin.

    Args:
        record: the record, with the fields its supported object asked for.
        session_type: the type in question, after the administrator's session settings were applied.
        supporter: who asks; ``supporter.rights`` is already the union of their permission sets.

    Returns:
        ``Verdict.refuse("why, for a person")``, ``Verdict.allow()``, or None for no opinion.

    Example:
        @hookimpl
        def session_type_allowed(record, session_type, supporter):
            if record.object == "Case" and record["IsClosed"]:
                return Verdict.refuse("The case is closed.")
    """
    raise NotImplementedError


@hookspec
def share_channel_allowed(record: Record, session_type: SessionType, channel: ShareChannel, supporter: Supporter) -> Verdict | None:
    """May this supporter share a session of this type through this channel?

    Asked like ``session_type_allowed``, for every allowed type and every channel.

    Args:
        record: the record.
        session_type: the type of the session to be shared.
        channel: the channel in question, after the object's ``share_channels`` were applied.
        supporter: who asks.

    Returns:
        A ``Verdict``, or None for no opinion.

    Example:
        @hookimpl
        def share_channel_allowed(record, session_type, channel, supporter):
            if channel.name == "sms" and record["BillingCountry"] not in ("FR", "BE"):
                return Verdict.refuse("SMS is sent to France and Belgium only.")
    """
    raise NotImplementedError


@hookspec
def suggest_recipients(record: Record, channel: ShareChannel, contacts: Sequence[Contact]) -> Iterable[Recipient]:
    """Which further recipients fit this record and channel?

    Asked of every plugin for every channel; the answers are joined behind the record's own contacts in plugin order, and
    doubles (same address) are dropped. A plugin that raises is noted in ``--explain`` and skipped.

    Args:
        record: the record.
        channel: the channel the recipients are for.
        contacts: the contacts the record source found.

    Returns:
        ``Recipient`` records whose ``contact`` is set, so that the choice shows a name.

    Example:
        @hookimpl
        def suggest_recipients(record, channel, contacts):
            if channel.address_kind == "email" and record["AltEmail__c"]:
                return [Recipient(record["AltEmail__c"], Contact("alt", "Alternative address", email=record["AltEmail__c"]))]
            return []
    """
    raise NotImplementedError


@hookspec
def choose_template(record: Record, channel: ShareChannel, candidates: Sequence[Template]) -> Template | None:
    """Which template should be chosen beforehand?

    The first plugin that answers one of the candidates wins; without an answer the host takes the first candidate in the
    language of the recipient. A plugin that raises is noted in ``--explain`` and skipped.

    Args:
        record: the record.
        channel: the channel the template is for.
        candidates: the templates that apply, best first.

    Returns:
        One of the candidates, or None for no opinion.

    Example:
        @hookimpl
        def choose_template(record, channel, candidates):
            if record["Priority"] == "High":
                return next((t for t in candidates if t.name.endswith("urgent")), None)
    """
    raise NotImplementedError


# --- Events -----------------------------------------------------------------------------------------------------------


@hookspec
def session_opened(session: Session, record: Record, supporter: Supporter) -> None:
    """A session was opened.

    Each implementation runs alone, with a time limit; what it raises goes to the trace log and to ``plugin_failed``.

    Args:
        session: the session, already stored.
        record: its record.
        supporter: who opened it.

    Example:
        @hookimpl
        def session_opened(session, record, supporter):
            log.info("session %s on %s", session.code, record.name)
    """
    raise NotImplementedError


@hookspec
def session_shared(session: Session, share: Share) -> None:
    """A share came to its outcome.

    Args:
        session: the session.
        share: the share with its outcome; it may have been refused or have failed.

    Example:
        @hookimpl
        def session_shared(session, share):
            count[share.state] += 1
    """
    raise NotImplementedError


@hookspec
def customer_joined(session: Session) -> None:
    """The customer came online for the first time in this session.

    Args:
        session: the session, with ``joined_at`` set.

    Example:
        @hookimpl
        def customer_joined(session):
            ring(session.opened_by)
    """
    raise NotImplementedError


@hookspec
def session_closed(session: Session) -> None:
    """A session was closed by a supporter, by its replacement or by the provider.

    Args:
        session: the session, with ``closed_at`` set.

    Example:
        @hookimpl
        def session_closed(session):
            stop_timer(session.id)
    """
    raise NotImplementedError


@hookspec
def session_expired(session: Session) -> None:
    """A session passed its ``valid_until`` without being closed.

    Args:
        session: the session.

    Example:
        @hookimpl
        def session_expired(session):
            stop_timer(session.id)
    """
    raise NotImplementedError


@hookspec
def plugin_failed(failure: PluginFailure) -> None:
    """Some plugin failed in a call.

    Not called for failures of ``plugin_failed`` itself.

    Args:
        failure: which plugin, in which call, why, and the correlation id of the trace row.

    Example:
        @hookimpl
        def plugin_failed(failure):
            alert(failure.plugin, failure.reason)
    """
    raise NotImplementedError


REGISTRY = (
    "register_session_types",
    "register_share_channels",
    "register_record_sources",
    "register_sign_ins",
    "register_settings",
    "register_commands",
    "register_routes",
)
DECISIONS = ("session_type_allowed", "share_channel_allowed", "suggest_recipients", "choose_template")
EVENTS = ("session_opened", "session_shared", "customer_joined", "session_closed", "session_expired", "plugin_failed")
