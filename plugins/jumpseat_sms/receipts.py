"""Receipts: what a gateway says later of a message, posted to ``/-/sms/receipt``, and believed only from the gateway itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jumpseat import Config, Outcome, OutcomeKind, say
from jumpseat_sms.gateway import NotSetUp, gateway_of, pick, read

if TYPE_CHECKING:
    from jumpseat import Host

MAX_BYTES = 64 * 1024
"""Of a receipt; it names a message and a state."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a gateway says of one message."""

    outcome: Outcome
    key: str | None = None
    reference: str | None = None


class NotFromGateway(Exception):
    """Whoever posted this did not show that they are the gateway."""


def routes(host: Host) -> list[Route]:
    """The route of receipts, with and without something at its end."""

    async def receive(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                return Response(status_code=413)
        end = request.path_params.get("end", "")
        return Response(status_code=await run_in_threadpool(taken, host, end, request.headers, body))

    return [Route(path, receive, methods=["POST"]) for path in ("/receipt", "/receipt/{end}")]


def taken(host: Host, end: str, headers: Mapping[str, str], body: bytes) -> int:
    """Take one receipt; answers the HTTP status.

    Args:
        host: knows the shares.
        end: what stands behind ``/receipt/`` in the path.
        headers: of the call, by names in lower case.
        body: of the call.
    """
    channel = host.share_channels["sms"]
    if not channel.config.receipts:
        return 404
    try:
        receipt = understood(channel.config, channel.runtime.public_url, end, headers, body)
    except NotFromGateway:
        return 403
    except NotSetUp:
        return 404
    if receipt is None:
        return 400
    if receipt.outcome.kind is OutcomeKind.UNKNOWN:
        return 204  # a word on the way, such as "queued for delivery": nothing is settled by it
    known = host.settle_share("sms", receipt.outcome, key=receipt.key, reference=receipt.reference)
    return 204 if known else 404


def understood(config: Config, public_url: str, end: str, headers: Mapping[str, str], body: bytes) -> Receipt | None:
    """What a call says, once it is sure who makes it; None where it names no message or no state.

    Raises:
        NotFromGateway: the signature or the secret is missing or wrong.
        NotSetUp: the settings describe no gateway, or not how its receipts are known.
    """
    gateway = gateway_of(config)
    if config.preset == "twilio":
        url = f"{public_url}/-/sms/receipt" + (f"/{end}" if end else "")
        _check_twilio(config.auth_token.reveal().strip(), url, headers, body)
        document, key = _document(headers, body), end or None
        paths = ("MessageSid", "MessageStatus", "ErrorMessage")
    else:
        _check_secret(config, end, headers)
        document = _document(headers, body)
        key = pick(document, config.receipt_key_path or "")
        paths = (
            config.receipt_id_path or gateway.id_path,
            config.receipt_status_path or gateway.status_path,
            config.receipt_error_path or gateway.error_path,
        )
    reference, word, reason = (pick(document, path) for path in paths)
    if word is None or not (key or reference):
        return None
    return Receipt(read(gateway, word, reference, " ".join((reason or say("it gives no reason")).split())[:200]), key, reference)


def _check_secret(config: Config, end: str, headers: Mapping[str, str]) -> None:
    if not config.receipt_secret:
        raise NotSetUp(say("'receipts' needs 'receipt_secret' in metadata/plugins/sms.yaml."))
    secret = config.receipt_secret.reveal().strip()
    shown = headers.get(config.receipt_header.lower(), "") if config.receipt_header else end
    if not secret or not hmac.compare_digest(shown.encode(), secret.encode()):
        raise NotFromGateway


def _check_twilio(token: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
    """Twilio signs the address and the sorted fields with the account's token (X-Twilio-Signature)."""
    fields = sorted(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    signed = url + "".join(name + value for name, value in fields)
    meant = base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    if not hmac.compare_digest(headers.get("x-twilio-signature", "").encode(), meant.encode()):
        raise NotFromGateway


def _document(headers: Mapping[str, str], body: bytes) -> bytes:
    """The body as JSON, whichever of the two ways it was written in."""
    if "json" in headers.get("content-type", ""):
        return body
    return json.dumps(dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))).encode()
