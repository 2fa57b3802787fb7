"""What fills drop-downs: session types, share channels, templates."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from jumpseat.api.models.choices import SessionType, SessionTypeList, ShareChannel, ShareChannelList, Template, TemplateList
from jumpseat.api.models.common import ChannelName, Maybe
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, answers
from jumpseat.api.signin import NEEDS_SIGN_IN, Serving
from jumpseat.shares.compose import promise

router = operations()

OfChannel = Annotated[Maybe[ChannelName], Query(description="Only of this channel.")]


@router.get(
    "/v1/session-types",
    operation_id="listSessionTypes",
    summary="List session types",
    dependencies=NEEDS_SIGN_IN,
    responses=answers(*SIGNED_IN),
)
def list_session_types(host: Serving) -> SessionTypeList:
    """Every session type that a plugin brings and somebody has set up, by name; forbidden ones say so."""
    settings = host.catalogue.sessions
    items = [
        SessionType(
            name=name,
            label=item.label,
            allowed=settings.allows(name),
            default_channels=list(item.default_channels),
            control=item.abilities.control,
            camera=item.abilities.camera,
            screen=item.abilities.screen,
            joined_signal=item.abilities.joined_signal,
            hard_expiry=item.abilities.hard_expiry,
            late_supporter_link=item.abilities.late_supporter_link,
            needs_https=item.abilities.needs_https,
        )
        for name, item in sorted(host.session_types.items())
        if not item.dormant
    ]
    return SessionTypeList(items=items)


@router.get(
    "/v1/share-channels",
    operation_id="listShareChannels",
    summary="List share channels",
    dependencies=NEEDS_SIGN_IN,
    responses=answers(*SIGNED_IN),
)
def list_share_channels(host: Serving) -> ShareChannelList:
    """Every share channel that a plugin brings, by name."""
    items = [
        ShareChannel(
            name=name,
            label=item.label,
            address_kind=item.address_kind,
            templated=item.templated,
            max_text=item.max_text,
            max_segments=item.max_segments,
            honours_key=item.honours_key,
            can_look_up=item.can_look_up,
            promise=promise(item),
        )
        for name, item in sorted(host.share_channels.items())
    ]
    return ShareChannelList(items=items)


@router.get(
    "/v1/templates", operation_id="listTemplates", summary="List templates", dependencies=NEEDS_SIGN_IN, responses=answers(*SIGNED_IN)
)
def list_templates(host: Serving, channel: OfChannel = None) -> TemplateList:
    """The templates of the workspace, by channel, name and language."""
    items = [
        Template(
            name=item.name,
            channel=item.channel,
            language=item.language,
            subject=item.subject,
            description=item.description,
            object=item.object,
            file=item.file,
        )
        for item in host.templates(channel)
    ]
    return TemplateList(items=items)
