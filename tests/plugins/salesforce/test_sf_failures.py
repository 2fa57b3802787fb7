"""Salesforce's complaints, in the forms that its documentation shows, as the errors that people read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import given, strategies as st

from jumpseat import FieldNotReadable, JumpseatError
from jumpseat_salesforce.failures import LONGEST, Complaint, error_for

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EXAMPLES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "payloads" / "answers" / "complaints.json").read_text())


def answer(status: int, body: Any) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response._content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return response


def error_of(status: int, body: Any, *, wrote: bool = False, header: str = "") -> JumpseatError:
    return error_for(Complaint.read(answer(status, body)), wrote=wrote, version="67.0", header=header, now=NOW)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_a_complaint_becomes_the_error_it_stands_for(example: dict[str, Any]) -> None:
    header = example.get("headers", {}).get("Retry-After", "")
    error = error_of(example["status"], example["body"], wrote=example.get("wrote", False), header=header)

    assert (type(error).__name__, error.message, error.retry_after_seconds) == (example["kind"], example["message"], example.get("wait"))
    if isinstance(error, FieldNotReadable):
        assert list(error.fields) == example["fields"]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errorCode", "message", "fields", "error", "error_description"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.sampled_from([300, 400, 403, 404, 409, 410, 412, 429, 500, 503]), JSON, st.booleans())
def test_whatever_comes_becomes_an_error_with_a_sentence(status: int, body: Any, wrote: bool) -> None:
    error = error_of(status, body, wrote=wrote)

    assert error.message.endswith((".", "…"))
    assert len(error.message) < LONGEST + 700
    assert "\n" not in error.message


def test_long_words_are_cut_after_they_were_redacted() -> None:
    error = error_of(400, [{"errorCode": "X", "message": "a" * 290 + " token=abcdefghijklmnop and more" * 20}])

    assert "abcdefgh" not in error.message
    assert len(error.message) <= LONGEST + len("Salesforce refused: .")
