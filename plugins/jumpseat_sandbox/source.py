"""The record source ``sandbox``: a small CRM with sample people, in Salesforce's or in Dynamics' words."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from jumpseat import (
    Attachment,
    Contact,
    ContactRule,
    Health,
    InvalidValue,
    Notice,
    ObjectInfo,
    ProviderRefused,
    Recipe,
    Record,
    RecordNotFound,
    RecordRef,
    RecordSource,
    Setting,
    Supporter,
    SupporterInfo,
    say,
)
from jumpseat_sandbox.crm import Crm, Note, Picture, Told, load
from jumpseat_sandbox.flavours import FLAVOURS, Flavour
from jumpseat_sandbox.journal import Journal
from jumpseat_sandbox.people import find_contacts, known, mirror, person_row, to_contact


class SandboxSource(RecordSource):
    """Sample records that behave like a CRM's: read, written to, and hidden from some.

    What is written (notes, pictures, contacts, fields, what users are told) stays in the plugin's folder; deleting the file there brings
    the sample back as it ships.
    """

    name, label = "sandbox", say("Sample CRM")
    can_post_note = can_attach = can_add_contact = can_write_back = can_notify = True
    settings = (
        Setting(
            "flavour", str, default="salesforce", choices=tuple(FLAVOURS), help=say("Whose objects, fields and ids the sample CRM has.")
        ),
        Setting("data", str, help=say("Path of a data file of your own; left out: the sample that ships.")),
    )

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._loaded: tuple[tuple[str, str | None], Crm, Journal] | None = None

    @property
    def skin(self) -> str:  # type: ignore[override]  # follows a setting
        """The look of the CRM in whose words it speaks."""
        return self._flavour().name

    @property
    def vocabulary(self) -> Mapping[str, Mapping[str, str]]:  # type: ignore[override]  # follows a setting
        """The words of that CRM."""
        return self._flavour().vocabulary

    # --- reading ------------------------------------------------------------------------------------------------------

    def describe(self, object: str) -> ObjectInfo | None:
        sheet = self._crm().sheets.get(object)
        return sheet.info if sheet else None

    def recipe(self, object: str) -> Recipe | None:
        return self._flavour().recipes.get(object)

    def contact_object(self) -> str:
        return self._flavour().contact

    def check_id(self, object: str, id: str) -> str:
        return self._flavour().check_id(id)

    def get(self, ref: RecordRef, fields: Sequence[str]) -> Mapping[str, Any]:
        crm = self._crm()
        try:
            id = crm.flavour.check_id(ref.id)
        except InvalidValue:
            id = ""
        row = crm.row(ref.object, id)
        if row is None:
            raise RecordNotFound(say("The sample CRM has no {object} with the id '{id}'.", object=ref.object, id=ref.id[:100]))
        return {name: row.get(name) for name in crm.sheets[ref.object].info.fields} | mirror(crm, ref.object, row)

    def contacts(self, record: Record, rule: ContactRule) -> Sequence[Contact]:
        return find_contacts(self._crm(), record, rule)

    def find_supporter(self, id: str) -> SupporterInfo | None:
        crm = self._crm()
        return crm.supporters.get(known(crm, id))

    def visible_to(self, ref: RecordRef, supporter: Supporter) -> bool | None:
        """True or False for the sample's own users; None for anybody the sample CRM does not know."""
        crm = self._crm()
        user = known(crm, supporter.id)
        if user not in crm.supporters:
            return None
        return crm.supporters[user].active and known(crm, ref.id) not in crm.may_not_see[user]

    def health(self) -> Health:
        crm = self._crm()
        records = sum(len(sheet.rows) for sheet in crm.sheets.values())
        return Health(
            True,
            say(
                "Sample CRM in {flavour} words: {records} records of {objects} objects.",
                flavour=crm.flavour.name,
                records=records,
                objects=len(crm.sheets),
            ),
        )

    # --- writing ------------------------------------------------------------------------------------------------------

    def post_note(self, record: Record, text: str) -> None:
        self._change({"do": "note", "object": record.object, "id": self._stored(record), "text": text})

    def notes(self, ref: RecordRef) -> Sequence[Note]:
        """What was posted to a record's feed, oldest first."""
        crm = self._crm()
        id = crm.flavour.check_id(ref.id)
        return [note for note in crm.notes if (note.object, note.id) == (ref.object, id)]

    def attach(self, record: Record, attachment: Attachment, text: str) -> None:
        """Keep a picture in the plugin's folder, under a name that its content makes.

        Raises:
            RecordNotFound: the sample CRM has no such record.
        """
        id, kind = self._stored(record), attachment.media_type.rpartition("/")[2]
        file = self.runtime.folder / "pictures" / f"{hashlib.sha256(attachment.content).hexdigest()}.{kind}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(attachment.content)
        said = {"name": attachment.name, "file": f"pictures/{file.name}", "text": text}
        self._change({"do": "attach", "object": record.object, "id": id, **said})

    def pictures(self, ref: RecordRef) -> Sequence[Picture]:
        """The pictures that a record has, oldest first."""
        crm = self._crm()
        id = crm.flavour.check_id(ref.id)
        return [picture for picture in crm.pictures if (picture.object, picture.id) == (ref.object, id)]

    def add_contact(self, record: Record, contact: Contact) -> Contact:
        """Add a person to the record's account, and to the record where it names none yet.

        Raises:
            RecordNotFound: the sample CRM has no such record.
            ProviderRefused: the record has no place for a contact.
        """
        crm, id = self._crm(), self._stored(record)
        sheet, row = crm.sheets[record.object], crm.sheets[record.object].rows[id]
        account = id if record.object == crm.flavour.account else row.get(sheet.account_field or "")
        account = account if crm.row(crm.flavour.account, account) else None
        free = sheet.contact_field is not None and not row.get(sheet.contact_field)
        if not account and not free:
            raise ProviderRefused(
                say(
                    "{object} '{record}' has no account and no free place for a contact; add the person in the CRM.",
                    object=sheet.info.label,
                    record=record.name,
                )
            )
        person = person_row(crm.flavour, contact, account)
        contacts = crm.sheets[crm.flavour.contact]
        self._change({"do": "insert", "object": crm.flavour.contact, "values": person})
        if free:
            self._change({"do": "update", "object": record.object, "id": id, "values": {sheet.contact_field: person[contacts.id_field]}})
        return to_contact(crm, person, say("added to the record"))

    def write_back(self, record: Record, values: Mapping[str, Any]) -> None:
        """Write fields to the record.

        Raises:
            RecordNotFound: the sample CRM has no such record.
            ProviderRefused: the object has no such field, or the field is the id.
        """
        id = self._stored(record)
        sheet = self._crm().sheets[record.object]
        for name in values:
            if name not in sheet.info.fields or name == sheet.id_field:
                raise ProviderRefused(
                    say(
                        "{object} has no field '{name}' that can be written; correct 'write_back' of this object.",
                        object=sheet.info.label,
                        name=name,
                    )
                )
        self._change({"do": "update", "object": record.object, "id": id, "values": dict(values)})

    def notify(self, notice: Notice) -> None:
        """Tell users of the sample CRM: written down like any change, where ``told`` finds it.

        Raises:
            RecordNotFound: the sample CRM has no such record.
        """
        crm, ref = self._crm(), notice.record
        id = known(crm, ref.id)
        if crm.row(ref.object, id) is None:
            raise RecordNotFound(say("The sample CRM has no {object} with the id '{id}'.", object=ref.object, id=ref.id[:100]))
        said = {"title": notice.title, "text": notice.text, "link": notice.link, "supporter_ids": list(notice.supporter_ids)}
        self._change({"do": "notify", "object": ref.object, "id": id, **said})

    def told(self, ref: RecordRef) -> Sequence[Told]:
        """What users were told of a record, oldest first."""
        crm = self._crm()
        id = crm.flavour.check_id(ref.id)
        return [one for one in crm.told if (one.object, one.id) == (ref.object, id)]

    # --- inside -------------------------------------------------------------------------------------------------------

    def _flavour(self) -> Flavour:
        return FLAVOURS[self.config.flavour or "salesforce"]

    def _crm(self) -> Crm:
        """The CRM as it stands now: read again when the settings changed, brought up to date with the journal."""
        wanted = (self._flavour().name, self.config.data or None)
        with self._lock:
            if self._loaded is None or self._loaded[0] != wanted:
                journal = Journal(self.runtime.folder / f"{self.source or self.name}-{wanted[0]}.jsonl")
                self._loaded = (wanted, load(FLAVOURS[wanted[0]], wanted[1]), journal)
            _, crm, journal = self._loaded
            for change in journal.news():
                crm.apply(change)
            return crm

    def _change(self, change: dict[str, Any]) -> None:
        at = self.clock.now().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        with self._lock:
            self._crm()
            assert self._loaded is not None
            self._loaded[2].append({"at": at, **change})

    def _stored(self, record: Record) -> str:
        crm = self._crm()
        id = known(crm, record.id)
        if crm.row(record.object, id) is None:
            raise RecordNotFound(say("The sample CRM has no {object} with the id '{id}'.", object=record.object, id=record.id[:100]))
        return id
