"""Supporters are told once that their customer has joined, and only while it is of use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from notice_desk import ANN, CASE, Desk, refused

from jumpseat.catalogue.model import SessionSettings
from jumpseat.errors import (
    AnswerLost,
    JumpseatError,
    PluginError,
    PluginQuarantined,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnreachable,
    RecordNotFound,
)
from jumpseat.notices import words
from jumpseat.notices.telling import CUT_OFF, NO_ADDRESS, NO_CHANNEL, OVER, delay
from jumpseat.store import events, notices, retention
from jumpseat.types import Outcome

BY_MAIL = SessionSettings(notify_by_email=True)


def test_the_crm_is_told_with_the_hosts_own_address(desk: Desk) -> None:
    session = desk.join()
    desk.round()

    [notice] = desk.crm.notices
    assert (notice.record, notice.supporter_ids) == (CASE, ("u1",))
    assert notice.title == "Le client a rejoint la session s123"
    assert notice.text == "Le client est en ligne dans la session s123 (Case 00001026) et vous attend."
    assert notice.link == f"http://127.0.0.1:8400/join/{session.id}"
    assert desk.states() == [("crm", "sent", "")]


def test_the_supporter_who_opened_is_mailed_where_that_is_set(desk: Desk) -> None:
    desk.settings = BY_MAIL
    desk.crm.users["u1"] = replace(ANN, language="en-GB")
    session = desk.join()
    desk.round()

    [mail] = desk.mail.sent
    assert (mail.address, mail.subject) == ("ann@support.example", "The customer has joined session s123")
    assert mail.text == (
        "The customer is online in session s123 of Case 00001026 and waits for you.\n\n"
        f"Join the session: http://127.0.0.1:8400/join/{session.id}\n"
    )
    assert mail.key == desk.rows()[1].key
    assert desk.states() == [("crm", "sent", ""), ("email", "sent", "")]


def test_each_join_is_told_once_however_often_anybody_looks(both_desk: Desk, open_store) -> None:
    desk = both_desk
    desk.settings = BY_MAIL
    for _ in range(5):
        desk.join()
    others = [(desk.follower(store), desk.teller(store)) for store in (open_store(), open_store())]

    def work(number: int) -> None:
        follower, telling = others[number % 2]
        follower.follow()
        telling.tell_crm()
        telling.mail()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(8)))
    desk.round()

    assert (len(desk.crm.notices), len(desk.mail.sent)) == (5, 5)
    assert {state for _, state, _ in desk.states()} == {"sent"}


@pytest.mark.parametrize("kind", [kind for kind in events.KINDS if kind != events.CUSTOMER_JOINED])
def test_of_anything_else_nobody_is_told(desk: Desk, kind: str) -> None:
    desk.happen(desk.session(), kind)
    desk.round()

    assert desk.rows() == []


# --- who is told ------------------------------------------------------------------------------------------------------


def test_never_tells_nobody(desk: Desk) -> None:
    desk.settings = SessionSettings(notify_on_join="never", notify_by_email=True)
    desk.share(desk.join())
    desk.round()

    assert desk.rows() == []


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (None, 1),
        (Outcome.sent("1"), 1),
        (Outcome.unknown("cut off"), 1),
        (refused("no such mailbox"), 0),
        (Outcome.failed("down", retry=False), 0),
    ],
    ids=["not answered yet", "sent", "unknown", "refused", "failed"],
)
def test_when_shared_tells_where_a_share_may_have_reached_the_customer(desk: Desk, outcome: Outcome | None, told: int) -> None:
    desk.settings = SessionSettings(notify_on_join="when_shared")
    session = desk.session()
    desk.share(session, outcome=outcome)
    desk.happen(session)
    desk.round()

    assert len(desk.crm.notices) == told


def test_when_shared_does_not_count_what_was_shared_after_the_customer_had_joined(both_desk: Desk) -> None:
    desk = both_desk
    desk.settings = SessionSettings(notify_on_join="when_shared")
    session = desk.join()
    desk.clock.move(seconds=1)
    desk.share(session, outcome=Outcome.sent("1"))
    desk.round()

    assert desk.rows() == []


def test_whoever_shared_is_concerned_too_each_once(desk: Desk) -> None:
    session = desk.session()
    for supporter in ("u2", "u1", "u2", "key:crm", "operator"):
        desk.share(session, supporter, Outcome.sent("1"))
    desk.happen(session)
    desk.round()

    assert desk.crm.notices[0].supporter_ids == ("u1", "u2")


@pytest.mark.parametrize("nobody", ["operator", "key:crm"])
def test_nobody_is_mailed_for_a_session_that_no_user_of_the_crm_opened(desk: Desk, nobody: str) -> None:
    desk.settings = BY_MAIL
    desk.join(nobody)
    desk.round()

    assert desk.states() == [("crm", "sent", "")]
    assert desk.crm.notices[0].supporter_ids == ()


def test_a_crm_that_has_no_way_to_tell_is_left_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(desk.crm), "can_notify", False)
    desk.join()
    desk.round()

    assert (desk.rows(), desk.crm.notices) == ([], [])


def test_a_supporter_without_an_address_is_not_mailed(desk: Desk) -> None:
    desk.settings = BY_MAIL
    desk.crm.users["u1"] = replace(ANN, email=None)
    desk.join()
    desk.round()

    assert desk.states()[1] == ("email", "failed", NO_ADDRESS)


# --- when it does not work at once ------------------------------------------------------------------------------------


def settle(desk: Desk, minutes: int = 30) -> None:
    for _ in range(minutes * 2):
        desk.clock.move(seconds=30)
        desk.round()


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnreachable("down"),
        AnswerLost("lost"),
        ProviderThrottled("busy", retry_after_seconds=20),
        PluginError("broke"),
        PluginQuarantined("resting", retry_after_seconds=30),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_crm_that_fails_is_told_later(desk: Desk, error: JumpseatError) -> None:
    desk.crm.plan = [error, error]
    desk.join()
    desk.round()
    assert desk.states() == [("crm", "waiting", error.message)]
    assert desk.rows()[0].next_try_at > desk.clock.now()

    settle(desk)
    assert (len(desk.crm.notices), desk.states()) == (1, [("crm", "sent", "")])
    assert desk.rows()[0].tries == 3


@pytest.mark.parametrize("error", [ProviderRefused("no"), RecordNotFound("gone")], ids=lambda error: type(error).__name__)
def test_a_crm_that_says_no_is_not_asked_again(desk: Desk, error: JumpseatError) -> None:
    desk.crm.plan = [error]
    desk.join()
    settle(desk, 5)

    assert (desk.crm.notices, desk.states()) == ([], [("crm", "failed", error.message)])


def test_a_crm_that_cannot_be_reached_keeps_a_round_waiting_once(desk: Desk) -> None:
    for _ in range(3):
        desk.join()
    desk.crm.plan = [ProviderUnreachable("down")] * 3
    desk.round()
    assert sorted(row.tries for row in desk.rows()) == [0, 0, 1]

    settle(desk)
    assert len(desk.crm.notices) == 3


def test_nobody_is_told_when_the_session_is_over(desk: Desk) -> None:
    desk.settings = BY_MAIL
    desk.crm.plan = [ProviderUnreachable("down")] * 500
    desk.mail.plan = [Outcome.failed("down", retry=True)] * 500
    session, other = desk.join(), desk.join()
    desk.round()
    desk.close(session)
    settle(desk, 5)
    assert [row.state for row in desk.rows() if row.data["session_id"] == session.id] == ["late", "late"]

    desk.clock.move(hours=24)
    desk.round()
    assert [(row.state, row.reason) for row in desk.rows() if row.data["session_id"] == other.id] == [("late", OVER)] * 2
    assert (desk.crm.notices, desk.mail.sent) == ([], [])


def test_a_customer_who_joined_a_session_that_is_over_is_no_news(desk: Desk) -> None:
    desk.close(desk.join())
    desk.round()

    assert desk.rows() == []


@pytest.mark.parametrize(
    ("planned", "state", "reason", "tries"),
    [
        (Outcome.failed("greylisted", retry=True), "sent", "", 2),
        (Outcome.failed("greylisted", retry=True, retry_after_seconds=60), "sent", "", 2),
        (ProviderUnreachable("down"), "sent", "", 2),
        (Outcome.failed("never", retry=False), "failed", "never", 1),
        (refused("no such mailbox"), "failed", "no such mailbox", 1),
        (ProviderRefused("no"), "failed", "no", 1),
        (Outcome.unknown("the line was cut"), "unknown", "the line was cut", 1),
        (AnswerLost("the line was cut"), "unknown", "the line was cut", 1),
        (PluginError("broke"), "unknown", "broke", 1),
    ],
)
def test_a_mail_is_tried_again_only_where_nothing_was_sent(
    desk: Desk, planned: Outcome | JumpseatError, state: str, reason: str, tries: int
) -> None:
    desk.settings = BY_MAIL
    desk.mail.plan = [planned]
    desk.join()
    settle(desk, 5)

    assert desk.states()[1] == ("email", state, reason)
    assert len(desk.mail.tries) == tries
    assert len({(mail.key, mail.created_at, mail.text, mail.subject, mail.address) for mail in desk.mail.tries}) == 1


def test_a_crm_that_cannot_say_who_it_was_is_asked_again_before_anything_is_mailed(desk: Desk) -> None:
    desk.settings = BY_MAIL
    desk.crm.plan_users = [PluginError("broke"), AnswerLost("lost")]
    desk.join()
    desk.round()
    assert [(state, reason) for _, state, reason in desk.states()] == [("waiting", "broke"), ("waiting", "lost")]

    settle(desk, 5)
    assert {state for _, state, _ in desk.states()} == {"sent"}


def test_without_a_mail_channel_or_before_it_is_set_up_mails_wait(desk: Desk) -> None:
    desk.settings = BY_MAIL
    desk.channels = {}
    desk.join()
    desk.round()
    assert desk.states()[1] == ("email", "waiting", NO_CHANNEL)

    desk.channels = {"email": desk.mail}
    desk.mail.unset = "E-mail is not set up."
    settle(desk, 1)
    assert desk.states()[1] == ("email", "waiting", "E-mail is not set up.")

    desk.mail.unset = ""
    settle(desk)
    assert (desk.states()[1], len(desk.mail.sent)) == (("email", "sent", ""), 1)


def test_a_try_whose_process_died_is_repeated_with_the_same_words_and_key(both_desk: Desk) -> None:
    desk = both_desk
    desk.settings = BY_MAIL
    session = desk.join()
    desk.joined.follow()
    crm, mail = desk.rows()
    with desk.store.write() as conn:  # a process took both, filled the mail in, and was killed
        for row in (crm, mail):
            assert notices.claim(conn, row.key, desk.clock.now())
        notices.fill(conn, mail.key, "ann@support.example", "Subject", "Text")
    desk.round()
    assert {row.state for row in desk.rows()} == {"sending"}

    desk.clock.move(seconds=desk.mail.deadline_seconds + 16)
    with desk.store.write() as conn:
        notices.take_back(conn, "email", desk.clock.now(), CUT_OFF, desk.clock.now())
        assert notices.get(conn, mail.key).reason == CUT_OFF
    desk.round()
    [sent] = desk.mail.sent
    assert (sent.key, sent.subject, sent.text, sent.created_at) == (mail.key, "Subject", "Text", mail.created_at)
    assert len(desk.crm.notices) == 1
    assert desk.crm.notices[0].link.endswith(session.id)


def test_pauses_grow_and_are_spread(desk: Desk) -> None:
    again = Outcome.failed("down", retry=True)
    for tries, longest in ((1, 2), (2, 4), (5, 32), (9, 300), (500, 300)):
        pauses = [delay(tries, again).total_seconds() for _ in range(50)]
        assert longest / 2 <= min(pauses) < max(pauses) <= longest
    assert delay(1, Outcome.failed("", retry=True, retry_after_seconds=7)).total_seconds() == 7
    assert delay(1, Outcome.failed("", retry=True, retry_after_seconds=86_400)).total_seconds() == 300


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("fr", "Le client a rejoint la session s1"),
        ("fr-CA", "Le client a rejoint la session s1"),
        ("FR_fr", "Le client a rejoint la session s1"),
        ("en", "The customer has joined session s1"),
        ("de", "The customer has joined session s1"),
        (None, "The customer has joined session s1"),
    ],
)
def test_notices_speak_the_supporters_language(language: str | None, title: str) -> None:
    assert words.joined(language, code="s1", label="Case", name="{name}").title == title


def test_a_french_mail_has_a_space_before_the_colon() -> None:
    french = words.mail_text(words.joined("fr", code="s1", label="Case", name="42"), "https://support.example.com/join/s_1")

    assert french.endswith("\n\nRejoindre la session\u00a0: https://support.example.com/join/s_1\n")


def test_done_notices_are_dropped_in_time_and_waiting_ones_stay(desk: Desk) -> None:
    desk.join()
    desk.round()
    desk.crm.plan = [ProviderUnreachable("down")]
    desk.join()
    desk.round()
    desk.clock.move(days=8)
    with desk.store.write() as conn:
        assert retention.drop_notices(conn, desk.clock.now(), 10) == 1
    assert [row.state for row in desk.rows()] == ["waiting"]
