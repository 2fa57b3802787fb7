"""The share channel ``sms``: the customer link by text message, through an HTTP gateway."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jumpseat import hookimpl

if TYPE_CHECKING:
    from jumpseat import Host, ShareChannel


@hookimpl
def register_share_channels() -> Iterable[ShareChannel]:
    from jumpseat_sms.channel import SmsChannel

    return [SmsChannel()]


@hookimpl
def register_routes(host: Host) -> Iterable[Any]:
    from jumpseat_sms.receipts import routes

    return routes(host)
