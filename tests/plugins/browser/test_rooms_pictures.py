"""What a supporter sees, kept with the record: asked for, and never by itself."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from rooms_kit import PICTURE, Stage

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100


def post(stage: Stage, token: str, content: bytes = PNG, kind: str = "image/png", note: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    address = f"{stage.base}/-/browser/snapshot"
    return requests.post(address, data=content, headers=headers, params={"note": note} if note else {}, timeout=60)


def test_a_supporter_keeps_a_picture_with_the_record(stage: Stage):
    answer = post(stage, stage.viewer_token(), note="The light is red")

    assert (answer.status_code, answer.json()["record"]) == (201, "Case 00001026")
    assert answer.json()["as"] in ("attachment", "note")
    assert any(entry.kind == "note" for entry in stage.host.timeline(stage.session.id, stage.supporter))


@pytest.mark.parametrize(
    ("token", "content", "kind", "status", "said"),
    [
        ("A" * 36, PNG, "image/png", 409, "This page does not belong to a session any more. Join the session again from its record."),
        ("", PNG, "image/png", 409, "This page does not belong to a session any more. Join the session again from its record."),
        ("own", PNG, "text/html", 422, "A picture is image/png or image/jpeg."),
        ("own", b"<script>", "image/png", 422, None),
        ("own", PNG + b"x" * 2 * 1024 * 1024, "image/png", 422, None),
        ("customer", PNG, "image/png", 409, None),
    ],
)
def test_what_is_no_picture_or_no_supporters_is_refused(stage: Stage, token: str, content: bytes, kind: str, status: int, said: Any):
    given = {"own": stage.viewer_token(), "customer": stage.customer_token}.get(token, token)
    answer = post(stage, given, content, kind)

    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert said in (None, answer.json()["detail"])
    assert given not in answer.text or not given


def test_a_picture_of_what_was_shown_is_not_kept_by_itself(stage: Stage):
    with stage.customer(share=True) as customer, stage.viewer() as viewer:
        customer.hear("take")
        customer.show()
        viewer.picture()

    assert PICTURE.decode("latin-1") not in str(stage.book.runtime.kept.list("", limit=1000))
