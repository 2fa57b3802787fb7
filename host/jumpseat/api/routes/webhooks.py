"""For administrators: whom the host calls, and what became of each call."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from jumpseat.api.creating import IdempotencyKey, create
from jumpseat.api.models.common import Id, Maybe, WebhookId
from jumpseat.api.models.webhooks import (
    CreateWebhook,
    State,
    Told,
    UpdateWebhook,
    Webhook,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookList,
    WebhookWithSecret,
)
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, answers
from jumpseat.api.routes.lists import Before, Limit, next_link
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.secret import Secret
from jumpseat.store.idempotency import Keyed
from jumpseat.store.webhooks import Webhook as WebhookFound
from jumpseat.views import view

router = operations()
calls = APIRouter()
"""What the host calls: described beside the operation that asks for it, never served."""


@calls.post("{$request.body#/url}", operation_id="tellWebhook", summary="Tell what happened", status_code=204, response_class=Response)
def tell_webhook(body: Told) -> None:
    """Called when something happens to a session. Any answer from 200 to 299 means that it was taken."""


@router.post(
    "/v1/webhooks",
    operation_id="createWebhook",
    summary="Create a webhook",
    status_code=201,
    response_model=WebhookWithSecret,
    responses=answers(*SIGNED_IN, *WITH_BODY),
    callbacks=calls.routes,
)
def create_webhook(body: CreateWebhook, request: Request, host: Serving, caller: SignedIn, key: IdempotencyKey = None) -> Response:
    """Have an address called when something happens to sessions; answers the secret that signs the calls, this once.

    A repeat under the same idempotency key answers the same webhook without its secret. The header Location is the address at which the
    webhook is deleted, for platforms that do so by themselves; the body has the same id.
    """
    secrets: list[Secret] = []

    def run(keyed: Keyed | None) -> WebhookFound:
        webhook, secret = host.create_webhook(body.name, body.url, body.kinds, caller.supporter, kept=keyed)
        secrets.append(secret)
        return webhook

    # What is kept under the key is shown without the secret, which joins the one answer of the call that made it.
    first = create(request, caller, key, body, run, lambda webhook: WebhookWithSecret.model_validate(view(webhook)))
    first.headers["Location"] = f"{host.catalogue.host.public_url}/v1/webhooks/{json.loads(bytes(first.body))['id']}"
    if not secrets:
        return first
    shown = WebhookWithSecret.model_validate_json(bytes(first.body)).model_copy(update={"secret": secrets[0].reveal()})
    first.body = shown.model_dump_json(by_alias=True, exclude_none=True).encode()
    first.headers["Content-Length"] = str(len(first.body))
    return first


@router.get("/v1/webhooks", operation_id="listWebhooks", summary="List webhooks", responses=answers(*SIGNED_IN))
def list_webhooks(host: Serving, caller: SignedIn) -> WebhookList:
    """All webhooks by name, without their secrets."""
    return WebhookList.model_validate({"items": view(host.webhooks(caller.supporter))})


@router.get("/v1/webhooks/{webhookId}", operation_id="getWebhook", summary="Get a webhook", responses=answers(404, *SIGNED_IN))
def get_webhook(webhookId: WebhookId, host: Serving, caller: SignedIn) -> Webhook:
    """One webhook, without its secret."""
    return Webhook.model_validate(view(host.webhook(webhookId, caller.supporter)))


@router.patch(
    "/v1/webhooks/{webhookId}",
    operation_id="updateWebhook",
    summary="Change, disable or enable a webhook",
    responses=answers(404, *SIGNED_IN, *WITH_BODY),
)
def update_webhook(webhookId: WebhookId, body: UpdateWebhook, host: Serving, caller: SignedIn) -> Webhook:
    """Change what is given: name, address, kinds, or whether it is called. What happens while it is disabled is not told."""
    changed = host.change_webhook(webhookId, caller.supporter, name=body.name, url=body.url, kinds=body.kinds, enabled=body.enabled)
    return Webhook.model_validate(view(changed))


@router.delete("/v1/webhooks/{webhookId}", operation_id="deleteWebhook", summary="Delete a webhook", responses=answers(404, *SIGNED_IN))
def delete_webhook(webhookId: WebhookId, host: Serving, caller: SignedIn) -> Webhook:
    """Delete a webhook with its deliveries, those too that wait; answers what it was."""
    return Webhook.model_validate(view(host.delete_webhook(webhookId, caller.supporter)))


@router.post(
    "/v1/webhooks/{webhookId}/rotate",
    operation_id="rotateWebhookSecret",
    summary="Give a webhook a new secret",
    responses=answers(404, *SIGNED_IN),
)
def rotate_webhook_secret(webhookId: WebhookId, host: Serving, caller: SignedIn) -> WebhookWithSecret:
    """Give a webhook a new secret, shown this once. Those before it sign as well for 24 hours, also when this is called again."""
    webhook, secret = host.rotate_webhook_secret(webhookId, caller.supporter)
    return WebhookWithSecret.model_validate({**view(webhook), "secret": secret.reveal()})


@router.post(
    "/v1/webhooks/{webhookId}/test",
    operation_id="testWebhook",
    summary="Call a webhook now, for a trial",
    responses=answers(404, *SIGNED_IN),
)
def test_webhook(webhookId: WebhookId, host: Serving, caller: SignedIn) -> WebhookDelivery:
    """Call a webhook now, once, with a body of the type webhook.test; answers what came of it."""
    return WebhookDelivery.model_validate(view(host.test_webhook(webhookId, caller.supporter)))


@router.get(
    "/v1/webhooks/{webhookId}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="List the deliveries of a webhook",
    responses=answers(404, *SIGNED_IN),
)
def list_webhook_deliveries(
    webhookId: WebhookId,
    request: Request,
    host: Serving,
    caller: SignedIn,
    state: Annotated[Maybe[State], Query(description="Only this state.")] = None,
    limit: Limit = 50,
    before: Before = None,
) -> WebhookDeliveryList:
    """What was told to a webhook or waits to be, newest first."""
    found = host.webhook_deliveries(webhookId, caller.supporter, state=state, before=before, limit=limit)
    cursor = found[-1].id if len(found) == limit else None
    return WebhookDeliveryList.model_validate({"items": view(found), "nextLink": next_link(request, cursor)})


@router.post(
    "/v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver",
    operation_id="redeliverWebhook",
    summary="Send a delivery once more",
    responses=answers(404, *SIGNED_IN),
)
def redeliver_webhook(webhookId: WebhookId, deliveryId: Id, host: Serving, caller: SignedIn) -> WebhookDelivery:
    """Send a delivery once more, with the same id and the same body; one that waits is sent now."""
    return WebhookDelivery.model_validate(view(host.redeliver_webhook(webhookId, deliveryId, caller.supporter)))
