"""A gateway as the settings describe it: where a message goes, in which shape, and what its answers mean."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from requests import PreparedRequest

from jumpseat import Config, Message, Outcome, Secret, say

FILE = "metadata/plugins/sms.yaml"
_PLACE = re.compile(r"\{(\w+)\}")
PLACES = ("to", "to_digits", "text", "sender", "key")
STATES = ("sent", "refused", "failed", "unknown")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TWILIO = "https://api.twilio.com"
_TWILIO_STATES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent", "delivered"), "sent"),
    **dict.fromkeys(("failed", "undelivered", "canceled"), "refused"),
}


class NotSetUp(Exception):
    """The settings do not describe a gateway; the text names the key to fill or correct."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that is needed to hand a message over."""

    url: str
    body: Mapping[str, str]
    method: str = "POST"
    body_format: str = "json"
    sender: str = ""
    auth: str = "none"
    username: str = ""
    secret: Secret | None = None
    auth_header: str = ""
    key_header: str = ""
    honours_key: bool = False
    id_path: str = ""
    status_path: str = ""
    status_map: Mapping[str, str] | None = None
    error_path: str = ""
    success_statuses: frozenset[int] = frozenset()
    """Empty: every 2xx."""
    lookup_url: str = ""

    @property
    def place(self) -> str:
        """The gateway's host, for messages."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def request(self, message: Message) -> dict[str, Any]:
        """What to send, as arguments of ``requests``.

        An entry of the body that comes out empty is left out; ``a.b`` makes an object inside an object, ``a[]`` a list of one.
        """
        values = self._values(message)
        filled = {name: fill(template, values) for name, template in self.body.items()}
        entries = {name: value for name, value in filled.items() if value}
        headers = {self.key_header: message.key} if self.key_header else {}
        body = {"json": nest(entries)} if self.body_format == "json" else {"data": entries}
        return {**body, "headers": headers, "auth": self.sign()}

    def lookup(self, message: Message) -> str:
        """Where to ask what became of a message."""
        return fill(self.lookup_url, {name: quote(value, safe="") for name, value in self._values(message).items()})

    def sign(self) -> Callable[[PreparedRequest], PreparedRequest]:
        """Signs a request. Always given along, so that no ``.netrc`` of the machine signs it instead."""
        # A secret read from a file often ends in a line end, which no header may hold.
        secret = self.secret.reveal().strip() if self.secret else ""

        def with_credentials(request: PreparedRequest) -> PreparedRequest:
            if self.auth == "basic":
                request.prepare_auth((self.username, secret))
            elif self.auth == "bearer":
                request.headers["Authorization"] = f"Bearer {secret}"
            elif self.auth == "header":
                request.headers[self.auth_header] = secret
            return request

        return with_credentials

    def _values(self, message: Message) -> dict[str, str]:
        return {
            "to": message.address,
            "to_digits": message.address.removeprefix("+"),
            "text": message.text,
            "sender": self.sender,
            "key": message.key,
        }


def gateway_of(config: Config, public_url: str = "") -> Gateway:
    """The gateway that the settings describe.

    Args:
        config: the settings.
        public_url: where receipts reach the host; empty where it does not matter.

    Raises:
        NotSetUp: something is missing or cannot be right.
    """
    gateway = _twilio(config, public_url) if config.preset == "twilio" else _generic(config)
    address = urlsplit(gateway.url)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise NotSetUp(say("'url' in {file} must begin with https://; a text and its password do not travel unprotected.", file=FILE))
    for name, template in {**gateway.body, "lookup_url": gateway.lookup_url}.items():
        for place in _PLACE.findall(template):
            if place not in PLACES:
                raise NotSetUp(
                    say(
                        "'{name}' in {file} uses {{{place}}}; there are {known}.",
                        name=name,
                        file=FILE,
                        place=place,
                        known=", ".join(f"{{{known}}}" for known in PLACES),
                    )
                )
    if unknown := sorted(set((gateway.status_map or {}).values()) - set(STATES)):
        raise NotSetUp(
            say(
                "'status_map' in {file} leads to '{unknown}'; an outcome is one of {states}.",
                file=FILE,
                unknown=unknown[0],
                states=", ".join(STATES),
            )
        )
    return gateway


def _generic(config: Config) -> Gateway:
    if not config.url:
        raise NotSetUp(say("SMS is not set up: fill 'url' and 'body' in {file}, or 'preset: twilio' with its keys.", file=FILE))
    if not config.body or not any("{text}" in template for template in config.body.values()):
        raise NotSetUp(say("SMS is not set up: 'body' in {file} must say where {{to}} and {{text}} go.", file=FILE))
    if config.auth == "header" and not config.auth_header:
        raise NotSetUp(say("'auth: header' needs 'auth_header' in {file}: the name of the header that carries the secret.", file=FILE))
    if config.honours_key and not config.key_header and not any("{key}" in template for template in config.body.values()):
        raise NotSetUp(say("'honours_key' needs a place for the key in {file}: 'key_header', or {{key}} in 'body'.", file=FILE))
    return Gateway(
        url=config.url,
        body=config.body,
        method=config.method,
        body_format=config.body_format,
        sender=config.sender or "",
        auth=config.auth,
        username=config.username or "",
        secret=config.secret,
        auth_header=config.auth_header or "",
        key_header=config.key_header or "",
        honours_key=bool(config.honours_key),
        id_path=config.id_path or "",
        status_path=config.status_path or "",
        status_map=config.status_map,
        error_path=config.error_path or "",
        success_statuses=_statuses(config.success_statuses or ()),
        lookup_url=config.lookup_url or "",
    )


def _statuses(written: Sequence[str]) -> frozenset[int]:
    if wrong := [status for status in written if not re.fullmatch("[1-5][0-9][0-9]", status)]:
        raise NotSetUp(say("'success_statuses' in {file} holds '{wrong}'; a status is a number such as 200.", file=FILE, wrong=wrong[0]))
    return frozenset(int(status) for status in written)


def _twilio(config: Config, public_url: str) -> Gateway:
    """Twilio's Messages resource. It takes no key: the same request twice is two texts. Its receipts name the key in their address."""
    if not config.account_sid or not config.auth_token:
        raise NotSetUp(say("Twilio is not set up: fill 'account_sid' and 'auth_token' in {file}.", file=FILE))
    if not config.sender and not config.messaging_service_sid:
        raise NotSetUp(say("Twilio is not set up: fill 'sender' or 'messaging_service_sid' in {file}.", file=FILE))
    origin = {"MessagingServiceSid": config.messaging_service_sid} if config.messaging_service_sid else {"From": "{sender}"}
    receipts = {"StatusCallback": f"{public_url}/-/sms/receipt/{{key}}"} if config.receipts and public_url else {}
    return Gateway(
        url=f"{(config.url or _TWILIO).rstrip('/')}/2010-04-01/Accounts/{quote(config.account_sid, safe='')}/Messages.json",
        body={"To": "{to}", "Body": "{text}", **origin, **receipts},
        body_format="form",
        sender=config.sender or "",
        auth="basic",
        username=config.account_sid,
        secret=config.auth_token,
        id_path="sid",
        status_path="status",
        status_map=_TWILIO_STATES,
        error_path="message",
    )


def read(gateway: Gateway, word: str, reference: str | None, reason: str) -> Outcome:
    """What the gateway's word for the state of a message means.

    Args:
        gateway: whose.
        word: as it says it.
        reference: its id of the message.
        reason: why, where it says so.
    """
    said = say("{place} says '{word}'", place=gateway.place, word=" ".join(word.split())[:200])
    match (gateway.status_map or {}).get(word, "unknown"):
        case "sent":
            return Outcome.sent(reference)
        case "refused":
            return Outcome.refused(say("{said}: {reason}", said=said, reason=reason))
        case "failed":
            return Outcome.failed(say("{said}: nothing was sent.", said=said), retry=True)
        case _:
            return Outcome.unknown(say("{said}, which does not tell whether the text was sent.", said=said))


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its places filled, once: what a value holds is never taken for a place."""
    return _PLACE.sub(lambda found: values.get(found.group(1), found.group(0)), template)


def nest(entries: Mapping[str, str]) -> dict[str, Any]:
    """``{"message.to[].number": "1"}`` as ``{"message": {"to": [{"number": "1"}]}}``."""
    root: dict[str, Any] = {}
    for name, value in entries.items():
        *path, last = name.split(".")
        here = root
        for step in path:
            here = here.setdefault(step[:-2], [{}])[0] if step.endswith("[]") else here.setdefault(step, {})
        if last.endswith("[]"):
            here[last[:-2]] = [value]
        else:
            here[last] = value
    return root


def pick(answer: bytes, path: str) -> str | None:
    """What stands at a dotted path (``messages.0.id``) of a JSON answer; None where nothing does."""
    try:
        value = json.loads(answer) if path else None
        for step in path.split(".") if path else ():
            value = value[int(step)] if isinstance(value, list) else value[step]  # type: ignore[index]  # a wrong shape ends in TypeError below
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
