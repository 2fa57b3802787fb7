"""Chatter posts and custom notifications."""

from __future__ import annotations

from typing import Any

from jumpseat_fake_crm.salesforce.describe import feeds
from jumpseat_fake_crm.salesforce.ids import fresh, full
from jumpseat_fake_crm.salesforce.schema import Org
from jumpseat_fake_crm.web import Answer, Call, CrmError

_MOST_MENTIONS = 25
_LONGEST_POST = 10_000
_SEGMENTS = {"Text", "Mention", "Link", "EntityLink", "MarkupBegin", "MarkupEnd", "HashTag", "InlineImage"}
_MOST_RECIPIENTS = 500
_LENGTHS = {"title": 250, "body": 750}


def post(org: Org, user: str, version: str, call: Call) -> Answer:
    """``POST chatter/feed-elements``, with a body or with ``text`` in the query."""
    if org.faults.chatter_off:
        raise CrmError(403, "FUNCTIONALITY_NOT_ENABLED", "Chatter is not enabled for this organization or user.")
    asked: dict[str, Any] = dict(call.query) if "text" in call.query else _body(call)
    segments = [{"type": "Text", "text": asked["text"]}] if "text" in asked else _segments(asked)
    if asked.get("feedElementType") != "FeedItem":
        raise CrmError(400, "ILLEGAL_QUERY_PARAMETER_VALUE", "The feedElementType has to be FeedItem.")
    subject = _subject(org, user, asked.get("subjectId"))
    text = "".join(_text(org, one) for one in segments)
    if not text.strip():
        raise CrmError(400, "INVALID_API_INPUT", "The feed element has no content.")
    if len(text) > _LONGEST_POST:
        raise CrmError(400, "POST_BODY_TOO_LONG", f"The body may have {_LONGEST_POST} characters.")
    org.rows.made += 1
    id = fresh("0D5", org.rows.made)
    org.rows.note("feed_post", "FeedItem", id, {"subjectId": subject, "text": text, "messageSegments": segments}, user)
    address = f"/services/data/{version}/chatter/feed-elements/{id}"
    shown = {"text": text, "messageSegments": segments, "isRichText": False}
    body = {"id": id, "feedElementType": "FeedItem", "type": "TextPost", "body": shown, "parent": {"id": subject}, "url": address}
    return Answer(201, {**body, "createdDate": org.stamp(), "actor": {"id": user}})


def notify(org: Org, user: str, call: Call) -> Answer:
    """``POST actions/standard/customNotificationAction``: one result per input."""
    if org.faults.notifications_off:
        raise CrmError(403, "INSUFFICIENT_ACCESS", "The Send Custom Notifications permission is missing.")
    inputs = _body(call).get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        raise CrmError(400, "INVALID_API_INPUT", "The body has to hold a list of inputs.")
    results = [_notified(org, user, one) for one in inputs]
    good = all(one["isSuccess"] for one in results)
    return Answer(200 if good else 400, results)


def _notified(org: Org, user: str, asked: dict[str, Any]) -> dict[str, Any]:
    cause = _why_not(org, asked)
    if cause is None:
        org.rows.made += 1
        org.rows.note("notification", "CustomNotification", fresh("0LM", org.rows.made), asked, user)
    errors = None if cause is None else [{"statusCode": cause[0], "message": cause[1], "fields": []}]
    outputs = {"SuccessMessage": "Your custom notification is processed successfully."} if cause is None else None
    return {"actionName": "customNotificationAction", "errors": errors, "isSuccess": cause is None, "outputValues": outputs}


def _why_not(org: Org, asked: dict[str, Any]) -> tuple[str, str] | None:
    missing = [name for name in ("customNotifTypeId", "recipientIds", "title", "body") if not asked.get(name)]
    if missing:
        return "REQUIRED_FIELD_MISSING", f"Missing required input parameter: {missing[0]}"
    if not asked.get("targetId") and not asked.get("targetPageRef"):
        return "REQUIRED_FIELD_MISSING", "Either targetId or targetPageRef is required."
    for name, longest in _LENGTHS.items():
        if len(str(asked[name])) > longest:
            return "STRING_TOO_LONG", f"{name} may have {longest} characters."
    recipients = asked["recipientIds"]
    if not isinstance(recipients, list) or len(recipients) > _MOST_RECIPIENTS:
        return "INVALID_API_INPUT", f"recipientIds is a list of at most {_MOST_RECIPIENTS} ids."
    ids = [("CustomNotificationType", asked["customNotifTypeId"]), *(("User", one) for one in recipients)]
    for table, id in ids:
        if not _exists(org, table, id):
            return "INVALID_ID_FIELD", f"Invalid id: {id}"
    return None


def _exists(org: Org, table: str, id: Any) -> bool:
    try:
        return full(str(id)) in org.rows.tables[table].rows
    except ValueError:
        return False


def _body(call: Call) -> dict[str, Any]:
    try:
        return call.json()
    except ValueError as error:
        raise CrmError(400, "JSON_PARSER_ERROR", "The body is not a JSON object.") from error


def _segments(asked: dict[str, Any]) -> list[dict[str, Any]]:
    body = asked.get("body")
    segments = body.get("messageSegments") if isinstance(body, dict) else None
    if not isinstance(segments, list) or not all(isinstance(one, dict) and one.get("type") in _SEGMENTS for one in segments):
        raise CrmError(400, "JSON_PARSER_ERROR", "The body needs messageSegments, each with a known type.")
    if sum(one["type"] == "Mention" for one in segments) > _MOST_MENTIONS:
        raise CrmError(400, "INVALID_API_INPUT", f"A post may mention {_MOST_MENTIONS} people.")
    return segments


def _text(org: Org, segment: dict[str, Any]) -> str:
    if segment["type"] != "Mention":
        return str(segment.get("text") or segment.get("url") or "")
    id = segment.get("id")
    if not _exists(org, "User", id):
        raise CrmError(400, "INVALID_ID_FIELD", f"Invalid id: {id}")
    table = org.rows.tables["User"]
    return f"@{org.value(table, table.rows[full(str(id))], 'Name')}"


def _subject(org: Org, user: str, given: Any) -> str:
    try:
        id = full(str(given))
    except ValueError:
        raise CrmError(400, "INVALID_ID_FIELD", f"Invalid identifier: {given}") from None
    found = org.rows.find(id)
    if found is None or found[1].get("IsDeleted") or not org.rows.sees(user, id):
        raise CrmError(404, "NOT_FOUND", "The requested resource does not exist")
    if not feeds(found[0]):
        raise CrmError(400, "INVALID_API_INPUT", f"The object {found[0].name} has no feed.")
    return id
