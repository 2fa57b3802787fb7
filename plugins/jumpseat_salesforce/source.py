"""The record source ``salesforce``: one org, seen by the user of one sign-in."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from jumpseat import (
    REQUIRED,
    AccessSource,
    Attachment,
    Contact,
    ContactRule,
    CrmTemplate,
    CrmWords,
    FieldNotReadable,
    Health,
    InvalidValue,
    JumpseatError,
    Notice,
    ObjectInfo,
    ProviderError,
    ProviderRefused,
    Recipe,
    Recipient,
    Record,
    RecordNotFound,
    RecordRef,
    RecordSource,
    Setting,
    SignIn,
    Supporter,
    SupporterInfo,
    joined,
    say,
)
from jumpseat_salesforce import supporters, writing
from jumpseat_salesforce.answers import plain, value
from jumpseat_salesforce.client import SalesforceClient
from jumpseat_salesforce.failures import NoSuchObject
from jumpseat_salesforce.ids import USER, full_id, id_of
from jumpseat_salesforce.kept_templates import KeptTemplates
from jumpseat_salesforce.people import RECIPES, STATIC_ACCOUNT, People, account_recipe
from jumpseat_salesforce.sign_in import SalesforceSignIn
from jumpseat_salesforce.tokens import (
    SHARED_LOGINS,
    AppCredentials,
    AskedTokens,
    Assertion,
    SignedIn,
    TokenEndpoint,
    audience_for,
    origin,
)

WAYS = ("client_credentials", "jwt", "web_server")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "client_credentials": ("client_id", "client_secret"),
    "jwt": ("client_id", "private_key", "username"),
    "web_server": ("client_id",),
}
"""Settings that each way to sign in needs besides ``url``."""
USER_FRESH = timedelta(seconds=60)
"""How long a user's permissions are taken as they were read; every call of a page asks for them."""
MOST_USERS = 1000
MOST_ROWS = 500
"""As many ids as an address can hold, for people are read by their ids."""


class SalesforceSource(RecordSource):
    """Reads and writes records of a Salesforce org over its REST API, with the rights of the one user that it is signed in as."""

    name, label = "salesforce", "Salesforce"
    can_post_note = can_attach = can_add_contact = can_write_back = can_notify = True
    skin = "salesforce"
    settings = (
        Setting("url", str, default=REQUIRED, help=say("The org's My Domain: https://NAME.my.salesforce.com.")),
        Setting("client_id", str, help=say("Consumer key of the External Client App.")),
        Setting("client_secret", str, secret=True, help=say("Consumer secret of the External Client App.")),
        Setting("sign_in", str, default=WAYS[0], choices=WAYS, help=say("How the host signs in.")),
        Setting("private_key", str, secret=True, help=say("For jwt: the RSA key, in PEM form, whose certificate the app holds.")),
        Setting("username", str, help=say("For jwt: the user to sign in as.")),
        Setting(
            "login_url", str, help=say("For jwt: who assertions are for; for web_server: where people sign in. Left out, the usual one.")
        ),
        Setting("api_version", str, default="67.0", help=say("Version of the REST API.")),
        Setting("most_rows", int, default=200, help=say("Rows of one query that are read at most, up to 500.")),
        Setting("language_field", str, default="Language__c", help=say("Field of contacts and leads with their language, such as fr.")),
        Setting("custom_permissions", bool, default=True, help=say("Read custom permissions of supporters besides permission sets.")),
        Setting("notification_type", str, default="Jumpseat_Customer_Joined", help=say("API name of the custom notification type.")),
        Setting("crm_templates", bool, default=False, help=say("Offer the e-mail templates that are kept in Salesforce, too.")),
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: tuple[tuple[Any, ...], SalesforceClient] | None = None
        self._users: dict[str, tuple[datetime, SupporterInfo | None]] = {}
        self._kept_templates: tuple[SalesforceClient, KeptTemplates] | None = None

    # --- what it needs ------------------------------------------------------------------------------------------------

    def missing(self) -> str:
        unset = super().missing()
        if unset:
            return unset
        way = self.config.sign_in
        for name in NEEDED[way]:
            if not getattr(self.config, name):
                return say("The setting '{name}' of the Salesforce source is not set; the sign-in '{way}' needs it.", name=name, way=way)
        if way == "web_server" and not self.runtime.accounts.has(self.source):
            return say(
                "Nobody is signed in to Salesforce yet. An administrator does so with 'jumpseat accounts sign-in {source}'.",
                source=self.source,
            )
        return ""

    def sign_in(self) -> SignIn | None:
        if self.config.sign_in != "web_server":
            return None
        found = SalesforceSignIn()
        found.runtime = self.runtime
        return found

    def keep_signed_in(self) -> None:
        self._client().ping()

    # --- reading ------------------------------------------------------------------------------------------------------

    def describe(self, object: str) -> ObjectInfo | None:
        described = self._client().describe(object)
        return described.info if described else None

    def recipe(self, object: str) -> Recipe | None:
        if object != "Account":
            return RECIPES.get(object)
        try:
            return account_recipe(self._client())
        except JumpseatError:  # reading the record will tell what is wrong; the recipe need not
            return STATIC_ACCOUNT

    def contact_object(self) -> str:
        return "Contact"

    def check_id(self, object: str, id: str) -> str:
        return full_id(id)

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        client = self._client()
        described = client.describe(ref.object)
        if described is None:
            raise NoSuchObject(
                say("Salesforce has no object '{object}', or hides it from the user that Jumpseat signs in as.", object=ref.object[:100])
            )
        hidden = tuple(name for name in dict.fromkeys(fields) if "." not in name and name not in described.fields)
        if hidden:  # told all at once, and without a call; a query would name the first one only
            names = ", ".join(f"'{name[:100]}'" for name in hidden)
            raise FieldNotReadable(
                say("{object} of Salesforce has no field {names}, or does not show it.", object=described.info.label, names=names),
                fields=hidden,
            )
        try:
            row = client.record(ref.object, ref.id, fields)
        except FieldNotReadable as error:  # of a related object: named as it was asked for
            asked = tuple(name for name in fields if set(name.split(".")) & set(error.fields))
            raise FieldNotReadable(error.message, fields=asked or error.fields) from error
        return {name: plain(value(row, name)) for name in dict.fromkeys(("Id", *fields))}

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        try:
            return self._people().find(record, rule)
        except (InvalidValue, RecordNotFound) as error:  # the rule fails, the other rules go on
            raise ProviderRefused(error.message) from error

    def find_supporter(self, id: str) -> SupporterInfo | None:
        user = id_of(id, USER)
        if user is None:
            return None
        client, now = self._client(), self.clock.now()
        kept = self._users.get(user)
        if kept is not None and now < kept[0]:
            return kept[1]
        found = supporters.find_user(client, user, custom_permissions=self.config.custom_permissions)
        with self._lock:
            if len(self._users) >= MOST_USERS:
                self._users.clear()
            self._users[user] = (now + USER_FRESH, found)
        return found

    def visible_to(self, ref: RecordRef, supporter: Supporter) -> bool | None:
        """True or False for a user of the org; None for anybody else."""
        user = id_of(supporter.id, USER)
        return supporters.may_read(self._client(), user, ref.id) if user is not None else None

    def health(self) -> Health:
        missing = self.missing()
        if missing:
            return Health(False, missing)
        try:
            client = self._client()
            usage = client.ping()
        except RecordNotFound:
            return Health(
                False,
                say(
                    "Salesforce has no version {version} of its API yet. Write an earlier one into 'api_version'.",
                    version=self.config.api_version,
                ),
            )
        except JumpseatError as error:
            return Health(False, error.message)
        calls = say("{used} of {allowed} API calls of 24 hours are used.", used=usage.used, allowed=usage.allowed) if usage else ""
        return Health(
            True, joined(say("Signed in to {origin}, API {version}.", origin=origin(self.config.url), version=client.version), calls)
        )

    def headroom(self) -> float | None:
        """Which part of the API calls of 24 hours is still free, 0 to 1, as the last answer said; None before one did. Asks nobody."""
        usage = self._opened[1].usage if self._opened else None
        return usage.free if usage else None

    # --- templates ----------------------------------------------------------------------------------------------------

    @property
    def crm_templates(self) -> bool:  # type: ignore[override]  # follows a setting, as the contract allows
        return bool(self.config.crm_templates)

    def templates(self, record: Record, description: str) -> Sequence[CrmTemplate]:
        """The active templates with the description that the object's file names."""
        return self._templates().described(description)

    def render_template(self, record: Record, template: str, recipient: Recipient) -> CrmWords:
        """The words as they stand in Salesforce: its REST API renders none, so that the host fills the merge fields in."""
        return self._templates().words(template)

    # --- writing ------------------------------------------------------------------------------------------------------

    def post_note(self, record: Record, text: str) -> None:
        writing.post_note(self._client(), record, text)

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        """Keep a picture among the record's files."""
        writing.attach(self._client(), record, attachment, text)

    def add_contact(self, record: Record, contact: Contact) -> Contact:
        """Add a person to the record's account, and to the record where it names none yet; who is there already is not added again.

        Raises:
            ProviderRefused: the record has no place for a contact, or Salesforce refuses the person.
            AnswerLost: it may have been added; calling again finds out.
        """
        id = writing.add_contact(self._client(), record, contact)
        found = self._people().one(id, say("added to the record"))
        if found is None:
            raise ProviderError(say("The contact was added in Salesforce, and is not shown to the user that Jumpseat signs in as."))
        return found

    def write_back(self, record: Record, values: Mapping[str, Any]) -> None:
        """Write fields to the record; where it takes no change (closed, locked), a completed task on it says the same."""
        writing.write_back(self._client(), record, values, self.clock.now())

    def notify(self, notice: Notice) -> None:
        writing.notify(self._client(), self.config.notification_type, notice)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _templates(self) -> KeptTemplates:
        client = self._client()
        with self._lock:
            if self._kept_templates is None or self._kept_templates[0] is not client:
                self._kept_templates = (client, KeptTemplates(client, self.clock))
            return self._kept_templates[1]

    def _people(self) -> People:
        return People(self._client(), self.config.language_field or "")

    def _client(self) -> SalesforceClient:
        """The client for the settings as they stand now; what it knows is dropped when they change."""
        names = ("url", "client_id", "client_secret", "sign_in", "private_key", "username", "login_url", "api_version", "most_rows")
        now = tuple(getattr(self.config, name) for name in names)
        with self._lock:
            if self._opened is None or self._opened[0] != now:
                most_rows = max(1, min(self.config.most_rows, MOST_ROWS))
                client = SalesforceClient(self.http, self._access(), self.clock, version=self.config.api_version, most_rows=most_rows)
                self._opened, self._users = (now, client), {}
            return self._opened[1]

    def _access(self) -> AccessSource:
        """Where tokens come from.

        Raises:
            ProviderRefused: a setting that the way to sign in needs is not set.
            InvalidValue: an address is none.
        """
        config, url, way = self.config, origin(self.config.url), self.config.sign_in
        unset = [name for name in NEEDED[way] if not getattr(config, name)]
        if unset:
            raise ProviderRefused(
                say("The setting '{name}' of the Salesforce source is not set; the sign-in '{way}' needs it.", name=unset[0], way=way)
            )
        if way == "web_server":
            return SignedIn(self.runtime, self.source, url)
        endpoint = TokenEndpoint(self.http, url, url)
        if way == "jwt":
            audience = audience_for(config.login_url, url)
            return AskedTokens(
                endpoint, Assertion(config.client_id, config.username, config.private_key, audience, self.clock).form, self.clock
            )
        if url.removeprefix("https://") in SHARED_LOGINS:
            raise ProviderRefused(say("Client credentials work on the org's own address only: write its My Domain into 'url'."))
        return AskedTokens(endpoint, AppCredentials(config.client_id, config.client_secret).form, self.clock)
