"""Webhooks over HTTP: made, changed, tried, and never a secret twice."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from api_kit import ADMINISTRATOR, Api, problem

from jumpseat import Host

sys.path.insert(0, str(Path(__file__).parents[1] / "webhooks"))
from receivers import Receiver, receiving  # after the path above

CRM = {"name": "crm", "url": "https://hooks.example.com/jumpseat", "kinds": ["customer.joined"]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def without_times(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if not name.endswith("At")}


def test_the_secret_is_answered_once_and_shown_nowhere_else(api: Api) -> None:
    made = api.post("/v1/webhooks", CRM)
    secret = made.json()["secret"]
    id = made.json()["id"]

    assert made.status_code == 201
    assert without_times(made.json()) == {**CRM, "id": id, "secret": secret}
    assert secret.startswith("whsec_")
    shown = [api.get("/v1/webhooks").text, api.get(f"/v1/webhooks/{id}").text, api.get(f"/v1/webhooks/{id}/deliveries").text]
    assert not [text for text in shown if secret in text or "whsec_" in text]


def test_a_repeat_under_its_key_answers_the_same_webhook_without_its_secret(api: Api, host: Host) -> None:
    first = api.post("/v1/webhooks", CRM, Idempotency_Key="k-1").json()
    again = api.post("/v1/webhooks", CRM, Idempotency_Key="k-1")

    assert again.status_code == 201
    assert again.json() == {name: value for name, value in first.items() if name != "secret"}
    assert len(host.webhooks(host.operator())) == 1
    with host._wiring.store.read() as conn:
        kept = conn.exec_driver_sql("SELECT body FROM idempotency").scalars().all()
    assert len(kept) == 1
    assert not [body for body in kept if "secret" in body.replace("oldSecretUntil", "")]


def test_of_twins_one_gets_the_secret_and_all_get_the_same_webhook(api: Api, host: Host) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: api.as_(ADMINISTRATOR).post("/v1/webhooks", CRM, Idempotency_Key="k-1").json(), range(6)))

    assert len({answer["id"] for answer in answers}) == 1
    assert ["secret" in answer for answer in answers].count(True) == 1
    assert len(host.webhooks(host.operator())) == 1


def test_a_webhook_is_changed_disabled_and_deleted(api: Api) -> None:
    path = f"/v1/webhooks/{api.post('/v1/webhooks', CRM).json()['id']}"

    changed = api.call("PATCH", path, {"name": "erp", "kinds": []}).json()
    disabled = api.call("PATCH", path, {"enabled": False}).json()
    enabled = api.call("PATCH", path, {"enabled": True}).json()
    deleted = api.call("DELETE", path)

    assert (changed["name"], len(changed["kinds"]), changed["url"]) == ("erp", 5, CRM["url"])
    assert disabled["disabledReason"] == "Disabled by hand."
    assert enabled == changed
    assert (deleted.status_code, deleted.json()) == (200, changed)
    assert problem(api.get(path))["code"] == "JS-NOT-FOUND"


def test_a_secret_is_changed_and_the_old_one_signs_for_a_day(api: Api) -> None:
    made = api.post("/v1/webhooks", CRM).json()

    rotated = api.post(f"/v1/webhooks/{made['id']}/rotate").json()

    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["oldSecretUntil"] > made["createdAt"]


def test_a_trial_answers_what_came_of_it(api: Api, receiver: Receiver) -> None:
    id = api.post("/v1/webhooks", {"name": "here", "url": receiver.url}).json()["id"]

    tried = api.post(f"/v1/webhooks/{id}/test").json()

    assert without_times(tried) == {
        **{"id": receiver.ids[0], "webhookId": id, "kind": "webhook.test", "state": "delivered"},
        **{"tries": 1, "status": 204, "reason": ""},
    }
    assert api.get(f"/v1/webhooks/{id}/deliveries").json()["items"] == [tried]


def test_deliveries_are_listed_page_by_page(api: Api, receiver: Receiver) -> None:
    id = api.post("/v1/webhooks", {"name": "here", "url": receiver.url}).json()["id"]
    for _ in range(3):
        api.post(f"/v1/webhooks/{id}/test")

    first = api.get(f"/v1/webhooks/{id}/deliveries?limit=2").json()
    last = api.get(first["nextLink"].partition("127.0.0.1:8400")[2]).json()

    assert [item["id"] for item in (*first["items"], *last["items"])] == receiver.ids[::-1]
    assert "nextLink" not in last
    assert api.get(f"/v1/webhooks/{id}/deliveries?state=failed").json()["items"] == []


def test_a_delivery_is_sent_once_more(api: Api, host: Host, receiver: Receiver) -> None:
    id = api.post("/v1/webhooks", {"name": "here", "url": receiver.url, "kinds": ["session.opened"]}).json()["id"]
    api.open()
    host._wiring.fan_out.follow()
    host._wiring.webhook_calls.next(id)
    (done,) = api.get(f"/v1/webhooks/{id}/deliveries").json()["items"]

    again = api.post(f"/v1/webhooks/{id}/deliveries/{done['id']}/redeliver").json()

    assert (done["state"], again["id"], again["state"], again["tries"]) == ("delivered", done["id"], "waiting", 0)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({**CRM, "url": "http://hooks.example.com/"}, "url"),
        ({**CRM, "url": "https://169.254.169.254/latest/meta-data/"}, "url"),
        ({**CRM, "url": "https://2852039166/"}, "url"),
        ({**CRM, "kinds": ["session.lost"]}, "kinds.0"),
        ({**CRM, "name": ""}, "name"),
        ({"name": "crm"}, "url"),
        ({**CRM, "secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused(api: Api, body: dict[str, Any], param: str) -> None:
    refused = problem(api.post("/v1/webhooks", body))

    assert (refused["code"], refused["param"]) == ("JS-VALUE", param)
    assert api.get("/v1/webhooks").json() == {"items": []}


def test_an_ordinary_user_is_told_which_right_is_missing(user: Api) -> None:
    read, edited = problem(user.get("/v1/webhooks")), problem(user.post("/v1/webhooks", CRM))

    assert [refused["code"] for refused in (read, edited)] == ["JS-RIGHT", "JS-RIGHT"]
    assert "the right 'webhooks.read: all' is missing" in read["detail"]
    assert "the right 'webhooks.edit: all' is missing" in edited["detail"]
