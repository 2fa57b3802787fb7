"""Looks at every component in every state, the portfolio's pages in the looks that there are, and at every page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from lists_kit import connect, joins, opened
from web_kit import CASE, path_of

from jumpseat import Host, RecordRef, ShareWish
from jumpseat.web.portfolio import PATH, examples

EMPTY = "500A000000D34y2IAB"
ADMIN = ("", "/sessions", "/objects", "/permissions", "/templates", "/sources")
ADMIN += ("/accounts", "/plugins", "/jobs", "/trace", "/keys", "/webhooks")
RARER = ("/shares", "/connections", "/admin/plugins/teamviewer", "/admin/permissions?supporter=005A000000Jmu01IAB")
EDITED = ("host", "jobs", "source/sandbox", "plugin/browser", "permission_set/user", "dashboard/activity", "template/email/case.en.txt")
RARER += tuple(f"/admin/edit/{file}" for file in EDITED)
"""Pages that are much like others."""
SKINS = ("neutral", "salesforce", "dynamics")
SCHEMES = ("light", "dark")
WIDTHS = (1200, 320)
LOOKS = tuple(product(SKINS, SCHEMES, WIDTHS))


def of_all() -> Iterator[tuple[str, int]]:
    """Every example in every look: its address, and the width of the window."""
    for skin, scheme, width in LOOKS:
        for name in examples():
            yield address(name, skin, scheme), width


def of_each() -> Iterator[tuple[str, int]]:
    """Every example in one look, the looks taken in turns, so that each look is there several times."""
    for number, name in enumerate(examples()):
        skin, scheme, width = LOOKS[number % len(LOOKS)]
        yield address(name, skin, scheme), width


def address(name: str, skin: str, scheme: str) -> str:
    """Address of an example in a look; the CRMs' looks are those of frames."""
    return f"{PATH}/{name}?skin={skin}&scheme={scheme}&framed={str(skin != 'neutral').lower()}"


def furnish(host: Host) -> list[str]:
    """Let something happen in a workspace; answers the addresses of its pages without the host's part, the rarer ones left out."""
    operator = host.operator()
    session = opened(host)
    host.share(session.id, [ShareWish("email")], operator)
    joins(host, session)
    connect(host, 1, session)
    over = opened(host, RecordRef("Account", "001A000000Jmp01IAB", "sandbox"))
    host.close_session(over.id, operator)
    host.create_key("crm", "user", operator)
    of_record = [path_of(CASE, name) for name in ("session", "share", "history", "connections", "notification")]
    records = [path_of(EMPTY), path_of("001A000000Jmp01IAB", object="Account"), path_of("500A000000NONE0AAA"), "/admin/edit/object/case"]
    dashboards = [f"/dashboards{page}" for page in ("", "/activity", "/activity/edit")]
    others = ["/", "/devices", "/company", *dashboards, "/sessions", f"/sessions/{session.id}"]
    return [*of_record, *records, *others, *(f"/admin{page}" for page in ADMIN)]
