"""Sending the customer link of a session."""

from __future__ import annotations

from fastapi import Request, Response

from jumpseat.api.creating import IdempotencyKey, create
from jumpseat.api.models.common import Body, Id
from jumpseat.api.models.shares import PreviewShares, Share as ShareAnswer, ShareList, SharePreview, SharePreviewList, ShareSession
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, answers
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.shares.compose import Composed
from jumpseat.store.idempotency import Kept
from jumpseat.types import Share
from jumpseat.views import view

router = operations()


@router.get(
    "/v1/sessions/{sessionId}/shares", operation_id="listShares", summary="List the shares of a session", responses=answers(404, *SIGNED_IN)
)
def list_shares(sessionId: Id, host: Serving, caller: SignedIn) -> ShareList:
    """The shares of a session, oldest first, each with its outcome."""
    return ShareList.model_validate({"items": view(host.shares(sessionId, caller.supporter))})


@router.post(
    "/v1/sessions/{sessionId}/shares",
    operation_id="shareSession",
    summary="Send the customer link of a session",
    status_code=201,
    response_model=ShareList,
    responses=answers(404, 429, *SIGNED_IN, *WITH_BODY),
)
def share_session(
    sessionId: Id, body: ShareSession, request: Request, host: Serving, caller: SignedIn, key: IdempotencyKey = None
) -> Response:
    """Send the customer link through one or several channels.

    All is checked before anything is sent; each share then has its own outcome. The same share again within 10 seconds is a double
    click: the first one is answered and nothing is sent, unless `resend` asks for it.
    """

    def run(kept: Kept | None) -> list[Share]:
        return host.share(
            sessionId, body.wishes(), caller.supporter, message=body.message, chat_message=body.chat_message, resend=body.resend, kept=kept
        )

    return create(request, caller, key, body, run, lambda shares: ShareList.model_validate({"items": view(shares)}))


@router.post(
    "/v1/shares/{shareId}/resend",
    operation_id="resendShare",
    summary="Send a share once more",
    status_code=201,
    response_model=ShareAnswer,
    responses=answers(404, 429, *SIGNED_IN, *WITH_BODY),
)
def resend_share(shareId: Id, request: Request, host: Serving, caller: SignedIn, key: IdempotencyKey = None) -> Response:
    """Send a share once more.

    One that failed or is unknown is queued again with the same message, which a gateway or mail server that has it already may drop.
    One that was sent or refused makes a new share with the same text. Refused while the share is on its way, and when its session is
    over. The rules for channels and recipients apply as they stand now.
    """

    def run(kept: Kept | None) -> Share:
        return host.resend_share(shareId, caller.supporter, kept=kept)

    return create(request, caller, key, Body(), run, lambda share: ShareAnswer.model_validate(view(share)))


@router.post(
    "/v1/sessions/{sessionId}/shares/preview",
    operation_id="previewShare",
    summary="Preview what would be sent",
    responses=answers(404, *SIGNED_IN, *WITH_BODY),
)
def preview_share(sessionId: Id, body: PreviewShares, host: Serving, caller: SignedIn) -> SharePreviewList:
    """Exactly what would be sent, without sending it."""
    composed = host.preview_share(sessionId, body.wishes(), caller.supporter, message=body.message)
    return SharePreviewList(items=[_preview(item) for item in composed])


def _preview(item: Composed) -> SharePreview:
    return SharePreview(
        channel=item.channel,
        label=item.label,
        address=item.recipient.address,
        recipient_name=item.recipient.name,
        template=item.template,
        language=item.language,
        subject=item.subject,
        text=item.text,
        html=item.html,
        segments=item.segments,
    )
