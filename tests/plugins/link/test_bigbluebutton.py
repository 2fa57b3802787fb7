"""Meetings on a BigBlueButton server: who enters as what, when the customer counts as there, how a meeting ends, what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from link_kit import ROOT, SECRET, Bbb, Make

from jumpseat import ProviderError, ProviderRefused, ProviderSignInNeeded, ProviderUnreachable, Record, RecordRef, Session
from jumpseat.testing import NOW, a_session, a_supporter, an_open_request
from jumpseat_link.bigbluebutton import BigBlueButton

Opened = Callable[..., Session]


def enter(link: str) -> requests.Response:
    """Follow a link as a browser does."""
    return requests.get(link, timeout=10)


def online(meeting: BigBlueButton, session: Session) -> bool:
    (status,) = meeting.status((session,))
    assert status.state == "open"
    return status.online


def test_the_customer_counts_as_there_when_they_are_and_the_supporter_alone_does_not(
    meeting: BigBlueButton, opened: Opened, bbb: Bbb
) -> None:
    session = opened(meeting)
    assert not online(meeting, session)

    enter(meeting.supporter_link(session, a_supporter()).reveal())
    assert not online(meeting, session)

    enter(session.customer_link)
    assert online(meeting, session)
    assert bbb.meetings["jumpseat-1"].people == [("Sam Support", "MODERATOR"), ("Marie Martin", "VIEWER")]

    bbb.left("jumpseat-1")
    assert not online(meeting, session)


def test_the_meeting_waits_for_the_customer_as_long_as_the_session_is_valid(meeting: BigBlueButton, opened: Opened, bbb: Bbb) -> None:
    session = opened(meeting)

    bbb.passed(minutes=24 * 60 - 1)
    assert meeting.status((session,))[0].state == "open"

    bbb.passed(minutes=24 * 60)
    assert meeting.status((session,))[0].state == "gone"


def test_closing_ends_the_meeting_for_everybody(meeting: BigBlueButton, opened: Opened, bbb: Bbb) -> None:
    session = opened(meeting)
    enter(session.customer_link)

    meeting.close(session)

    assert bbb.meetings["jumpseat-1"].people == []
    assert meeting.status((session,))[0].state == "closed"
    assert "invalidMeetingIdentifier" in enter(session.customer_link).text


def test_a_link_leads_into_no_later_meeting_of_the_same_id(meeting: BigBlueButton, opened: Opened, bbb: Bbb) -> None:
    session = opened(meeting)
    del bbb.meetings["jumpseat-1"]
    opened(meeting)

    assert "mismatchCreateTimeParam" in enter(session.customer_link).text


def test_nobody_makes_a_moderator_of_a_customers_link(meeting: BigBlueButton, opened: Opened) -> None:
    session = opened(meeting)

    assert "checksumError" in enter(session.customer_link.replace("VIEWER", "MODERATOR")).text
    assert SECRET not in session.customer_link


def test_all_sessions_are_asked_about_in_one_call(meeting: BigBlueButton, opened: Opened, bbb: Bbb) -> None:
    sessions = [opened(meeting, f"jumpseat-{number}") for number in range(3)]
    enter(sessions[1].customer_link)
    bbb.calls.clear()

    assert [status.online for status in meeting.status(sessions)] == [False, True, False]
    assert bbb.calls == ["getMeetings"]


def test_what_was_opened_is_found_with_the_same_links(meeting: BigBlueButton, bbb: Bbb) -> None:
    made = meeting.open(an_open_request("jumpseat-1", customer=None))

    assert meeting.find("jumpseat-1", NOW) == made
    assert parse_qs(urlsplit(made.customer_link).query)["fullName"] == ["Customer"]


@pytest.mark.parametrize("name", ["00001026", "", "Ünïcode & <b>", "x" * 200, "a,b+c d~e"])
def test_whatever_a_record_is_called_the_checksum_is_right_and_the_name_fits(meeting: BigBlueButton, bbb: Bbb, name: str) -> None:
    request = an_open_request("jumpseat-1", record=Record(RecordRef("Case", "1"), name, ""))
    session = a_session(meeting.open(request), request, meeting.name)

    assert 2 <= len(bbb.meetings["jumpseat-1"].given["name"]) <= 64
    assert enter(session.customer_link).ok


def test_a_session_that_is_nearly_over_is_still_limited(meeting: BigBlueButton, bbb: Bbb) -> None:
    meeting.open(an_open_request("jumpseat-1", valid_until=NOW + timedelta(seconds=30)))

    assert bbb.meetings["jumpseat-1"].given["duration"] == "1"  # 0 would be without an end


@pytest.mark.parametrize("address", ["", "/", "/api", "/api/"])
def test_the_address_is_taken_with_and_without_the_api(make: Make, bbb: Bbb, opened: Opened, address: str) -> None:
    made = make(BigBlueButton, bigbluebutton_url=f"{bbb.url}{ROOT}{address}", bigbluebutton_secret=f"{SECRET}\n")

    assert opened(made).customer_link.startswith(f"{bbb.url}{ROOT}/api/join?")


# --- what a server may do wrong ---------------------------------------------------------------------------------------


def test_a_wrong_secret_is_told_as_such(make: Make, bbb: Bbb) -> None:
    wrong = make(BigBlueButton, bigbluebutton_url=f"{bbb.url}{ROOT}", bigbluebutton_secret="another")

    with pytest.raises(ProviderSignInNeeded) as refused:
        wrong.keep_signed_in()
    assert refused.value.message == (
        "BigBlueButton does not accept the secret. Check 'bigbluebutton_secret' in metadata/plugins/link.yaml."
    )


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, b"", ProviderUnreachable),
        (404, b"<html><p>nothing", ProviderError),
        (200, b"", ProviderError),
        (200, b"{}", ProviderError),
        (200, b"<response><returncode>FAILED</returncode></response>", ProviderRefused),
        (200, b"<response/>", ProviderRefused),
        (200, b'<!DOCTYPE r [<!ENTITY a "b">]><response><returncode>&a;</returncode></response>', ProviderError),
        (200, b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><response><returncode>&a;</returncode></response>', ProviderError),
        (200, b"<response>" + b"x" * (4 * 1024 * 1024) + b"</response>", ProviderError),
    ],
)
def test_what_is_no_answer_is_an_error_in_words(
    meeting: BigBlueButton, opened: Opened, bbb: Bbb, status: int, body: bytes, error: type[ProviderError]
) -> None:
    session = opened(meeting)
    bbb.status, bbb.body = status, body

    for call in (lambda: meeting.open(an_open_request()), lambda: meeting.status((session,)), lambda: meeting.close(session)):
        with pytest.raises(error) as refused:
            call()
        assert "passwd" not in refused.value.message
        assert len(refused.value.message) > 20


def test_a_meeting_with_odd_numbers_counts_as_empty(meeting: BigBlueButton, opened: Opened, bbb: Bbb) -> None:
    session = opened(meeting)
    told = b"<meeting><meetingID>jumpseat-1</meetingID><participantCount>-7</participantCount><endTime>soon</endTime></meeting>"
    bbb.body = b"<response><returncode>SUCCESS</returncode><meetings>" + told + b"</meetings></response>"

    assert not online(meeting, session)


def test_the_servers_own_words_are_passed_on_cut_and_on_one_line(meeting: BigBlueButton, bbb: Bbb) -> None:
    bbb.body = (
        b"<response><returncode>FAILED</returncode><messageKey>maxParticipants</messageKey><message>too\nmany "
        + b"x" * 500
        + b"</message></response>"
    )
    with pytest.raises(ProviderRefused) as refused:
        meeting.open(an_open_request())
    assert refused.value.message.startswith("BigBlueButton refused: too many xxx")
    assert len(refused.value.message) < 250
