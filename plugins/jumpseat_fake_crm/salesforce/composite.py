"""Several calls in one: each part is answered for itself, and all together count as one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from jumpseat_fake_crm.web import Answer, Call, CrmError

MOST_PARTS = 25
MOST_QUERIES = 5


def composite(call: Call, version: str, resource: Callable[[Call, str], Answer], refuse: Callable[[CrmError], Answer]) -> Answer:
    """Answer the parts in their order. References from one part to another and ``allOrNone`` are not known here.

    Args:
        call: the whole.
        version: ``v67.0``; every part has to be of it.
        resource: answers one part, given its path behind the version.
        refuse: writes a refusal.
    """
    try:
        parts = call.json().get("compositeRequest")
    except ValueError as error:
        raise CrmError(400, "JSON_PARSER_ERROR", "The body is not a JSON object.") from error
    if not isinstance(parts, list) or not 0 < len(parts) <= MOST_PARTS or not all(isinstance(part, dict) for part in parts):
        raise CrmError(400, "PROCESSING_HALTED", f"The request has to have 1 to {MOST_PARTS} parts.")
    if sum("/query" in str(part.get("url")) for part in parts) > MOST_QUERIES:
        raise CrmError(400, "PROCESSING_HALTED", f"No more than {MOST_QUERIES} query operations are allowed.")
    return Answer(200, {"compositeResponse": [_part(call, part, f"/services/data/{version}/", resource, refuse) for part in parts]})


def _part(
    call: Call, part: dict[str, Any], base: str, resource: Callable[[Call, str], Answer], refuse: Callable[[CrmError], Answer]
) -> dict[str, Any]:
    parts = urlsplit(str(part.get("url")))
    path = unquote(parts.path)
    body = json.dumps(part["body"]).encode() if "body" in part else b""
    inner = Call(str(part.get("method")), path, dict(parse_qsl(parts.query)), call.headers, body, call.base)
    try:
        if not path.startswith(base):
            raise CrmError(404, "NOT_FOUND", "The requested resource does not exist")
        answer = resource(inner, path.removeprefix(base).strip("/"))
    except CrmError as error:
        answer = refuse(error)
    return {"body": answer.body, "httpHeaders": {}, "httpStatusCode": answer.status, "referenceId": part.get("referenceId")}
