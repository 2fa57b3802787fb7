"""The record source ``dynamics``: an environment of Dynamics 365 or Dataverse, read and written by its Web API."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jumpseat import (
    REQUIRED,
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
    ProviderRefused,
    Recipe,
    Recipient,
    Record,
    RecordNotFound,
    RecordRef,
    RecordSource,
    Setting,
    Supporter,
    SupporterInfo,
    pinned,
    say,
)
from jumpseat_dynamics import odata
from jumpseat_dynamics.client import API, FORMATTED, DataverseClient, Row
from jumpseat_dynamics.gate import Gate
from jumpseat_dynamics.ids import Guid, find_guid, guid
from jumpseat_dynamics.people import People
from jumpseat_dynamics.recipes import RECIPES
from jumpseat_dynamics.schema import Column, Schema, Table
from jumpseat_dynamics.templates import Templates
from jumpseat_dynamics.tokens import AUTHORITY, App, AppTokens, missing_for
from jumpseat_dynamics.users import Users
from jumpseat_dynamics.vocabulary import VOCABULARY
from jumpseat_dynamics.writing import Writing

NO_PROOF = say(
    "The source '{source}' cannot sign in: set 'client_secret' (or 'certificate') under 'settings' of its file in metadata/sources/, "
    "for example: client_secret: {{env: DYNAMICS_CLIENT_SECRET}}."
)


@dataclass(frozen=True, slots=True)
class _Environment:
    """Everything that talks to one environment under one set of settings."""

    app: App
    language_field: str
    tokens: AppTokens
    client: DataverseClient
    schema: Schema
    people: People
    users: Users
    writing: Writing
    templates: Templates


class DynamicsSource(RecordSource):
    """Reads records and contacts of an environment, and writes notes, contacts, fields and notifications to it."""

    name, label = "dynamics", "Dynamics 365"
    can_post_note = can_attach = can_add_contact = can_write_back = can_notify = True
    skin = "dynamics"
    vocabulary = VOCABULARY
    settings = (
        Setting("url", str, default=REQUIRED, help=say("Address of the environment, such as https://contoso.crm4.dynamics.com.")),
        Setting("tenant", str, default=REQUIRED, help=say("Id or domain of the Microsoft Entra tenant.")),
        Setting("client_id", str, default=REQUIRED, help=say("Application (client) id of the app registration.")),
        Setting("client_secret", str, secret=True, help=say("Value of a client secret of the app registration.")),
        Setting(
            "certificate", str, secret=True, help=say("Certificate and private key as PEM, instead of a secret; needs jumpseat[entra].")
        ),
        Setting("authority", str, default=AUTHORITY, help=say("Where the application signs in; another one for national clouds.")),
        Setting("language_field", str, default="new_language", help=say("Column of contacts and leads with their language, such as fr.")),
        Setting("act_as_supporter", bool, default=False, help=say("Ask and write in a supporter's name, with no more rights than theirs.")),
        Setting("crm_templates", bool, default=False, help=say("Offer the e-mail templates that are kept in Dynamics, too.")),
    )

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: _Environment | None = None

    def missing(self) -> str:
        """Which setting is not filled, or what is not installed."""
        unset = super().missing()
        if unset:
            return unset
        if not self.config.client_secret and not self.config.certificate:
            return NO_PROOF.format(source=self.source or self.name)
        return missing_for(self.config.certificate)

    # --- reading ------------------------------------------------------------------------------------------------------

    def describe(self, object: str) -> ObjectInfo | None:
        table = self._environment().schema.table(object)
        return ObjectInfo(table.name, table.label, table.name_field, frozenset(table.columns), {}) if table else None

    def recipe(self, object: str) -> Recipe | None:
        return RECIPES.get(object)

    def contact_object(self) -> str:
        return "contact"

    def check_id(self, object: str, id: str) -> str:
        return str(guid(id))

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        id, environment = guid(ref.id), self._environment()
        table = environment.schema.table(ref.object)
        if table is None:
            raise RecordNotFound(say("Dynamics has no table '{object}'.", object=ref.object[:100]))
        environment.people.forget(ref)
        asked = _own_left_out(table, fields)
        columns = table.read(asked)
        texts = (FORMATTED,) if any(column.of for column in columns) else ()
        try:
            query = odata.query((table.id_field, *(column.property for column in columns)))
            row = environment.client.find(odata.row(table.entity_set, id), query, annotations=texts)
        except FieldNotReadable as hidden:
            environment.schema.forget(table.name)
            raise FieldNotReadable(hidden.message, fields=hidden.fields or tuple(asked)) from hidden
        if row is None:
            raise RecordNotFound(
                say(
                    "Dynamics has no {object} with the id '{id}', or does not show it to the application user.",
                    object=ref.object,
                    id=ref.id[:100],
                )
            )
        return dict.fromkeys(fields) | {column.name: _read(row, column) for column in columns}

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        try:
            return self._environment().people.find(record, rule)
        except InvalidValue as error:  # this rule fails, the others go on
            raise ProviderRefused(error.message) from error

    # --- supporters ---------------------------------------------------------------------------------------------------

    def find_supporter(self, id: str) -> SupporterInfo | None:
        return self._environment().users.find(id) if find_guid(id) else None

    def visible_to(self, ref: RecordRef, supporter: Supporter) -> bool | None:
        """True or False for users of the environment; None for anybody it does not know."""
        if not find_guid(supporter.id):
            return None
        return self._environment().users.sees(ref, supporter.id, acting=bool(self.config.act_as_supporter))

    # --- templates ----------------------------------------------------------------------------------------------------

    @property
    def crm_templates(self) -> bool:  # type: ignore[override]  # follows a setting, as the contract allows
        return bool(self.config.crm_templates)

    def templates(self, record: Record, description: str) -> Sequence[CrmTemplate]:
        """The organization's templates of the record's table; the host offers those whose title begins with "TeamViewer Email"."""
        return self._environment().templates.of(record.object)

    def render_template(self, record: Record, template: str, recipient: Recipient) -> CrmWords:
        """The words as Dynamics fills them in for the record; with ``act_as_supporter`` as the supporter, whom templates may name."""
        return self._environment().templates.words(record, template, self._acting(record))

    # --- writing ------------------------------------------------------------------------------------------------------

    def post_note(self, record: Record, text: str) -> None:
        self._environment().writing.note(record, text, self._acting(record))

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        self._environment().writing.note(record, text, self._acting(record), attachment)

    def add_contact(self, record: Record, contact: Contact) -> Contact:
        return self._environment().writing.add_contact(record, contact, self._acting(record))

    def write_back(self, record: Record, values: Mapping[str, Any]) -> None:
        self._environment().writing.fields(record, values, self._acting(record))

    def notify(self, notice: Notice) -> None:
        self._environment().writing.notify(notice)

    def _acting(self, record: Record) -> Guid | None:
        """In whose name the record is written to; None: in the application's own, as for callers who are no users here."""
        supporter = record.acting_for
        if not self.config.act_as_supporter or supporter is None or supporter.source not in (None, self.source):
            return None
        return self._environment().users.acting(supporter.id)

    # --- state --------------------------------------------------------------------------------------------------------

    def keep_signed_in(self) -> None:
        self._environment().tokens.current()

    def health(self) -> Health:
        """Who the host is there, and which version answers."""
        try:
            client = self._environment().client
            user, version = client.one("WhoAmI").get("UserId"), client.one("RetrieveVersion()").get("Version")
        except JumpseatError as error:
            return Health(False, error.message)
        if not find_guid(user):
            return Health(False, say("Dynamics does not say who the application user is. Check 'url' of this source."))
        return Health(True, say("Dynamics {version}, signed in as the application user {user}.", version=str(version)[:40], user=user))

    def _environment(self) -> _Environment:
        """As the settings say now; what was known under others is forgotten."""
        app = App(
            url=self.config.url.rstrip("/"),
            tenant=self.config.tenant,
            client_id=self.config.client_id,
            client_secret=self.config.client_secret,
            certificate=self.config.certificate,
            authority=(self.config.authority or AUTHORITY).rstrip("/"),
        )
        language = self.config.language_field or ""
        with self._lock:
            if self._made is None or (self._made.app, self._made.language_field) != (app, language):
                self._made = self._make(app, language)
            return self._made

    def _make(self, app: App, language_field: str) -> _Environment:
        tokens = AppTokens(self.http, app, pinned(app.url, API), self.clock)
        client = DataverseClient(self.http, tokens, self.clock, Gate())
        schema = Schema(client, self.clock)
        people = People(client, schema, self.clock, language_field)
        users, writing = Users(client, schema, self.clock), Writing(client, schema, people)
        return _Environment(app, language_field, tokens, client, schema, people, users, writing, Templates(client, schema, self.clock))


def _own_left_out(table: Table, fields: Sequence[str]) -> list[str]:
    """The fields to read: of those that only our own recipe asks for, the ones that this environment has."""
    recipe = RECIPES.get(table.name, Recipe(()))
    ours = {*recipe.email_fields, *recipe.phone_fields, *(rule.target for rule in recipe.contacts)}
    return [name for name in dict.fromkeys(fields) if name in table.columns or name not in ours]


def _read(row: Row, column: Column) -> str | int | float | bool | None:
    value = row.get(f"{column.property}@{FORMATTED}" if column.of else column.property)
    return value if isinstance(value, str | int | float | bool) else None
