"""Resolving: catalogue → record source → decisions of plugins → templates → offer. Reads, decides, changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from jumpseat.catalogue.model import Catalogue, SupportedObject
from jumpseat.contract import RecordSource, SessionType, ShareChannel
from jumpseat.errors import FieldNotReadable, JumpseatError, ObjectNotSupported, PluginError, PluginNotLoaded, RecipientInvalid
from jumpseat.hooks.dispatch import Dispatch
from jumpseat.records.addresses import address_of, normal_address
from jumpseat.records.contacts import Found, find_contacts, rules_for
from jumpseat.records.kept_in_crm import KeptInCrm, kept_in_crm
from jumpseat.records.offer import Action, ActionName, Offer, OfferedChannel, OfferedRecipient, OfferedType, SkippedTemplate, TypeChannel
from jumpseat.records.template_choice import applicable, choose_language
from jumpseat.records.unreadable import with_places
from jumpseat.speech import say
from jumpseat.types import Contact, Level, Provenance, Reason, Recipient, Record, RecordRef, Session, Supporter, Template, Verdict

HOST = Provenance("host")
NOT_HERE_YET = say("The customer is not here yet. Joining becomes possible as soon as they are.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record was found: its supported object, its source, and the record as the host reads it."""

    supported: SupportedObject
    source: RecordSource | None
    record: Record
    given: bool = False
    """The caller gave the record by value."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """One catalogue and one set of plugins, ready to answer for any record."""

    catalogue: Catalogue
    dispatch: Dispatch
    session_types: Mapping[str, SessionType]
    channels: Mapping[str, ShareChannel]
    sources: Mapping[str, RecordSource]

    def find(self, asked: RecordRef | Record) -> Place:
        """The record, read from its source or taken as the caller gave it.

        Args:
            asked: a reference, or the record by value (then the source is not asked for its fields).

        Raises:
            ObjectNotSupported: no enabled supported object has this name.
            InvalidValue: the id can never be right.
            RecordNotFound: the source has no such record, or does not show it.
        """
        ref = self.written(asked.ref if isinstance(asked, Record) else asked)
        supported = self.supported(ref)
        source = self.source_of(supported)
        if isinstance(asked, Record):
            return Place(supported, source, named(replace(asked, ref=ref, label=supported.label), supported), given=True)
        if source is None:
            raise PluginNotLoaded(
                say(
                    "No record source can read {ref}: metadata/sources/ has none for '{object}'. Add one, or give the record by value.",
                    ref=ref,
                    object=supported.label,
                )
            )
        people = rules_for(supported, source)
        wanted = tuple(dict.fromkeys((supported.name_field, *people.fields, *supported.template_fields)))
        try:
            fields = source.get(ref, wanted)
        except FieldNotReadable as error:
            raise with_places(error, supported, people) from error
        return Place(supported, source, named(Record(ref, "", supported.label, fields), supported))

    def written(self, ref: RecordRef) -> RecordRef:
        """The reference as sessions and events have it: with its source, and the id in its one written form."""
        source = self.source_of(self.supported(ref))
        return RecordRef(ref.object, checked_id(source, ref), source.source if source else ref.source)

    def supported(self, ref: RecordRef) -> SupportedObject:
        """The supported object of a reference, or a refusal with the nearest name."""
        found = self.catalogue.object(ref.object, ref.source)
        if found:
            return found
        known = [item.supported_object for item in self.catalogue.objects if item.enabled]
        near = get_close_matches(ref.object, known, 1)
        hint = say("Did you mean '{name}'?", name=near[0]) if near else say("Add a file to metadata/objects/ to support it.")
        raise ObjectNotSupported(say("'{object}' is not a supported object. {hint}", object=ref.object, hint=hint), param="object")

    def source_of(self, supported: SupportedObject) -> RecordSource | None:
        """The record source of an object; None when the workspace has none."""
        name = self.catalogue.source_of(supported)
        if name is not None and name not in self.sources:
            raise PluginNotLoaded(
                say(
                    "The record source '{name}' of '{object}' is not running; 'jumpseat plugins list' says why.",
                    name=name,
                    object=supported.label,
                )
            )
        return self.sources[name] if name is not None else None

    def offer(self, place: Place, supporter: Supporter, valid: Session | None, now: datetime) -> Offer:
        """The offer for a record.

        Args:
            place: what ``find`` answered.
            supporter: who asks.
            valid: the record's valid session, if there is one.
            now: UTC; judges the valid session.
        """
        people = rules_for(place.supported, place.source)
        found = find_contacts(place.record, people, place.source, given=place.given)
        types = tuple(self._type(place, item, supporter, self.channels.values()) for item in self._set_up(place.supported))
        named = place.supported.share_channels
        offered = [item for item in self.channels.values() if named is None or item.name in named]
        kept = self._kept_in_crm(place, supporter) if any(map(_takes_mails, offered)) else KeptInCrm()
        channels = tuple(self._channel(place, item, found, kept if _takes_mails(item) else KeptInCrm(), supporter) for item in offered)
        return Offer(
            record=place.record,
            source=place.source.source if place.source else None,
            session=valid,
            actions=actions(valid, types, supporter, now, waits=self._waits(valid)),
            session_types=types,
            channels=channels,
            contacts=found.contacts,
            customer=found.customer,
            contact_reasons=found.reasons,
            chat_message=place.supported.chat_message and bool(place.source and place.source.can_post_note),
            catalogue_version=self.catalogue.version,
            add_contact=bool(place.source and place.source.can_add_contact) and supporter.rights.level("contact.add") >= Level.OWN,
        )

    def actions(self, place: Place, supporter: Supporter, valid: Session | None, now: datetime) -> tuple[Action, ...]:
        """The buttons alone, as ``offer`` has them; asks the plugins about session types, and nobody for contacts or templates."""
        types = [self._type(place, item, supporter, ()) for item in self._set_up(place.supported)]
        return actions(valid, types, supporter, now, waits=self._waits(valid))

    def _waits(self, valid: Session | None) -> bool:
        """Can nobody join before the customer is there?"""
        found = self.session_types.get(valid.session_type) if valid and not valid.online else None
        return found is not None and found.abilities.late_supporter_link

    def _set_up(self, supported: SupportedObject) -> Iterable[SessionType]:
        """The session types that concern anybody: of one that nobody set up it is said what is missing only where the metadata names it."""
        allowed = self.catalogue.sessions.allowed
        named = {*(supported.session_types or ()), *(name for name, yes in allowed.items() if yes)}
        return (item for item in self.session_types.values() if item.name in named or not item.dormant)

    def _type(self, place: Place, session_type: SessionType, supporter: Supporter, channels: Iterable[ShareChannel]) -> OfferedType:
        reasons = [self._setting_says(session_type.name), *self._object_says(place.supported, session_type.name), *_missing(session_type)]
        reasons += self._origin_says(session_type)
        to_do: tuple[Reason, ...] = ()
        if all(reason.allowed for reason in reasons):
            to_do = _missing_for(session_type, supporter)
            reasons += to_do
        if all(reason.allowed for reason in reasons):
            reasons += self._plugins_say("session_type_allowed", record=place.record, session_type=session_type, supporter=supporter)
        return OfferedType(
            name=session_type.name,
            label=session_type.label,
            allowed=all(reason.allowed for reason in reasons),
            reasons=tuple(reasons),
            channels=tuple(self._type_channel(place, session_type, channel, supporter) for channel in channels),
            sign_in=(to_do and session_type.sign_in) or None,
            fields=session_type.fields,
        )

    def _setting_says(self, name: str) -> Reason:
        settings = self.catalogue.sessions
        key = f"allow_{name}" if f"allow_{name}" in settings.lines else f"allow.{name}"
        place = Provenance("metadata", settings.file, settings.lines.get(key))
        if settings.allows(name):
            return Reason(say("The session settings allow it."), place, True)
        return Reason(say("The session settings forbid this session type."), place)

    def _object_says(self, supported: SupportedObject, name: str) -> Sequence[Reason]:
        if supported.session_types is None:
            return ()
        place = Provenance("metadata", supported.file, supported.lines.get("session_types"))
        if name in supported.session_types:
            return (Reason(say("{object} names it.", object=supported.label), place, True),)
        return (Reason(say("{object} does not offer this session type.", object=supported.label), place),)

    def _origin_says(self, session_type: SessionType) -> Sequence[Reason]:
        """Browsers let pages use camera and screen on a secure origin only (W3C Secure Contexts)."""
        address = self.catalogue.host.public_url
        if not session_type.abilities.needs_https or _is_secure_origin(address):
            return ()
        text = say(
            "It works over https only, and customers reach this host at {address}. Set public_url to an https address.", address=address
        )
        return (Reason(text, Provenance("metadata", "metadata/host.yaml")),)

    def _plugins_say(self, hook: str, **question: Any) -> list[Reason]:
        said = []
        for answer in self.dispatch.decide(hook, **question):
            if answer.error is not None:
                said.append(
                    Reason(
                        say("The plugin '{plugin}' failed while deciding; that counts as a no.", plugin=answer.plugin), answer.provenance
                    )
                )
            elif isinstance(answer.value, Verdict):
                text = answer.value.reason or (say("Allowed.") if answer.value.allowed else say("Refused."))
                said.append(Reason(text, answer.provenance, answer.value.allowed))
        return said

    def _type_channel(self, place: Place, session_type: SessionType, channel: ShareChannel, supporter: Supporter) -> TypeChannel:
        reasons: list[Reason] = []
        if place.supported.share_channels is not None and channel.name not in place.supported.share_channels:
            where = Provenance("metadata", place.supported.file, place.supported.lines.get("share_channels"))
            reasons.append(Reason(say("{object} does not offer this channel.", object=place.supported.label), where))
        elif channel.only_for is not None and session_type.name not in channel.only_for:
            reasons.append(
                Reason(
                    say("{channel} does not work with {session_type}.", channel=channel.label, session_type=session_type.label),
                    Provenance(channel.name),
                )
            )
        elif unset := _missing(channel):
            reasons += unset
        else:
            reasons += self._plugins_say(
                "share_channel_allowed", record=place.record, session_type=session_type, channel=channel, supporter=supporter
            )
        allowed = all(reason.allowed for reason in reasons)
        ticked = channel.name in session_type.default_channels or session_type.name in channel.default_for
        return TypeChannel(channel.name, allowed, allowed and ticked, tuple(reasons))

    def _kept_in_crm(self, place: Place, supporter: Supporter) -> KeptInCrm:
        return kept_in_crm(place.record, place.supported, place.source, supporter, self.catalogue.host.default_language)

    def _channel(self, place: Place, channel: ShareChannel, found: Found, kept: KeptInCrm, supporter: Supporter) -> OfferedChannel:
        recipients, reasons = self._recipients(place, channel, found.contacts)
        prefilled = prefill([offered.recipient for offered in recipients if offered.usable], found)
        templates = (*self.catalogue.templates, *kept.of(channel.name, self.catalogue.templates))
        fit = applicable(templates, place.supported, channel.name) if channel.templated else None
        candidates = fit.candidates if fit else ()
        chosen, who = self._chosen(place, channel, candidates, prefilled, supporter)
        return OfferedChannel(
            name=channel.name,
            label=channel.label,
            address_kind=channel.address_kind,
            recipients=tuple(recipients),
            custom_recipient=place.supported.allow_custom_recipient,
            prefilled=prefilled,
            templates=tuple(candidates),
            chosen=chosen,
            skipped=tuple(SkippedTemplate(template.name, template.language, why) for template, why in (fit.skipped if fit else ())),
            reasons=(*reasons, *kept.reasons, *who),
            fields=channel.fields,
        )

    def _recipients(self, place: Place, channel: ShareChannel, contacts: Sequence[Contact]) -> tuple[list[OfferedRecipient], list[Reason]]:
        asked = [Recipient(address, contact) for contact in contacts if (address := address_of(contact, channel))]
        reasons = []
        for answer in self.dispatch.decide("suggest_recipients", record=place.record, channel=channel, contacts=tuple(contacts)):
            if answer.error is not None:
                reasons.append(
                    Reason(say("The plugin '{plugin}' failed while suggesting recipients.", plugin=answer.plugin), answer.provenance)
                )
                continue
            more = [recipient for recipient in answer.value or () if recipient.contact is not None]
            reasons += [Reason(say("{name} suggested.", name=recipient.name), answer.provenance, True) for recipient in more]
            asked += more
        offered: dict[str, OfferedRecipient] = {}
        for recipient in asked:
            one = self._checked(channel, recipient)
            offered.setdefault(one.recipient.address, one)
        return list(offered.values()), reasons

    def _checked(self, channel: ShareChannel, recipient: Recipient) -> OfferedRecipient:
        try:
            address = normal_address(channel, recipient.address, self.catalogue.host.phone_country)
        except RecipientInvalid as error:
            return OfferedRecipient(recipient, usable=False, note=error.message)
        contact = recipient.contact
        opted_out = contact and (contact.email_opt_out if channel.address_kind == "email" else contact.phone_opt_out)
        note = say("{name} has asked not to be contacted this way.", name=recipient.name) if opted_out else ""
        return OfferedRecipient(replace(recipient, address=address), note=note)

    def _chosen(
        self, place: Place, channel: ShareChannel, candidates: Sequence[Template], prefilled: Recipient | None, supporter: Supporter
    ) -> tuple[Template | None, tuple[Reason, ...]]:
        if not candidates:
            return None, ()
        answer = self.dispatch.first("choose_template", record=place.record, channel=channel, candidates=tuple(candidates))
        if answer is not None and answer.value in candidates:
            return answer.value, (Reason(say("Template '{template}' chosen.", template=answer.value.name), answer.provenance, True),)
        return choose_language(candidates, self.languages(prefilled, supporter)), ()

    def languages(self, recipient: Recipient | None, supporter: Supporter) -> tuple[str, ...]:
        """Languages in the order in which they are wanted: the contact's, the supporter's, the default."""
        contact = recipient.contact if recipient else None
        wanted = (contact.language if contact else None, supporter.language, self.catalogue.host.default_language)
        return tuple(language for language in wanted if language)


def _is_secure_origin(address: str) -> bool:
    parts = urlsplit(address)
    name = parts.hostname or ""
    return parts.scheme == "https" or name in ("localhost", "127.0.0.1", "::1") or name.endswith(".localhost")


def _missing(extension: SessionType | ShareChannel) -> tuple[Reason, ...]:
    """What has to be set before a session type or channel can be used."""
    try:
        missing = extension.missing()
    except PluginError as error:
        missing = error.message
    return (Reason(missing, Provenance(extension.name)),) if missing else ()


def _missing_for(session_type: SessionType, supporter: Supporter) -> tuple[Reason, ...]:
    """What this supporter has to do before they can use a session type."""
    try:
        missing = session_type.missing_for(supporter)
    except JumpseatError as error:
        missing = error.message
    return (Reason(missing, Provenance(session_type.name)),) if missing else ()


def _takes_mails(channel: ShareChannel) -> bool:
    """Do e-mail templates fit the channel?"""
    return channel.templated and channel.address_kind == "email"


def prefill(usable: Sequence[Recipient], found: Found) -> Recipient | None:
    """The recipient to fill in: the only one there is, or the only one among the record's own people; else it is a choice."""
    if len(usable) == 1:
        return usable[0]
    near = [recipient for recipient in usable if recipient.contact is not None and recipient.contact.id in found.nearest]
    return near[0] if len(near) == 1 else None


def checked_id(source: RecordSource | None, ref: RecordRef) -> str:
    """The record's id in its one form, by the source's rule or the contract's own."""
    return source.check_id(ref.object, ref.id) if source else RecordSource().check_id(ref.object, ref.id)


def named(record: Record, supported: SupportedObject) -> Record:
    """The record with its name, from the name field where the caller gave none."""
    name = record.name or str(record[supported.name_field] or "") or record.id
    return replace(record, name=name)


def actions(
    valid: Session | None, types: Sequence[OfferedType], supporter: Supporter, now: datetime, *, waits: bool = False
) -> tuple[Action, ...]:
    """The buttons: *new* without a valid session; *join*, *share*, *close* and *replace* with one.

    Args:
        valid: the record's valid session, if there is one.
        types: what may be opened, with the reasons.
        supporter: whose buttons.
        now: UTC.
        waits: the session cannot be joined before the customer is there.
    """
    some_type = next((Reason("", HOST, True) for offered in types if offered.allowed), None)
    no_type = next(
        (reason for offered in types for reason in offered.reasons if not reason.allowed),
        Reason(say("No plugin brings a session type."), HOST),
    )
    open_reason = some_type or no_type
    over = Reason(say("There is no valid session."), HOST)
    until = (
        say("Session {code} is valid until {until:%Y-%m-%d %H:%M UTC}.", code=valid.code, until=valid.valid_until)
        if valid and valid.valid_at(now)
        else ""
    )
    needs: tuple[tuple[ActionName, str, Reason], ...] = (
        ("new", "session.open", Reason(until, HOST) if until else open_reason),
        ("replace", "session.open", open_reason if until else over),
        ("join", "session.join", Reason(NOT_HERE_YET if waits else until, HOST, not waits) if until else over),
        ("share", "share.send", Reason(until, HOST, True) if until else over),
        ("close", "session.close", Reason(until, HOST, True) if until else over),
    )
    return tuple(_action(name, right, reason, supporter) for name, right, reason in needs)


def _action(name: ActionName, right: str, reason: Reason, supporter: Supporter) -> Action:
    if supporter.rights.level(right) < Level.OWN:
        reason = Reason(say("The right '{right}' is missing.", right=right), Provenance("metadata", "metadata/permission_sets"))
    return Action(name, reason.allowed, reason)
