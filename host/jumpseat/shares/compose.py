"""Composing: from what a caller wishes to exactly what will be sent. Checks everything before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from jumpseat.catalogue.merge_fields import RecordFields
from jumpseat.catalogue.variables import (
    CompanyVariables,
    RecipientVariables,
    RecordVariables,
    SessionVariables,
    SupporterVariables,
    TemplateContext,
)
from jumpseat.contract import RecordSource, ShareChannel
from jumpseat.errors import (
    ChannelNotAllowed,
    CustomRecipientNotAllowed,
    InvalidValue,
    MessageUnsafe,
    RecipientInvalid,
    RecipientMissing,
    TemplateNotApplicable,
)
from jumpseat.records.addresses import normal_address
from jumpseat.records.offer import Offer, OfferedChannel
from jumpseat.records.own_fields import filled
from jumpseat.records.resolve import Resolver
from jumpseat.records.template_choice import choose_language
from jumpseat.shares.crm_words import with_words
from jumpseat.shares.render import Rendered, render
from jumpseat.speech import joined, say
from jumpseat.types import NOTHING, Recipient, Session, ShareWish, Supporter, Template

MAX_WISHES = 20
"""Most shares of one call; a support team writes to one customer, not to a list."""


@dataclass(frozen=True, slots=True)
class Composed:
    """One share, ready to be stored: everything is decided, nothing is sent yet."""

    channel: str
    label: str
    """Of the channel."""
    recipient: Recipient
    template: str
    """Name of the template; empty where the channel has none."""
    language: str
    subject: str
    text: str
    html: str | None
    segments: int | None = None
    """What the text costs, where the channel counts so."""
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Own fields of the channel, by name."""


@dataclass(frozen=True, slots=True)
class Composer:
    """What composing needs to know of one session and its record.

    Args:
        resolver: the catalogue and the channels, as they were when the offer was made.
        offer: the record's offer; what it does not offer is refused.
        session: the valid session to be shared.
        supporter: who shares.
        message: what the supporter typed for the customer.
        source: where the record comes from; fetches the words of templates that are kept in the CRM.
    """

    resolver: Resolver
    offer: Offer
    session: Session
    supporter: Supporter
    message: str = ""
    source: RecordSource | None = None

    def compose(self, wishes: Sequence[ShareWish]) -> list[Composed]:
        """One message per wish; raises at the first that cannot be.

        Args:
            wishes: what to send; the ticked channels of the offer when empty.

        Raises:
            ChannelNotAllowed, RecipientMissing, RecipientInvalid, CustomRecipientNotAllowed, TemplateNotApplicable, MessageUnsafe:
                the message says which wish and why.
        """
        if len(wishes) > MAX_WISHES:
            raise InvalidValue(say("{n} shares at once are too many; at most {most}.", n=len(wishes), most=MAX_WISHES), param="shares")
        return [self._one(wish) for wish in wishes or self._ticked()]

    def still_possible(self, channel: str, address: str) -> str:
        """May this address still be sent to, by the rules as they stand now? Answers the channel's label.

        Args:
            channel: name of the share channel.
            address: that a share went to.

        Raises:
            ChannelNotAllowed, RecipientInvalid, CustomRecipientNotAllowed: why not.
        """
        offered = self._channel(ShareWish(channel))
        self._typed(address, offered, self.resolver.channels[offered.name])
        return offered.label

    def _ticked(self) -> list[ShareWish]:
        offered = self.offer.session_type(self.session.session_type)
        ticked = [ShareWish(channel.name) for channel in offered.channels if channel.ticked] if offered else []
        if not ticked:
            raise InvalidValue(say("No channel is chosen beforehand for this session; name one in 'shares'."), param="shares")
        return ticked

    def _one(self, wish: ShareWish) -> Composed:
        offered = self._channel(wish)
        channel = self.resolver.channels[offered.name]
        recipient = self._recipient(wish, offered, channel)
        fields = filled(channel.fields, wish.fields, channel.label)
        if not channel.templated:
            language = self.resolver.languages(recipient, self.supporter)[0]
            return Composed(channel.name, channel.label, recipient, "", wish.language or language, "", "", None, fields=fields)
        template = self._template(wish, offered, recipient)
        if template.in_crm:
            template = self._from_crm(template, recipient)
        rendered = render(template, self._context(recipient))
        segments = _check_length(rendered, channel, template)
        return Composed(
            channel=channel.name,
            label=channel.label,
            recipient=recipient,
            template=template.name,
            language=template.language,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            segments=segments,
            fields=fields,
        )

    def _channel(self, wish: ShareWish) -> OfferedChannel:
        offered = self.offer.channel(wish.channel)
        offered_type = self.offer.session_type(self.session.session_type)
        for_type = next((item for item in offered_type.channels if item.name == wish.channel), None) if offered_type else None
        if for_type is not None and not for_type.allowed:
            why = next(reason for reason in for_type.reasons if not reason.allowed)
            raise ChannelNotAllowed(
                say(
                    "The channel '{channel}' is not possible here: {reason} (decided by {by})",
                    channel=wish.channel,
                    reason=why.text,
                    by=why.provenance,
                ),
                param="channel",
            )
        if offered is None or for_type is None:
            known = ", ".join(item.name for item in self.offer.channels) or say("none")
            raise ChannelNotAllowed(
                say("The channel '{channel}' is not offered for this record. Offered: {known}.", channel=wish.channel, known=known),
                param="channel",
            )
        return offered

    def _recipient(self, wish: ShareWish, offered: OfferedChannel, channel: ShareChannel) -> Recipient:
        """Who receives it: a contact of the record, the only one there is, or a typed address where the object allows one."""
        if wish.contact_id is not None and wish.address is not None:
            raise InvalidValue(say("Give either 'contactId' or 'address', not both."), param="address")
        if wish.contact_id is not None:
            return self._contact(wish.contact_id, offered)
        if wish.address is not None:
            return self._typed(wish.address, offered, channel)
        if offered.prefilled is not None:
            return offered.prefilled
        usable = [item.recipient for item in offered.recipients if item.usable]
        if usable:
            names = ", ".join(f"{item.name} ({item.contact.id if item.contact else ''})" for item in usable)
            raise RecipientMissing(
                say("{n} contacts can receive this; choose one by its id: {names}.", n=len(usable), names=names), param="contactId"
            )
        raise RecipientMissing(self._nobody(offered), param="address")

    def _nobody(self, offered: OfferedChannel) -> str:
        """Why there is nobody to send to, and what to do instead (manual: the session's number is given by hand)."""
        record = joined(self.offer.record.label, self.offer.record.name)
        nobody = say("{record} has no contact to send to by {label}.", record=record, label=offered.label)
        notes = (item.note for item in offered.recipients if not item.usable)
        if offered.custom_recipient:
            other = say("Type an address, or give the customer the session code {code}.", code=self.session.code)
        else:
            other = say("Give the customer the session code {code}.", code=self.session.code)
        return joined(nobody, *notes, other)

    def _contact(self, contact_id: str, offered: OfferedChannel) -> Recipient:
        for item in offered.recipients:
            if item.recipient.contact is not None and item.recipient.contact.id == contact_id:
                if not item.usable:
                    raise RecipientInvalid(item.note, param="contactId")
                return item.recipient
        if any(contact.id == contact_id for contact in self.offer.contacts):
            raise RecipientMissing(say("This contact has no address for {label}.", label=offered.label), param="contactId")
        raise RecipientMissing(say("'{contact_id}' is not a contact of this record.", contact_id=contact_id[:100]), param="contactId")

    def _typed(self, address: str, offered: OfferedChannel, channel: ShareChannel) -> Recipient:
        normal = normal_address(channel, address, self.resolver.catalogue.host.phone_country)
        for item in offered.recipients:
            if item.usable and item.recipient.address == normal:
                return item.recipient
        if not offered.custom_recipient:
            raise CustomRecipientNotAllowed(
                say(
                    "{object} does not allow a recipient that is not one of the record's contacts. "
                    "Choose a contact, or set 'allow_custom_recipient: true' for the object.",
                    object=self.offer.record.label,
                ),
                param="address",
            )
        return Recipient(normal)

    def _template(self, wish: ShareWish, offered: OfferedChannel, recipient: Recipient) -> Template:
        candidates: Sequence[Template] = offered.templates
        if wish.template is not None:
            candidates = [item for item in candidates if item.name == wish.template]
            if not candidates:
                raise TemplateNotApplicable(_why_not(wish.template, offered), param="template")
        if wish.language is not None:
            candidates = [item for item in candidates if item.language == wish.language]
            if not candidates:
                raise TemplateNotApplicable(
                    say("No template in the language '{language}' applies here.", language=wish.language[:20]), param="language"
                )
        if wish.template is None and wish.language is None and recipient == offered.prefilled and offered.chosen is not None:
            return offered.chosen
        return choose_language(candidates, self.resolver.languages(recipient, self.supporter))

    def _from_crm(self, template: Template, recipient: Recipient) -> Template:
        """The template with the words that the CRM has for this record now; what is stored with the share is sent on every try.

        Raises:
            ProviderError: the CRM does not tell them.
            MessageUnsafe: they cannot be sent.
        """
        if self.source is None:
            raise TemplateNotApplicable(say("The CRM that keeps the template '{name}' is not there.", name=template.name), param="template")
        record, supported = self.offer.record, self.resolver.supported(self.offer.record.ref)
        words = self.source.render_template(replace(record, acting_for=self.supporter), template.in_crm, recipient)
        return with_words(template, words, RecordFields(supported.supported_object, supported.name_field, supported.template_fields))

    def _context(self, recipient: Recipient) -> TemplateContext:
        """Plain values only; there is no place for a token or a supporter link."""
        record, contact = self.offer.record, recipient.contact
        supported = self.resolver.supported(record.ref)
        return TemplateContext(
            record=RecordVariables(record.name, record.label, {name: record[name] for name in supported.template_fields}),
            recipient=RecipientVariables(recipient.name, (contact.first_name if contact else None) or ""),
            session=SessionVariables(
                code=self.session.code or "",
                type=self.session.session_type,
                customer_link=self.session.customer_link or "",
                valid_until=self.session.valid_until,
            ),
            supporter=SupporterVariables(self.supporter.name),
            company=CompanyVariables(self.resolver.catalogue.host.company),
            message=self.message,
        )


def promise(channel: ShareChannel) -> str:
    """What becomes of a share through this channel whose answer was lost, in words."""
    if channel.honours_key:
        return say("Never lost and never doubled: a share whose answer was lost is sent again, and the gateway takes it for the same one.")
    if channel.can_look_up:
        return say(
            "Never lost and never doubled: a share whose answer was lost is asked about, and sent again only if the gateway lacks it."
        )
    return say("A share whose answer was lost is unknown: it is not repeated by itself, and can be resent by hand.")


def _why_not(name: str, offered: OfferedChannel) -> str:
    skipped = next((item for item in offered.skipped if item.name == name), None)
    if skipped is not None:
        return say("The template '{name}' does not apply here: {reason}.", name=name, reason=skipped.reason)
    known = ", ".join(sorted({item.name for item in offered.templates})) or say("none")
    return say("There is no template '{name}' for {label}. Those that apply: {known}.", name=name[:100], label=offered.label, known=known)


def _check_length(rendered: Rendered, channel: ShareChannel, template: Template) -> int | None:
    """How many segments the text takes, where the channel counts them.

    Raises:
        MessageUnsafe: it is longer than the channel carries.
    """
    characters, segments = len(rendered.text), channel.segments(rendered.text)
    if channel.max_segments is not None and segments is not None and segments > channel.max_segments:
        raise MessageUnsafe(
            say(
                "The template '{template}' gives {characters} characters, which take {segments} segments; {channel} is allowed "
                "{most}. Shorten it, or leave out letters that need the long alphabet.",
                template=template.name,
                characters=characters,
                segments=segments,
                channel=channel.label,
                most=channel.max_segments,
            )
        )
    if channel.max_text is not None and characters > channel.max_text:
        raise MessageUnsafe(
            say(
                "The template '{template}' gives {characters} characters; {channel} carries {most}. Shorten it.",
                template=template.name,
                characters=characters,
                channel=channel.label,
                most=channel.max_text,
            )
        )
    return segments
