"""``jumpseat resolve``: the offer of a record, with every decision on request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who
from jumpseat.types import RecordRef

if TYPE_CHECKING:
    from jumpseat.records.offer import Offer, OfferedChannel
    from jumpseat.types import Reason


@click.command()
@click.argument("object")
@click.argument("record_id")
@click.option("--source", help="Record source, where several have the object.")
@click.option("--explain", is_flag=True, help="Show who decided what: plugin, file and line.")
@as_option
@json_option
@pass_context
def resolve(ctx: Context, object: str, record_id: str, source: str | None, explain: bool, supporter_id: str | None, as_json: bool) -> None:
    """What can be done with the record OBJECT RECORD_ID now, and why not."""
    from jumpseat.views import offer_view

    with ctx.host() as host:
        offer = host.resolve(RecordRef(object, record_id, source), who(host, supporter_id))
        answer(as_json, offer_view(offer), lambda: "\n".join(_lines(offer, explain)))


def _lines(offer: Offer, explain: bool) -> Iterator[str]:
    yield f"{offer.record.label} {offer.record.name} ({offer.record.id}, source {offer.source or 'given by value'})"
    yield ""
    yield "actions"
    for action in offer.actions:
        yield f"  {_mark(action.allowed)} {action.name:<8} {action.reason.text}"
    yield "session types"
    for offered in offer.session_types:
        yield f"  {_mark(offered.allowed)} {offered.label} ({offered.name})"
        yield from _reasons(offered.reasons, explain)
        ticked = ", ".join(channel.name for channel in offered.channels if channel.ticked)
        if offered.allowed:
            yield f"      shared by {ticked or 'no channel beforehand'}"
    yield "contacts"
    for contact in offer.contacts:
        primary = ("primary",) if contact.primary and "primary" not in contact.relation else ()
        yield ", ".join((f"    {contact.name} ({contact.id})", *primary, *filter(None, [contact.relation])))
    yield from _reasons(offer.contact_reasons, explain)
    yield "channels"
    for channel in offer.channels:
        yield from _channel_lines(channel, explain)


def _channel_lines(channel: OfferedChannel, explain: bool) -> Iterator[str]:
    yield f"    {channel.label} ({channel.name}){', an address may be typed' if channel.custom_recipient else ''}"
    for item in channel.recipients:
        chosen = " ← prefilled" if item.recipient == channel.prefilled else ""
        note = f": {item.note}" if item.note else ""
        yield f"      {_mark(item.usable)} {item.recipient.address} {item.recipient.name}".rstrip() + note + chosen
    for template in channel.templates:
        chosen = " ← chosen" if template == channel.chosen else ""
        yield f"      + template {template.name} ({template.language}){chosen}"
    if explain:
        for skipped in channel.skipped:
            yield f"      - template {skipped.name} ({skipped.language}): {skipped.reason}"
    yield from _reasons(channel.reasons, explain)


def _reasons(reasons: tuple[Reason, ...], explain: bool) -> Iterator[str]:
    for reason in reasons:
        if explain or not reason.allowed:
            yield f"      {_mark(reason.allowed)} {reason.text}" + (f"  [{reason.provenance}]" if explain else "")


def _mark(allowed: bool) -> str:
    return "+" if allowed else "-"
