"""All that is known of one session: its fields, its shares with their outcome, its connections, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fastapi import Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError, UsageError
from jumpseat.host import Host
from jumpseat.speech import say
from jumpseat.store.connections import ReportRow
from jumpseat.store.idempotency import Answer, Keyed
from jumpseat.types import NOTHING, Level, RecordRef, Session, Share, TimelineEntry
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor, record_path
from jumpseat.web.records.history import may_join, types_of
from jumpseat.web.records.joining import asked_to_join, join
from jumpseat.web.records.session import Said, state_of
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/sessions/{session}"
OF_RECORD = "/r/{source}/{object}/{id}/sessions/{session}"
"""The same page under its record, whose launch a frame has."""
COMPONENT = "components/details.html"
MOST_CONNECTIONS = 1000
UNSENT = ("failed", "refused", "unknown")


@dataclass(frozen=True, slots=True)
class Known:
    """What the supporter may see of a session."""

    session: Session
    timeline: Sequence[TimelineEntry] = ()
    shares: Sequence[Share] = ()
    connections: Sequence[ReportRow] = ()
    names: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Of supporters, by id."""


@router.get(PATH)
def get(session: str, request: Request, visitor: Seen) -> Response:
    """One session, for a tab."""
    return show(request, visitor, session)


@router.get(OF_RECORD)
def get_of_record(session: str, request: Request, visitor: Seen) -> Response:
    """One session, for a frame of its record."""
    return show(request, visitor, session)


@router.post(PATH)
def post(session: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Join the session, or send one of its shares again."""
    try:
        if asked_to_join(form) is not None:
            return join(host, visitor, session)
        _resend(host, visitor, form)
    except JumpseatError as error:
        return show(request, visitor, session, Said(error.message, "error", error.code), error.status)
    return show(request, visitor, session, Said(say("The message is sent once more.")))


@router.post(OF_RECORD)
def post_of_record(session: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """The same in a frame."""
    return post(session, request, host, visitor, form)


def _resend(host: Host, visitor: Visitor, form: Form) -> None:
    action, _, share_id = form.get("action").partition(":")
    if action != "resend":
        raise UsageError(say("The page asked for something that it cannot do. Load it again."), param="action")

    def run(keyed: Keyed | None) -> Share:
        return host.resend_share(share_id, visitor.supporter, kept=keyed)

    if form.once is None:
        run(None)
        return
    host.once(visitor.caller.id, form.once, f"resend {share_id}", run, lambda share: Answer(200, share.id))


def show(request: Request, visitor: Visitor, session_id: str, said: Said | None = None, status: int = 200) -> Response:
    """The page, with what came of the last action."""
    host = host_of(request)
    known = _known(host, visitor, host.session(session_id, visitor.supporter))
    channels = {name: found.label for name, found in host.share_channels.items()}
    values = {
        **shown(known, host.clock.now(), types_of(host), channels),
        "said_last": said,
        "may_join": may_join(visitor),
        "may_share": bool(visitor.supporter.rights.level("share.send")),
    }
    title = say("Session {code}", code=known.session.code or known.session.id)
    return answer(request, visitor, Page(title, COMPONENT, values=values, path=path_of(known.session), wide=True), status)


def shown(known: Known, now: datetime, types: Mapping[str, str], channels: Mapping[str, str]) -> dict[str, Any]:
    """What the component shows, from pure values."""
    session = known.session
    return {
        "ref": session.record,
        "session": session,
        "state": state_of(session, now),
        "valid": session.valid_at(now),
        "shares": known.shares,
        "timeline": known.timeline,
        "connections": known.connections,
        "names": known.names,
        "types": types,
        "channels": channels,
        "address": path_of(session),
        "unsent": UNSENT,
        "said_last": None,
        "may_join": True,
        "may_share": True,
    }


def path_of(session: Session) -> str:
    """The page's address: under its record, so that it also is found in a frame of that record."""
    if not session.record.source:
        return f"/sessions/{session.id}"
    return record_path(session.record, f"sessions/{session.id}")


def _known(host: Host, visitor: Visitor, session: Session) -> Known:
    supporter = visitor.supporter
    shares = host.shares(session.id, supporter) if supporter.rights.level("share.read") else []
    connections: list[ReportRow] = []
    if supporter.rights.level("connection_report.read") is not Level.NONE and session.record.source:
        report = _connections(host, visitor, session.record)
        connections = [row for row in report if row.session_id == session.id]
    people = {session.opened_by, *(share.shared_by for share in shares)}
    return Known(session, host.timeline(session.id, supporter), shares, connections, {**host.names(people), supporter.id: supporter.name})


def _connections(host: Host, visitor: Visitor, ref: RecordRef) -> Sequence[ReportRow]:
    try:
        return host.record_connections(ref, visitor.supporter, oldest_first=True, limit=MOST_CONNECTIONS).items
    except JumpseatError:  # the CRM does not answer, or no longer has the record: what the host itself knows is shown all the same
        return ()
