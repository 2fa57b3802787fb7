"""Sharing a session: whom, by which channels, with which words, exactly as it will be sent; then what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query, Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import InvalidValue, JumpseatError, SessionNotValid, UsageError
from jumpseat.host import Host
from jumpseat.records.offer import Offer
from jumpseat.speech import joined, say
from jumpseat.store.idempotency import Answer, Keyed
from jumpseat.types import RecordRef, Session, Share
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor, record_path
from jumpseat.web.records.session import WRONG_ACTION, Said
from jumpseat.web.records.share_form import NO_ADDRESS, NO_CHANNEL, Choice, Row, choice, rows, takes_message
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/share"
COMPONENT = "components/share.html"
PREVIEW = "components/share_preview.html"
OUTCOMES = "components/share_outcomes.html"
MOVING = ("queued", "sending")


@router.get(PATH)
def get(source: str, object: str, id: str, request: Request, visitor: Seen) -> Response:
    """The form, filled in as the offer says."""
    return show(request, visitor, RecordRef(object, id, source))


@router.post(PATH)
def post(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Send; or fill in again for another contact, or show a preview, where there is no script."""
    ref = RecordRef(object, id, source)
    action = form.get("action")
    if action in ("", "preview"):
        return show(request, visitor, ref, form)
    if action != "send":
        raise UsageError(WRONG_ACTION, param="action")
    return _send(request, host, visitor, ref, form)


@router.post(PATH + "/preview")
def preview(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """What would be sent, while somebody types."""
    offer, session = _open_session(host, visitor, RecordRef(object, id, source))
    found = previewed(host, visitor, session, rows(offer, session, choice(offer, form), form), form.text("message"))
    return _answer(request, visitor, offer, PREVIEW, {"ref": offer.record.ref, "rows": found})


@router.get(PATH + "/outcomes")
def outcomes(
    source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, of: Annotated[str, Query(max_length=2000)] = ""
) -> Response:
    """What came of shares."""
    return _outcomes(request, host, visitor, RecordRef(object, id, source), of.split(","))


@router.post(PATH + "/outcomes")
def send_again(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Send one of them once more."""
    ref, ids = RecordRef(object, id, source), form.get("of").split(",")
    action, _, which = form.get("action").partition(":")
    if action != "resend":
        raise UsageError(WRONG_ACTION, param="action")
    try:
        queued = host.resend_share(which, visitor.supporter)
    except JumpseatError as error:
        return _outcomes(request, host, visitor, ref, ids, Said(error.message, "error", error.code), error.status)
    return _outcomes(request, host, visitor, ref, [queued.id if one == which else one for one in ids])


def _open_session(host: Host, visitor: Visitor, ref: RecordRef) -> tuple[Offer, Session]:
    """The record's offer and its valid session.

    Raises:
        SessionNotValid: there is none, or it may not be shared by this supporter.
    """
    offer = host.resolve(ref, visitor.supporter)
    action = offer.action("share")
    if offer.session is None or not action.allowed:
        raise SessionNotValid(action.reason.text)
    return offer, offer.session


def _send(request: Request, host: Host, visitor: Visitor, ref: RecordRef, form: Form) -> Response:
    offer, session = _open_session(host, visitor, ref)
    chosen = choice(offer, form)
    if chosen.changed:  # without script: whom it goes to now was not seen yet
        return show(request, visitor, ref, form)
    made = previewed(host, visitor, session, rows(offer, session, chosen, form), form.text("message"))
    wanted = [row for row in made if row.ticked]
    if not wanted:
        return show(request, visitor, ref, form, problem=InvalidValue(NO_CHANNEL))
    if any(row.errors for row in wanted):
        return show(request, visitor, ref, form, status=422)
    try:
        ids = _sent(host, visitor, session, wanted, form)
    except JumpseatError as error:
        return show(request, visitor, ref, form, problem=error)
    return _outcomes(request, host, visitor, ref, ids)


def _sent(host: Host, visitor: Visitor, session: Session, wanted: Sequence[Row], form: Form) -> list[str]:
    """Share, once however often the form is sent; answers the ids of the shares."""
    wishes, message, chat = [row.wish for row in wanted], form.text("message"), form.text("chat_message")

    def run(keyed: Keyed | None) -> list[Share]:
        return host.share(session.id, wishes, visitor.supporter, message=message, chat_message=chat, kept=keyed)

    def kept(shares: Sequence[Share]) -> Answer:
        return Answer(201, ",".join(share.id for share in shares))

    if form.once is None:
        return [share.id for share in run(None)]
    asked = repr((session.id, wishes, message, chat))
    return host.once(visitor.caller.id, form.once, asked, run, kept).body.split(",")


def previewed(host: Host, visitor: Visitor, session: Session, given: Sequence[Row], message: str) -> tuple[Row, ...]:
    """The rows that are ticked, each with exactly what it would send, or with what the host says against it."""
    wanted = [row for row in given if row.ticked and not row.why and row.to]
    try:
        composed = host.preview_share(session.id, [row.wish for row in wanted], visitor.supporter, message=message) if wanted else []
        done = {row.name: row.shown(one) for row, one in zip(wanted, composed, strict=True)}
    except JumpseatError:
        done = {row.name: _tried(host, visitor, session, row, message) for row in wanted}
    empty = {row.name: replace(row, errors={"to": NO_ADDRESS}) for row in given if row.ticked and not row.why and not row.to}
    return tuple({**done, **empty}.get(row.name, row) for row in given)


def _tried(host: Host, visitor: Visitor, session: Session, row: Row, message: str) -> Row:
    try:
        return row.shown(host.preview_share(session.id, [row.wish], visitor.supporter, message=message)[0])
    except JumpseatError as error:
        return row.failed(error)


def show(
    request: Request,
    visitor: Visitor,
    ref: RecordRef,
    form: Form | None = None,
    *,
    contact: str = "",
    said: Said | None = None,
    problem: JumpseatError | None = None,
    person: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The form, with what is wrong in it.

    Args:
        request: the call.
        visitor: who looks.
        ref: the record.
        form: what was posted; None at first.
        contact: id of the contact to choose.
        said: what came of the last action.
        problem: why nothing was sent.
        person: what was typed of a person to add, with ``errors``; None while nobody is added.
        status: HTTP status, where no problem has one.
    """
    host, form = host_of(request), form or Form()
    offer, session = _open_session(host, visitor, ref)
    chosen = choice(offer, form, contact)
    made = previewed(host, visitor, session, rows(offer, session, chosen, form), form.text("message"))
    sending = form.get("action") == "send" and not chosen.changed
    values = shown(offer, session, chosen, made, form, sending=sending)
    values |= {"said_last": said, "problem": problem, "person": person}
    return _answer(request, visitor, offer, COMPONENT, values, problem.status if problem else status)


def shown(
    offer: Offer, session: Session, chosen: Choice, made: Sequence[Row], form: Form | None = None, *, sending: bool = False
) -> dict[str, Any]:
    """What the form shows, from pure values.

    Args:
        offer: the record's.
        session: its valid session.
        chosen: the contacts.
        made: the channels.
        form: what was posted.
        sending: somebody wanted to send it, so what is missing is wrong.
    """
    form, ref = form or Form(), offer.record.ref
    wrong = [(row, name, text) for row in made if row.ticked for name, text in row.errors.items()] if sending else []
    return {
        "ref": ref,
        "address": record_path(ref, "share"),
        "session": session,
        "contacts": chosen.contacts,
        "contact": chosen.contact,
        "rows": made,
        "own_message": form.text("message"),
        "chat_message": form.text("chat_message"),
        "takes_message": takes_message(offer, [row.name for row in made if not row.why]),
        "takes_chat": offer.chat_message,
        "add_contact": offer.add_contact,
        "wrong": wrong,
        "said_last": None,
        "problem": None,
        "person": None,
    }


def shown_outcomes(ref: RecordRef, shares: Sequence[Share], labels: Mapping[str, str]) -> dict[str, Any]:
    """What came of shares, from pure values."""
    return {
        "ref": ref,
        "address": record_path(ref, "share"),
        "shares": shares,
        "labels": labels,
        "moving": any(share.state in MOVING for share in shares),
        "said_last": None,
    }


def _outcomes(
    request: Request, host: Host, visitor: Visitor, ref: RecordRef, ids: Sequence[str], said: Said | None = None, status: int = 200
) -> Response:
    offer = host.resolve(ref, visitor.supporter)
    sessions = host.sessions(visitor.supporter, record=ref, limit=5).items
    known = {share.id: share for session in sessions for share in host.shares(session.id, visitor.supporter)}
    labels = {name: channel.label for name, channel in host.share_channels.items()}
    values = shown_outcomes(offer.record.ref, [known[one] for one in ids if one in known], labels) | {"said_last": said}
    return _answer(request, visitor, offer, OUTCOMES, values, status)


def _answer(request: Request, visitor: Visitor, offer: Offer, component: str, values: dict[str, Any], status: int = 200) -> Response:
    title = joined(say("Share"), offer.record.label, offer.record.name)
    return answer(request, visitor, Page(title, component, values=values, path=record_path(offer.record.ref, "share")), status)
