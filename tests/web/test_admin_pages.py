"""The administration's other pages, over HTTP without script: what each shows, does and refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
import requests
from api_kit import CONFIDENTIAL_CASE, OTHER_USER, make_workspace, serving
from web_kit import CASE, USER, WITHOUT_RIGHTS, Pages, Reader, text_of

from jumpseat import Host
from jumpseat_sandbox.sinks import Sinks
from jumpseat_teamviewer.emulator import Running


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, emulator: Running, sinks: Sinks) -> Iterator[Host]:
    """One for all of these tests: none of them minds what another has made."""
    with Host.open(make_workspace(tmp_path_factory.mktemp("admin") / "workspace", emulator, sinks)) as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(host: Host) -> Iterator[Pages]:
    with serving(host) as base:
        yield Pages(base, host)


@pytest.fixture(scope="module")
def reader(pages: Pages) -> Reader:
    return pages.reader(None)


class Outline(HTMLParser):
    """What assistive software finds on a page: headings, names of buttons and fields, and tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {"h1": [], "h2": [], "button": [], "label": [], "th": [], "a": []}
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.found:
            self._open.append((tag, dict(attrs), []))

    def handle_data(self, data: str) -> None:
        for _, _, parts in self._open:
            parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            _, attrs, parts = self._open.pop()
            self.found[tag].append(attrs.get("aria-label") or " ".join("".join(parts).split()))


def outline(answer: requests.Response) -> dict[str, list[str]]:
    assert answer.status_code == 200, text_of(answer)
    return Outline(answer.text).found


PAGES = {
    "/admin": "Setup assistant",
    "/admin/objects": "Supported objects",
    "/admin/templates": "Templates",
    "/admin/permissions": "Permissions",
    "/admin/sources": "Record sources",
    "/admin/accounts": "Provider accounts",
    "/admin/plugins": "Plugins",
    "/admin/jobs": "Jobs",
    "/admin/trace": "Plugin trace log",
    "/admin/keys": "API keys",
    "/admin/webhooks": "Webhooks",
}


@pytest.mark.parametrize(("path", "heading"), PAGES.items())
def test_each_page_has_its_heading_and_the_menu_and_is_for_administrators_only(
    path: str, heading: str, reader: Reader, pages: Pages
) -> None:
    found = outline(reader.get(path))
    assert found["h1"] == [heading]
    assert {"Setup assistant", "Session settings", "Host settings"} <= set(found["a"])

    refused = pages.reader(WITHOUT_RIGHTS).get(path)
    assert refused.status_code == 403
    assert re.search(r"(the right '\w+\.\w+: (all|own)' is missing|le droit)", text_of(refused))


def test_the_pages_speak_french(pages: Pages) -> None:
    assert '<html lang="fr"' in pages.reader(None, "fr").get("/admin/objects").text


# --- setup assistant --------------------------------------------------------------------------------------------------


def test_the_assistant_shows_steps_with_what_to_do_and_where(reader: Reader) -> None:
    answer = reader.get("/admin")

    text = text_of(answer)
    assert "fine session settings : allowed: Browser screen, Browser camera, Remote control, Pilot" in text
    assert "to do account at TeamViewer : 0 accounts are signed in" in text
    assert "Open the page for account at TeamViewer" in outline(answer)["a"]
    assert "Taking it away again" in outline(answer)["h2"]


def test_the_assistant_asks_crms_and_providers_only_when_it_is_told_to(reader: Reader) -> None:
    assert "host at that address" not in text_of(reader.get("/admin"))
    assert "host at that address" in text_of(reader.get("/admin?check=all"))


# --- objects, templates, sources, plugins -----------------------------------------------------------------------------


def test_objects_say_which_channel_lacks_a_template(reader: Reader, host: Host) -> None:
    answer = reader.get("/admin/objects")

    assert {"Account", "Case", "Contact", "Lead", "Opportunity"} <= set(outline(answer)["th"])
    assert re.search(r"email: \d", text_of(answer))


def test_templates_are_listed_by_object_and_channel_with_the_skipped_ones(reader: Reader) -> None:
    text = text_of(reader.get("/admin/templates"))

    assert "Account email Account (en) , Account (fr) , default (en)" in text
    assert "skipped: its description is" in text


def test_record_sources_say_how_they_feel(reader: Reader) -> None:
    assert "Sample CRM in salesforce words" in text_of(reader.get("/admin/sources"))


def test_a_plugin_says_what_it_brings_and_what_may_be_set(reader: Reader) -> None:
    assert "teamviewer" in outline(reader.get("/admin/plugins"))["th"]
    text = text_of(reader.get("/admin/plugins/teamviewer"))
    assert "pilot, remote_control" in text
    assert "(secret: only the name of its place is kept in the metadata)" in text
    assert reader.get("/admin/plugins/nonsense").status_code == 404


# --- permissions ------------------------------------------------------------------------------------------------------


def asked(reader: Reader, **query: str) -> str:
    return text_of(reader.get("/admin/permissions?" + "&".join(f"{name}={value}" for name, value in query.items())))


def test_it_is_said_why_a_supporter_may_or_may_not_see_a_record(reader: Reader) -> None:
    case = {"operation": "resolve", "object": "Case@sandbox"}

    assert "Yes: the level is 'own', and the CRM says that the supporter may see the record." in asked(
        reader, supporter=USER, record=CASE, **case
    )
    assert "the CRM says that the supporter may not see the record." in asked(
        reader, supporter=OTHER_USER, record=CONFIDENTIAL_CASE, **case
    )
    assert "No: none of the permission sets that apply gives the right 'session.read'." in asked(reader, supporter=WITHOUT_RIGHTS, **case)
    assert "JS-AUTH" in asked(reader, supporter="005A000000nobody00", **case)


# --- jobs -------------------------------------------------------------------------------------------------------------


def test_a_job_is_run_once_by_one_form_then_cancelled_and_tried_again(reader: Reader, host: Host) -> None:
    page = reader.get("/admin/jobs").text
    for _ in range(2):
        answer = reader.post("/admin/jobs", page, action="run:retention", once="the-same")
        assert "The job runs as soon as a process takes it up." in text_of(answer)
    runs = host.job_runs(host.operator(), job="retention").items
    assert len(runs) == 1

    assert "cancelled" in text_of(reader.post("/admin/jobs", page, action=f"cancel:{runs[0].id}"))
    assert "The run is tried again." in text_of(reader.post("/admin/jobs", page, action=f"retry:{runs[0].id}"))
    again = reader.post("/admin/jobs", page, action="run:retention")
    assert again.status_code == 409
    assert "JS-JOB-BUSY" in text_of(again)


# --- trace log --------------------------------------------------------------------------------------------------------


def test_the_trace_log_has_levels_details_and_a_download(reader: Reader, host: Host) -> None:
    page = reader.get("/admin/trace").text
    assert "No calls were written down." in text_of(page)
    set_to = reader.post("/admin/trace", page, level="all", plugin="sandbox")
    assert "sandbox: all" in text_of(set_to)
    reader.get(f"/r/sandbox/Case/{CASE}/session")

    listed = reader.get("/admin/trace?plugin=sandbox")
    link = re.search(r'href="(/admin/trace/\d+)"', listed.text)[1]  # type: ignore[index]
    assert "Reference" in text_of(reader.get(link))
    download = reader.get("/admin/trace/download?plugin=sandbox")
    assert download.headers["Content-Disposition"] == 'attachment; filename="trace.jsonl"'
    assert '"plugin": "sandbox"' in download.text


# --- keys and webhooks ------------------------------------------------------------------------------------------------


@pytest.mark.shows_secrets
def test_a_key_is_shown_once_when_it_is_made(reader: Reader) -> None:
    made = reader.post("/admin/keys", reader.get("/admin/keys").text, action="create", name="Nightly", permission_set="user")
    key = re.search(r'id="new-key">([^<]+)<', made.text)[1]  # type: ignore[index]
    assert made.headers["Cache-Control"] == "no-store"

    later = reader.get("/admin/keys")
    assert "Revoke Nightly" in outline(later)["button"]
    assert key not in later.text
    revoked = reader.post("/admin/keys", later.text, action="revoke:Nightly")
    assert "revoked" in text_of(revoked)
    assert "Revoke Nightly" not in outline(revoked)["button"]


@pytest.mark.shows_secrets
def test_a_webhook_is_made_tested_disabled_and_deleted(reader: Reader, host: Host) -> None:
    def act(action: str, **fields: Any) -> requests.Response:
        return reader.post("/admin/webhooks", reader.get("/admin/webhooks").text, action=action, **fields)

    made = act("create", name="CRM", url="http://127.0.0.1:9/hook", kinds=["session.opened", "session.closed"])
    assert 'id="new-secret">whsec_' in made.text
    assert "whsec_" not in reader.get("/admin/webhooks").text
    (webhook,) = host.webhooks(host.operator())
    assert webhook.kinds == ("session.opened", "session.closed")

    assert "The test call failed" in text_of(act(f"test:{webhook.id}"))
    assert "Enable CRM" in outline(act(f"disable:{webhook.id}"))["button"]
    assert "is called again" in text_of(act(f"enable:{webhook.id}"))
    assert "whsec_" in act(f"rotate:{webhook.id}").text
    assert "Deliveries to CRM" in outline(reader.get(f"/admin/webhooks?webhook={webhook.id}"))["h2"]
    assert "Nobody is called yet." in text_of(act(f"delete:{webhook.id}"))
    refused = act("create", name="Inside", url="http://10.0.0.1/hook")
    assert refused.status_code == 422


# --- provider accounts ------------------------------------------------------------------------------------------------


def test_accounts_lead_to_the_provider_and_say_what_is_missing(reader: Reader) -> None:
    answer = reader.get("/admin/accounts")

    assert "Nobody is signed in to a provider." in text_of(answer)
    assert "client_id" in text_of(answer)


def test_an_action_that_a_page_does_not_have_is_refused(reader: Reader) -> None:
    for path in ("/admin/jobs", "/admin/accounts", "/admin/keys", "/admin/webhooks"):
        answer = reader.post(path, reader.get(path).text, action="nonsense:x")
        assert answer.status_code == 400, path
