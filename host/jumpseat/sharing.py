"""The part of a host that sends the customer link: shares, their previews, what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from jumpseat.access.rights import operation, require
from jumpseat.contract import Attachment
from jumpseat.errors import InvalidValue, JumpseatError, NotFound, Refused, SessionNotFound, SessionNotValid
from jumpseat.reach import Reach
from jumpseat.records.addresses import checked_contact
from jumpseat.records.resolve import Place
from jumpseat.sessions.words import over
from jumpseat.shares.compose import Composed, Composer
from jumpseat.speech import say
from jumpseat.store import given, shares as share_rows, timeline
from jumpseat.store.idempotency import Kept
from jumpseat.types import Contact, Outcome, Record, RecordRef, Session, Share, ShareWish, Supporter

LARGEST_PICTURE = 2 * 1024 * 1024
"""Bytes."""
LONGEST_FILE_NAME = 100
_BEGINS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


class Sharing(Reach):
    """Sending the customer link; ``Host`` adds the rest."""

    @operation("share.send")
    def share(
        self,
        session_id: str,
        wishes: Sequence[ShareWish],
        supporter: Supporter,
        *,
        message: str = "",
        chat_message: str = "",
        resend: bool = False,
        kept: Kept | None = None,
    ) -> list[Share]:
        """Send the customer link of a session; answers one share per wish, each with its own outcome.

        A share that is the same as one of the last 10 seconds is a double click: it is not sent again, and the first one is answered.

        Args:
            session_id: a valid session.
            wishes: what to send through which channels; the ticked channels of the offer when empty.
            supporter: who shares.
            message: a text of the supporter for the customer, where the template has a place for it.
            chat_message: a text for the record's feed in the CRM.
            resend: send it even if the same was shared a moment ago; so does a call with an idempotency key of its own.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            SessionNotValid: the session is over.
            ChannelNotAllowed, RecipientMissing, RecipientInvalid, CustomRecipientNotAllowed, TemplateNotApplicable,
            MessageUnsafe, CapReached: nothing was stored and nothing is sent.
        """
        session, place, composed = self._composed(session_id, wishes, supporter, message)
        accepted = self._wiring.storing.send(session, composed, supporter, again=resend, kept=kept)
        if chat_message and accepted.fresh:
            self._post_note(session, place, chat_message, supporter)
        return accepted.shares

    @operation("share.send")
    def resend_share(self, share_id: str, supporter: Supporter, *, kept: Kept | None = None) -> Share:
        """Send a share once more, in one action.

        One that failed, or of which nobody knows whether it was sent, is queued again with the same message under the same key. One
        that was sent or refused makes a new share with the same text. The rules for channels and recipients apply as they stand now.

        Args:
            share_id: the share.
            supporter: who asks.
            kept: keeps the answer of the call, see ``once``.

        Returns:
            The share that is queued now.

        Raises:
            NotFound: there is no such share, or it is not this supporter's to see.
            SessionNotValid: its session is over, and so is the link.
            ShareBusy: it is on its way already.
            ChannelNotAllowed, RecipientInvalid, CustomRecipientNotAllowed, CapReached: it may not be sent any more.
        """
        require(supporter, "share.send", own=True)
        share = self._share(share_id, supporter)
        session, _, composer = self._composer(share.session_id, supporter)
        label = composer.still_possible(share.channel, share.address)
        return self._wiring.storing.resend(share, session, supporter, label, kept=kept)

    def settle_share(self, channel: str, outcome: Outcome, *, key: str | None = None, reference: str | None = None) -> Share | None:
        """Take what a gateway says later of a message; for the routes of plugins, which have made sure that it is the gateway that says it.

        An unknown share gets its outcome, a sent one can turn out not to have arrived; what is over already stays as it is.

        Args:
            channel: name of the share channel.
            outcome: sent, refused or failed.
            key: ``Message.key``, where the gateway repeats it.
            reference: the gateway's own id, as ``Outcome.sent`` named it.

        Returns:
            The share as it is now; None when there is none of this key or reference.

        Raises:
            InvalidValue: neither key nor reference is given.
        """
        if not key and not reference:
            raise InvalidValue(say("A receipt names its message by 'key' or by 'reference'."), param="key")
        return self._wiring.settling.settle(channel, outcome, key=key or None, reference=reference or None)

    @operation("share.send")
    def preview_share(self, session_id: str, wishes: Sequence[ShareWish], supporter: Supporter, *, message: str = "") -> list[Composed]:
        """Exactly what ``share`` would send, without sending it."""
        return self._composed(session_id, wishes, supporter, message)[2]

    @operation("share.read")
    def shares(self, session_id: str, supporter: Supporter) -> list[Share]:
        """The shares of a session, oldest first, each with its outcome."""
        session = self._session(session_id, supporter, "share.read")
        with self._wiring.store.read() as connection:
            return list(share_rows.of_session(connection, session.id))

    @operation("share.send")
    def share_again(self, session_id: str, of: str, supporter: Supporter, *, kept: Kept | None = None) -> list[Share]:
        """Send the link of a session to those to whom that of an earlier one of the same record was sent last, in the same way.

        Args:
            session_id: a valid session.
            of: the earlier session.
            supporter: who shares.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            Refused: the earlier session was never shared, or is another record's.
            RecipientMissing, TemplateNotApplicable: somebody is no longer there, or a template; nothing is sent.
        """
        session, earlier = (self._session(id, supporter, "share.send") for id in (session_id, of))
        if session.record != earlier.record:
            raise Refused(say("Session {code} belongs to another record.", code=earlier.code))
        with self._wiring.store.read() as connection:
            wishes = share_rows.last_wishes(connection, earlier.id)
        if not wishes:
            raise Refused(say("Session {code} was not shared, so there is nobody to send it to again.", code=earlier.code))
        return self.share(session_id, wishes, supporter, kept=kept)

    @operation("contact.add")
    def add_contact(self, ref: RecordRef, contact: Contact, supporter: Supporter, *, kept: Kept | None = None) -> Contact:
        """Add a person to a record in its CRM, for whoever asks; answers the contact as the CRM has it now.

        Args:
            ref: the record.
            contact: name, and an e-mail address or a number; its id says nothing.
            supporter: who adds them.
            kept: keeps the answer of the call, see ``once``.

        Raises:
            InvalidValue: the name is missing, or every address.
            RecipientInvalid: an address is none.
            Refused: the record source cannot add contacts.
            ProviderError: the CRM refused, or cannot be reached.
        """
        require(supporter, "contact.add", own=True)
        resolver = self._resolver()
        place = self._place(resolver, ref, supporter, "contact.add")
        if place.source is None or not place.source.can_add_contact:
            raise Refused(say("The CRM of this record takes no contacts from here. Add the person in the CRM."))
        person = checked_contact(contact, resolver.catalogue.host.phone_country)
        added = place.source.add_contact(replace(place.record, acting_for=supporter), person)
        if kept is not None:
            with self._wiring.store.write() as connection:
                kept(connection, added)
        return added

    @operation("share.send")
    def attach(self, session_id: str, attachment: Attachment, text: str, supporter: Supporter) -> bool:
        """Keep a picture with the record of a session, for whoever asks; a session that is over has its record still.

        Args:
            session_id: whose record.
            attachment: a PNG or JPEG of at most 2 MB.
            text: what it shows; may be empty.
            supporter: who attaches it.

        Returns:
            True: the record has the picture. False: its CRM takes none, so that only the text was posted to the record's feed.

        Raises:
            InvalidValue: it is no such picture, or its name is none of a file.
            Refused: the record takes nothing from here, or no picture, and there is no text.
            ProviderError: the CRM refused, or cannot be reached.
        """
        session = self._session(session_id, supporter, "share.send")
        _check_picture(attachment)
        place = self._resolver().find(self._asked(session))
        record, source = replace(place.record, acting_for=supporter), place.source
        if source is None or not place.supported.chat_message or not (source.can_attach or source.can_post_note):
            raise Refused(say("The record takes neither pictures nor messages from here. Keep the picture, and add it in the CRM."))
        if source.can_attach:
            source.attach(record, attachment, text)
            said = say("The picture '{name}' was attached to the record.", name=attachment.name)
        elif not text.strip():
            raise Refused(
                say("The CRM of this record takes no pictures from here. Keep the picture, or write a text for the record's feed.")
            )
        else:
            source.post_note(record, text)
            said = say("A message was posted to the record's feed.")
        self._note(session, said, supporter)
        return source.can_attach

    def deliver(self, share_id: str) -> Share | None:
        """Try to deliver one queued share here and now; the worker calls it, and so may a command without one."""
        return self._wiring.sending.deliver(share_id)

    def _share(self, share_id: str, supporter: Supporter) -> Share:
        with self._wiring.store.read() as connection:
            share = share_rows.get(connection, share_id)
        if share is not None:
            with suppress(SessionNotFound):
                self._session(share.session_id, supporter, "share.send")
                return share
        raise NotFound(say("There is no share '{share_id}'.", share_id=share_id[:100]), param="shareId")

    def _composed(
        self, session_id: str, wishes: Sequence[ShareWish], supporter: Supporter, message: str
    ) -> tuple[Session, Place, list[Composed]]:
        session, place, composer = self._composer(session_id, supporter, message)
        return session, place, composer.compose(wishes)

    def _composer(self, session_id: str, supporter: Supporter, message: str = "") -> tuple[Session, Place, Composer]:
        session = self._session(session_id, supporter, "share.send")
        if not session.valid_at(self.clock.now()):
            raise SessionNotValid(over(session))
        resolver = self._resolver()
        place = resolver.find(self._asked(session))
        offer = self._offer(resolver, place, supporter)
        return session, place, Composer(resolver, offer, session, supporter, message, place.source)

    def _asked(self, session: Session) -> RecordRef | Record:
        """The session's record as it was asked for: by reference, or by value as the caller gave it."""
        with self._wiring.store.read() as connection:
            return given.find(connection, session.id, session.record) or session.record

    def _post_note(self, session: Session, place: Place, text: str, supporter: Supporter) -> None:
        """Write the supporter's message to the record's feed; a CRM that does not take it is noted, the shares go on."""
        if place.source is None or not (place.supported.chat_message and place.source.can_post_note):
            said = say("The message for the record's feed was not posted: the CRM or the object does not take one.")
        else:
            try:
                place.source.post_note(replace(place.record, acting_for=supporter), text)
                said = say("A message was posted to the record's feed.")
            except JumpseatError as error:
                said = say("The message for the record's feed was not posted: {reason}", reason=error.message)
        self._note(session, said, supporter)

    def _note(self, session: Session, said: str, supporter: Supporter) -> None:
        with self._wiring.store.write() as connection:
            timeline.add(connection, session.id, self.clock.now(), "note", said, supporter.id)


def _check_picture(attachment: Attachment) -> None:
    """Raises InvalidValue unless it is a picture that records take, by its first bytes and not by what it is called."""
    name, begin = attachment.name, _BEGINS.get(attachment.media_type)
    if not name.strip(". ") or len(name) > LONGEST_FILE_NAME or not name.isprintable() or set(name) & set('/\\:*?"<>|'):
        raise InvalidValue(
            say("The picture needs the name of a file of at most {most} characters, such as screen.png.", most=LONGEST_FILE_NAME),
            param="name",
        )
    if begin is None or not attachment.content.startswith(begin):
        raise InvalidValue(say("Only pictures in the formats PNG and JPEG are attached to records."), param="content")
    if len(attachment.content) > LARGEST_PICTURE:
        raise InvalidValue(say("The picture is larger than {most} MB. Attach a smaller one.", most=LARGEST_PICTURE >> 20), param="content")
