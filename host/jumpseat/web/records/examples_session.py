"""The session of a record and its share form in all their states, from pure values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from jumpseat.contract import REQUIRED, Abilities, Setting
from jumpseat.errors import CapReached, InvalidValue, JumpseatError, ProviderUnreachable
from jumpseat.records.offer import Action, ActionName, Offer, OfferedChannel, OfferedRecipient, OfferedType, TypeChannel
from jumpseat.records.own_fields import filled
from jumpseat.records.resolve import NOT_HERE_YET
from jumpseat.shares.compose import Composed
from jumpseat.speech import say
from jumpseat.types import Contact, Provenance, Reason, Recipient, Record, Session, SessionState, Share, ShareState, Template
from jumpseat.web.forms import Form
from jumpseat.web.records import code, session as component, share
from jumpseat.web.records.examples import CHANNELS, NOW, REF, TYPES, Example, session
from jumpseat.web.records.session import Ask, Said
from jumpseat.web.records.session_buttons import CONNECTED
from jumpseat.web.records.share_form import NO_ADDRESS, Row, choice, rows

MORE_TYPES = {
    **TYPES,
    "program": say("Remote control by a program"),
    "room": say("Meeting room"),
    "camera": say("Camera in the browser"),
}
FIELDS = (
    Setting("subject", str, default=REQUIRED, help=say("Subject")),
    Setting("minutes", int, default=30, help=say("Planned minutes")),
    Setting("size", str, default="small", choices=("small", "large"), help=say("Size of the room")),
    Setting("recorded", bool, default=False, help=say("Record the meeting")),
)
ABILITIES: Mapping[str, Abilities] = {
    "remote_control": Abilities(control=True, joined_signal=True),
    "pilot": Abilities(camera=True, joined_signal=True),
    "program": Abilities(control=True, joined_signal=True, late_supporter_link=True),
    "room": Abilities(screen=True),
    "camera": Abilities(camera=True, joined_signal=True),
}
CAMILLE = Contact(
    "c1", "Camille Durand", "camille.durand@example.test", "+33612345678", language="fr", primary=True, relation="contact of the case"
)
JEANNE = Contact("c2", "Jeanne Lefort", "jeanne.lefort@example.test", relation="contact of the account")
HOST, METADATA, PLUGIN = Provenance("host"), Provenance("metadata", "metadata/sessions.yaml", 2), Provenance("teamviewer")
NO_SESSION = say("There is no valid session.")
MAIL = Template(
    "Case", "email", "fr", "Bonjour {{ recipient.name }} {{ message }}", subject="Assistance", file="templates/email/case.fr.txt"
)
TEXT = "Bonjour Camille,\n\nsuivez ce lien pour nous rejoindre :\nhttps://get.example.test/s123-456-789\n\nExample Company"


def of_sessions() -> Iterator[Example]:
    """The session component, its QR code, the share form, and what came of it."""
    yield from _without_session()
    yield from _with_session()
    yield from _share()
    yield from _outcomes()


def offer(valid: Session | None = None, **changed: Any) -> Offer:
    """An offer as it is for a supporter who may do everything."""
    found = Offer(
        record=Record(REF, "00001026", "Case"),
        source=REF.source,
        session=valid,
        actions=_actions(valid),
        session_types=tuple(_type(name) for name in TYPES),
        channels=tuple(_channel(name) for name in CHANNELS),
        contacts=(CAMILLE, JEANNE),
        customer=CAMILLE,
        contact_reasons=(),
        chat_message=True,
        catalogue_version="",
        add_contact=True,
    )
    return replace(found, **changed)


def sent(number: int = 1, **changed: Any) -> Share:
    """A share that went to Camille."""
    at = NOW - timedelta(minutes=10 * number)
    made = Share(f"sh_{number}", "s_example1", "email", CAMILLE.email or "", CAMILLE.name, "Case", "fr", ShareState.SENT, at, "005A")
    return replace(made, **changed)


def _actions(valid: Session | None) -> tuple[Action, ...]:
    names: tuple[ActionName, ...] = ("new", "replace", "join", "share", "close")
    possible = {name: (name == "new") == (valid is None) for name in names}
    return tuple(Action(name, fits, Reason("" if fits else NO_SESSION, HOST, fits)) for name, fits in possible.items())


def _type(name: str, *reasons: Reason, sign_in: str | None = None, fields: tuple[Setting, ...] = ()) -> OfferedType:
    default = "sms" if name == "pilot" else "email"
    channels = tuple(TypeChannel(channel, True, channel == default, ()) for channel in CHANNELS)
    return OfferedType(name, MORE_TYPES[name], not reasons, reasons, channels, sign_in, fields)


def _channel(name: str) -> OfferedChannel:
    kind, people = ("email", (CAMILLE, JEANNE)) if name == "email" else ("phone", (CAMILLE,))
    found = tuple(OfferedRecipient(Recipient((one.email if name == "email" else one.mobile) or "", one)) for one in people)
    templates = (MAIL,) if name == "email" else (replace(MAIL, name="default", channel="sms", subject=None),)
    return OfferedChannel(name, CHANNELS[name], kind, found, name == "sms", found[0].recipient, templates, templates[0], (), ())


def _shown(state: str, given: Offer, last: Session | None, said: dict[str, Any] | None = None, **more: Any) -> Example:
    values = component.shown(given, last, NOW, abilities=ABILITIES, public_url="https://jumpseat.example.test", **more)
    return Example("session", state, component.COMPONENT, {**values, **(said or {})})


def _wrong(typed: Mapping[str, str]) -> str:
    """What the host says of fields that do not fit."""
    try:
        filled(FIELDS, typed, MORE_TYPES["room"])
    except InvalidValue as error:
        return error.message
    raise AssertionError("They fit.")


def _without_session() -> Iterator[Example]:
    yield _shown("none", offer(), None)
    yield _shown("more session types", offer(session_types=tuple(_type(name) for name in MORE_TYPES)), None)
    yield _shown("asks for fields", offer(session_types=(_type("remote_control"), _type("room", fields=FIELDS))), None)
    typed = {"subject": "Printer", "minutes": "many", "size": "large"}
    kept = {"said_last": Said(_wrong(typed), "error"), "tried": "open:room", "filled_in": typed}
    four = tuple(_type(name, fields=FIELDS if name == "room" else ()) for name in MORE_TYPES)
    yield _shown("a field does not fit", offer(session_types=four), None, kept)
    needed = Reason(say("You are not signed in to TeamViewer."), PLUGIN)
    signed_out = offer(session_types=tuple(_type(name, needed, sign_in="teamviewer") for name in TYPES))
    yield _shown("signed out", signed_out, None, labels={"teamviewer": "TeamViewer"})
    unset = Reason(say("No TeamViewer account is connected."), PLUGIN)
    yield _shown("nothing configured", offer(session_types=tuple(_type(name, unset) for name in TYPES)), None)
    forbidden = Reason(say("The session settings forbid this session type."), METADATA)
    yield _shown("no type allowed", offer(session_types=tuple(_type(name, forbidden) for name in TYPES)), None)
    missing = Action("new", False, Reason(say("The right '{right}' is missing.", right="session.open"), METADATA))
    yield _shown("right missing", offer(actions=(missing, *_actions(None)[1:])), None)
    yield _shown("being opened", offer(), session(code=None, customer_link=None, state=SessionState.RESERVED))
    yield _shown(
        "closed",
        offer(),
        session(state=SessionState.CLOSED),
        {"said_last": Said(say("The session is closed. The history keeps its details."))},
    )
    yield _shown("expired", offer(), session(state=SessionState.EXPIRED), shares=(sent(),))
    yield _shown("failed", offer(), session(code=None, state=SessionState.FAILED, failure=say("The provider refused.")))


def _with_session() -> Iterator[Example]:
    opened = session()
    yield _shown("open", offer(opened), opened, {"said_last": Said(say("The session is open. Share its link with the customer."))})
    yield _shown(
        "shared",
        offer(opened),
        opened,
        shares=(sent(), sent(2, channel="sms", address=CAMILLE.mobile, state=ShareState.FAILED, reason=say("The gateway is away."))),
    )
    online = session(online=True)
    yield _shown("online", offer(online), online)
    yield _shown("asked before closing", offer(online), online, {"ask": Ask(CONNECTED, f"close:{online.id}")})
    ending = session(valid_until=NOW + timedelta(minutes=12))
    yield _shown("expiring", offer(ending), ending)
    yield _shown("provider trouble", offer(opened), opened, {"trouble": say("The provider does not answer.")}, shares=(sent(),))
    camera = session(session_type="pilot")
    yield _shown("camera", offer(camera), camera)
    yield from _of_other_types()
    away: JumpseatError = ProviderUnreachable(say("The CRM does not answer."))
    stale = component.shown_without_crm(opened, NOW, away, (sent(),), "https://jumpseat.example.test", ABILITIES["remote_control"])
    yield Example("session", "provider down", component.COMPONENT, {**stale, "types": TYPES, "channels": CHANNELS})
    drawn = {"ref": REF, "session": camera, "code": code.drawn(camera.customer_link or "")}
    yield Example("code", "shown", code.COMPONENT, drawn)


def _of_other_types() -> Iterator[Example]:
    """What a type says of itself: nobody tells that the customer joins, or nobody can join before them."""
    unheard = session(session_type="room")
    yield _shown("nobody tells", offer(unheard), unheard, {"types": MORE_TYPES})
    late = session(session_type="program")
    not_yet = Action("join", False, Reason(NOT_HERE_YET, HOST))
    waits = offer(late, actions=tuple(not_yet if action.name == "join" else action for action in _actions(late)))
    yield _shown("not here yet", waits, late, {"types": MORE_TYPES})


def _form(state: str, given: Offer, made: tuple[Row, ...], *, sending: bool = False, **more: Any) -> Example:
    values = share.shown(given, session(), choice(given, Form()), made, sending=sending)
    return Example("share", state, share.COMPONENT, {**values, **more}, ("share.css",))


def _share() -> Iterator[Example]:
    given = offer(session())
    filled = rows(given, session(), choice(given, Form()), Form())
    written = Composed("email", "E-mail", Recipient(CAMILLE.email or "", CAMILLE), "Case", "fr", "Assistance à distance", TEXT, "<p>", None)
    email, *others = filled
    yield _form("filled in", given, (email.shown(written), *others))
    yield _form("asks for fields", given, (replace(email.shown(written), fields=FIELDS, values={"subject": "Printer"}), *others))
    wrong = replace(email, to="", errors={"to": NO_ADDRESS})
    yield _form("an address is missing", given, (wrong, *others), sending=True)
    yield _form(
        "a cap is reached",
        given,
        filled,
        problem=CapReached(say("No more than {n} shares a day.", n=50), channel="email", retry_after_seconds=3600),
    )
    nobody = offer(
        session(), contacts=(), customer=None, channels=tuple(replace(one, recipients=(), prefilled=None) for one in given.channels)
    )
    yield _form(
        "no contact",
        nobody,
        rows(nobody, session(), choice(nobody, Form()), Form()),
        person={"name": "", "email": "ada@", "mobile": "", "errors": {"name": say("Write the person's name.")}},
    )
    yield _form("ways that are not possible", given, (email, replace(others[0], ticked=False, why=say("No gateway is set."))))


def _outcomes() -> Iterator[Example]:
    moving = (sent(state=ShareState.QUEUED), sent(2, channel="sms", address=CAMILLE.mobile, state=ShareState.SENDING))
    over = (
        sent(),
        sent(2, state=ShareState.REFUSED, reason=say("The mailbox does not exist.")),
        sent(3, channel="sms", address=CAMILLE.mobile, state=ShareState.UNKNOWN),
    )
    for state, shares in (("on its way", moving), ("over", over)):
        yield Example("share", state, share.OUTCOMES, share.shown_outcomes(REF, shares, CHANNELS), ("share.css",))
