"""The pages behind the links of a session: they work without script and tell no secrets."""

from __future__ import annotations

import re

import pytest
import requests


@pytest.fixture
def opened(plugin, emulator):
    """Customer link, supporter link and the emulator's own session."""
    opened = plugin.remote_control.open(plugin.request())
    case = emulator.state.case(opened.code)
    return opened.customer_link, emulator.state.supporter_link(case), case


def get(link, language="en", method="GET"):
    return requests.request(method, link, headers={"Accept-Language": language}, timeout=60)


def test_opening_the_link_puts_the_customer_online_and_leaving_takes_them_off(opened):
    customer, _, case = opened

    page = get(customer)
    online = case.online
    action = re.search(r'action="([^"]+)"', page.text).group(1)
    left = requests.post(customer[: customer.index("/v15")] + action, timeout=60)

    assert f"You are in the waiting room of session {case.code}." in page.text
    assert (online, case.online) == (True, False)
    assert f"You have left session {case.code}." in left.text


def test_looking_at_the_head_changes_nothing(opened):
    customer, _, case = opened

    get(customer, method="HEAD")

    assert case.online is False


def test_the_supporter_waits_for_the_customer_and_then_is_connected(opened, emulator):
    customer, supporter, case = opened

    waiting = get(supporter).text
    get(customer)
    connected = get(supporter).text
    get(supporter)

    assert "The customer is not there yet." in waiting
    assert f"You are connected to the customer of session {case.code}." in connected
    assert [report.end for report in emulator.state.reports] == [None]


def test_leaving_ends_the_connection_and_writes_its_report(opened, emulator, plugin):
    customer, supporter, _ = opened
    get(customer)
    get(supporter)

    left = requests.post(supporter + "/leave", timeout=60).text

    assert "The connection stands in the report." in left
    assert [report.end is not None for report in emulator.state.reports] == [True]


def test_joining_again_is_another_connection(opened, emulator):
    customer, supporter, _ = opened
    get(customer)
    for _ in range(2):
        get(supporter)
        requests.post(supporter + "/leave", timeout=60)

    assert len(emulator.state.reports) == 2


def test_a_customer_who_leaves_ends_the_connection(opened, emulator):
    customer, supporter, _ = opened
    get(customer)
    get(supporter)
    requests.post(customer + "/leave", timeout=60)

    assert emulator.state.running == {}


def test_the_browser_link_leads_to_the_same_page(plugin, emulator):
    case = plugin.remote_control.provider.client(plugin.lent).create_session({"groupname": "CRM support"})
    emulator.state.customer_joins(case.code)

    page = get(case.web_supporter_link.reveal()).text

    assert f"You are connected to the customer of session {case.code}." in page


@pytest.mark.parametrize("state", ["closed", "expired"])
def test_a_session_that_is_over_lets_nobody_in(opened, emulator, state):
    customer, supporter, case = opened
    if state == "closed":
        emulator.state.close(case)
    else:
        emulator.state.clock.advance(9 * 3600)

    pages = [get(customer).text, get(supporter).text]

    assert all(f"Session {case.code} is over." in page for page in pages)
    assert (case.online, emulator.state.reports) == (False, [])


def test_a_wrong_secret_leads_nowhere(opened, emulator):
    customer, supporter, _ = opened
    get(customer)

    for link in (f"{customer}-{'x' * 12}", supporter[:-1], supporter + "x", customer + "1", customer[:-1]):
        answer = get(link)
        assert (answer.status_code, "This link leads to no session." in answer.text) == (404, True)
    assert emulator.state.reports == []


def test_the_customers_page_holds_no_secret_and_no_script(opened, emulator):
    customer, _, case = opened

    page = get(customer)

    assert case.secret not in page.text
    assert emulator.token not in page.text
    assert "<script" not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "script" not in page.headers["Content-Security-Policy"]


def test_pages_speak_the_visitors_language(opened):
    customer, _, case = opened
    french = f"Vous êtes dans la salle d’attente de la session {case.code}."

    assert french in get(customer, "fr-CA,fr;q=0.9,en;q=0.5").text
    assert french in get(customer.replace("/v15/", "/v15/fr/")).text
    assert f"You are in the waiting room of session {case.code}." in get(customer, "de,ja").text


def test_what_the_supporter_wrote_is_shown_as_text(plugin_with, emulator):
    plugin = plugin_with(waiting_message="<script>alert(1)</script>")

    page = get(plugin.remote_control.open(plugin.request()).customer_link).text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_to_grant_access_works_without_script(emulator):
    query = {"response_type": "code", "client_id": emulator.sign_in.client_id, "redirect_uri": "http://127.0.0.1/x", "state": '"><script>'}

    page = requests.get(f"{emulator.base}/oauth2/authorize", params=query, headers={"Accept-Language": "fr"}, timeout=60).text

    assert "Une application demande l’accès au compte de :" in page
    assert '<option value="u70412233">Nadia Ferrand</option>' in page
    assert "<script" not in page
