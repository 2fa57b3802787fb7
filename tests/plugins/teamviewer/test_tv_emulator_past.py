"""A past for the emulated account: the same one every time, and paged quickly through the API."""

from __future__ import annotations

import requests

CONTROL = {"count": 25, "seed": 7, "until": "2026-03-04T00:00:00Z", "days": 10}


def reports(emulator, offset=None):
    query = {"from_date": "2026-01-01", **({"offset_id": offset} if offset else {})}
    answer = requests.get(
        f"{emulator.url}/reports/connections", params=query, headers={"Authorization": f"Bearer {emulator.token}"}, timeout=10
    )
    return answer.json()


def add(emulator, **body):
    return requests.post(f"{emulator.base}/_emulator/connections", json=body, timeout=60)


def test_the_same_past_is_made_every_time(emulator):
    add(emulator, **CONTROL)
    first = reports(emulator)["records"]
    emulator.emulator.forget()
    add(emulator, **CONTROL)

    assert reports(emulator)["records"] == first
    assert len({row["id"] for row in first}) == 25
    assert all("2026-02-22" <= row["start_date"] < "2026-03-04" for row in first)


def test_pages_follow_each_other_and_news_are_seen_between_them(emulator):
    emulator.state.knobs.turn("page_size", 10)
    add(emulator, **CONTROL)
    first = reports(emulator)
    second = reports(emulator, first["next_offset"])
    add(emulator, **{**CONTROL, "seed": 8})

    assert (len(second["records"]), second["records_remaining"]) == (10, 5)
    assert reports(emulator)["records_remaining"] == 40


def test_what_is_no_past_is_refused(emulator):
    assert add(emulator).status_code == 422
    assert add(emulator, count=-1).json() == {"error": "'count' has to be between 0 and 2000000, 'days' at least 1."}
    assert emulator.state.reports == []
