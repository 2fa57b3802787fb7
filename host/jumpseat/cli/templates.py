"""``jumpseat templates``: which texts there are, to what they apply, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who
from jumpseat.errors import InvalidValue, NotFound
from jumpseat.types import RecordRef, Supporter, Template

if TYPE_CHECKING:
    from jumpseat.catalogue.model import SupportedObject
    from jumpseat.catalogue.variables import TemplateContext
    from jumpseat.host import Host


@click.group()
def templates() -> None:
    """List and preview templates."""


@templates.command("list")
@click.option("--object", "object_name", help="Only for this supported object.")
@click.option("--channel", help="Only of this share channel.")
@json_option
@pass_context
def list_templates(ctx: Context, object_name: str | None, channel: str | None, as_json: bool) -> None:
    """Which templates apply to each object, and why the others are skipped."""
    with ctx.host() as host:
        objects = [one for one in host.catalogue.objects if one.enabled and object_name in (None, one.supported_object)]
        if object_name is not None and not objects:
            known = ", ".join(sorted({one.supported_object for one in host.catalogue.objects})) or "none"
            raise NotFound(f"There is no supported object '{object_name}'. There are: {known}.")
        rows = [row for supported in objects for row in _rows(host.catalogue.templates, supported, channel)]
        answer(as_json, {"items": rows}, lambda: "\n".join(_lines(rows)))


def _rows(known: Sequence[Template], supported: SupportedObject, channel: str | None) -> Iterator[dict[str, Any]]:
    from jumpseat.records.template_choice import applicable

    for name in sorted({template.channel for template in known} if channel is None else {channel}):
        found = applicable(known, supported, name)
        for template in found.candidates:
            yield {"object": supported.supported_object, **_described(template), "applies": True}
        for template, reason in found.skipped:
            yield {"object": supported.supported_object, **_described(template), "applies": False, "reason": reason}


def _described(template: Template) -> dict[str, Any]:
    return {"channel": template.channel, "name": template.name, "language": template.language, "file": template.file}


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    last = None
    for row in rows:
        if (row["object"], row["channel"]) != last:
            last = (row["object"], row["channel"])
            yield f"{row['object']}, {row['channel']}"
        mark = "+" if row["applies"] else "-"
        yield f"  {mark} {row['name']} ({row['language']})  {row['reason'] if 'reason' in row else row['file']}"
    if not rows:
        yield "No templates."


@templates.command()
@click.argument("name")
@click.option("--channel", default="email", show_default=True, help="Share channel of the template.")
@click.option("--language", help="Language, such as fr; the host's default language when left out.")
@click.option("--record", "record", metavar="'OBJECT ID'", help="Show it for this record; documented sample values when left out.")
@as_option
@json_option
@pass_context
def preview(
    ctx: Context, name: str, channel: str, language: str | None, record: str | None, supporter_id: str | None, as_json: bool
) -> None:
    """Fill in the template NAME as it would be sent; the session is a sample."""
    from jumpseat.shares.render import render

    with ctx.host() as host:
        template = _find(host, name, channel, language)
        context = _context_of(host, record, channel, who(host, supporter_id)) if record else _sample(host, template)
        rendered = render(template, context)
        data = {**_described(template), "text": rendered.text}
        data |= {"subject": rendered.subject} if rendered.subject else {}
        data |= {"html": rendered.html} if rendered.html is not None else {}
        head = f"Subject: {rendered.subject}\n\n" if rendered.subject else ""
        answer(as_json, data, lambda: head + rendered.text)


def _find(host: Host, name: str, channel: str, language: str | None) -> Template:
    from jumpseat.records.template_choice import choose_language

    named = [one for one in host.catalogue.templates if one.channel == channel and one.name == name]
    if not named:
        known = ", ".join(sorted({one.name for one in host.catalogue.templates if one.channel == channel})) or "none"
        raise NotFound(f"There is no template '{name}' in the channel '{channel}'. There are: {known}.")
    found = choose_language(named, [language or host.catalogue.host.default_language])
    if language is not None and found.language.split("-")[0].casefold() != language.split("-")[0].casefold():
        known = ", ".join(one.language for one in named)
        raise NotFound(f"The template '{name}' is not there in '{language}'. There are: {known}.")
    return found


def _sample(host: Host, template: Template) -> TemplateContext:
    """The documented samples, with the label and fields of the first object that the template applies to."""
    from jumpseat.catalogue.variables import sample_context
    from jumpseat.records.template_choice import applies

    supported = next((one for one in host.catalogue.objects if one.enabled and applies(template, one)), None)
    return sample_context(supported.label, supported.template_fields) if supported else sample_context()


def _context_of(host: Host, record: str, channel: str, supporter: Supporter) -> TemplateContext:
    """The record and its prefilled recipient as they are in the CRM; only the session is a sample."""
    from jumpseat.catalogue.variables import CompanyVariables, RecipientVariables, RecordVariables, SupporterVariables, sample_context

    object_name, _, record_id = record.strip().partition(" ")
    if not record_id:
        raise InvalidValue("--record takes an object and an id, such as 'Case 500A000000D34xy'.", param="record")
    offer = host.resolve(RecordRef(object_name, record_id.strip()), supporter)
    supported = host.catalogue.object(offer.record.object, offer.source)
    fields = supported.template_fields if supported else ()
    offered = offer.channel(channel)
    recipient = offered.prefilled if offered else None
    first_name = (recipient.contact.first_name if recipient and recipient.contact else None) or ""
    return replace(
        sample_context(),
        record=RecordVariables(offer.record.name, offer.record.label, {name: offer.record[name] for name in fields}),
        recipient=RecipientVariables(recipient.name if recipient else "", first_name),
        supporter=SupporterVariables(supporter.name),
        company=CompanyVariables(host.catalogue.host.company),
    )
