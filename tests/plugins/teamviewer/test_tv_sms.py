"""The share channel ``teamviewer_sms``."""

from __future__ import annotations

import pytest

from jumpseat import Message, OutcomeKind


def message(session, address="+33612345678"):
    return Message("k-1", address, "", session.code, session.session_type, "https://get.example/s1")


@pytest.fixture
def pilot(plugin):
    return plugin.opened("pilot")


def test_the_channel_says_what_it_is(plugin):
    sms = plugin.sms

    assert (sms.name, sms.address_kind, sms.only_for, sms.templated) == ("teamviewer_sms", "phone", ("pilot",), False)
    assert (sms.honours_key, sms.can_look_up) == (False, False)


def test_an_accepted_sms_is_sent_and_has_no_reference(plugin, emulator, pilot):
    outcome = plugin.sms.send(message(pilot))

    assert (outcome.kind, outcome.reference) == (OutcomeKind.SENT, None)
    assert [(sms.code, sms.number, sms.language) for sms in emulator.state.sms] == [(pilot.code, "+33612345678", None)]


def test_the_language_is_sent_only_where_it_is_set(plugin_with, emulator):
    plugin = plugin_with(sms_language=7)

    plugin.sms.send(message(plugin.opened("pilot")))

    assert [sms.language for sms in emulator.state.sms] == [7]


def test_a_lost_answer_is_unknown_and_never_repeated(plugin, emulator, pilot):
    emulator.state.knobs.turn("drop_after_effect", 1)

    outcome = plugin.sms.send(message(pilot))

    assert (outcome.kind, outcome.retry) == (OutcomeKind.UNKNOWN, False)
    assert outcome.reason == "127.0.0.1 did not answer in time. Whether the request took effect is not known yet."
    assert len(emulator.state.sms) == 1


def test_a_fault_of_the_provider_is_unknown(plugin, emulator, pilot):
    emulator.state.knobs.turn("fail_next", 1)

    assert plugin.sms.send(message(pilot)).kind is OutcomeKind.UNKNOWN


def test_a_refusal_is_shown_in_the_providers_words(plugin):
    session = plugin.opened("remote_control")

    outcome = plugin.sms.send(message(session))

    assert (outcome.kind, outcome.reason) == (
        OutcomeKind.REFUSED,
        "TeamViewer refused: SMS invitations are available for Pilot sessions only.",
    )


def test_a_session_that_is_gone_is_refused(plugin, emulator, pilot):
    emulator.state.cases.clear()

    outcome = plugin.sms.send(message(pilot))

    assert (outcome.kind, outcome.reason) == (OutcomeKind.REFUSED, f"TeamViewer does not know the session {pilot.code}.")


def test_a_rate_limit_is_tried_again_later(plugin, emulator, pilot):
    emulator.state.knobs.turn("rate_limit", 0)

    outcome = plugin.sms.send(message(pilot))

    assert (outcome.kind, outcome.retry, outcome.retry_after_seconds) == (OutcomeKind.FAILED, True, 60)
    assert emulator.state.sms == []


def test_without_a_token_nothing_is_sent_and_no_try_helps(plugin, pilot):
    plugin.lent.config.token = None

    outcome = plugin.sms.send(message(pilot))

    assert (outcome.kind, outcome.retry) == (OutcomeKind.FAILED, False)
    assert outcome.reason.startswith("No TeamViewer account is connected. Set 'token' under 'settings' in metadata/plugins/teamviewer.yaml")


def test_a_provider_that_cannot_be_reached_is_tried_again_later(plugin, pilot):
    plugin.lent.config.api_url = "http://127.0.0.1:9/api/v1"

    outcome = plugin.sms.send(message(pilot))

    assert (outcome.kind, outcome.retry) == (OutcomeKind.FAILED, True)
