"""What a text costs, and which numbers it may go to."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat import RecipientInvalid
from jumpseat_sms.numbers import check_number
from jumpseat_sms.segments import Segments, longest, segments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("GSM-7", 0, 1)),
        ("Votre session : é à è ù", Segments("GSM-7", 23, 1)),
        ("a" * 160, Segments("GSM-7", 160, 1)),
        ("a" * 161, Segments("GSM-7", 161, 2)),
        ("a" * 306, Segments("GSM-7", 306, 2)),
        ("a" * 307, Segments("GSM-7", 307, 3)),
        ("€" * 80, Segments("GSM-7", 160, 1)),
        ("€" * 81, Segments("GSM-7", 162, 2)),
        ("a" * 152 + "€" * 77, Segments("GSM-7", 306, 3)),  # the escape of a pair is not the last place of a segment
        ("ê", Segments("UCS-2", 1, 1)),
        ("l’écran", Segments("UCS-2", 7, 1)),
        ("ç" * 70, Segments("UCS-2", 70, 1)),
        ("ç" * 71, Segments("UCS-2", 71, 2)),
        ("ç" * 135, Segments("UCS-2", 135, 3)),
        ("😀" * 35, Segments("UCS-2", 70, 1)),
        ("😀" * 67, Segments("UCS-2", 134, 3)),  # 33 in a segment of 67: half a character never ends one
    ],
)
def test_segments_are_counted_as_networks_do(text, expected):
    assert segments(text) == expected


@given(st.text(max_size=400), st.text(max_size=5))
def test_a_longer_text_never_takes_fewer_segments(text, more):
    assert segments(text + more).segments >= segments(text).segments


@given(st.text(alphabet="ab€ê😀", max_size=500))
def test_segments_hold_what_they_are_counted_for(text):
    counted = segments(text)
    room = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[counted.encoding]
    assert counted.characters <= (room[0] if counted.segments == 1 else counted.segments * room[1])
    assert counted.segments <= counted.characters // (room[1] - 1) + 1


def test_the_longest_text_of_so_many_segments():
    for count in (1, 2, 3):
        assert segments("a" * longest(count)).segments == count
        assert segments("a" * (longest(count) + 1)).segments == count + 1


@pytest.mark.parametrize("number", ["+33612345678", "+447400123456", "+12025550123", "+32470123456"])
def test_a_mobile_is_written_to(number):
    assert check_number(number) == number


def test_a_number_is_answered_in_e164():
    assert check_number("+33 6 12 34 56 78") == "+33612345678"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("0612345678", "it is not a phone number with '+' and country code"),
        ("", "it is not a phone number with '+' and country code"),
        ("+999123456789", "it is not a phone number with '+' and country code"),
        ("+33", "it is not a phone number with '+' and country code"),
        ("+331234", "no such number is in use in its country"),
        ("+33800123456", "it is a toll-free number, and texts go to mobile, fixed-or-mobile, fixed-line numbers only"),
        ("+33899701234", "it is a premium-rate number, which is never written to"),
        ("+447400", "no such number is in use in its country"),
        ("+19002345678", "it is a premium-rate number, which is never written to"),
        ("+33810001234", "it is a shared-cost number, which is never written to"),
        ("+870773111632", "it belongs to a satellite or international network, which is never written to"),
        ("+881612345678", "it belongs to a satellite or international network, which is never written to"),
        ("+883510012345", "it belongs to a satellite or international network, which is never written to"),
        ("+80012345678", "it belongs to a satellite or international network, which is never written to"),
        ("+979123456789", "it belongs to a satellite or international network, which is never written to"),
    ],
)
def test_other_numbers_are_refused_with_the_reason(number, why):
    with pytest.raises(RecipientInvalid) as refused:
        check_number(number)

    assert refused.value.message == f"'{number}' cannot get a text: {why}. Choose another number."
    assert refused.value.param == "address"


def test_settings_cannot_allow_what_is_never_written_to():
    with pytest.raises(RecipientInvalid, match="premium-rate"):
        check_number("+33899701234", types=["mobile", "premium_rate"])


def test_a_fixed_line_is_written_to_unless_the_settings_keep_to_mobiles():
    assert check_number("+33199001234") == "+33199001234"
    with pytest.raises(RecipientInvalid) as refused:
        check_number("+33199001234", types=["mobile"])
    assert refused.value.message == (
        "'+33199001234' cannot get a text: it is a fixed-line number, and texts go to mobile numbers only. Choose another number."
    )


def test_only_allowed_countries_are_written_to():
    assert check_number("+33612345678", countries=["fr", "BE"]) == "+33612345678"
    with pytest.raises(RecipientInvalid) as refused:
        check_number("+447400123456", countries=["fr", "BE"])

    assert (
        refused.value.message == "'+447400123456' cannot get a text: it belongs to GB, and texts go to BE, FR only. Choose another number."
    )


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text):
    try:
        number = check_number(text)
    except RecipientInvalid:
        return
    assert number.startswith("+")
    assert check_number(number) == number
