"""My devices: the machines assigned to the supporter's provider accounts, with a button to connect to those that are online."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import JumpseatError, UsageError
from jumpseat.reports.devices import MyDevices
from jumpseat.speech import say
from jumpseat.web.forms import Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.leaving import led_to
from jumpseat.web.records.session import Said
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages

router = pages()
PATH = "/devices"
COMPONENT = "workspace/devices.html"
LONGEST_SEARCH = 100


@router.get(PATH)
def get(request: Request, visitor: Seen) -> Response:
    """The devices; what they are narrowed to stands in the address."""
    return show(request, visitor)


@router.post(PATH)
def post(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Connect to a device, or sign in where it is listed."""
    action, _, named = form.get("action").partition(":")
    try:
        if action == "connect":
            account, _, device = named.partition(":")
            return led_to(visitor, host.connect_device(account, device, visitor.supporter))
        if action == "sign_in":
            return led_to(visitor, host.start_sign_in(named, visitor.supporter).url)
        raise UsageError(say("The page asked for something that it cannot do. Load it again."), param="action")
    except JumpseatError as error:
        return show(request, visitor, Said(error.message, "error", error.code), error.status)


def show(request: Request, visitor: Visitor, said: Said | None = None, status: int = 200) -> Response:
    """The page, with what came of the last action."""
    host, rights = host_of(request), visitor.supporter.rights
    search = request.query_params.get("search", "")[:LONGEST_SEARCH].strip()
    sign_ins = tuple(host.sign_ins) if rights.level("accounts.edit") else ()
    values = {
        **shown(host.devices(visitor.supporter), search, sign_ins),
        "said_last": said,
        "may_connect": bool(rights.level("devices.connect")),
    }
    return answer(request, visitor, Page(say("My devices"), COMPONENT, values=values, path=PATH, wide=True), status)


def shown(found: MyDevices, search: str = "", sign_ins: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the page shows, from pure values.

    Args:
        found: the devices, and the accounts that could not be listed.
        search: a part of the name.
        sign_ins: names of what the supporter may sign in to.
    """
    items = [item for item in found.items if search.casefold() in item.name.casefold()]
    groups = [("online", [item for item in items if item.online]), ("offline", [item for item in items if not item.online])]
    return {
        "groups": [(name, members) for name, members in groups if members],
        "shown": len(items),
        "all": len(found.items),
        "several": len({item.account for item in found.items}) > 1,
        "unlisted": found.unlisted,
        "sign_ins": sign_ins,
        "search": search,
        "said_last": None,
        "may_connect": True,
    }
