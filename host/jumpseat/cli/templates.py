"""``jumpseat templates``: which texts there are, to what they apply, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who
from jumpseat.errors import InvalidValue, NotFound
from jumpseat.types import RecordRef, Template

if TYPE_CHECKING:
    from jumpseat.catalogue.model import SupportedObject
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
    with ctx.host() as host:
        template = _find(host, name, channel, language)
        rendered = host.fill_template(template, who(host, supporter_id), _ref(record) if record else None)
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


def _ref(record: str) -> RecordRef:
    object_name, _, record_id = record.strip().partition(" ")
    if not record_id:
        raise InvalidValue("--record takes an object and an id, such as 'Case 500A000000D34xy'.", param="record")
    return RecordRef(object_name, record_id.strip())
