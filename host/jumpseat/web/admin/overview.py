"""The setup assistant: what a host depends on, the steps of the manuals as checks, and how to take it all away again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Query, Request, Response

from jumpseat.access.rights import require
from jumpseat.api.signin import Serving
from jumpseat.diagnosis import findings, inside, leaving, setup
from jumpseat.diagnosis.finding import Finding
from jumpseat.host import Host
from jumpseat.speech import say
from jumpseat.web.admin.parts import show
from jumpseat.web.identity import Seen
from jumpseat.web.routing import pages

router = pages()
EDITED_AT = (
    ("metadata/objects", "/admin/objects"),
    ("metadata/sources/", "/admin/sources"),
    ("templates/", "/admin/templates"),
    ("metadata/permission_sets", "/admin/permissions"),
    ("metadata/README.md#hostyaml", "/admin/edit/host"),
    ("metadata/README.md#sourcesyaml", "/admin/sources"),
    ("metadata/README.md#sessionsyaml", "/admin/sessions"),
    ("metadata/README.md#pluginsyaml", "/admin/plugins"),
    ("metadata/README.md#permission_setsyaml", "/admin/permissions"),
    ("metadata/README.md#objectsyaml", "/admin/objects"),
    ("plugins/README.md#a-sign-in", "/admin/accounts"),
    ("plugins/README.md", "/admin/plugins"),
    ("host/README.md", "/admin/webhooks"),
)
"""By the beginning of where a finding is written: the page on which it is mended."""


def page_of(finding: Finding) -> str:
    """The page on which what was found is mended; empty where it is not mended in a browser."""
    return next((page for begin, page in EDITED_AT if finding.link.startswith(begin)), "")


@router.get("/admin")
def overview(request: Request, host: Serving, visitor: Seen, check: Annotated[str, Query(max_length=20)] = "") -> Response:
    """The assistant; what is asked of CRMs and providers only where somebody wants it, for it takes its time."""
    require(visitor.supporter, "settings.read")
    found = list(findings(host) if check == "all" else _quick(host))
    steps = list(setup.findings(host))
    return show(
        request,
        visitor,
        say("Setup assistant"),
        "overview.html",
        lists=[
            (say("Steps"), _rows(steps)),
            (say("What the host depends on"), _rows(found)),
        ],
        leaving=_rows(list(leaving.findings(host))),
        complete=check == "all",
        problems=host.metadata_problems(visitor.supporter),
    )


def _quick(host: Host) -> Iterator[Finding]:
    yield from inside.python()
    for look in (inside.metadata, inside.plugins, inside.database, inside.processes, inside.secret_key):
        yield from look(host)


def _rows(found: list[Finding]) -> list[tuple[Finding, str]]:
    return [(one, page_of(one)) for one in found]
