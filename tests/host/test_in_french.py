"""What a French supporter reads of a session: reasons as they are made, and what came back from the database."""

from __future__ import annotations

import re

from jumpseat import Host, RecordRef, ShareWish, Supporter
from jumpseat.errors import ValidSessionExists
from jumpseat.languages import catalogue_of

CASE = RecordRef("Case", "500A000000D34xy")
ENGLISH = re.compile(r"\b(the|session was|is|has|was|by|with|and|opens|valid|closed)\b")


def test_a_session_is_told_in_french_from_its_opening_to_its_end(host: Host, operator: Supporter) -> None:
    french = catalogue_of("fr").shown
    offer = host.resolve(CASE, operator)
    reasons = [reason.text for offered in offer.session_types for reason in offered.reasons]
    reasons += [action.reason.text for action in offer.actions if action.reason.text]

    session = host.open_session(CASE, "remote_control", operator)
    try:
        host.open_session(CASE, "remote_control", operator)
    except ValidSessionExists as refused:
        reasons.append(refused.message)
    [share] = host.share(session.id, [ShareWish("email", offer.contacts[0].id)], operator)
    host.deliver(share.id)
    host.close_session(session.id, operator)
    told = [french(entry.text) for entry in host.timeline(session.id, operator)]

    assert told == [
        f"{operator.name} ouvre une session.",
        f"La session {session.code} a été ouverte.",
        f"Partagé avec {offer.contacts[0].name} par E-mail.",
        f"{operator.name} a fermé la session.",
    ]
    assert [text for text in map(french, reasons) if ENGLISH.search(text)] == []
