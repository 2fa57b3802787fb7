"""Launch tokens and signed launches by themselves: what is read is what was said, and nothing that was changed is read at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings, strategies as st

from jumpseat.access import launches, signed
from jumpseat.access.launches import LAUNCH_LIVES, OF_ONE_RECORD, OF_THE_SUPPORTER, TOKEN_LIVES, Launch
from jumpseat.catalogue.rights import all_rights
from jumpseat.errors import LaunchRefused
from jumpseat.sealing import Sealer, new_key
from jumpseat.secret import Secret
from jumpseat.types import Level, RecordRef, Rights, Supporter

NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
SEALER = Sealer([new_key()])
SECRETS = (Secret("a-secret-of-the-crm-0123456789"), Secret("the-one-before-it-0123456789"))
URL = "https://example.my.salesforce.com"
AUDIENCE = "https://support.example.com"
names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=30)
refs = st.builds(RecordRef, names, names, names)
launched = st.builds(Launch, refs, names, names.map("key:{}".format), st.just(NOW + LAUNCH_LIVES))
nobody = Supporter("005A", "Nadia")


def said(**changed: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "audience": AUDIENCE,
        "source": "crm",
        "supporter": "005A000000Jmu02IAB",
        "object": "Case",
        "recordId": "500A",
        "issuedAt": int(NOW.timestamp()),
        "nonce": "n" * 16,
        **changed,
    }


def read(text: str, now: datetime = NOW) -> signed.SignedLaunch:
    return signed.read_signed(text, SECRETS, "crm", AUDIENCE, now)


def canvas(content: Mapping[str, Any]) -> str:
    encoded = base64.b64encode(json.dumps(content).encode()).decode()
    mac = hmac.new(SECRETS[0].reveal().encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{base64.b64encode(mac).decode()}.{encoded}"


CANVAS = {
    "algorithm": "HMACSHA256",
    "issuedAt": int(NOW.timestamp()),
    "userId": "005A000000Jmu02IAB",
    "client": {"instanceUrl": URL},
    "context": {
        "user": {"userId": "005A000000Jmu02"},
        "organization": {"organizationId": "00DA0000000JmpOIAS"},
        "environment": {"record": {"attributes": {"type": "Case"}, "Id": "500A"}, "parameters": {}},
    },
}


# --- tokens -----------------------------------------------------------------------------------------------------------


@given(launched, st.integers(0, 599))
def test_a_token_says_what_was_launched_until_it_runs_out(launch: Launch, seconds: int) -> None:
    token = launches.issue(launch, nobody, SEALER, NOW).token

    assert launches.read_token(token, SEALER, NOW + timedelta(seconds=seconds)) == launch
    with pytest.raises(LaunchRefused):
        launches.read_token(token, SEALER, NOW + TOKEN_LIVES)


@given(launched, st.data())
def test_a_token_that_was_changed_says_nothing_else(launch: Launch, data: st.DataObject) -> None:
    token = launches.issue(launch, nobody, SEALER, NOW).token.reveal()
    place = data.draw(st.integers(0, len(token) - 1))
    changed = token[:place] + data.draw(st.sampled_from("Aa0-_.=é ")) + token[place + 1 :]
    assume(changed != token)

    try:
        found = launches.read_token(Secret(changed), SEALER, NOW)
    except LaunchRefused:
        return
    # Letters behind the end of base64 are skipped: the same token, written otherwise.
    assert found == launch


@given(launched)
def test_a_ticket_is_no_token_and_a_token_no_ticket(launch: Launch) -> None:
    token, ticket = launches.issue(launch, nobody, SEALER, NOW).token, launches.issue_ticket(launch, SEALER, NOW)

    assert launches.read_ticket(ticket, SEALER, NOW)[0] == launch
    for wrong in (lambda: launches.read_token(ticket, SEALER, NOW), lambda: launches.read_ticket(token, SEALER, NOW)):
        with pytest.raises(LaunchRefused):
            wrong()


def test_a_token_does_not_outlive_its_launch() -> None:
    launch = Launch(RecordRef("Case", "1", "crm"), "005A", "key:crm", NOW + LAUNCH_LIVES)
    late = NOW + LAUNCH_LIVES - timedelta(minutes=3)

    assert launches.issue(launch, nobody, SEALER, late).expires_at == NOW + LAUNCH_LIVES


def test_each_ticket_is_remembered_under_a_digest_of_its_own() -> None:
    launch = Launch(RecordRef("Case", "1", "crm"), "005A", "key:crm", NOW + LAUNCH_LIVES)
    digests = {launches.read_ticket(launches.issue_ticket(launch, SEALER, NOW), SEALER, NOW)[1] for _ in range(20)}

    assert len(digests) == 20


@given(st.dictionaries(st.sampled_from(all_rights()), st.sampled_from(Level)), refs)
def test_a_launch_leaves_the_rights_that_concern_its_record_and_widens_none(levels: dict[str, Level], ref: RecordRef) -> None:
    acting = launches.bound(Supporter("005A", "Nadia", rights=Rights(levels)), ref)

    assert acting.bound_to == ref
    for right in all_rights():
        mine = levels.get(right, Level.NONE)
        most = Level.ALL if right in OF_ONE_RECORD else Level.OWN if right in OF_THE_SUPPORTER else Level.NONE
        assert acting.rights.level(right) is min(mine, most)


# --- signed launches ----------------------------------------------------------------------------------------------------


def test_what_a_crm_signed_is_read() -> None:
    for secret in SECRETS:
        found = read(signed.sign(said(), secret))

        assert (found.supporter, found.object, found.record_id) == ("005A000000Jmu02IAB", "Case", "500A")
        assert found.fingerprint == signed.fingerprint(secret)
        assert found.stale_at == NOW + timedelta(minutes=5)


def test_the_form_is_the_one_that_the_readme_tells() -> None:
    # The signature is what openssl says: dgst -sha256 -hmac KEY -binary, over the first part.
    assert signed.sign({"version": 1}, Secret("key-of-at-least-16")) == "eyJ2ZXJzaW9uIjoxfQ.onkvc4DUA75yIGHNnaQT3mCNbZCZlUxkAMj13i33V0I"


@settings(max_examples=300)
@given(st.data())
def test_no_changed_byte_is_taken(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from(["signed", "canvas"]))
    text = signed.sign(said(), SECRETS[0]) if whole == "signed" else canvas(CANVAS)
    raw = bytearray(text.encode())
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 127))
    changed = raw.decode("latin-1")

    try:
        found = read(changed) if whole == "signed" else signed.read_canvas(changed, SECRETS, URL, NOW)
    except LaunchRefused:
        return
    # Only the signature can be written otherwise (unused bits of its last letter): it is the same launch, remembered under the same digest.
    same = read(text) if whole == "signed" else signed.read_canvas(text, SECRETS, URL, NOW)
    assert found == same


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_in_order(text: str) -> None:
    for take in (lambda: read(text), lambda: signed.read_canvas(text, SECRETS, URL, NOW)):
        with pytest.raises(LaunchRefused) as refused:
            take()
        assert refused.value.message == launches.REFUSED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*CANVAS, *said(), "user", "record", "Id"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_is_signed_is_read_or_refused_and_nothing_else(content: Any) -> None:
    for text, take in (
        (canvas(content), lambda text: signed.read_canvas(text, SECRETS, URL, NOW)),
        (signed.sign(content, SECRETS[0]), read),
    ):
        with pytest.raises(LaunchRefused):
            take(text)


@given(st.integers(-1000, 1000))
def test_a_launch_is_fresh_from_a_minute_ahead_to_five_minutes_behind(seconds: int) -> None:
    text = signed.sign(said(), SECRETS[0])
    now = NOW + timedelta(seconds=seconds)

    if -60 <= seconds <= 300:
        assert read(text, now).record_id == "500A"
    else:
        with pytest.raises(LaunchRefused):
            read(text, now)


def test_an_empty_secret_signs_nothing() -> None:
    for secrets in ((), (Secret(""),)):
        with pytest.raises(LaunchRefused) as refused:
            signed.read_signed(signed.sign(said(), Secret("")), secrets, "crm", AUDIENCE, NOW)
        assert refused.value.cause == "the source has no launch secret"


def test_a_launch_of_no_record_is_one_that_says_so() -> None:
    beside = said()
    for key in ("object", "recordId"):
        del beside[key]
    found = read(signed.sign(beside, SECRETS[0]))

    assert (found.object, found.record_id, found.supporter) == (None, None, beside["supporter"])
    for half in ("object", "recordId"):
        with pytest.raises(LaunchRefused):
            read(signed.sign({**beside, half: "Case"}, SECRETS[0]))


@pytest.mark.parametrize(
    ("parameters", "taken"), [({"show": "devices"}, True), ({"show": "session"}, False), ({"show": "devices", "object": "Case"}, False)]
)
def test_canvas_launches_no_record_where_its_page_asks_for_what_needs_none(parameters: dict[str, str], taken: bool) -> None:
    context = {**CANVAS["context"], "environment": {"parameters": parameters}}
    text = canvas({**CANVAS, "context": context})
    if taken:
        assert signed.read_canvas(text, SECRETS, URL, NOW).object is None
    else:
        with pytest.raises(LaunchRefused):
            signed.read_canvas(text, SECRETS, URL, NOW)


def test_a_token_of_no_record_reads_back_and_leaves_no_right_of_administration() -> None:
    launch = Launch(None, "005A", "key:crm", NOW + LAUNCH_LIVES, "crm")
    acting = launches.beside_records(Supporter("005A", "Nadia", rights=Rights(dict.fromkeys(all_rights(), Level.ALL))))
    token = launches.issue(launch, acting, SEALER, NOW)

    assert (launches.read_token(token.token, SEALER, NOW), token.source, token.record) == (launch, "crm", None)
    assert {right.partition(".")[0] for right, level in acting.rights.levels.items() if level} == launches.BESIDE_RECORDS
