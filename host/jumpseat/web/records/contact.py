"""Adding a person to a record from the share form, which then has them chosen."""

from __future__ import annotations

from fastapi import Request, Response

from jumpseat.api.signin import Serving
from jumpseat.errors import JumpseatError
from jumpseat.speech import say
from jumpseat.store.idempotency import Answer, Keyed
from jumpseat.types import Contact, RecordRef
from jumpseat.web.forms import Posted
from jumpseat.web.identity import Seen
from jumpseat.web.records import share
from jumpseat.web.records.session import Said
from jumpseat.web.routing import pages

router = pages()
PATH = "/r/{source}/{object}/{id}/contact"
TYPED = ("name", "email", "mobile")
NOBODY = {**dict.fromkeys(TYPED, ""), "errors": {}}
"""The fields before anybody typed."""


@router.get(PATH)
def get(source: str, object: str, id: str, request: Request, visitor: Seen) -> Response:
    """The share form with the fields for a new person open."""
    return share.show(request, visitor, RecordRef(object, id, source), person=NOBODY)


@router.post(PATH)
def post(source: str, object: str, id: str, request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Add the person in the CRM."""
    ref = RecordRef(object, id, source)
    typed = {name: form.get(name) for name in TYPED}
    person = Contact("", typed["name"], typed["email"] or None, typed["mobile"] or None)

    def run(keyed: Keyed | None) -> Contact:
        return host.add_contact(ref, person, visitor.supporter, kept=keyed)

    try:
        if form.once is None:
            added = run(None).id
        else:
            asked = f"contact {ref!r} {person!r}"
            added = host.once(visitor.caller.id, form.once, asked, run, lambda contact: Answer(201, contact.id)).body
    except JumpseatError as error:
        field = {"address": "email"}.get(error.param or "", error.param or "name")
        wrong = {**typed, "errors": {field if field in TYPED else "name": error.message}}
        return share.show(request, visitor, ref, person=wrong, status=error.status)
    said = Said(say("{name} was added to the record.", name=person.name))
    return share.show(request, visitor, ref, contact=added, said=said)
