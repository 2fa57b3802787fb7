"""The buttons of a record's session: which there are, and why some do nothing. Pure; the offer decides, nothing here does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from jumpseat.contract import Abilities, Setting
from jumpseat.records.offer import ActionName, Offer, OfferedType
from jumpseat.records.resolve import NOT_HERE_YET
from jumpseat.speech import say
from jumpseat.types import Reason, Session, SessionState

BEING_OPENED = say("A session is being opened.")
CRM_AWAY = say("The CRM does not answer, and this needs it.")
CONNECTED = say("The customer is connected. Close the session all the same?")
CONNECTED_REPLACE = say("The customer is connected. Close this session and open another one all the same?")
SIDE_BY_SIDE = 2
"""So many session types have a button of their own beside a menu with the others."""


@dataclass(frozen=True, slots=True)
class Button:
    """One button; one that is not possible says why."""

    action: str
    """What its form sends: ``open:remote_control``, ``close:s_…``."""
    label: str
    name: ActionName
    way: Literal["here", "tab", "page"] = "here"
    """Posts and stays, posts into a new tab, or leads to another page."""
    main: bool = False
    reason: str = ""
    """Why it does nothing; empty when it is possible."""
    ask: str = ""
    """What is asked before it is done."""
    fields: tuple[Setting, ...] = ()
    """What may be filled in before."""
    key: str = ""
    """The letter of its shortcut with Alt."""
    menu: bool = False
    """Stands in a menu with its like."""

    @property
    def id(self) -> str:
        """Its id on the page, which stays the same from one look to the next."""
        return "do-" + self.action.replace(":", "-") if self.name in ("new", "replace") else f"do-{self.name}"


def buttons(offer: Offer, session: Session | None, abilities: Mapping[str, Abilities]) -> tuple[Button, ...]:
    """The buttons of a record.

    Args:
        offer: the record's.
        session: the newest session, which may be over.
        abilities: of each session type.
    """
    valid = offer.session
    if valid is None:
        being_opened = session is not None and session.state is SessionState.RESERVED
        new = [replace(button, reason=BEING_OPENED) if being_opened else button for button in _new(offer, "open", abilities)]
        return (*_first_main(new), *_of_session(offer, None))
    return (*_of_session(offer, valid), *_new(offer, "replace", abilities, ask=CONNECTED_REPLACE if valid.online else ""))


def without_crm(session: Session, can: Abilities) -> tuple[Button, ...]:
    """The buttons of a valid session whose CRM does not answer: what needs no CRM goes on."""
    waits = NOT_HERE_YET if can.late_supporter_link and not session.online else ""
    return (
        Button(f"join:{session.id}", say("Join the session"), "join", "tab", main=not waits, reason=waits, key="J"),
        Button("share", say("Share"), "share", "page", reason=CRM_AWAY, key="S"),
        Button(f"close:{session.id}", say("Close the session"), "close", ask=CONNECTED if session.online else ""),
    )


def _of_session(offer: Offer, valid: Session | None) -> Iterable[Button]:
    id, online = (valid.id, valid.online) if valid else ("", False)
    yield Button(f"join:{id}", say("Join the session"), "join", "tab", main=online, reason=_why(offer, "join"), key="J")
    share = Button("share", say("Share"), "share", "page", main=valid is not None and not online, reason=_why(offer, "share"), key="S")
    yield share
    yield Button(f"close:{id}", say("Close the session"), "close", reason=_why(offer, "close"), ask=CONNECTED if online else "")


def _why(offer: Offer, name: ActionName) -> str:
    action = offer.action(name)
    return "" if action.allowed else action.reason.text


def _new(offer: Offer, action: Literal["open", "replace"], abilities: Mapping[str, Abilities], ask: str = "") -> Iterable[Button]:
    name: ActionName = "new" if action == "open" else "replace"
    refused = _why(offer, name)
    camera = {known for known, can in abilities.items() if can.camera}
    taken: set[str] = set()
    for offered, menu in _placed(shown_types(offer), replacing=action == "replace"):
        key = next((letter for letter in ("P" if offered.name in camera else "N", "N", "P") if letter not in taken), "")
        taken.add(key)
        reason = first_no(offered.reasons)
        why = reason.text if reason else refused
        label = say("New session: {type}", type=offered.label)
        yield Button(f"{action}:{offered.name}", label, name, reason=why, ask=ask, fields=() if why else offered.fields, key=key, menu=menu)


def _placed(types: Sequence[OfferedType], *, replacing: bool) -> Iterable[tuple[OfferedType, bool]]:
    """The types with whether they stand in the menu, those that do not first; what is possible comes before what is not.

    Beside a session that is open a new one is rarely wanted, so there the menu has all of them.
    """
    alone = 1 if replacing else SIDE_BY_SIDE + 1  # a menu of one saves no room
    if len(types) <= alone:
        return [(offered, False) for offered in types]
    beside = [] if replacing else sorted(types, key=lambda offered: first_no(offered.reasons) is not None)[:SIDE_BY_SIDE]
    return [(offered, offered not in beside) for offered in (*beside, *(offered for offered in types if offered not in beside))]


def _first_main(given: Iterable[Button]) -> list[Button]:
    found = list(given)
    place = next((number for number, button in enumerate(found) if not button.reason), None)
    return [replace(button, main=True) if number == place else button for number, button in enumerate(found)]


def shown_types(offer: Offer) -> list[OfferedType]:
    """The session types that have a button: those that an administrator took away have none."""
    return [offered for offered in offer.session_types if not _taken_away(offered)]


def _taken_away(offered: OfferedType) -> bool:
    reason = first_no(offered.reasons)
    return reason is not None and reason.provenance.by == "metadata"


def first_no(reasons: Iterable[Reason]) -> Reason | None:
    """The first reason that something is not possible; None when it is."""
    return next((reason for reason in reasons if not reason.allowed), None)
