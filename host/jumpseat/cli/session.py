"""``jumpseat session``: the life of a session from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, answer, as_option, json_option, pass_context, who
from jumpseat.errors import InvalidValue
from jumpseat.speech import say
from jumpseat.types import RecordRef, SessionState, ShareWish

if TYPE_CHECKING:
    from jumpseat.host import Host
    from jumpseat.types import Session, Share


@click.group()
def session() -> None:
    """Open, replace, join, share and close sessions."""


def _show(host: Host, opened: Session, as_json: bool) -> None:
    from jumpseat.views import session_view

    shown = session_view(opened, host.catalogue.host.public_url)
    answer(as_json, shown, lambda: "\n".join(f"{key:<14} {value}" for key, value in _flat(shown).items()))


def _flat(shown: dict[str, Any]) -> dict[str, Any]:
    record = shown["record"]
    return {**shown, "record": f"{record['object']} {record['name']} ({record['recordId']})"}


fields_option = click.option(
    "--field", "given", multiple=True, metavar="NAME=VALUE", help="An own field of the session type, as 'resolve' lists them (repeatable)."
)


@session.command("open")
@click.argument("object")
@click.argument("record_id")
@click.option("--type", "session_type", default="remote_control", show_default=True, help="Session type.")
@fields_option
@as_option
@json_option
@pass_context
def open_command(
    ctx: Context, object: str, record_id: str, session_type: str, given: Sequence[str], supporter_id: str | None, as_json: bool
) -> None:
    """Open a session of the record OBJECT RECORD_ID."""
    with ctx.host() as host:
        opened = host.open_session(RecordRef(object, record_id), session_type, who(host, supporter_id), fields=_fields(given))
        _show(host, opened, as_json)


@session.command()
@click.argument("object")
@click.argument("record_id")
@click.option("--type", "session_type", default="remote_control", show_default=True, help="Session type.")
@fields_option
@as_option
@json_option
@pass_context
def replace(
    ctx: Context, object: str, record_id: str, session_type: str, given: Sequence[str], supporter_id: str | None, as_json: bool
) -> None:
    """Close the record's valid session and open the next, with new links, in one step."""
    with ctx.host() as host:
        supporter, fields = who(host, supporter_id), _fields(given)
        opened = host.open_session(RecordRef(object, record_id), session_type, supporter, replace=True, fields=fields)
        _show(host, opened, as_json)


@session.command()
@click.argument("session_id")
@as_option
@json_option
@pass_context
def join(ctx: Context, session_id: str, supporter_id: str | None, as_json: bool) -> None:
    """Print the supporter link for this one click. It is a secret: never send it to the customer."""
    with ctx.host() as host:
        link = host.join_session(session_id, who(host, supporter_id)).reveal()
        answer(as_json, {"supporterLink": link}, lambda: link)


@session.command()
@click.argument("session_id")
@as_option
@json_option
@pass_context
def close(ctx: Context, session_id: str, supporter_id: str | None, as_json: bool) -> None:
    """Close a session and free its record."""
    with ctx.host() as host:
        _show(host, host.close_session(session_id, who(host, supporter_id)), as_json)


@session.command()
@click.argument("session_id")
@click.option(
    "--by", "wishes", multiple=True, metavar="CHANNEL[=CONTACT or ADDRESS]", help="Channel, and to whom (repeatable; else the ticked ones)."
)
@click.option("--template", help="Template, by name.")
@click.option("--field", "given", multiple=True, metavar="CHANNEL.NAME=VALUE", help="An own field of a channel (repeatable).")
@click.option("--language", help="Language of the text, such as fr.")
@click.option("--message", default="", help="A text for the customer.")
@click.option("--chat-message", default="", help="A text for the record's feed in the CRM.")
@click.option("--again", is_flag=True, help="Send it even if the same was shared in the last 10 seconds.")
@click.option("--no-wait", is_flag=True, help="Leave the delivery to the worker.")
@as_option
@json_option
@pass_context
def share(
    ctx: Context,
    session_id: str,
    wishes: Sequence[str],
    template: str | None,
    language: str | None,
    given: Sequence[str],
    message: str,
    chat_message: str,
    again: bool,
    no_wait: bool,
    supporter_id: str | None,
    as_json: bool,
) -> None:
    """Send the customer link of a session."""
    from jumpseat.views import view

    with ctx.host() as host:
        supporter = who(host, supporter_id)
        asked = [_wish(text, template, language, given) for text in wishes]
        queued = host.share(session_id, asked, supporter, message=message, chat_message=chat_message, resend=again)
        shares = queued if no_wait else [host.deliver(item.id) or item for item in queued]
        answer(as_json, view(shares), lambda: "\n".join(_share_line(item) for item in shares))


@session.command()
@click.argument("share_id")
@click.option("--no-wait", is_flag=True, help="Leave the delivery to the worker.")
@as_option
@json_option
@pass_context
def resend(ctx: Context, share_id: str, no_wait: bool, supporter_id: str | None, as_json: bool) -> None:
    """Send the share SHARE_ID once more: one that failed, of which nobody knows, or that did not reach the customer."""
    from jumpseat.views import view

    with ctx.host() as host:
        queued = host.resend_share(share_id, who(host, supporter_id))
        done = queued if no_wait else host.deliver(queued.id) or queued
        answer(as_json, view(done), lambda: _share_line(done))


def _wish(text: str, template: str | None, language: str | None, given: Sequence[str]) -> ShareWish:
    channel, _, to = text.partition("=")
    is_address = "@" in to or to.startswith("+")
    fields = _fields([one.removeprefix(f"{channel}.") for one in given if one.startswith(f"{channel}.")])
    return ShareWish(channel, None if is_address else to or None, to if is_address else None, template, language, fields)


def _fields(given: Sequence[str]) -> dict[str, str]:
    """Own fields as they were written.

    Raises:
        InvalidValue: one is no NAME=VALUE.
    """
    wrong = next((text for text in given if "=" not in text), None)
    if wrong is not None:
        raise InvalidValue(say("A field is written NAME=VALUE, not '{text}'.", text=wrong[:80]), param="--field")
    return dict(text.split("=", 1) for text in given)


def _share_line(item: Share) -> str:
    waits = item.state == "queued" and item.next_try_at
    when = f"Next try at {item.next_try_at:%H:%M:%S} UTC." if waits else ""
    return f"{item.state:<8} {item.channel:<8} {item.address} {item.recipient_name} {item.reason} {when}".rstrip() + f"  [{item.id}]"


@session.command("list")
@click.argument("object", required=False)
@click.argument("record_id", required=False)
@click.option("--state", type=click.Choice([state.value for state in SessionState]), help="Only sessions in this state.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@as_option
@json_option
@pass_context
def list_command(
    ctx: Context, object: str | None, record_id: str | None, state: str | None, limit: int, supporter_id: str | None, as_json: bool
) -> None:
    """The history of a record (OBJECT RECORD_ID), or all sessions, newest first."""
    from jumpseat.views import session_view

    with ctx.host() as host:
        found = _found(host, object, record_id, state, limit, supporter_id)
        shown = [session_view(item, host.catalogue.host.public_url) for item in found]
        answer(as_json, shown, lambda: "\n".join(_session_line(item) for item in found) or "No sessions.")


def _found(host: Host, object: str | None, record_id: str | None, state: str | None, limit: int, supporter_id: str | None) -> list[Session]:
    supporter = who(host, supporter_id)
    if object and record_id:
        return [item for item in host.history(RecordRef(object, record_id), supporter) if state in (None, item.state.value)][:limit]
    if object and not record_id:
        raise InvalidValue("Give OBJECT and RECORD_ID, or neither.")
    return list(host.sessions(supporter, state=SessionState(state) if state else None, limit=limit).items)


def _session_line(item: Session) -> str:
    online = "online" if item.online else "-"
    until = f"until {item.valid_until:%Y-%m-%d %H:%M} UTC"
    return (
        f"{item.id}  {item.code or '-':<12} {item.session_type:<16} {item.state:<8} {online:<6} {until}  {item.record} {item.record_name}"
    )


@session.command()
@click.argument("session_id")
@as_option
@json_option
@pass_context
def show(ctx: Context, session_id: str, supporter_id: str | None, as_json: bool) -> None:
    """All of one session: details, shares and timeline."""
    from jumpseat.views import session_view, view

    with ctx.host() as host:
        supporter = who(host, supporter_id)
        found = host.session(session_id, supporter)
        shares, timeline = host.shares(session_id, supporter), host.timeline(session_id, supporter)
        shown = session_view(found, host.catalogue.host.public_url)
        lines = [f"{key:<14} {value}" for key, value in _flat(shown).items()]
        lines += ["shares", *(f"  {_share_line(item)}" for item in shares)]
        lines += ["timeline", *(f"  {entry.at:%Y-%m-%d %H:%M:%S} {entry.kind:<16} {entry.text}" for entry in timeline)]
        answer(as_json, {**shown, "shares": view(shares), "timeline": view(timeline)}, lambda: "\n".join(lines))
