"""Permission sets, who has them, what somebody may do, and why they may not see a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request, Response

from jumpseat.access.rights import OPERATIONS, UNGUARDED, require
from jumpseat.api.signin import Serving
from jumpseat.catalogue.rights import RIGHTS
from jumpseat.errors import JumpseatError
from jumpseat.host import Host
from jumpseat.speech import Said, say
from jumpseat.types import RecordRef, Supporter
from jumpseat.web.admin.lists import stem
from jumpseat.web.admin.parts import Told, show
from jumpseat.web.identity import Seen
from jumpseat.web.routing import pages

router = pages()
ASKED = ("resolve", "history", "open_session", "join_session", "share", "close_session", "devices", "dashboards")
"""Operations that people ask about most; the others follow."""
Text = Annotated[str, Query(max_length=200)]


@router.get("/admin/permissions")
def permissions(
    request: Request, host: Serving, visitor: Seen, supporter: Text = "", operation: Text = "resolve", object: Text = "", record: Text = ""
) -> Response:
    """The permission sets; of a supporter their rights, and why they may or may not see a record."""
    require(visitor.supporter, "settings.read")
    told, found = None, None
    try:
        found = _asked(host, visitor.supporter, supporter.strip(), operation, object, record.strip())
    except JumpseatError as error:
        told = Told(error.message, "error", error.code)
    sets = [(one, f"/admin/edit/permission_set/{stem(one.file)}") for one in host.catalogue.permission_sets]
    guarded = sorted(name for name, right in OPERATIONS.items() if right != UNGUARDED)
    return show(
        request,
        visitor,
        say("Permissions"),
        "permissions.html",
        told,
        sets=sets,
        found=found,
        operations=[*(one for one in ASKED if one in guarded), *(one for one in guarded if one not in ASKED)],
        asked={"supporter": supporter, "operation": operation, "object": object, "record": record},
        objects=[(item, host.catalogue.source_of(item) or "") for item in host.objects()],
        rights=RIGHTS,
        may_edit=bool(visitor.supporter.rights.level("settings.edit")),
    )


def _asked(host: Host, by: Supporter, supporter: str, operation: str, object: str, record: str) -> Mapping[str, Any] | None:
    """What is said of a supporter; None where nobody was named."""
    if not supporter:
        return None
    acting = host.supporter(supporter)
    if record and object:
        name, _, source = object.partition("@")
        said = host.explain_visibility(supporter, RecordRef(name, record, source or None), operation, by)
    else:
        said = {**host.explain_access(supporter, operation), "visible": None, "source": ""}
    return {**said, "name": acting.name, "record": record, "levels": acting.rights, "verdict": _verdict(said, record)}


def _verdict(said: Mapping[str, Any], record: str) -> Said:
    """The answer in a sentence."""
    if said["level"] == "none":
        return say("No: none of the permission sets that apply gives the right '{right}'.", right=said["right"])
    if not record:
        return say("Yes, on the level '{level}'.", level=said["level"])
    if said["level"] == "all":
        return say("Yes: the level 'all' asks nobody whether the record may be seen.")
    if said["visible"] is None:
        return say("Yes, for sessions that the supporter opened: the record source cannot tell whether they may see the record.")
    if said["visible"]:
        return say("Yes: the level is 'own', and the CRM says that the supporter may see the record.")
    return say("No: the level is 'own', and the CRM says that the supporter may not see the record.")
