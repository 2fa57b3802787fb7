"""Receipts are believed from the gateway only, and say what its words mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from jumpseat import Outcome
from jumpseat_sms.gateway import gateway_of
from jumpseat_sms.receipts import NotFromGateway, Receipt, understood

GENERIC = {
    "receipts": True,
    "receipt_secret": "s3cret",
    "receipt_key_path": "reference",
    "id_path": "messages.0.id",
    "receipt_id_path": "id",
    "receipt_status_path": "state",
    "receipt_error_path": "why",
    "status_map": {"delivered": "sent", "expired": "failed", "blocked": "refused", "queued": "unknown"},
}
TWILIO = {
    "preset": "twilio",
    "account_sid": "AC1",
    "auth_token": "t0ken",
    "sender": "+33600000000",
    "receipts": True,
    "url": "",
    "body": None,
}
HOST = "https://support.example.com"
JSON = {"content-type": "application/json"}


@pytest.fixture
def config(channel):
    return lambda **settings: channel(**{**GENERIC, **settings}).config


def signed(path: str, fields: dict[str, str], token: str = "t0ken") -> dict[str, str]:
    text = HOST + path + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(("way", "end", "header"), [("", "s3cret", {}), ("X-Receipt", "", {"x-receipt": "s3cret"})])
@pytest.mark.parametrize("form", [False, True])
def test_a_receipt_with_the_secret_is_understood(config, gateway, way, end, header, form):
    said = {"reference": "share-1", "id": "g-7", "state": "blocked", "why": "No\r\nconsent."}
    body, kind = (urlencode(said), {}) if form else (json.dumps(said), JSON)

    receipt = understood(config(receipt_header=way), HOST, end, {**header, **kind}, body.encode())

    place = gateway.url.removeprefix("http://")
    assert receipt == Receipt(Outcome.refused(f"{place} says 'blocked': No consent."), "share-1", "g-7")


@pytest.mark.parametrize("shown", ["", "S3cret", "s3cret ", "s3cre", "é"])
@pytest.mark.parametrize("way", ["", "X-Receipt"])
def test_without_the_secret_nothing_is_believed(config, shown, way):
    end, headers = ("", {"x-receipt": shown}) if way else (shown, {})

    with pytest.raises(NotFromGateway):
        understood(config(receipt_header=way), HOST, end, headers | JSON, b'{"id": "g-7", "state": "delivered"}')


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"id": "g-7"}', b'{"state": "delivered"}', b'{"id": {}, "state": []}'])
def test_a_receipt_that_names_no_message_or_no_state_says_nothing(config, body):
    assert understood(config(), HOST, "s3cret", JSON, body) is None


@pytest.mark.parametrize(("word", "kind"), [("delivered", "sent"), ("expired", "failed"), ("queued", "unknown"), ("odd", "unknown")])
def test_the_words_of_a_receipt_mean_what_the_settings_say(config, word, kind):
    receipt = understood(config(), HOST, "s3cret", JSON, json.dumps({"id": "g-7", "state": word}).encode())

    assert (receipt.outcome.kind, receipt.key, receipt.reference) == (kind, None, "g-7")


def test_twilio_is_told_where_to_call_back_and_believed_by_its_signature(channel, message):
    config = channel(**TWILIO).config
    asked = gateway_of(config, HOST).request(message())["data"]
    path = "/-/sms/receipt/share-1"
    said = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorMessage": "Unreachable", "Empty": ""}

    receipt = understood(config, HOST, "share-1", signed(path, said), urlencode(said).encode())

    assert asked["StatusCallback"] == HOST + path
    assert (receipt.outcome.kind, receipt.key, receipt.reference) == ("refused", "share-1", "SM1")
    assert receipt.outcome.reason == "api.twilio.com says 'undelivered': Unreachable"


@pytest.mark.parametrize("forged", ["token", "path", "field", "missing"])
def test_a_forged_receipt_of_twilio_is_not_believed(channel, forged):
    said = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    headers = signed("/-/sms/receipt/share-1", said, "another" if forged == "token" else "t0ken")
    if forged == "missing":
        headers.pop("x-twilio-signature")
    sent = {**said, "MessageStatus": "failed"} if forged == "field" else said
    end = "share-2" if forged == "path" else "share-1"

    with pytest.raises(NotFromGateway):
        understood(channel(**TWILIO).config, HOST, end, headers, urlencode(sent).encode())


def test_twilio_is_not_asked_for_receipts_that_nobody_wants(channel, message):
    config = channel(**{**TWILIO, "receipts": False}).config

    assert "StatusCallback" not in gateway_of(config, HOST).request(message())["data"]
