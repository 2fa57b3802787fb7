"""Signatures: the published vector, the published library, and everything it has to refuse."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings, strategies as st
from standardwebhooks import Webhook as Verifier, WebhookVerificationError

from jumpseat.secret import Secret
from jumpseat.webhooks.signing import headers, new_secret, sign

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
SECRET = Secret("whsec_" + base64.b64encode(bytes(range(32))).decode())
OTHER = Secret("whsec_" + base64.b64encode(bytes(range(1, 33))).decode())
BODY = b'{"type":"session.opened","timestamp":"2026-03-28T12:00:00Z","data":{"sessionId":"s_1"}}'
ID = "msg_0123456789abcdef"
SIGNED = headers([SECRET], ID, NOW, BODY)
SIGNATURE = SIGNED["webhook-signature"]


def accepted(body: bytes, sent: dict[str, str], secret: Secret = SECRET, at: datetime = NOW) -> bool:
    """Does the published library take it? Whatever it raises is a refusal."""
    with time_machine.travel(at, tick=False):
        try:
            Verifier(secret.reveal()).verify(body, sent)
        except (WebhookVerificationError, ValueError, UnicodeError):
            return False
        return True


def test_the_signature_is_that_of_the_published_vector() -> None:
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    made = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_headers_are_those_of_the_specification_and_the_library_accepts_them() -> None:
    assert {"webhook-id": ID, "webhook-timestamp": str(SECONDS), "webhook-signature": SIGNATURE} == SIGNED
    assert accepted(BODY, SIGNED)


def test_the_library_makes_the_same_signature() -> None:
    assert Verifier(SECRET.reveal()).sign(ID, NOW.replace(tzinfo=None), BODY.decode()) == SIGNATURE


def test_secrets_are_random_and_as_long_as_the_specification_asks() -> None:
    made = {new_secret().reveal() for _ in range(100)}

    assert len(made) == 100
    assert {len(base64.b64decode(text.removeprefix("whsec_"), validate=True)) for text in made} == {32}
    assert str(new_secret()) == "***"


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_while_two_secrets_are_valid_a_receiver_with_either_accepts(secret: Secret) -> None:
    assert accepted(BODY, headers([SECRET, OTHER], ID, NOW, BODY), secret)


def test_the_time_counts_for_five_minutes_each_way() -> None:
    edges = [timedelta(seconds=seconds) for seconds in (-300, 300, -301, 301)]
    assert [accepted(BODY, SIGNED, at=NOW + edge) for edge in edges] == [True, True, False, False]


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in SIGNED.items() if key != name}


def signature_over(content: bytes, digest: str = "sha256", key: bytes = bytes(range(32))) -> str:
    return base64.b64encode(hmac.new(key, content, digest).digest()).decode()


RAW = base64.b64decode(SIGNATURE.removeprefix("v1,"))
CONTENT = f"{ID}.{SECONDS}.".encode() + BODY
MUTATIONS: dict[str, tuple[bytes, dict[str, str]]] = {
    "no id": (BODY, without("webhook-id")),
    "no timestamp": (BODY, without("webhook-timestamp")),
    "no signature": (BODY, without("webhook-signature")),
    "empty id": (BODY, {**SIGNED, "webhook-id": ""}),
    "empty timestamp": (BODY, {**SIGNED, "webhook-timestamp": ""}),
    "empty signature": (BODY, {**SIGNED, "webhook-signature": ""}),
    "another id": (BODY, {**SIGNED, "webhook-id": ID + "0"}),
    "id in capitals": (BODY, {**SIGNED, "webhook-id": ID.upper()}),
    "one second later": (BODY, {**SIGNED, "webhook-timestamp": str(SECONDS + 1)}),
    "one second earlier": (BODY, {**SIGNED, "webhook-timestamp": str(SECONDS - 1)}),
    "too old": (BODY, headers([SECRET], ID, datetime.fromtimestamp(SECONDS - 301, UTC), BODY)),
    "too new": (BODY, headers([SECRET], ID, datetime.fromtimestamp(SECONDS + 301, UTC), BODY)),
    "timestamp in words": (BODY, {**SIGNED, "webhook-timestamp": "now"}),
    "timestamp not a number": (BODY, {**SIGNED, "webhook-timestamp": "nan"}),
    "timestamp in milliseconds": (BODY, {**SIGNED, "webhook-timestamp": str(SECONDS * 1000)}),
    "body with another value": (BODY.replace(b"s_1", b"s_2"), SIGNED),
    "body serialised anew": (json.dumps(json.loads(BODY)).encode(), SIGNED),
    "body with its keys in another order": (json.dumps(json.loads(BODY), sort_keys=True, separators=(",", ":")).encode(), SIGNED),
    "body with a line end": (BODY + b"\n", SIGNED),
    "body with a space in front": (b" " + BODY, SIGNED),
    "empty body": (b"", SIGNED),
    "no body but one byte less": (BODY[:-1], SIGNED),
    "another secret": (BODY, headers([OTHER], ID, NOW, BODY)),
    "version 2": (BODY, {**SIGNED, "webhook-signature": SIGNATURE.replace("v1,", "v2,")}),
    "version 1a": (BODY, {**SIGNED, "webhook-signature": SIGNATURE.replace("v1,", "v1a,")}),
    "no version": (BODY, {**SIGNED, "webhook-signature": SIGNATURE.removeprefix("v1,")}),
    "no comma": (BODY, {**SIGNED, "webhook-signature": SIGNATURE.replace(",", "")}),
    "signature cut": (BODY, {**SIGNED, "webhook-signature": "v1," + base64.b64encode(RAW[:16]).decode()}),
    "signature longer": (BODY, {**SIGNED, "webhook-signature": "v1," + base64.b64encode(RAW + b"\0").decode()}),
    "signature in hex": (BODY, {**SIGNED, "webhook-signature": "v1," + RAW.hex()}),
    "SHA-1": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(CONTENT, "sha1")}),
    "SHA-512": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(CONTENT, "sha512")}),
    "empty key": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(CONTENT, key=b"")}),
    "key not decoded": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(CONTENT, key=SECRET.reveal().encode())}),
    "signed without the id": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(CONTENT.partition(b".")[2])}),
    "signed the body alone": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(BODY)}),
    "signed without dots": (BODY, {**SIGNED, "webhook-signature": "v1," + signature_over(CONTENT.replace(b".", b"", 2))}),
    "signed with the dots moved": (BODY, {**SIGNED, "webhook-id": f"{ID}.{SECONDS}", "webhook-signature": SIGNATURE}),
    "two signatures, both wrong": (BODY, {**SIGNED, "webhook-signature": " ".join([sign(OTHER, ID, SECONDS, BODY)] * 2)}),
}


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) >= 25


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_changed_call_is_refused(name: str) -> None:
    assert not accepted(*MUTATIONS[name])


@given(place=st.integers(0, len(BODY) - 1), flip=st.integers(1, 255))
@settings(deadline=None, max_examples=200)
def test_a_flipped_byte_of_the_body_is_refused(place: int, flip: int) -> None:
    assert not accepted(BODY[:place] + bytes([BODY[place] ^ flip]) + BODY[place + 1 :], SIGNED)


@given(place=st.integers(0, 31), flip=st.integers(1, 255))
@settings(deadline=None, max_examples=100)
def test_a_flipped_byte_of_the_signature_is_refused(place: int, flip: int) -> None:
    changed = RAW[:place] + bytes([RAW[place] ^ flip]) + RAW[place + 1 :]

    assert not accepted(BODY, {**SIGNED, "webhook-signature": "v1," + base64.b64encode(changed).decode()})


@given(body=st.binary(max_size=300), id=st.text("abcdef0123456789_", min_size=1, max_size=40), seconds=st.integers(0, 2**33))
@settings(deadline=None, max_examples=100)
def test_whatever_is_signed_is_what_the_library_would_sign(body: bytes, id: str, seconds: int) -> None:
    content = id.encode() + b"." + str(seconds).encode() + b"." + body
    expected = base64.b64encode(hmac.new(bytes(range(32)), content, hashlib.sha256).digest()).decode()

    assert sign(SECRET, id, seconds, body) == f"v1,{expected}"


# --- what host/README.md gives to receivers ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def genuine() -> Callable[[str, dict[str, str], bytes], bool]:
    """The check as the README has it."""
    text = (Path(__file__).parents[2] / "host" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(import base64.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)  # noqa: S102  # our own README
    return names["genuine"]  # type: ignore[no-any-return]  # what the README defines


def test_the_check_of_the_readme_accepts_what_is_genuine(genuine: Callable[..., bool]) -> None:
    with time_machine.travel(NOW, tick=False):
        assert genuine(SECRET.reveal(), SIGNED, BODY)
        assert genuine(OTHER.reveal(), headers([SECRET, OTHER], ID, NOW, BODY), BODY)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_the_check_of_the_readme_refuses_a_changed_call(name: str, genuine: Callable[..., bool]) -> None:
    body, sent = MUTATIONS[name]
    with time_machine.travel(NOW, tick=False):
        try:
            taken = genuine(SECRET.reveal(), sent, body)
        except (KeyError, ValueError):
            taken = False

    assert not taken
