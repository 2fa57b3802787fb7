"""Contract suites: subclass one in a test module, say how to make the thing, and its whole contract is tested.

The suites call an extension without a host and without guards, so a failure shows the extension's own traceback.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jumpseat import (
    ConnectionPage,
    Contact,
    ContactRule,
    CrmTemplate,
    CrmWords,
    Health,
    InvalidValue,
    Message,
    Notice,
    ObjectInfo,
    OpenRequest,
    Outcome,
    OutcomeKind,
    ProviderError,
    ProviderRefused,
    Recipient,
    RecipientInvalid,
    Record,
    RecordNotFound,
    RecordRef,
    RecordSource,
    Session,
    SessionStatus,
    SessionType,
    ShareChannel,
)
from jumpseat.contract import Extension
from jumpseat.hooks.checking import extensions, source_classes
from jumpseat.hooks.values import many, one, opened as opened_session, read_fields, statuses, web_secret
from jumpseat.testing.fakes import NOW, FakeClock, a_message, a_picture, a_record, a_session, a_supporter, an_open_request, lend


class _Lent:
    """Lends a runtime to the thing under test."""

    config: dict[str, Any] = {}
    """The settings that are set, by name; override it."""

    def lend(self, extension: Extension, folder: Path) -> None:
        if not hasattr(extension, "runtime"):
            lend(extension, folder, FakeClock(), **self.config)


class ShareChannelContract(_Lent):
    """What every share channel keeps to. Override the fixture ``channel``; the others where the defaults do not fit."""

    address = "marie@example.test"
    """One that the channel can reach."""
    bad_address: str | None = None
    """One of the right kind that the channel cannot reach; None when there is none."""

    @pytest.fixture
    def channel(self) -> ShareChannel:
        """The channel, able to send (against a gateway of the test's own)."""
        raise NotImplementedError("override the fixture 'channel'")

    @pytest.fixture
    def failing(self) -> ShareChannel | None:
        """The channel with a gateway that cannot be reached; None when it has no gateway."""
        return None

    @pytest.fixture
    def message(self) -> Message:
        """What is sent."""
        return a_message(self.address)

    @pytest.fixture(autouse=True)
    def _lend_runtime(self, channel: ShareChannel, failing: ShareChannel | None, tmp_path: Path) -> None:
        self.lend(channel, tmp_path)
        if failing is not None:
            self.lend(failing, tmp_path)

    def test_the_declarations_are_valid(self, channel: ShareChannel) -> None:
        assert extensions(ShareChannel)([channel]) == (channel,)

    def test_a_good_address_has_one_written_form(self, channel: ShareChannel) -> None:
        written = channel.check(self.address)

        assert channel.check(written) == written

    def test_a_bad_address_is_refused(self, channel: ShareChannel) -> None:
        if self.bad_address is None:
            pytest.skip("The channel reaches every address of its kind.")
        with pytest.raises(RecipientInvalid) as refused:
            channel.check(self.bad_address)
        assert refused.value.message

    def test_send_answers_an_outcome(self, channel: ShareChannel, message: Message) -> None:
        assert one(Outcome)(channel.send(message)).kind is OutcomeKind.SENT

    def test_the_same_key_sent_twice_is_one_message(self, channel: ShareChannel, message: Message) -> None:
        if not channel.honours_key:
            pytest.skip("The channel does not claim to honour keys.")
        first, second = channel.send(message), channel.send(message)

        assert first.kind is second.kind is OutcomeKind.SENT
        assert self.gateway_messages(channel) in (None, 1)

    def gateway_messages(self, channel: ShareChannel) -> int | None:
        """How many messages the test's gateway took; None when it does not count. Override it."""
        return None

    def test_a_message_that_was_sent_can_be_looked_up(self, channel: ShareChannel, message: Message) -> None:
        if not channel.can_look_up:
            pytest.skip("The channel does not claim to look messages up.")
        channel.send(message)
        found = channel.look_up(message)

        assert isinstance(found, Outcome)
        assert found.kind is OutcomeKind.SENT

    def test_a_gateway_that_cannot_be_reached_is_no_success(self, failing: ShareChannel | None, message: Message) -> None:
        if failing is None:
            pytest.skip("The channel has no gateway.")
        try:
            kind = one(Outcome)(failing.send(message)).kind
        except ProviderError:
            return
        assert kind is not OutcomeKind.SENT


class SessionTypeContract(_Lent):
    """What every session type keeps to. Override the fixture ``session_type``; ``failing`` where there is a provider to lose."""

    @pytest.fixture
    def session_type(self) -> SessionType:
        """The session type, able to open sessions (at an emulator or in memory)."""
        raise NotImplementedError("override the fixture 'session_type'")

    @pytest.fixture
    def failing(self) -> SessionType | None:
        """The session type with a provider that cannot be reached; None when it needs none."""
        return None

    @pytest.fixture
    def request_to_open(self) -> OpenRequest:
        """What is asked to be opened."""
        return an_open_request()

    @pytest.fixture(autouse=True)
    def _lend_runtime(self, session_type: SessionType, failing: SessionType | None, tmp_path: Path) -> None:
        self.lend(session_type, tmp_path)
        if failing is not None:
            self.lend(failing, tmp_path)

    @pytest.fixture
    def session(self, session_type: SessionType, request_to_open: OpenRequest) -> Session:
        """A session that was just opened."""
        return a_session(session_type.open(request_to_open), request_to_open, session_type.name)

    def test_the_declarations_are_valid(self, session_type: SessionType) -> None:
        assert extensions(SessionType)([session_type]) == (session_type,)

    def test_open_answers_a_code_and_a_link(self, session_type: SessionType, request_to_open: OpenRequest) -> None:
        opened = opened_session(session_type.open(request_to_open))

        assert opened.code.strip() == opened.code != ""
        assert opened.customer_link.startswith(("https://", "http://127.0.0.1", "http://localhost"))

    def test_two_sessions_have_two_codes(self, session_type: SessionType) -> None:
        one_code = session_type.open(an_open_request("contract-1")).code

        assert session_type.open(an_open_request("contract-2")).code != one_code

    def bring_customer(self, session: Session) -> None:
        """Have the customer come; override it for a type with ``abilities.late_supporter_link``."""

    def test_nobody_joins_before_the_customer_is_there(self, session_type: SessionType, session: Session) -> None:
        if not session_type.abilities.late_supporter_link:
            pytest.skip("The session type claims to be joined at any time.")
        with pytest.raises(ProviderRefused) as refused:
            session_type.supporter_link(session, a_supporter())
        assert refused.value.message

    def test_the_supporter_link_is_a_secret_and_not_the_customers(self, session_type: SessionType, session: Session) -> None:
        self.bring_customer(session)
        link = web_secret(session_type.supporter_link(session, a_supporter()))

        assert link.reveal() != session.customer_link

    def test_nothing_secret_is_handed_out_to_be_stored(self, session_type: SessionType, session: Session) -> None:
        self.bring_customer(session)
        link = session_type.supporter_link(session, a_supporter()).reveal()

        assert link not in (session.code, session.customer_link, *session.provider_data.values())

    def test_status_answers_one_per_session_in_order(self, session_type: SessionType, session: Session) -> None:
        second = an_open_request("contract-second")
        other = a_session(session_type.open(second), second, session_type.name)
        session_type.close(other)

        found = statuses(2)(session_type.status((session, other)))

        assert (found[0].state, found[1].state != "open") == ("open", True)

    def test_status_of_no_sessions_is_empty(self, session_type: SessionType) -> None:
        assert statuses(0)(session_type.status(())) == ()

    def test_close_twice_is_fine(self, session_type: SessionType, session: Session) -> None:
        session_type.close(session)
        session_type.close(session)

        status: SessionStatus = session_type.status((session,))[0]
        assert status.state in ("closed", "gone")
        assert not status.online

    def test_find_sees_what_open_opened(self, session_type: SessionType, request_to_open: OpenRequest) -> None:
        if not session_type.abilities.findable:
            pytest.skip("The session type does not claim to find sessions.")
        opened = session_type.open(request_to_open)
        found = session_type.find(request_to_open.correlation_id, NOW - timedelta(minutes=5))

        assert found is not None
        assert (found.code, found.customer_link) == (opened.code, opened.customer_link)

    def test_find_does_not_see_what_was_never_opened(self, session_type: SessionType) -> None:
        assert session_type.find("contract-never-opened", NOW - timedelta(days=1)) is None

    def test_connections_come_in_pages_that_end_and_can_be_asked_for_again(self, session_type: SessionType) -> None:
        if not session_type.abilities.connections:
            pytest.skip("The session type does not claim to report connections.")
        since, seen = NOW - timedelta(days=1), set[str]()
        cursor: str | None = None
        while True:
            page = one(ConnectionPage)(session_type.connections(since, cursor))
            assert page == session_type.connections(since, cursor)
            if page.next is None:
                return
            assert page.next not in seen
            seen.add(page.next)
            cursor = page.next

    def test_a_provider_that_cannot_be_reached_is_told_as_such(self, failing: SessionType | None, request_to_open: OpenRequest) -> None:
        if failing is None:
            pytest.skip("The session type needs no provider.")
        with pytest.raises(ProviderError) as refused:
            failing.open(request_to_open)
        assert refused.value.message


class RecordSourceContract(_Lent):
    """What every record source keeps to. Override the fixture ``source`` and say which record exists."""

    known = RecordRef("Case", "500000000000001")
    """A record that exists."""
    unknown = RecordRef("Case", "500000000000999")
    """One of the same object that does not."""
    name_field = "CaseNumber"
    rule = ContactRule("lookup", "ContactId")
    """A rule that yields at least one contact of the known record."""
    template_description = "teamviewer_Case_template"
    """What templates of the known record's object are described by."""

    @pytest.fixture
    def source(self) -> RecordSource:
        """The source, connected to a CRM of the test's own."""
        raise NotImplementedError("override the fixture 'source'")

    @pytest.fixture(autouse=True)
    def _lend_runtime(self, source: RecordSource, tmp_path: Path) -> None:
        self.lend(source, tmp_path)
        source.source = source.source or "contract"

    def test_the_declarations_are_valid(self, source: RecordSource) -> None:
        assert source_classes([type(source)]) == (type(source),)

    def test_a_known_object_is_described(self, source: RecordSource) -> None:
        described = one(ObjectInfo)(source.describe(self.known.object))

        assert described.name == self.known.object
        assert self.name_field in described.fields

    def test_an_unknown_object_is_none(self, source: RecordSource) -> None:
        assert source.describe("NoSuchObject__c") is None

    def test_a_record_has_the_fields_that_were_asked_for(self, source: RecordSource) -> None:
        assert self.name_field in read_fields(source.get(self.known, (self.name_field,)))

    def test_an_unknown_record_is_told_as_such(self, source: RecordSource) -> None:
        with pytest.raises(RecordNotFound) as refused:
            source.get(self.unknown, (self.name_field,))
        assert refused.value.message

    @pytest.mark.parametrize("id", ["", "../../secrets", "a/b", "x' OR '1'='1", "1\r\nHost: evil", "é" * 10, "1" * 1000])
    def test_an_id_that_cannot_be_one_is_refused(self, source: RecordSource, id: str) -> None:
        with pytest.raises((InvalidValue, RecordNotFound)):
            source.get(RecordRef(self.known.object, source.check_id(self.known.object, id)), (self.name_field,))

    def test_a_good_id_has_one_written_form(self, source: RecordSource) -> None:
        written = source.check_id(self.known.object, self.known.id)

        assert source.check_id(self.known.object, written) == written

    def test_the_contacts_of_a_record_are_contacts(self, source: RecordSource) -> None:
        assert many(Contact)(source.contacts(self.record(source), self.rule))

    def test_a_note_can_be_posted_where_that_is_declared(self, source: RecordSource) -> None:
        if not source.can_post_note:
            pytest.skip("The source does not claim to post notes.")
        assert source.post_note(self.record(source), "Session 123 was opened.") is None  # type: ignore[func-returns-value]  # that is the point

    @pytest.mark.parametrize("text", ["The dialog that is in the way.", ""])
    def test_a_picture_can_be_attached_where_that_is_declared(self, source: RecordSource, text: str) -> None:
        if not source.can_attach:
            pytest.skip("The source does not claim to keep pictures.")
        assert source.attach(self.record(source), a_picture(), text) is None  # type: ignore[func-returns-value]  # that is the point

    def test_a_contact_can_be_added_where_that_is_declared(self, source: RecordSource) -> None:
        if not source.can_add_contact:
            pytest.skip("The source does not claim to add contacts.")
        added = one(Contact)(source.add_contact(self.record(source), Contact("", "Paul Petit", email="paul@example.test")))

        assert (bool(added.id), added.name) == (True, "Paul Petit")

    def test_supporters_are_told_as_often_as_asked_where_that_is_declared(self, source: RecordSource) -> None:
        if not source.can_notify:
            pytest.skip("The source does not claim to notify supporters.")
        notice = Notice(
            replace(self.known, source=source.source),
            "The customer has joined session s1-2-3",
            "The customer is online and waits for you.",
            "https://jumpseat.example.test/join/s_1",
            ("contract-supporter",),
        )
        for _ in range(2):  # the host tells it again after a crash between telling and its note of it
            assert source.notify(notice) is None  # type: ignore[func-returns-value]  # that is the point

    def test_fields_can_be_written_back_where_that_is_declared(self, source: RecordSource) -> None:
        if not source.can_write_back:
            pytest.skip("The source does not claim to write fields back.")
        record = self.record(source)
        source.write_back(record, {})

        assert source.get(self.known, (self.name_field,))[self.name_field] == record.name

    def test_templates_can_be_listed_and_have_words_where_that_is_declared(self, source: RecordSource) -> None:
        if not source.crm_templates:
            pytest.skip("The source does not claim to offer templates that are kept in the CRM.")
        record = self.record(source)
        for kept in many(CrmTemplate)(source.templates(record, self.template_description)):
            words = one(CrmWords)(source.render_template(record, kept.id, Recipient("paul@example.test")))
            assert words.text or words.html

    def test_a_template_that_is_not_there_is_told_as_such(self, source: RecordSource) -> None:
        if not source.crm_templates:
            pytest.skip("The source does not claim to offer templates that are kept in the CRM.")
        with pytest.raises((ProviderRefused, InvalidValue)) as refused:
            source.render_template(self.record(source), "no-such-template", Recipient("paul@example.test"))
        assert refused.value.message

    def test_health_is_told(self, source: RecordSource) -> None:
        assert one(Health)(source.health()).ok

    def record(self, source: RecordSource) -> Record:
        """The known record, as a host would hand it over to be written to: for a supporter whom the CRM need not know."""
        fields = source.get(self.known, (self.name_field,))
        name = str(fields[self.name_field])
        return Record(self.known, name, self.known.object, {**a_record().fields, **fields}, acting_for=a_supporter())
