"""The session of a record: what there is, what can be done, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError, UsageError
from jumpseat.host import Host
from jumpseat.records.offer import Offer
from jumpseat.speech import say
from jumpseat.store.idempotency import Answer, Keyed
from jumpseat.types import RecordRef, Session, SessionState
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/session"
EXPIRING = timedelta(minutes=30)
"""Less than this is left: the page says so."""
State = Literal["none", "open", "online", "expiring", "expired", "closed", "reserved", "failed"]


@dataclass(frozen=True, slots=True)
class Said:
    """What came of an action, above the component."""

    text: str
    level: Literal["success", "info", "error"] = "success"
    code: str = ""


def state_of(session: Session | None, now: datetime) -> State:
    """The state of a session as people see it."""
    if session is None:
        return "none"
    if session.state is SessionState.OPEN:
        if now >= session.valid_until:
            return "expired"
        if session.online:
            return "online"
        return "expiring" if session.valid_until - now < EXPIRING else "open"
    return session.state.value  # type: ignore[return-value]  # the states that are left have the same names


@router.get(PATH)
def get(source: str, object: str, id: str, request: Request, visitor: Seen) -> Response:
    """The session of a record."""
    return show(request, visitor, RecordRef(object, id, source))


@router.post(PATH)
def post(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Open, replace, join or close; then the session as it is now."""
    ref = RecordRef(object, id, source)
    action, _, which = form.get("action").partition(":")
    try:
        if action == "join":
            link = host.join_session(which, visitor.supporter)
            return RedirectResponse(link.reveal(), 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        said = _done(host, visitor, ref, action, which, form)
    except JumpseatError as error:
        return show(request, visitor, ref, Said(error.message, "error", error.code), error.status)
    return show(request, visitor, ref, said)


def _done(host: Host, visitor: Visitor, ref: RecordRef, action: str, which: str, form: Form) -> Said:
    if action in ("open", "replace"):
        _open(host, visitor, ref, which, form.once, replace=action == "replace")
        return Said(say("The session is open. Share its link with the customer."))
    if action == "close":
        host.close_session(which, visitor.supporter)
        return Said(say("The session is closed. The history keeps its details."))
    raise UsageError(say("The page asked for something that it cannot do. Load it again."), param="action")


def _open(host: Host, visitor: Visitor, ref: RecordRef, session_type: str, once: str | None, *, replace: bool) -> None:
    def run(keyed: Keyed | None) -> Session:
        return host.open_session(ref, session_type, visitor.supporter, replace=replace, keyed=keyed)

    if once is None:
        run(None)
        return
    host.once(visitor.caller.id, once, f"{ref!r} {session_type} {replace}", run, lambda session: Answer(201, session.id))


def show(request: Request, visitor: Visitor, ref: RecordRef, said: Said | None = None, status: int = 200) -> Response:
    """The component, with what came of the last action."""
    host = host_of(request)
    offer = host.resolve(ref, visitor.supporter)
    session = offer.session or _last(host, visitor, offer)
    values = {
        "offer": offer,
        "ref": offer.record.ref,
        "session": session,
        "state": state_of(session, host.clock.now()),
        "said_last": said,
        "types": {offered.name: offered.label for offered in offer.session_types},
    }
    return answer(request, visitor, Page(f"{offer.record.label} {offer.record.name}", "components/session.html", values=values), status)


def _last(host: Host, visitor: Visitor, offer: Offer) -> Session | None:
    """The newest session of the record, which is over; None where the supporter may not see the history."""
    if not visitor.supporter.rights.level("history.read"):
        return None
    return next(iter(host.history(offer.record.ref, visitor.supporter)), None)
