"""Caps: the most shares of one channel in 24 hours, so that nobody can have texts sent without end at the company's cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta

from sqlalchemy import Connection

from jumpseat.catalogue.model import Caps
from jumpseat.contract import ShareChannel
from jumpseat.errors import CapReached
from jumpseat.speech import say
from jumpseat.store import shares as share_rows
from jumpseat.types import Session, Supporter

WINDOW = timedelta(hours=24)
OF_PHONES = Caps(per_record=10, per_supporter=100, per_object=500, per_day=1000)
"""Of channels that write to phones, where ``host.yaml`` says nothing: each text costs money, and whoever gets it may earn some."""
_FOR = {
    "per_record": say("of one record"),
    "per_supporter": say("by one supporter"),
    "per_object": say("of one supported object"),
    "per_day": say("by everybody"),
}
"""In the order in which they are looked at: the narrowest says best what happened."""


def caps_of(name: str, channel: ShareChannel | None, settings: Mapping[str, Caps]) -> Caps:
    """The caps of a channel: what ``host.yaml`` says, else those of its kind.

    Args:
        name: of the channel.
        channel: None when it is not loaded.
        settings: ``caps`` of ``host.yaml``, by channel.
    """
    said = settings.get(name, Caps())
    usual = OF_PHONES if channel is not None and channel.address_kind == "phone" else Caps()
    names = [field.name for field in fields(Caps)]
    return Caps(**{each: getattr(said, each) if getattr(said, each) is not None else getattr(usual, each) for each in names})


def check(conn: Connection, channel: str, label: str, caps: Caps, session: Session, supporter: Supporter, now: datetime, file: str) -> None:
    """Make sure that one more share is within the caps; nobody else can add one until the transaction ends.

    Args:
        conn: in the transaction that stores the share.
        channel: name of the share channel.
        label: of the channel.
        caps: of the channel.
        session: what is shared.
        supporter: who shares.
        now: the time.
        file: where the caps are set.

    Raises:
        CapReached: it would be one too many.
    """
    if caps == Caps():
        return
    share_rows.lock_caps(conn, channel)
    since = now - WINDOW
    counts = share_rows.counted(conn, channel, since, session.id, supporter.id)
    for name, words in _FOR.items():
        most = getattr(caps, name)
        if most is not None and getattr(counts, name) >= most:
            oldest = share_rows.oldest_counted(conn, name, channel, since, session.id, supporter.id)
            wait = max(1, int((oldest + WINDOW - now).total_seconds()) + 1) if oldest else int(WINDOW.total_seconds())
            raise CapReached(
                say(
                    "{label} is sent no further: {most} shares {words} in 24 hours are the most ('{name}' of '{channel}' under 'caps' "
                    "in {file}). Wait for {wait}, or have an administrator raise it.",
                    label=label,
                    most=most,
                    words=words,
                    name=name,
                    channel=channel,
                    file=file,
                    wait=_duration(wait),
                ),
                channel=channel,
                retry_after_seconds=wait,
            )


def _duration(seconds: int) -> str:
    hours, minutes = divmod(-(-seconds // 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
