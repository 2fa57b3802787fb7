"""The two CRMs that the sample CRM can look like: names of fields, forms of ids, recipes."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jumpseat import Recipe
from jumpseat_sandbox.ids import check_characters, guid, salesforce_id
from jumpseat_sandbox.recipes import DYNAMICS, SALESFORCE

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class PersonFields:
    """In which fields a person's row keeps what the host wants to know."""

    name: str
    first_name: str
    last_name: str
    email: str
    mobile: str
    phone: str
    language: str
    email_opt_out: str
    phone_opt_out: str


@dataclass(frozen=True, slots=True)
class Flavour:
    """What tells one CRM from the other."""

    name: str
    contact: str
    """Name of the object that holds contacts."""
    account: str
    contact_account: str
    """Field of a contact that names its account."""
    account_primary: str | None
    """Field of an account that names its primary contact; None when roles say it."""
    person: PersonFields
    recipes: Mapping[str, Recipe]
    check_id: Callable[[str], str]
    new_contact_id: Callable[[], str]
    vocabulary: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What pages say instead of Jumpseat's words."""

    def id_field(self, object: str) -> str:
        """Field that holds the id of a row."""
        return "Id" if self.name == "salesforce" else f"{object}id"

    def owner_field(self, object: str) -> str:
        """Field with which a role names the record it belongs to."""
        return f"{object}Id" if self.name == "salesforce" else f"{object}id"


def _new_salesforce_contact() -> str:
    short = "003A00000N" + "".join(secrets.choice(_LETTERS) for _ in range(5))
    return short + check_characters(short)


_SALESFORCE = Flavour(
    name="salesforce",
    contact="Contact",
    account="Account",
    contact_account="AccountId",
    account_primary=None,
    person=PersonFields(
        name="Name",
        first_name="FirstName",
        last_name="LastName",
        email="Email",
        mobile="MobilePhone",
        phone="Phone",
        language="Language__c",
        email_opt_out="HasOptedOutOfEmail",
        phone_opt_out="DoNotCall",
    ),
    recipes=SALESFORCE,
    check_id=salesforce_id,
    new_contact_id=_new_salesforce_contact,
)

_DYNAMICS_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"session": "service request", "sessions": "service requests", "Share": "Share this link with the customer"},
    "fr": {
        "session": "demande de service",
        "sessions": "demandes de service",
        "Session ID": "ID de la demande de service",
        "Customer link": "Lien du client",
        "Support link": "Lien de l'agent d'assistance",
        "Valid until": "Demande de service valable jusqu'au",
        "Share": "Partagez ce lien avec le client",
    },
}

_DYNAMICS = Flavour(
    name="dynamics",
    contact="contact",
    account="account",
    contact_account="parentcustomerid",
    account_primary="primarycontactid",
    person=PersonFields(
        name="fullname",
        first_name="firstname",
        last_name="lastname",
        email="emailaddress1",
        mobile="mobilephone",
        phone="telephone1",
        language="new_language",
        email_opt_out="donotemail",
        phone_opt_out="donotphone",
    ),
    recipes=DYNAMICS,
    check_id=guid,
    new_contact_id=lambda: str(uuid.uuid4()),
    vocabulary=_DYNAMICS_WORDS,
)

FLAVOURS: Mapping[str, Flavour] = {flavour.name: flavour for flavour in (_SALESFORCE, _DYNAMICS)}
