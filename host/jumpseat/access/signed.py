"""Launches that a CRM signs and a browser carries: Salesforce Canvas, and Jumpseat's own form for every other page.

A value is read in this order: signature over the bytes as they came, and only then what they say. Nothing is asked or stored here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlsplit

from jumpseat.access.launches import REFUSED
from jumpseat.errors import LaunchRefused
from jumpseat.secret import Secret

OLDEST = timedelta(minutes=5)
"""How old a signed launch may be."""
EARLIEST = timedelta(minutes=1)
"""How far the clock of the CRM may be ahead."""
LONGEST = 64 * 1024
"""Characters of a signed launch; Canvas sends some 4,000."""
VERSION = 1
_OF_RECORD = frozenset({"object", "recordId"})
_KEYS = frozenset({"version", "audience", "source", "supporter", "issuedAt", "nonce", *_OF_RECORD})
BESIDE = ("notification", "devices", "company", "dashboards")
"""What a launch of no record can show. In Canvas, the page's author asks for one of them by the parameter ``show``."""
_MILLISECONDS = 100_000_000_000
"""A time above this counts milliseconds: as seconds it would lie in the year 5138."""
_TEXTS = {
    "supporter": re.compile(r"[!-~]{1,100}"),
    "object": re.compile(r"[A-Za-z0-9_]{1,80}"),
    "recordId": re.compile(r"[A-Za-z0-9_.\-]{1,100}"),
    "nonce": re.compile(r"[A-Za-z0-9_\-]{16,64}"),
}
_USER_ID = re.compile(r"005[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_ORGANIZATION_ID = re.compile(r"00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?")
_COMPACT = re.compile(r"[A-Za-z0-9_\-]+")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class SignedLaunch:
    """What a CRM signed."""

    supporter: str
    object: str | None
    """None, like its id, for a launch of no record."""
    record_id: str | None
    fingerprint: str
    """Of the secret that signed it."""
    digest: str
    """Under which it is remembered as taken: of what was signed, for a signature can be written in several ways."""
    stale_at: datetime
    """From then on it is refused for its age."""


def fingerprint(secret: Secret) -> str:
    """Names a launch secret without telling it."""
    return hashlib.sha256(b"jumpseat launch secret" + secret.reveal().encode()).hexdigest()[:16]


def read_canvas(text: str, secrets: Sequence[Secret], url: str, now: datetime) -> SignedLaunch:
    """What a ``signed_request`` of Salesforce Canvas says.

    Args:
        text: as it was posted.
        secrets: consumer secrets of the app; the one in use, and the one before while both hold.
        url: My Domain of the organisation that is expected.
        now: UTC.

    Raises:
        LaunchRefused: it is not signed with one of the secrets, too old, of another organisation, or about no record and not
            meant so.
    """
    encoded, signer = _verified(text, secrets, _standard)
    said = _json(_standard(encoded))
    if said.get("algorithm") != "HMACSHA256":
        _refuse("its algorithm is not HMACSHA256")
    issued_at = _fresh(said.get("issuedAt"), now)
    context = _part(said, "context")
    supporter = _canvas_user(said, context)
    organization = _part(context, "organization").get("organizationId")
    if not isinstance(organization, str) or not _ORGANIZATION_ID.fullmatch(organization):
        _refuse("it names no organization")
    if not url:
        _refuse("the source has no setting 'url' to compare the instance with")
    if _origin(_part(said, "client").get("instanceUrl")) != _origin(url):
        _refuse("it comes from another instance than the source's 'url'")
    object, record_id = _canvas_record(_part(context, "environment"))
    return SignedLaunch(supporter, object, record_id, fingerprint(signer), _digest("canvas", encoded), issued_at + OLDEST)


def read_signed(text: str, secrets: Sequence[Secret], source: str, audience: str, now: datetime) -> SignedLaunch:
    """What a launch in Jumpseat's own form says: ``base64url(JSON) . base64url(HMAC-SHA256)``, both without padding.

    Args:
        text: as it was posted.
        secrets: launch secrets of the source; the one in use, and the one before while both hold.
        source: name of the record source at whose address it was posted.
        audience: this host's public address.
        now: UTC.

    Raises:
        LaunchRefused: it is not signed with one of the secrets, too old, for another host or source, or not of the form.
    """
    encoded, signer = _verified(text, secrets, _compact, payload_first=True)
    said = _json(_compact(encoded))
    if set(said) not in (_KEYS, _KEYS - _OF_RECORD):
        _refuse(f"its keys are not {', '.join(sorted(_KEYS))}, with object and recordId both or neither")
    if type(said["version"]) is not int or said["version"] != VERSION:
        _refuse(f"its version is not {VERSION}")
    if said["audience"] != audience:
        _refuse("it is for another host than 'public_url' says")
    if said["source"] != source:
        _refuse("it is for another record source")
    issued_at = _fresh(said["issuedAt"], now)
    texts = {key: _text(said, key) for key in _TEXTS if key in said}
    digest, stale_at = _digest(source, encoded), issued_at + OLDEST
    return SignedLaunch(texts["supporter"], texts.get("object"), texts.get("recordId"), fingerprint(signer), digest, stale_at)


def sign(said: Mapping[str, Any], secret: Secret) -> str:
    """A launch in Jumpseat's own form, as a CRM makes it."""
    encoded = _written(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode())
    return f"{encoded}.{_written(_mac(encoded, secret))}"


# --- signatures -------------------------------------------------------------------------------------------------------


def _verified(text: str, secrets: Sequence[Secret], decode: Callable[[str], bytes], *, payload_first: bool = False) -> tuple[str, Secret]:
    """The part that was signed, still encoded, and the secret that signed it."""
    if len(text) > LONGEST:
        _refuse(f"it is longer than {LONGEST} characters")
    first, dot, second = text.partition(".")
    if not dot or not first or not second or not text.isascii():
        _refuse("it is not two parts with a dot between them")
    encoded, signature = (first, second) if payload_first else (second, first)
    mac = decode(signature)
    # All are tried, so that the time tells nothing of which one it was.
    signers = [secret for secret in secrets if secret and hmac.compare_digest(_mac(encoded, secret), mac)]
    if not signers:
        _refuse("the source has no launch secret" if not any(secrets) else "its signature does not match")
    return encoded, signers[0]


def _mac(encoded: str, secret: Secret) -> bytes:
    return hmac.new(secret.reveal().encode(), encoded.encode(), hashlib.sha256).digest()


def _standard(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        _refuse("it is not written in base64")


def _compact(text: str) -> bytes:
    if not _COMPACT.fullmatch(text):
        _refuse("it is not written in base64url without padding")
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        _refuse("it is not written in base64url without padding")


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _digest(kind: str, encoded: str) -> str:
    return hashlib.sha256(f"{kind} {encoded}".encode()).hexdigest()


# --- what it says -----------------------------------------------------------------------------------------------------


def _json(raw: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(raw.decode())
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        _refuse("what was signed is no JSON object")
    return said


def _fresh(issued: Any, now: datetime) -> datetime:
    if type(issued) is not int or issued < 0:
        _refuse("it does not say when it was issued")
    try:
        issued_at = datetime.fromtimestamp(issued / 1000 if issued > _MILLISECONDS else issued, UTC)
    except (ValueError, OverflowError, OSError):
        _refuse("it does not say when it was issued")
    if now - issued_at > OLDEST:
        _refuse("it is too old")
    if issued_at - now > EARLIEST:
        _refuse("it was issued in the future: compare the clocks")
    return issued_at


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said[key]
    if not isinstance(value, str) or not _TEXTS[key].fullmatch(value):
        _refuse(f"its '{key}' is not of the form")
    return value


def _part(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = said.get(key)
    return found if isinstance(found, dict) else {}


def _canvas_user(said: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    user, again = said.get("userId"), _part(context, "user").get("userId")
    if not isinstance(user, str) or not _USER_ID.fullmatch(user):
        _refuse("it names no user")
    # Of 18 characters the last three only check the first fifteen.
    if not isinstance(again, str) or again[:15] != user[:15]:
        _refuse("it names two users")
    return user


def _canvas_record(environment: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The record of the page, else the one that the page's author gives as ``parameters`` (``object`` and ``recordId``).

    Nothing where neither names anything and the author asks by ``show`` for what needs no record.
    """
    record, parameters = _part(environment, "record"), _part(environment, "parameters")
    if not record and not _OF_RECORD & set(parameters) and parameters.get("show") in BESIDE:
        return None, None
    named = {"object": _part(record, "attributes").get("type"), "recordId": record.get("Id")}
    if not all(named.values()):
        named = {key: parameters.get(key) for key in named}
    return _text(named, "object"), _text(named, "recordId")


def _origin(url: Any) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        _refuse("an instance has to be a web address")
    return parts.scheme, host.rstrip("."), port or _PORTS[parts.scheme]


def _refuse(cause: str) -> NoReturn:
    raise LaunchRefused(REFUSED, cause=cause)
