"""What can be done with a record: supported objects, the offer, the buttons, the contacts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from jumpseat.api.models.common import Id, Maybe, ObjectName, RecordId
from jumpseat.api.models.records import ActionStates, ContactList, MakeOffer, Offer, SupportedObject, SupportedObjectList
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, answers
from jumpseat.api.routes.lists import SourceName
from jumpseat.api.signin import NEEDS_SIGN_IN, Serving, SignedIn
from jumpseat.errors import InvalidValue
from jumpseat.records.offer import Buttons, Offer as OfferMade
from jumpseat.types import RecordRef
from jumpseat.views import offer_view, view

router = operations()


@router.get(
    "/v1/objects", operation_id="listObjects", summary="List supported objects", dependencies=NEEDS_SIGN_IN, responses=answers(*SIGNED_IN)
)
def list_objects(host: Serving) -> SupportedObjectList:
    """The enabled supported objects, by label."""
    items = [
        SupportedObject(
            supported_object=item.supported_object,
            label=item.label,
            name_field=item.name_field,
            allow_custom_recipient=item.allow_custom_recipient,
            source=host.catalogue.source_of(item),
        )
        for item in host.objects()
    ]
    return SupportedObjectList(items=items)


@router.get(
    "/v1/records/{object}/{recordId}/offer",
    operation_id="getOffer",
    summary="Get the offer of a record",
    responses=answers(404, *SIGNED_IN),
)
def get_offer(object: ObjectName, recordId: RecordId, host: Serving, caller: SignedIn, source: SourceName = None) -> Offer:
    """What the supporter can do with the record now, and why not: actions, session types, channels, recipients, templates."""
    return _offer(host.resolve(RecordRef(object, recordId, source), caller.supporter))


@router.post(
    "/v1/offers",
    operation_id="makeOffer",
    summary="Make the offer of a record given by value",
    responses=answers(404, *SIGNED_IN, *WITH_BODY),
)
def make_offer(body: MakeOffer, host: Serving, caller: SignedIn) -> Offer:
    """The offer for a record whose fields and contacts the CRM sends along, so that the host need not read them."""
    return _offer(host.resolve(body.record.record(), caller.supporter))


@router.get(
    "/v1/records/{object}/{recordId}/actions",
    operation_id="getActions",
    summary="Get the buttons of a record",
    responses=answers(404, *SIGNED_IN),
)
def get_actions(object: ObjectName, recordId: RecordId, host: Serving, caller: SignedIn, source: SourceName = None) -> ActionStates:
    """Every button rule of a record in one flat answer: possible or not, and why."""
    return _states(host.buttons(RecordRef(object, recordId, source), caller.supporter))


@router.get("/v1/contacts", operation_id="listContacts", summary="List the contacts of a record", responses=answers(404, *SIGNED_IN))
def list_contacts(
    host: Serving,
    caller: SignedIn,
    object: Annotated[Maybe[ObjectName], Query(description="With recordId: API or logical name of a supported object.")] = None,
    recordId: Annotated[Maybe[RecordId], Query(description="With object: id of the record.")] = None,
    source: SourceName = None,
    sessionId: Annotated[Maybe[Id], Query(description="Instead of object and recordId: a session of the record.")] = None,
) -> ContactList:
    """The people related to a record, best first. The record is named by object and recordId, or by one of its sessions."""
    if sessionId is not None and (object, recordId, source) == (None, None, None):
        ref = host.session(sessionId, caller.supporter).record
    elif sessionId is None and object is not None and recordId is not None:
        ref = RecordRef(object, recordId, source)
    else:
        raise InvalidValue("Name the record by 'object' and 'recordId', or by 'sessionId' alone.", param="recordId")
    return ContactList.model_validate({"items": view(host.resolve(ref, caller.supporter).contacts)})


def _offer(offer: OfferMade) -> Offer:
    return Offer.model_validate(offer_view(offer))


def _states(buttons: Buttons) -> ActionStates:
    session = buttons.session
    shown = {
        "object": buttons.record.object,
        "recordId": buttons.record.id,
        "recordName": buttons.record.name,
        "online": bool(session and session.online),
    }
    for action in buttons.actions:
        shown |= {f"{action.name}Allowed": action.allowed, f"{action.name}Reason": action.reason.text}
    if session is not None:
        shown |= {"sessionId": session.id, "sessionCode": session.code, "validUntil": session.valid_until}
    return ActionStates.model_validate(shown)
