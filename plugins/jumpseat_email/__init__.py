"""The share channel ``email``: the customer link by mail, over SMTP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jumpseat import hookimpl

if TYPE_CHECKING:
    from jumpseat import ShareChannel


@hookimpl
def register_share_channels() -> Iterable[ShareChannel]:
    from jumpseat_email.channel import EmailChannel

    return [EmailChannel()]
