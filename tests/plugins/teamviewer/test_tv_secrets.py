"""Neither a token nor a supporter link shows in a message, a log, a repr or a traceback."""

from __future__ import annotations

import json
import logging
import traceback

import pytest

from jumpseat import HttpSession, ProviderError, ProviderRefused, Secret, Supporter, SystemClock
from jumpseat_teamviewer.client import TeamViewerClient
from jumpseat_teamviewer.tokens import BearerAuth, ScriptToken

NADIA = Supporter("005A", "Nadia Ferrand")


@pytest.fixture
def heard(caplog):
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records)


def test_a_whole_life_of_a_session_writes_no_secret(plugin, emulator, heard, capfd):
    opened = plugin.pilot.open(plugin.request())
    session = plugin.session(opened.code, "pilot")
    link = plugin.pilot.supporter_link(session, NADIA)
    plugin.pilot.status([session])
    listed = list(plugin.lent.http and plugin.pilot.provider.client(plugin.lent).list_sessions(full=True))
    plugin.pilot.close(session)

    shown = f"{opened!r} {session!r} {link!r} {link} {listed!r} {plugin.pilot!r} {heard()} {capfd.readouterr()}"
    for secret in (emulator.token, link.reveal(), emulator.state.case(opened.code).secret):
        assert secret not in shown


@pytest.mark.parametrize("knob", ["blocked", "fail_next", "rate_limit", "drop_after_effect", "ar_licence"])
def test_no_failure_shows_the_token(plugin, emulator, heard, knob):
    emulator.state.knobs.turn(knob, {"blocked": True, "fail_next": 1, "rate_limit": 0, "drop_after_effect": 1, "ar_licence": False}[knob])

    with pytest.raises(ProviderError) as failed:
        plugin.pilot.open(plugin.request())

    shown = f"{failed.value!r} {heard()} {''.join(traceback.format_exception(failed.value))}"
    assert emulator.token not in shown


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_provider_that_echoes_secrets_is_masked(scripted, form):
    token, link = "48211-CANARYtoken00000001", "https://get.teamviewer.com/v15/s119457999-Ab3dE6gH9jK2"
    words = f"{'x' * 470} token {token} for {link} and {token}"
    body = json.dumps({"error": "invalid_request", "error_description": words}) if form == "json" else words
    scripted.answer = (400, {}, body.encode())
    client = TeamViewerClient(HttpSession(), scripted.url, ScriptToken(Secret(token)), SystemClock())

    with pytest.raises(ProviderRefused) as refused:
        client.account()

    assert "CANARY" not in refused.value.message
    assert "Ab3dE6" not in refused.value.message


def test_an_unsendable_token_is_not_quoted(emulator):
    client = TeamViewerClient(HttpSession(), emulator.url, ScriptToken(Secret("CANARY\nCANARY")), SystemClock())

    with pytest.raises(ProviderError) as failed:
        client.ping()

    assert "CANARY" not in "".join(traceback.format_exception(failed.value))


def test_what_carries_a_token_does_not_show_it(emulator, client):
    token = emulator.state.tokens[emulator.token]

    assert emulator.token not in f"{token!r} {client!r} {ScriptToken(Secret(emulator.token))!r} {BearerAuth(Secret(emulator.token))!r}"


def test_the_emulators_overview_holds_no_secret(plugin, emulator):
    opened = plugin.remote_control.open(plugin.request())

    shown = json.dumps(emulator.state.overview())

    assert opened.code in shown
    for secret in (emulator.token, emulator.state.company_token, emulator.sign_in.client_secret, emulator.state.case(opened.code).secret):
        assert secret not in shown


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "http://evil.example/s1", "https://", "https://a.example/\r\nX: y", "https://a b", "data:x"]
)
def test_a_link_that_is_none_reaches_nobody(plugin, scripted, link):
    plugin.lent.config.api_url = scripted.url
    body = {"code": "s119-457-999", "state": "open", "end_customer_link": link, "supporter_link": link}
    scripted.answer = (200, {}, json.dumps(body).encode())

    with pytest.raises(ProviderError) as opened:
        plugin.pilot.open(plugin.request())
    with pytest.raises(ProviderRefused) as joined:
        plugin.pilot.supporter_link(plugin.session("s119-457-999"), NADIA)

    assert opened.value.message == "TeamViewer opened session s119-457-999, but its answer holds no link for the customer."
    assert joined.value.message == "TeamViewer gave no link to join session s119-457-999. Check that the token may read sessions."
