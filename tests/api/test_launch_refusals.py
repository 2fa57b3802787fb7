"""Launches that must not be taken: each is refused with its status and code, and leaves no trace in the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from api_kit import ADMINISTRATOR, CASE, CONFIDENTIAL_CASE, INACTIVE, OTHER_USER, USER, WITHOUT_RIGHTS, Api, make_workspace, serving
from launch_kit import INSTANCE, PUBLIC, SECRET, canvas, contents, get, launch, launchable, opened, post, signed, signed_request

from jumpseat import Host, RecordRef
from jumpseat.access.launches import REFUSED, TOKEN_PREFIX
from jumpseat.sealing import Sealer, new_key
from jumpseat.secret import Secret
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Running

LAUNCH = (401, "JS-LAUNCH")
Change = Callable[[dict[str, Any]], Any]
Twist = Callable[[str], str]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, emulator: Running, sinks: Sinks) -> Iterator[tuple[Host, str]]:
    folder = make_workspace(tmp_path_factory.mktemp("launches") / "workspace", emulator, sinks)
    with opened(launchable(folder)) as host, serving(host) as base:
        assert host.store_reachable()  # the database is made when it is first asked
        yield host, base


@pytest.fixture
def refused(shared: tuple[Host, str]) -> Iterator[Callable[..., requests.Response]]:
    """Checks a refusal; afterwards the database has to be as it was."""
    host, _ = shared
    before = contents(host)

    def check(answer: requests.Response, expected: tuple[int, str] = LAUNCH) -> requests.Response:
        shown = answer.json()
        assert (answer.status_code, shown["code"]) == expected
        if expected == LAUNCH and "token" not in shown["detail"]:
            assert shown["detail"] == REFUSED
        return answer

    yield check
    assert contents(host) == before


def put(path: str, value: Any) -> Change:
    """Set one value deep inside; ``context.user.userId``."""

    def change(said: dict[str, Any]) -> Any:
        *above, last = path.split(".")
        place: Any = said
        for step in above:
            place = place[step]
        place[last] = value
        return said

    return change


def drop(path: str) -> Change:
    def change(said: dict[str, Any]) -> Any:
        *above, last = path.split(".")
        place: Any = said
        for step in above:
            place = place[step]
        del place[last]
        return said

    return change


def issued(by: float, *, kind: Callable[[float], Any] = int) -> Change:
    return lambda said: {**said, "issuedAt": kind(said["issuedAt"] + by)}


def flip(index: int, part: int) -> Twist:
    """Another letter at one place of the first or the second half."""

    def twist(text: str) -> str:
        halves = text.split(".")
        letters = list(halves[part].rstrip("="))
        letters[index] = "A" if letters[index] != "A" else "Q"
        halves[part] = "".join(letters) + "=" * (len(halves[part]) - len(letters))
        return ".".join(halves)

    return twist


def halves(change: Callable[[str, str], str]) -> Twist:
    return lambda text: change(*text.split(".", 1))


# --- what was signed, changed on its way --------------------------------------------------------------------------------

TWISTS: dict[str, Twist] = {
    "nothing": lambda _: "",
    "a dot": lambda _: ".",
    "no dot": lambda text: text.replace(".", ""),
    "another separator": lambda text: text.replace(".", ","),
    "first half missing": halves(lambda _, second: f".{second}"),
    "second half missing": halves(lambda first, _: f"{first}."),
    "halves swapped": halves(lambda first, second: f"{second}.{first}"),
    "first half twice": halves(lambda first, _: f"{first}.{first}"),
    "second half twice": halves(lambda _, second: f"{second}.{second}"),
    "a third part": lambda text: f"{text}.e30",
    "a space before": lambda text: f" {text}",
    "a space behind": lambda text: f"{text} ",
    "a line break behind": lambda text: f"{text}\n",
    "a NUL behind": lambda text: f"{text}\0",
    "an e with an accent": lambda text: f"{text}é",
    "in capitals": str.upper,
    "quoted": lambda text: f'"{text}"',
    "the first letter of the first half": flip(0, 0),
    "a letter in the first half": flip(20, 0),
    "the first letter of the second half": flip(0, 1),
    "a letter in the second half": flip(20, 1),
    "a letter less": lambda text: text[:-5],
    "first half cut": halves(lambda first, second: f"{first[:-4]}.{second}"),
    "something behind the second half": lambda text: f"{text.rstrip('=')}AAAA",
    "something before": lambda text: f"AAAA{text}",
    "padding in the middle": halves(lambda first, second: f"{first}==.{second}"),
    "far too long": lambda text: text + "A" * 70_000,
}


@pytest.mark.parametrize("twist", TWISTS.values(), ids=TWISTS)
@pytest.mark.parametrize("way", ["canvas", "signed"])
def test_what_was_changed_on_its_way_is_refused(
    way: str, twist: Twist, shared: tuple[Host, str], refused: Callable[..., requests.Response]
) -> None:
    text = signed_request(canvas(time.time())) if way == "canvas" else signed(launch(time.time()))
    path, name = ("/launch/canvas/sandbox", "signed_request") if way == "canvas" else ("/launch/sandbox", "launch")

    refused(post(shared[1], path, {name: twist(text)}))


def hashed(algorithm: str) -> Callable[[bytes, bytes], bytes]:
    return lambda secret, text: hmac.new(secret, text, algorithm).digest()


MACS: dict[str, Callable[[bytes, bytes], bytes]] = {
    "sha1": hashed("sha1"),
    "md5": hashed("md5"),
    "sha512": hashed("sha512"),
    "sha512 cut": lambda secret, text: hashed("sha512")(secret, text)[:32],
    "no key": lambda _, text: hashlib.sha256(text).digest(),
    "empty key": lambda _, text: hashed("sha256")(b"", text),
    "half of it": lambda secret, text: hashed("sha256")(secret, text)[:16],
    "nothing": lambda *_: b"\0" * 32,
    "hexadecimal": lambda secret, text: hmac.new(secret, text, "sha256").hexdigest().encode(),
    "over what was encoded": lambda secret, text: hashed("sha256")(secret, base64.b64decode(text)),
    "the key with a line break": lambda secret, text: hashed("sha256")(secret + b"\n", text),
    "the key in capitals": lambda secret, text: hashed("sha256")(secret.upper(), text),
}


@pytest.mark.parametrize("mac", MACS.values(), ids=MACS)
def test_another_way_to_sign_is_refused(
    mac: Callable[[bytes, bytes], bytes], shared: tuple[Host, str], refused: Callable[..., requests.Response]
) -> None:
    refused(post(shared[1], "/launch/canvas/sandbox", {"signed_request": signed_request(canvas(time.time()), mac=mac)}))


def test_another_secret_and_the_same_content_written_anew_are_refused(
    shared: tuple[Host, str], refused: Callable[..., requests.Response]
) -> None:
    said = canvas(time.time())
    signature, _, _ = signed_request(said).partition(".")
    anew = base64.b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()

    refused(post(shared[1], "/launch/canvas/sandbox", {"signed_request": f"{signature}.{anew}"}))
    refused(post(shared[1], "/launch/canvas/sandbox", {"signed_request": signed_request(said, "another-secret-0123456789")}))
    refused(post(shared[1], "/launch/sandbox", {"launch": signed(launch(time.time()), "another-secret-0123456789")}))


def test_one_form_is_not_taken_for_the_other(shared: tuple[Host, str], refused: Callable[..., requests.Response]) -> None:
    first, _, second = signed_request(canvas(time.time())).partition(".")

    refused(post(shared[1], "/launch/sandbox", {"launch": f"{second}.{first}".replace("=", "").replace("+", "-").replace("/", "_")}))
    refused(post(shared[1], "/launch/sandbox", {"launch": signed(canvas(time.time()))}))
    refused(post(shared[1], "/launch/canvas/sandbox", {"signed_request": signed_request(launch(time.time()))}))


# --- signed well, but saying what must not be ---------------------------------------------------------------------------

CANVAS: dict[str, tuple[Change, tuple[int, str]]] = {
    "no JSON object": (lambda _: ["HMACSHA256"], LAUNCH),
    "a text": (lambda _: "HMACSHA256", LAUNCH),
    "nothing": (lambda _: {}, LAUNCH),
    "no algorithm": (drop("algorithm"), LAUNCH),
    "algorithm none": (put("algorithm", "none"), LAUNCH),
    "algorithm SHA1": (put("algorithm", "HMACSHA1"), LAUNCH),
    "algorithm in small letters": (put("algorithm", "hmacsha256"), LAUNCH),
    "algorithm in a list": (put("algorithm", ["HMACSHA256"]), LAUNCH),
    "too old": (issued(-301), LAUNCH),
    "a day old": (issued(-86_400), LAUNCH),
    "from the future": (issued(75), LAUNCH),
    "from the far future": (issued(86_400), LAUNCH),
    "no time": (drop("issuedAt"), LAUNCH),
    "time null": (put("issuedAt", None), LAUNCH),
    "time true": (put("issuedAt", True), LAUNCH),
    "time as text": (issued(0, kind=str), LAUNCH),
    "time as float": (issued(0, kind=float), LAUNCH),
    "time negative": (put("issuedAt", -1), LAUNCH),
    "time without end": (put("issuedAt", 10**30), LAUNCH),
    "no user": (drop("userId"), LAUNCH),
    "user as number": (put("userId", 5), LAUNCH),
    "user of another kind": (put("userId", "003A000000Jmc02IAB"), LAUNCH),
    "user of another form": (put("userId", "005A000000Jmu02IAB'--"), LAUNCH),
    "two users": (put("userId", ADMINISTRATOR), LAUNCH),
    "no user in the context": (drop("context.user"), LAUNCH),
    "no context": (drop("context"), LAUNCH),
    "no organization": (drop("context.organization"), LAUNCH),
    "organization of another form": (put("context.organization.organizationId", "00D"), LAUNCH),
    "organization as a list": (put("context.organization", ["00DA0000000JmpOIAS"]), LAUNCH),
    "no client": (drop("client"), LAUNCH),
    "no instance": (drop("client.instanceUrl"), LAUNCH),
    "another instance": (put("client.instanceUrl", "https://other.my.salesforce.com"), LAUNCH),
    "a look-alike": (put("client.instanceUrl", f"{INSTANCE}.evil.example"), LAUNCH),
    "the instance as user": (put("client.instanceUrl", f"{INSTANCE}@evil.example"), LAUNCH),
    "the instance without TLS": (put("client.instanceUrl", INSTANCE.replace("https", "http")), LAUNCH),
    "the instance at another port": (put("client.instanceUrl", f"{INSTANCE}:8443"), LAUNCH),
    "the instance with a bad port": (put("client.instanceUrl", f"{INSTANCE}:x"), LAUNCH),
    "no environment": (drop("context.environment"), LAUNCH),
    "no record": (drop("context.environment.record"), LAUNCH),
    "a record without its id": (drop("context.environment.record.Id"), LAUNCH),
    "a record without its kind": (drop("context.environment.record.attributes"), LAUNCH),
    "a record with a path for an id": (put("context.environment.record.Id", "../x"), LAUNCH),
    "a record with a number for an id": (put("context.environment.record.Id", 500), LAUNCH),
    "a record with a list for its kind": (put("context.environment.record.attributes.type", ["Case"]), LAUNCH),
    "an unknown record": (put("context.environment.record.Id", "500A000000D3zzzIAB"), (404, "JS-RECORD")),
    "an id of no record": (put("context.environment.record.Id", "Case-1"), (422, "JS-VALUE")),
    "an object that is not supported": (put("context.environment.record.attributes.type", "Nothing"), (404, "JS-OBJECT")),
}


@pytest.mark.parametrize(("change", "expected"), CANVAS.values(), ids=CANVAS)
def test_what_canvas_must_not_say_is_refused(
    change: Change, expected: tuple[int, str], shared: tuple[Host, str], refused: Callable[..., requests.Response]
) -> None:
    refused(post(shared[1], "/launch/canvas/sandbox", {"signed_request": signed_request(change(canvas(time.time())))}), expected)


SIGNED: dict[str, tuple[Change, tuple[int, str]]] = {
    "no JSON object": (lambda said: [said], LAUNCH),
    "nothing": (lambda _: {}, LAUNCH),
    "a key more": (put("rights", "all"), LAUNCH),
    "a key less": (drop("nonce"), LAUNCH),
    "another version": (put("version", 2), LAUNCH),
    "version as text": (put("version", "1"), LAUNCH),
    "version true": (put("version", True), LAUNCH),
    "another audience": (put("audience", "https://other.example.com"), LAUNCH),
    "the audience with a slash": (put("audience", f"{PUBLIC}/"), LAUNCH),
    "another source": (put("source", "plain"), LAUNCH),
    "no source": (put("source", ""), LAUNCH),
    "too old": (issued(-301), LAUNCH),
    "from the future": (issued(75), LAUNCH),
    "time as text": (issued(0, kind=str), LAUNCH),
    "time null": (put("issuedAt", None), LAUNCH),
    "a short nonce": (put("nonce", "abc"), LAUNCH),
    "a nonce with a blank": (put("nonce", "a" * 16 + " "), LAUNCH),
    "no supporter": (put("supporter", ""), LAUNCH),
    "supporter as list": (put("supporter", [USER]), LAUNCH),
    "supporter with a blank": (put("supporter", f"{USER} x"), LAUNCH),
    "supporter with a line break": (put("supporter", f"{USER}\n"), LAUNCH),
    "object with a path": (put("object", "../Case"), LAUNCH),
    "record with a path": (put("recordId", "a/b"), LAUNCH),
    "record as number": (put("recordId", 1), LAUNCH),
    "a user who left": (put("supporter", INACTIVE), (401, "JS-AUTH")),
    "a user without rights": (put("supporter", WITHOUT_RIGHTS), (403, "JS-RIGHT")),
    "a record that the user may not see": (
        lambda said: {**said, "supporter": OTHER_USER, "recordId": CONFIDENTIAL_CASE},
        (404, "JS-RECORD"),
    ),
    "an unknown record": (put("recordId", "500A000000D3zzzIAB"), (404, "JS-RECORD")),
    "an object that is not supported": (put("object", "Nothing"), (404, "JS-OBJECT")),
}


@pytest.mark.parametrize(("change", "expected"), SIGNED.values(), ids=SIGNED)
def test_what_a_signed_launch_must_not_say_is_refused(
    change: Change, expected: tuple[int, str], shared: tuple[Host, str], refused: Callable[..., requests.Response]
) -> None:
    refused(post(shared[1], "/launch/sandbox", {"launch": signed(change(launch(time.time())))}), expected)


@pytest.mark.parametrize("source", ["plain", "nowhere", "sandbox2"])
def test_a_source_without_a_secret_looks_like_one_that_there_is_not(
    source: str, shared: tuple[Host, str], refused: Callable[..., requests.Response]
) -> None:
    for secret in (SECRET, ""):
        refused(post(shared[1], f"/launch/{source}", {"launch": signed(launch(time.time(), source=source), secret)}))
        refused(post(shared[1], f"/launch/canvas/{source}", {"signed_request": signed_request(canvas(time.time()), secret)}))


# --- the form -----------------------------------------------------------------------------------------------------------


def test_a_form_that_is_none_is_refused(shared: tuple[Host, str], refused: Callable[..., requests.Response]) -> None:
    text = signed(launch(time.time()))
    usage = (400, "JS-USAGE")

    refused(post(shared[1], "/launch/sandbox", {"signed_request": text}), usage)
    refused(post(shared[1], "/launch/sandbox", [("launch", text), ("launch", text)]), usage)
    refused(post(shared[1], "/launch/sandbox", [("launch", text), *((f"f{number}", "") for number in range(30))]), usage)
    refused(post(shared[1], "/launch/sandbox", json.dumps({"launch": text}), **{"Content-Type": "application/json"}), usage)
    refused(post(shared[1], "/launch/sandbox", f"launch={text}", **{"Content-Type": "text/plain"}), usage)
    refused(post(shared[1], f"/launch/sandbox?launch={text}", b"", **{"Content-Type": "application/x-www-form-urlencoded"}), usage)
    refused(post(shared[1], "/launch/sandbox", {"launch": "A" * 200_000}), (413, "JS-BODY-SIZE"))
    refused(post(shared[1], "/launch/sandbox", {"launch": "A" * 2_000_000}), (413, "JS-BODY-SIZE"))
    refused(post(shared[1], "/launch/%2e%2e%2fx", {"launch": text}), (404, "JS-NOT-FOUND"))
    refused(post(shared[1], "/launch/a b", {"launch": text}), (422, "JS-VALUE"))
    refused(get(f"{shared[1]}/launch/canvas/sandbox?signed_request=x"), (405, "JS-METHOD"))
    refused(get(f"{shared[1]}/launch/sandbox"), (422, "JS-VALUE"))


# --- tokens and tickets ---------------------------------------------------------------------------------------------------


def test_tokens_and_tickets_that_are_none_are_refused(shared: tuple[Host, str], refused: Callable[..., requests.Response]) -> None:
    host, base = shared
    key = host.create_key(f"crm{time.time_ns()}", "administrator", host.operator())
    acting = host.key_supporter(key, USER)
    token, ticket = host.create_launch(RecordRef("Case", CASE), acting)
    good = token.token.reveal()
    foreign = Sealer([new_key()]).seal(Secret("{}"), "launch token")
    bad = [
        TOKEN_PREFIX,
        good[:-1],
        good[:-8],
        good + "A" * 4,
        good.replace("jsl_1", "jsl_2"),
        good[:30] + ("A" if good[30] != "A" else "B") + good[31:],
        TOKEN_PREFIX + foreign,
        TOKEN_PREFIX + ticket.reveal(),
        TOKEN_PREFIX + host._wiring.sealer.seal(Secret("{}"), "webhooks:wh_1:secret"),
        TOKEN_PREFIX + "1..",
        TOKEN_PREFIX + key.reveal(),
        good.upper().replace("JSL_", "jsl_"),
    ]

    for text in bad:
        refused(Api(base, text).get(f"/v1/records/Case/{CASE}/offer"))
        refused(Api(base, text).post("/v1/launch/renew"))
    for text in (good, good.removeprefix(TOKEN_PREFIX), ticket.reveal()[:-1], foreign, "x"):
        refused(get(f"{base}/launch/sandbox?ticket={text}"))
    assert Api(base, good).get(f"/v1/records/Case/{CASE}/offer").status_code == 200
    assert Api(base, good.removeprefix(TOKEN_PREFIX)).get("/v1/objects").json()["code"] == "JS-AUTH"


def test_there_are_enough_of_them() -> None:
    assert len(TWISTS) + len(MACS) >= 25
    assert len(CANVAS) + len(SIGNED) >= 30


@pytest.mark.parametrize("path", [Path("/launch/sandbox"), Path("/launch/canvas/sandbox")], ids=str)
def test_a_replay_is_refused_and_takes_nothing(path: Path, shared: tuple[Host, str]) -> None:
    form = {"signed_request": signed_request(canvas(time.time()))} if "canvas" in str(path) else {"launch": signed(launch(time.time()))}
    first = post(shared[1], str(path), form)
    before = contents(shared[0])
    again = post(shared[1], str(path), form)

    assert first.status_code == 200
    assert (again.status_code, again.json()["code"], again.json()["detail"]) == (401, "JS-LAUNCH", REFUSED)
    assert contents(shared[0]) == before
