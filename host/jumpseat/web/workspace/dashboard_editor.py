"""Making and changing dashboards by forms: what is saved is the same file that an administrator edits by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api.signin import Serving, host_of
from jumpseat.catalogue.dashboards import DATA, DAYS, INTERVALS, KEYS, KINDS, Dashboard
from jumpseat.editing.planning import Change, EditedFile
from jumpseat.errors import EditInvalid, InvalidValue, JumpseatError, NotFound
from jumpseat.host import Host
from jumpseat.reports import words
from jumpseat.speech import say
from jumpseat.types import Supporter
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.records.session import Said
from jumpseat.web.rendering import Page, answer
from jumpseat.web.routing import pages
from jumpseat.web.workspace import arranging
from jumpseat.web.workspace.dashboards import STYLES, may_edit

router = pages()
FIRST = """\
# yaml-language-server: $schema=../schema/dashboard.json
name: {name}
label: {label}
state: draft
rows:
  - tiles:
      - {{name: sessions, kind: number, title: Sessions, data: sessions}}
"""
MOVES = ("left", "right", "up", "down")
SIZES = ("wider", "narrower", "higher", "lower")


@router.post("/dashboards")
def create(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Make a draft with one tile, and go on editing it."""
    label = form.get("label")
    try:
        if not label:
            raise InvalidValue(say("Give the dashboard a name."), param="label")
        name = arranging.free_name(label, {one.name for one in host.dashboards(visitor.supporter)})
        text = FIRST.format(name=name, label=json.dumps(label, ensure_ascii=False))
        host.save_change("dashboard", name, Change(text=text), visitor.supporter, expected="")
    except JumpseatError as error:
        found = host.dashboards(visitor.supporter)
        values = {"dashboards": found, "may_edit": may_edit(visitor.supporter), "said_last": _said(error)}
        page = Page(say("Dashboards"), "workspace/dashboards.html", STYLES, values=values, path="/dashboards")
        return answer(request, visitor, page, error.status)
    return RedirectResponse(f"/dashboards/{name}/edit", 303)


@router.get("/dashboards/{name}/edit")
def get(name: str, request: Request, visitor: Seen) -> Response:
    """The forms of one dashboard."""
    saved = Said(say("Saved. What is published is shown at once.")) if "saved" in request.query_params else None
    return show(request, visitor, name, saved)


@router.post("/dashboards/{name}/edit")
def post(name: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Change one thing; then the forms again, at the tile that was changed. What was typed and refused is shown again."""
    typed: arranging.Keys = {}
    try:
        file = PurePosixPath(_found(host, visitor.supporter, name).file).stem
        if form.get("action") == "delete":
            host.delete_file("dashboard", file, visitor.supporter, expected=form.get("hash"))
            return RedirectResponse("/dashboards", 303)
        edited = host.file_of("dashboard", file, visitor.supporter)
        keys = _keys(edited, form)
        typed = keys if form.get("action") == "save" else {}
        host.save_change("dashboard", file, Change(keys=keys), visitor.supporter, expected=form.get("hash"))
    except JumpseatError as error:
        return show(request, visitor, name, _said(error), error.status, typed)
    tile = form.get("tile")
    return RedirectResponse(f"/dashboards/{name}/edit?saved{f'#tile-{tile}' if tile.isidentifier() else ''}", 303)


def show(
    request: Request, visitor: Visitor, name: str, said: Said | None = None, status: int = 200, typed: arranging.Keys | None = None
) -> Response:
    """The page, with what came of the last action, and what was typed where that was refused."""
    host = host_of(request)
    dashboard = _found(host, visitor.supporter, name)
    edited = host.file_of("dashboard", PurePosixPath(dashboard.file).stem, visitor.supporter)
    values = {
        **_words(),
        "dashboard": dashboard,
        "edited": edited,
        "values": arranging.applied(edited.values, typed or {}),
        "opened": {steps[:4] for steps in typed or ()},
        "sets": [(one.name, one.label) for one in host.catalogue.permission_sets],
        "frames": sorted(host.catalogue.host.dashboard_frames),
        "said_last": said,
    }
    title = say("Edit {dashboard}", dashboard=dashboard.label)
    page = Page(title, "workspace/dashboard_edit.html", STYLES, wide=True, values=values, path=f"/dashboards/{name}/edit")
    return answer(request, visitor, page, status)


def _found(host: Host, supporter: Supporter, name: str) -> Dashboard:
    found = next((one for one in host.dashboards(supporter) if one.name == name), None)
    if found is None:
        raise NotFound(say("There is no dashboard '{name}', or {name_2} may not see it.", name=name[:100], name_2=supporter.name))
    return found


def _keys(edited: EditedFile, form: Form) -> arranging.Keys:
    """What an action changes in the file."""
    values, action, tile = edited.values, form.get("action"), form.get("tile")
    if action in MOVES:
        return arranging.moved(values, tile, action)
    if action in SIZES:
        return arranging.resized(values, tile, action)
    actions: Mapping[str, Callable[[], arranging.Keys]] = {
        "save": lambda: arranging.changed(values, tile, form),
        "remove": lambda: arranging.removed(values, tile),
        "add": lambda: arranging.added(values, form),
        "settings": lambda: arranging.settings(values, form),
        "publish": lambda: {("state",): "published"},
        "draft": lambda: {("state",): "draft"},
    }
    if action not in actions:
        raise InvalidValue(say("The page asked for something that it cannot do. Load it again."), param="action")
    return actions[action]()


def _said(error: JumpseatError) -> Said:
    problems = "\n".join(error.problems) if isinstance(error, EditInvalid) else ""
    return Said(say("{message}\n{problems}", message=error.message, problems=problems) if problems else error.message, "error", error.code)


def _words() -> dict[str, Any]:
    return {
        "words": words,
        "kinds": [(kind, KIND_WORDS[kind]) for kind in KINDS],
        "keys": {kind: known for kind, (_, known) in KEYS.items()},
        "datas": DATA,
        "measures": MEASURE_WORDS,
        "intervals": [(one, INTERVAL_WORDS[one]) for one in INTERVALS],
        "range_days": DAYS,
        "defaults": arranging.DEFAULTS,
    }


KIND_WORDS = {
    "number": say("Number"),
    "column": say("Columns over time"),
    "bar": say("Bars"),
    "donut": say("Donut"),
    "line": say("Line over time"),
    "view": say("List"),
    "text": say("Text"),
    "frame": say("Page in a frame"),
}
MEASURE_WORDS = {
    "count": say("How many"),
    "joined_percent": say("Joined by the customer, in percent"),
    "wait_minutes": say("Wait for the customer, in minutes"),
    "sent_percent": say("Sent, in percent"),
    "average_minutes": say("Minutes on average"),
    "total_minutes": say("Minutes together"),
    "longest_minutes": say("Minutes of the longest"),
}
INTERVAL_WORDS = {"day": say("Days"), "week": say("Weeks"), "month": say("Months")}
