"""``Retry-After`` as real and broken servers write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat import retry_after

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
DAY = 86_400
dates = st.datetimes(datetime(2020, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))
values = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    dates.map(lambda at: format_datetime(at, usegmt=True)),
    st.floats(allow_nan=True).map(str),
    st.text(max_size=60),
)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("17", 17),
        (" 17 ", 17),
        ("-17", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, DAY),
        ("315360000", DAY),
        ("17, 120", 120),
        ("120, 17", 120),
        ("17, soon", 17),
        ("Wed, 04 Mar 2026 09:31:00 GMT", 60),
        ("Wed, 04 Mar 2026 09:31:00 GMT, 30", 60),
        ("30, Wed, 04 Mar 2026 09:31:00 GMT", 60),
        ("Wednesday, 04-Mar-26 09:31:00 GMT", 60),
        ("Wed, 04 Mar 2020 09:31:00 GMT", 0),
        ("Wed, 04 Mar 2036 09:31:00 GMT", DAY),
    ],
)
def test_the_longest_wait_that_is_asked_for_counts_up_to_a_day(header: str, seconds: int | None) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.lists(values, max_size=2).map(", ".join))
@settings(max_examples=1000, deadline=None)
def test_no_value_breaks_it_or_makes_it_wait_for_years(header: str) -> None:
    found = retry_after(header, NOW)

    assert found is None or 0 <= found <= DAY


@given(at=dates, late=st.integers(0, 999_999))
def test_a_date_is_never_early(at: datetime, late: int) -> None:
    now = NOW + timedelta(microseconds=late)
    found = retry_after(format_datetime(at, usegmt=True), now)

    assert found is not None
    assert found == DAY or now + timedelta(seconds=found) >= at


@given(st.integers(0, DAY), st.integers(0, DAY))
def test_of_two_headers_the_longer_counts(first: int, second: int) -> None:
    assert retry_after(f"{first}, {second}", NOW) == max(first, second)
