"""The session of a record: what there is, what can be done, and why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.contract import Abilities
from jumpseat.errors import JumpseatError, PluginError, ProviderError, UsageError
from jumpseat.host import Host
from jumpseat.records.offer import Offer
from jumpseat.speech import joined, say
from jumpseat.store.idempotency import Answer, Keyed
from jumpseat.types import NOTHING, RecordRef, Session, SessionState, Share
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor, record_path
from jumpseat.web.leaving import led_to
from jumpseat.web.records.giving import giving
from jumpseat.web.records.session_buttons import CONNECTED, CONNECTED_REPLACE, Button, buttons, shown_types, without_crm
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/session"
COMPONENT = "components/session.html"
EXPIRING = timedelta(minutes=30)
"""Less than this is left: the page says so."""
NO_TYPE = say("The session settings allow no session type here. An administrator allows one in metadata/sessions.yaml.")
WRONG_ACTION = say("The page asked for something that it cannot do. Load it again.")
State = Literal["none", "open", "online", "expiring", "expired", "closed", "reserved", "failed"]


@dataclass(frozen=True, slots=True)
class Said:
    """What came of an action, above the component."""

    text: str
    level: Literal["success", "info", "error"] = "success"
    code: str = ""


@dataclass(frozen=True, slots=True)
class SignInCard:
    """Where a supporter signs in at a provider."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question before something is done, on a page of its own for browsers without script."""

    text: str
    action: str


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
    """Open, replace, join, close, send again or sign in; then the session as it is now."""
    ref = RecordRef(object, id, source)
    action, _, which = form.get("action").partition(":")
    if action == "join":  # in a tab of its own, which has nothing else to show than the refusal
        return led_to(visitor, host.join_session(which, visitor.supporter))
    if action == "sign_in":
        return led_to(visitor, host.start_sign_in(which, visitor.supporter).url)
    try:
        ask = _asked_first(host, visitor, ref, form)
        said = None if ask else _done(host, visitor, ref, action, which, form)
    except JumpseatError as error:
        said = Said(error.message, "error", error.code)
        return show(request, visitor, ref, said, error.status, tried=form)
    return show(request, visitor, ref, said, ask=ask)


def _asked_first(host: Host, visitor: Visitor, ref: RecordRef, form: Form) -> Ask | None:
    """The question before a customer who is connected is cut off; None where there is none, or it was answered."""
    action, _, which = form.get("action").partition(":")
    if form.ticked("confirmed") or action not in ("close", "replace"):
        return None
    session = host.session(which, visitor.supporter) if action == "close" else host.resolve(ref, visitor.supporter).session
    if session is None or not (session.online and session.valid_at(host.clock.now())):
        return None
    return Ask(CONNECTED if action == "close" else CONNECTED_REPLACE, form.get("action"))


def _done(host: Host, visitor: Visitor, ref: RecordRef, action: str, which: str, form: Form) -> Said:
    if action in ("open", "replace"):
        _open(host, visitor, ref, which, form.once, replace=action == "replace", fields=form.under("field_"))
        return Said(say("The session is open. Share its link with the customer."))
    if action == "again":
        return _again(host, visitor, ref, which, form.once)
    if action == "resend":
        share = host.resend_share(which, visitor.supporter)
        return Said(say("The message to {name} is sent once more.", name=share.recipient_name or share.address))
    if action == "close":
        host.close_session(which, visitor.supporter)
        return Said(say("The session is closed. The history keeps its details."))
    raise UsageError(WRONG_ACTION, param="action")


def _open(
    host: Host,
    visitor: Visitor,
    ref: RecordRef,
    session_type: str,
    once: str | None,
    *,
    replace: bool,
    fields: Mapping[str, str] = NOTHING,
) -> str:
    """Open a session, once however often the form is sent; answers its id."""

    def run(keyed: Keyed | None) -> Session:
        return host.open_session(ref, session_type, visitor.supporter, replace=replace, fields=fields, keyed=keyed)

    if once is None:
        return run(None).id
    asked = f"{ref!r} {session_type} {replace} {sorted(fields.items())}"
    return host.once(visitor.caller.id, once, asked, run, lambda session: Answer(201, session.id)).body


def _again(host: Host, visitor: Visitor, ref: RecordRef, which: str, once: str | None) -> Said:
    """The next session, for those to whom the last one was sent."""
    last = host.session(which, visitor.supporter)
    opened = _open(host, visitor, ref, last.session_type, once, replace=False)
    try:
        shares = host.share_again(opened, last.id, visitor.supporter)
    except JumpseatError as error:
        return Said(joined(say("The session is open, but its link was not sent."), error.message), "error", error.code)
    return Said(say("The session is open, and its link is on its way to {names}.", names=_names(shares)))


def _names(shares: Sequence[Share]) -> str:
    return ", ".join(dict.fromkeys(share.recipient_name or share.address for share in shares))


def show(
    request: Request,
    visitor: Visitor,
    ref: RecordRef,
    said: Said | None = None,
    status: int = 200,
    ask: Ask | None = None,
    tried: Form | None = None,
) -> Response:
    """The component, with what came of the last action; what was tried in vain keeps what was filled in."""
    host = host_of(request)
    try:
        offer = host.resolve(ref, visitor.supporter)
    except (ProviderError, PluginError) as error:
        return _without_crm(request, visitor, ref, error, said, status)
    session = offer.session or _last(host, visitor, offer)
    values = shown(
        offer,
        session,
        host.clock.now(),
        abilities={name: found.abilities for name, found in host.session_types.items()},
        shares=_shares(host, visitor, session),
        labels={name: host.sign_in_label(name) for name in {offered.sign_in for offered in offer.session_types if offered.sign_in}},
        public_url=host.catalogue.host.public_url,
    )
    trouble = host.provider_trouble(session) if session else ""
    values |= {"said_last": said, "ask": ask, "trouble": trouble}
    if tried:
        values |= {"tried": tried.get("action"), "filled_in": tried.under("field_")}
    title = joined(offer.record.label, offer.record.name)
    return answer(request, visitor, Page(title, COMPONENT, values=values, dialogs=True), status)


def _without_crm(request: Request, visitor: Visitor, ref: RecordRef, error: JumpseatError, said: Said | None, status: int) -> Response:
    """The last session that is known, while the CRM does not answer.

    Raises:
        JumpseatError: there is none, so the refusal is all there is to say.
    """
    host = host_of(request)
    session = next(iter(host.sessions(visitor.supporter, record=ref, limit=1).items), None)
    if session is None:
        raise error
    found = host.session_types.get(session.session_type)
    can = found.abilities if found else Abilities()
    values = shown_without_crm(session, host.clock.now(), error, _shares(host, visitor, session), host.catalogue.host.public_url, can)
    values |= {
        "said_last": said,
        "types": {name: found.label for name, found in host.session_types.items()},
        "channels": {name: found.label for name, found in host.share_channels.items()},
    }
    return answer(
        request, visitor, Page(joined(session.record.object, session.record_name), COMPONENT, values=values, dialogs=True), status
    )


def shown(
    offer: Offer,
    session: Session | None,
    now: datetime,
    *,
    abilities: Mapping[str, Abilities],
    shares: Sequence[Share] = (),
    labels: Mapping[str, str] | None = None,
    public_url: str = "",
) -> dict[str, Any]:
    """What the component shows, from pure values.

    Args:
        offer: the record's.
        session: its newest session, which may be over.
        now: UTC.
        abilities: of each session type.
        shares: of the session, oldest first.
        labels: what people call the sign-ins that the offer names.
        public_url: where the host is reached.
    """
    labels, valid = labels or {}, offer.session is not None
    wanted = dict.fromkeys(offered.sign_in for offered in offer.session_types if offered.sign_in)
    again = session if session and state_of(session, now) == "expired" and shares and offer.action("new").allowed else None
    can = abilities.get(session.session_type, Abilities()) if session and valid else None
    return {
        **_common(offer.record.ref, session, now, shares, public_url),
        "valid": valid,
        "buttons": buttons(offer, session, abilities),
        "sign_ins": () if valid else tuple(SignInCard(name, labels.get(name, name)) for name in wanted),
        "types": {offered.name: offered.label for offered in offer.session_types},
        "channels": {channel.name: channel.label for channel in offer.channels},
        "no_type": "" if valid or shown_types(offer) else NO_TYPE,
        "again": again,
        "again_names": _names(shares),
        "camera": bool(can and can.camera),
        "giving": giving(can) if can else (),
    }


def shown_without_crm(
    session: Session, now: datetime, error: JumpseatError, shares: Sequence[Share], public_url: str, can: Abilities
) -> dict[str, Any]:
    """What the component shows while the CRM does not answer, from pure values."""
    valid = session.valid_at(now)
    found: tuple[Button, ...] = without_crm(session, can) if valid else ()
    return {
        **_common(session.record, session, now, shares, public_url),
        "stale": error,
        "valid": valid,
        "buttons": found,
        "giving": giving(can) if valid else (),
    }


def _common(ref: RecordRef, session: Session | None, now: datetime, shares: Sequence[Share], public_url: str) -> dict[str, Any]:
    newest = {share.channel: share for share in shares}
    return {
        "ref": ref,
        "address": record_path(ref, "session"),
        "session": session,
        "state": state_of(session, now),
        "now": now,
        "support_link": f"{public_url}/join/{session.id}" if session else "",
        "shares": tuple(newest.values()),
        "stale": None,
        "sign_ins": (),
        "types": {},
        "channels": {},
        "no_type": "",
        "again": None,
        "again_names": "",
        "camera": False,
        "giving": (),
        "said_last": None,
        "ask": None,
        "tried": "",
        "filled_in": NOTHING,
        "trouble": "",
    }


def _shares(host: Host, visitor: Visitor, session: Session | None) -> Sequence[Share]:
    if session is None or not visitor.supporter.rights.level("share.read"):
        return ()
    with suppress(JumpseatError):  # somebody may see a record's session and not its shares
        return host.shares(session.id, visitor.supporter)
    return ()


def _last(host: Host, visitor: Visitor, offer: Offer) -> Session | None:
    """The newest session of the record, which is over; None where the supporter may not see the history."""
    if not visitor.supporter.rights.level("history.read"):
        return None
    return next(iter(host.history(offer.record.ref, visitor.supporter)), None)
