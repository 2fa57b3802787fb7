"""Own fields of session types and channels: a plugin declares them, and pages, API and messages know them without any change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from web_kit import CASE, Pages, path_of, text_of

from jumpseat import Host, InvalidValue, RecordRef, ShareWish

PLUGIN = '''\
"""A room with a floor, and a pager with a tone; both write down what they were given."""

import json

from jumpseat import OpenedSession, Outcome, Secret, SessionStatus, SessionType, Setting, ShareChannel, hookimpl
from jumpseat.contract import REQUIRED


class Room(SessionType):
    name, label = "room", "Room"
    default_channels = ("pager",)
    fields = (
        Setting("floor", int, default=REQUIRED, help="Floor"),
        Setting("light", bool, default=True, help="Light on"),
        Setting("kind", str, default="small", choices=("small", "large"), help="Size"),
    )

    def open(self, request):
        (self.runtime.folder / "opened.json").write_text(json.dumps(dict(request.fields)))
        return OpenedSession("room-1", "https://rooms.example/1")

    def supporter_link(self, session, supporter):
        return Secret("https://rooms.example/1/inside")

    def status(self, sessions):
        return [SessionStatus("open") for _ in sessions]

    def close(self, session):
        pass


class Pager(ShareChannel):
    name, label, address_kind, templated = "pager", "Pager", "phone", False
    only_for = ("room",)
    fields = (Setting("tone", str, default="soft", choices=("soft", "loud"), help="Tone"),)

    def send(self, message):
        (self.runtime.folder / "sent.json").write_text(json.dumps(dict(message.fields)))
        return Outcome.sent("g-1")


@hookimpl
def register_session_types():
    return [Room()]


@hookimpl
def register_share_channels():
    return [Pager()]
'''
REF = RecordRef("Case", CASE, "sandbox")


@pytest.fixture
def workspace(workspace: Path) -> Path:
    (workspace / "plugins").mkdir(exist_ok=True)
    (workspace / "plugins" / "rooms.py").write_text(PLUGIN)
    return workspace


def given(pages: Pages, what: str) -> Any:
    """What the plugin was given last."""
    return json.loads((pages.host.workspace / "var" / "plugins" / "rooms" / f"{what}.json").read_text())


def test_a_page_asks_for_them_and_the_plugin_gets_their_values(pages: Pages) -> None:
    reader = pages.reader(None)
    page = reader.get(path_of()).text
    answer = reader.post(path_of(), page, action="open:room", field_floor="3", field_light="false", field_kind="large")

    assert all(label in text_of(page) for label in ("Floor", "Light on", "Size (optional)", "large"))
    assert answer.status_code == 200, text_of(answer)
    assert given(pages, "opened") == {"floor": 3, "light": False, "kind": "large"}


def test_a_value_that_does_not_fit_is_refused_and_what_was_typed_still_stands_there(pages: Pages) -> None:
    reader = pages.reader(None)
    answer = reader.post(path_of(), reader.get(path_of()).text, action="open:room", field_floor="third", field_kind="large")

    assert answer.status_code == 422
    assert "'Floor' of Room: 'third' is not what it takes." in text_of(answer)
    assert 'value="third"' in answer.text
    assert pages.host.resolve(REF, pages.host.operator()).session is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "Room needs 'Floor'."),
        ({"floor": "1", "wall": "2"}, "Room has no field 'wall'. Its fields: floor, light, kind."),
        ({"floor": "1", "kind": "huge"}, "'Size' of Room: it is one of small, large."),
        ({"floor": True}, "'Floor' of Room: True is not what it takes."),
        ({"floor": 1.5}, "'Floor' of Room: 1.5 is not what it takes."),
        ({"floor": "1", "light": "perhaps"}, "'Light on' of Room: 'perhaps' is not what it takes."),
    ],
)
def test_what_callers_give_is_checked(host: Host, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        host.open_session(REF, "room", host.operator(), fields=fields)

    assert (refused.value.message, refused.value.param) == (says, "fields")


def test_the_offer_of_the_api_lists_them_and_its_calls_take_them(pages: Pages) -> None:
    key = pages.host.create_key("fields", "administrator", pages.host.operator()).reveal()
    headers, path = {"Authorization": f"Bearer {key}"}, f"{pages.base}/v1/records/Case/{CASE}"
    offer = requests.get(f"{path}/offer", headers=headers, timeout=30).json()
    body = {"sessionType": "room", "fields": [{"name": "floor", "value": "2"}]}
    opened = requests.post(f"{path}/sessions", json=body, headers=headers, timeout=30)
    (room,) = [one for one in offer["sessionTypes"] if one["name"] == "room"]

    assert room["fields"][:2] == [
        {"name": "floor", "label": "Floor", "kind": "whole_number", "required": True, "choices": []},
        {"name": "light", "label": "Light on", "kind": "yes_no", "required": False, "choices": [], "default": "true"},
    ]
    assert opened.status_code == 201, opened.text
    assert given(pages, "opened") == {"floor": 2, "light": True, "kind": "small"}


def test_a_share_carries_them_to_its_channel_on_every_try(host: Host) -> None:
    pages, me = Pages("", host), host.operator()
    session = host.open_session(REF, "room", me, fields={"floor": 1})
    wish = ShareWish("pager", address="+33612345678", fields={"tone": "loud"})
    first, double, other = (host.share(session.id, [one], me)[0] for one in (wish, wish, replace(wish, fields={})))
    host.deliver(first.id)
    sent = given(pages, "sent")
    again = host.resend_share(first.id, me)
    host.deliver(again.id)

    assert first.id == double.id != other.id
    assert sent == given(pages, "sent") == {"tone": "loud"}


def test_the_share_form_asks_for_those_of_each_channel(pages: Pages) -> None:
    session = pages.host.open_session(REF, "room", pages.host.operator(), fields={"floor": 1})
    reader, path = pages.reader(None), path_of(component="share")
    page = reader.get(path).text
    customer = pages.host.resolve(REF, pages.host.operator()).customer
    assert customer is not None
    answer = reader.post(path, page, action="send", contact=customer.id, contact_was=customer.id, on_pager="1", field_pager_tone="loud")
    assert answer.status_code == 200, text_of(answer)
    (share,) = pages.host.shares(session.id, pages.host.operator())
    pages.host.deliver(share.id)

    assert "Tone (optional)" in text_of(page)
    assert answer.status_code == 200, text_of(answer)
    assert given(pages, "sent") == {"tone": "loud"}
