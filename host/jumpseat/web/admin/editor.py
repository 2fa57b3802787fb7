"""The page on which one file of the workspace is edited: form, text and difference side by side, with what a check finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api.signin import Serving, host_of
from jumpseat.catalogue.problems import Problem
from jumpseat.catalogue.template_rules import NAME_BEGINS
from jumpseat.diagnosis.setup import allowed_types
from jumpseat.editing.planning import Change, EditedFile, Plan
from jumpseat.editing.splicing import with_values
from jumpseat.errors import EditInvalid, JumpseatError, NotFound, StaleFile
from jumpseat.host import Host
from jumpseat.records.template_choice import applies
from jumpseat.speech import say
from jumpseat.types import RecordRef
from jumpseat.web.admin.fields import keys_of, typed
from jumpseat.web.admin.kinds import KINDS, LEVELS, rights_keys, rights_rows
from jumpseat.web.admin.parts import Told, show
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.routing import pages

router = pages()
FORM, TEXT = "form", "text"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the last action."""

    told: Told | None = None
    status: int = 200
    plan: Plan | None = None
    difference: str = ""
    problems: Sequence[Problem] = ()
    """What a check found."""
    typed: bool = False
    """What was typed is shown again; without it the file as it is."""
    preview: Any = None


@router.get("/admin/edit/{kind}")
def get_only(kind: str, request: Request, visitor: Seen) -> Response:
    """The one file of its kind."""
    return _page(request, visitor, kind, kind, Form())


@router.get("/admin/edit/{kind}/{name:path}")
def get(kind: str, name: str, request: Request, visitor: Seen) -> Response:
    """A file, or what a new one begins with."""
    return _page(request, visitor, kind, name, Form())


@router.get("/admin/sessions")
def get_sessions(request: Request, visitor: Seen) -> Response:
    """The session settings."""
    return _page(request, visitor, "sessions", "sessions", Form())


@router.post("/admin/edit/{kind}")
def post_only(kind: str, request: Request, visitor: Seen, form: Posted) -> Response:
    """Check or save the one file of its kind."""
    return _acted(request, visitor, kind, kind, form)


@router.post("/admin/edit/{kind}/{name:path}")
def post(kind: str, name: str, request: Request, visitor: Seen, form: Posted) -> Response:
    """Check, save or delete a file."""
    return _acted(request, visitor, kind, name, form)


@router.get("/admin/new/{kind}")
def new(kind: str, request: Request, visitor: Seen, host: Serving) -> Response:
    """Leads to the page of a file that is not there yet."""
    _known(kind)
    asked = request.query_params
    name = _new_name(kind, asked)
    if host.file_of(kind, name, visitor.supporter).exists:
        return RedirectResponse(f"/admin/edit/{kind}/{name}", 303)
    made_for = asked.get("for", "")
    return RedirectResponse(f"/admin/edit/{kind}/{quote(name)}" + (f"?for={quote(made_for)}" if made_for else ""), 303)


def _new_name(kind: str, asked: Mapping[str, str]) -> str:
    name = asked.get("name", "").strip() or asked.get("for", "").strip().lower().replace(" ", "_")
    if kind != "template":
        return name
    return f"{asked.get('channel', '')}/{name}.{asked.get('language', '')}.txt"


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise NotFound(say("There is no page for files of the kind '{kind}'.", kind=kind[:40]))


# --- acting -----------------------------------------------------------------------------------------------------------


def _acted(request: Request, visitor: Visitor, kind: str, name: str, form: Form) -> Response:
    _known(kind)
    host = host_of(request)
    action = form.get("action")
    try:
        outcome = _done(host, visitor, kind, name, form, action)
    except StaleFile as error:
        outcome = Outcome(Told(error.message, "error", error.code), error.status, difference=error.difference)
    except EditInvalid as error:
        outcome = _broken(host, visitor, kind, name, form, error)
    except JumpseatError as error:
        outcome = Outcome(Told(error.message, "error", error.code), error.status, typed=True)
    if action == "delete" and outcome.status == 200:
        return RedirectResponse(KINDS[kind].list_at, 303)
    return _page(request, visitor, kind, name, form, outcome)


def _done(host: Host, visitor: Visitor, kind: str, name: str, form: Form, action: str) -> Outcome:
    supporter, expected = visitor.supporter, form.get("hash")
    if action == "delete":
        return Outcome(plan=host.delete_file(kind, name, supporter, expected=expected))
    change = _change(host, visitor, kind, name, form)
    if action == "preview":
        return _previewed(host, visitor, name, change, form)
    if action == "save":
        plan = host.save_change(kind, name, change, supporter, expected=expected)
        words = say("Saved. It is live now; the file's former text is kept in var/edited/.") if plan.difference else say("Nothing changed.")
        return Outcome(Told(words), plan=plan, difference=plan.difference, problems=plan.added or plan.problems)
    plan = host.plan_change(kind, name, change, supporter, expected=expected, live=action == "ask")
    return Outcome(_verdict(plan), plan=plan, difference=plan.difference, problems=plan.added or plan.problems, typed=True)


def _previewed(host: Host, visitor: Visitor, name: str, change: Change, form: Form) -> Outcome:
    object, record = form.get("object"), form.get("record")
    supported, _, source = object.partition("@")
    ref = RecordRef(supported, record, source or None) if object and record else None
    template, rendered = host.preview_edit(name, change, visitor.supporter, ref)
    return Outcome(typed=True, preview=(template, rendered))


def _verdict(plan: Plan) -> Told:
    if plan.errors:
        return Told(say("This cannot be saved: the workspace would have errors that it does not have now."), "error")
    return Told(say("This can be saved.") if plan.difference or not plan.hash else say("Nothing would change."), "info")


def _broken(host: Host, visitor: Visitor, kind: str, name: str, form: Form, error: EditInvalid) -> Outcome:
    """What was not saved, with the lines that would differ and the problems that they would make."""
    change = Change(gone=True) if form.get("action") == "delete" else _change(host, visitor, kind, name, form)
    plan = host.plan_change(kind, name, change, visitor.supporter)
    told = Told(error.message, "error", error.code)
    return Outcome(told, error.status, plan, plan.difference, plan.added or plan.problems, typed=not plan.gone)


def _change(host: Host, visitor: Visitor, kind: str, name: str, form: Form) -> Change:
    if form.get("way") == TEXT:
        return Change(text=form.text("text"))
    file = host.file_of(kind, name, visitor.supporter)
    fields = [
        field for group in KINDS[kind].groups(host, visitor.supporter, _shown_values(kind, name, file, form)) for field in group.fields
    ]
    keys = keys_of(fields, form, file.values)
    if kind == "permission_set":
        keys |= rights_keys(form, file.values)
    if not file.exists:
        begun = KINDS[kind].first(name, {"for": form.get("for")})
        keys = {(key,): value for key, value in begun.items()} | keys
    body = form.text("body") if "body" in form.values else None
    return Change(keys, body=body if body is None or body.rstrip("\n") != file.body.rstrip("\n") else None)


# --- showing ----------------------------------------------------------------------------------------------------------


def _shown_values(kind: str, name: str, file: EditedFile, form: Form, asked: str = "") -> Mapping[str, Any]:
    return file.values if file.exists else KINDS[kind].first(name, {"for": form.get("for") or asked})


def _page(request: Request, visitor: Visitor, kind: str, name: str, form: Form, outcome: Outcome | None = None) -> Response:
    _known(kind)
    host, outcome = host_of(request), outcome or Outcome()
    file = host.file_of(kind, name, visitor.supporter)
    made_for = form.get("for") or request.query_params.get("for", "")[:200]
    values = _shown_values(kind, name, file, form, made_for)
    groups = [] if file.path.endswith(".html") else KINDS[kind].groups(host, visitor.supporter, values)
    if outcome.typed and form.get("way") == FORM:
        groups = [replace(group, fields=typed(group.fields, form)) for group in groups]
    text, body = _texts_of(kind, file, values, form, outcome)
    return show(
        request,
        visitor,
        say("{what}: {file}", what=KINDS[kind].title, file=file.path),
        "editor.html",
        outcome.told,
        outcome.status,
        kind=kind,
        file=file,
        list_at=KINDS[kind].list_at,
        deletable=KINDS[kind].deletable,
        groups=groups,
        text=text,
        body=body,
        made_for=made_for,
        outcome=outcome,
        rows=rights_rows(values) if kind == "permission_set" else [],
        levels=LEVELS,
        rules=_rules(host, file) if kind == "template" else [],
        objects=[(item, host.catalogue.source_of(item) or "") for item in host.objects()],
        asked={"object": form.get("object"), "record": form.get("record")},
        can_ask=kind == "object",
        none_allowed=kind == "sessions" and not allowed_types(host),
    )


def _texts_of(kind: str, file: EditedFile, values: Mapping[str, Any], form: Form, outcome: Outcome) -> tuple[str, str]:
    """Of the text form and of a template's body: what was typed or would be written, else what the file says."""
    text, body = file.text, file.body
    if not file.exists:
        front = with_values("", values) if values else ""
        text, body = (f"---\n{front}---\n{_BODY}", _BODY) if kind == "template" else (front, "")
    if outcome.typed:
        if form.get("way") == TEXT:
            text = form.text("text") if not _is_secret(outcome) else file.text
        elif outcome.plan is not None and not file.masked:
            text = outcome.plan.text
        body = form.text("body") if "body" in form.values else body
    return text, body


_BODY = """\
Hello {{ recipient.name }},

join the support session: {{ session.customer_link }}
Session code: {{ session.code }}

{{ supporter.name }}
"""


def _is_secret(outcome: Outcome) -> bool:
    return outcome.told is not None and outcome.told.code == "JS-FILE-SECRET"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by which a template applies to an object, and whether this one keeps it."""

    text: str
    kept: bool
    found: str


def _rules(host: Host, file: EditedFile) -> list[Rule]:
    """Both naming rules, and the objects that the template applies to by either."""
    name, description = str(file.values.get("name", "")), str(file.values.get("description", "") or "")
    named = str(file.values.get("object", "") or "")
    by_description = [one.label for one in host.objects() if description and one.email_template_description == description]
    begins = name.casefold().startswith(NAME_BEGINS.casefold())
    by_name = [one.label for one in host.objects() if begins and one.supported_object.casefold() == named.casefold()]
    template = next((one for one in host.templates() if one.file == file.path), None)
    all_of = [one.label for one in host.objects() if template is not None and applies(template, one)]
    nothing = say("no object")
    return [
        Rule(
            say("Its description is an object's e-mail template description (rule of Salesforce)."),
            bool(by_description),
            ", ".join(by_description) or nothing,
        ),
        Rule(
            say("Its name begins with '{begin}' and it names its object (rule of Dynamics).", begin=NAME_BEGINS),
            bool(by_name),
            ", ".join(by_name) or nothing,
        ),
        Rule(say("It applies to at least one object."), bool(all_of), ", ".join(all_of) or nothing),
    ]
