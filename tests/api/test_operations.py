"""Every operation, the way a CRM calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from api_kit import ACCOUNT, ADMINISTRATOR, CASE, CONFIDENTIAL_CASE, OTHER_CASE, OTHER_USER, USER, Api, problem, until, write_settings

from jumpseat import Host
from jumpseat.store import shares as share_rows
from jumpseat.views import session_view
from jumpseat_sandbox.sinks import Sinks, read_outbox
from jumpseat_teamviewer.emulator import Running

CAMILLE = "camille.durand@ateliers-lumiere.example"
SESSION_TYPES = ["browser_screen", "browser_camera", "remote_control", "pilot"]
"""What can be used, best first: whoever has no account anywhere begins with the first."""
BY_VALUE = {
    "object": "Case",
    "recordId": "500A000000D3999IAB",
    "fields": [{"name": "CaseNumber", "value": "00009999"}],
    "contacts": [{"id": "c1", "name": "Ada King", "email": "ada@example.test", "language": "en"}],
}


def names(answer: Any, key: str = "name") -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item[key] for item in answer.json()["items"]]


# --- records ----------------------------------------------------------------------------------------------------------


def test_supported_objects_are_listed_by_label(user: Api) -> None:
    items = user.get("/v1/objects").json()["items"]

    assert [item["label"] for item in items] == sorted(item["label"] for item in items)
    assert {
        "label": "Case",
        "supportedObject": "Case",
        "nameField": "CaseNumber",
        "allowCustomRecipient": False,
        "source": "sandbox",
    } in items


def test_an_offer_says_what_can_be_done_with_a_record_and_why(user: Api) -> None:
    offer = user.get(f"/v1/records/Case/{CASE}/offer").json()

    assert offer["record"] == {"object": "Case", "recordId": CASE, "name": "00001026", "label": "Case", "source": "sandbox"}
    assert {action["name"]: action["allowed"] for action in offer["actions"]} == {
        "new": True,
        "replace": False,
        "join": False,
        "share": False,
        "close": False,
    }
    assert [item["name"] for item in offer["sessionTypes"] if item["allowed"]] == SESSION_TYPES
    email = next(channel for channel in offer["channels"] if channel["name"] == "email")
    assert email["prefilled"]["address"] == CAMILLE
    assert email["chosen"] == {"name": "Case", "language": "fr"}
    assert "sessionId" not in offer


def test_an_offer_is_made_for_a_record_given_by_value(user: Api) -> None:
    answer = user.post("/v1/offers", {"record": BY_VALUE})

    assert answer.status_code == 200, answer.text
    assert answer.json()["record"]["name"] == "00009999"
    assert [contact["name"] for contact in answer.json()["contacts"]] == ["Ada King"]


def test_the_buttons_of_a_record_come_in_one_flat_answer(user: Api) -> None:
    before = user.get(f"/v1/records/Case/{CASE}/actions").json()
    session = user.open()
    after = user.get(f"/v1/records/Case/{CASE}/actions").json()

    assert (before["newAllowed"], before["joinAllowed"], before["joinReason"]) == (True, False, "There is no valid session.")
    assert "sessionId" not in before
    assert (after["newAllowed"], after["joinAllowed"], after["sessionId"]) == (False, True, session["sessionId"])
    assert after["newReason"].startswith(f"Session {session['code']} is valid until ")
    assert not [key for key, value in after.items() if isinstance(value, (dict, list))]


def test_the_contacts_of_a_record_are_listed_best_first(user: Api) -> None:
    found = user.get(f"/v1/contacts?object=Account&recordId={ACCOUNT}")

    assert names(found)[0] == "Camille Durand"
    assert found.json()["items"][0]["primary"] is True


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_is_opened_and_shown_alike_everywhere(user: Api, host: Host) -> None:
    session = user.open()

    assert session["record"] == {"object": "Case", "recordId": CASE, "name": "00001026", "source": "sandbox"}
    assert (session["sessionType"], session["state"], session["online"], session["openedBy"]) == ("remote_control", "open", False, USER)
    assert session["supportLink"] == f"{host.catalogue.host.public_url}/join/{session['sessionId']}"
    assert session["validUntil"].endswith("Z")
    assert session == session_view(host.session(session["sessionId"], host.operator()), host.catalogue.host.public_url)
    assert user.get("/v1/sessions").json()["items"] == [session]
    assert user.get(f"/v1/records/Case/{CASE}/sessions").json()["items"] == [session]


def test_replacing_closes_the_valid_session_and_opens_the_next(user: Api) -> None:
    first = user.open()
    answer = user.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "pilot", "replace": True})

    history = user.get(f"/v1/records/Case/{CASE}/sessions").json()["items"]
    assert answer.status_code == 201
    assert [(item["sessionId"], item["sessionType"], item["state"]) for item in history] == [
        (answer.json()["sessionId"], "pilot", "open"),
        (first["sessionId"], "remote_control", "closed"),
    ]
    assert answer.json()["customerLink"] != first["customerLink"]


def test_a_session_of_a_record_given_by_value_is_opened_and_shared(user: Api) -> None:
    opened = user.post(f"/v1/records/Case/{BY_VALUE['recordId']}/sessions", {"sessionType": "remote_control", "record": BY_VALUE})
    assert opened.status_code == 201, opened.text
    preview = user.post(f"/v1/sessions/{opened.json()['sessionId']}/shares/preview", {})

    assert opened.json()["record"]["name"] == "00009999"
    assert [item["address"] for item in preview.json()["items"]] == ["ada@example.test"]


def test_a_history_is_read_page_by_page(user: Api, server: str, host: Host) -> None:
    ids = [user.open()["sessionId"]]
    for _ in range(4):
        ids.append(user.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "pilot", "replace": True}).json()["sessionId"])

    for path in (f"/v1/records/Case/{CASE}/sessions?limit=2&source=sandbox", "/v1/sessions?limit=2&object=Case"):
        seen, pages = [], 0
        link: str | None = host.catalogue.host.public_url + path
        while link:
            page = user.get(link.removeprefix(host.catalogue.host.public_url)).json()
            seen += [item["sessionId"] for item in page["items"]]
            pages += 1
            link = page.get("nextLink")
        assert (seen, pages) == (ids[::-1], 3)


def test_sessions_are_searched_by_state_and_type(user: Api) -> None:
    closed = user.open()["sessionId"]
    user.post(f"/v1/sessions/{closed}/close")
    pilot = user.open(OTHER_CASE, "pilot")["sessionId"]

    assert names(user.get("/v1/sessions?state=closed"), "sessionId") == [closed]
    assert names(user.get("/v1/sessions?sessionType=pilot"), "sessionId") == [pilot]
    assert names(user.get("/v1/sessions?object=Lead"), "sessionId") == []


def test_a_user_finds_their_own_sessions_and_an_administrator_all(user: Api, api: Api) -> None:
    session = user.open()["sessionId"]

    assert names(api.get("/v1/sessions"), "sessionId") == [session]
    assert names(user.as_("005A000000Jmu03IAB").get("/v1/sessions"), "sessionId") == []


def test_the_details_of_a_session_hold_its_shares_and_its_timeline(user: Api, host: Host) -> None:
    session = user.open()
    (share,) = user.post(f"/v1/sessions/{session['sessionId']}/shares", {}).json()["items"]
    host.deliver(share["id"])

    details = user.get(f"/v1/sessions/{session['sessionId']}").json()

    assert [(item["id"], item["state"]) for item in details["shares"]] == [(share["id"], "sent")]
    assert [entry["kind"] for entry in details["timeline"]][:3] == ["reserved", "opened", "shared"]
    assert details["sharedAt"].endswith("Z")


def test_a_customer_who_joins_is_online(user: Api, host: Host, emulator: Running) -> None:
    session = user.open()
    emulator.state.customer_joins(session["code"].removeprefix("s").replace("-", ""))
    host.tick()

    shown = user.get(f"/v1/sessions/{session['sessionId']}").json()

    assert shown["online"] is True
    assert "joinedAt" in shown


def test_joining_answers_the_supporter_link_for_this_click(user: Api, emulator: Running) -> None:
    session = user.open()
    answer = user.post(f"/v1/sessions/{session['sessionId']}/join")

    assert answer.status_code == 200
    assert answer.json()["sessionId"] == session["sessionId"]
    assert answer.json()["supporterLink"].startswith(emulator.base)
    assert answer.json()["supporterLink"] != session["customerLink"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_join_address_asks_again_and_leads_to_the_provider(user: Api, emulator: Running) -> None:
    session = user.open()
    answer = user.get(f"/join/{session['sessionId']}")

    assert (answer.status_code, answer.text) == (303, "")
    assert answer.headers["Location"].startswith(emulator.base)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_a_look_at_the_join_address_makes_no_link(user: Api) -> None:
    session = user.open()
    answer = user.call("HEAD", f"/join/{session['sessionId']}")
    kinds = [entry["kind"] for entry in user.get(f"/v1/sessions/{session['sessionId']}").json()["timeline"]]

    assert answer.status_code == 405
    assert "supporter_joined" not in kinds


def test_closing_frees_the_record_and_closing_again_changes_nothing(user: Api) -> None:
    session = user.open()["sessionId"]

    closed = user.post(f"/v1/sessions/{session}/close")
    again = user.post(f"/v1/sessions/{session}/close")

    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert again.json() == closed.json()
    assert user.get(f"/v1/records/Case/{CASE}/actions").json()["newAllowed"] is True


# --- shares -----------------------------------------------------------------------------------------------------------


def test_the_same_share_twice_within_ten_seconds_is_one_unless_a_resend_is_asked_for(user: Api) -> None:
    path = f"/v1/sessions/{user.open()['sessionId']}/shares"
    body = {"shares": [{"channel": "email"}]}

    ids = [user.post(path, asked).json()["items"][0]["id"] for asked in (body, body, {**body, "resend": True})]
    keyed = user.post(path, body, Idempotency_Key="told-apart").json()["items"][0]["id"]

    assert ids[0] == ids[1] != ids[2]
    assert keyed not in ids


def test_a_share_that_was_sent_is_resent_as_a_new_one_and_once_per_key(user: Api, host: Host) -> None:
    path = f"/v1/sessions/{user.open()['sessionId']}/shares"
    (share,) = user.post(path, {"shares": [{"channel": "email"}]}).json()["items"]

    busy = problem(user.post(f"/v1/shares/{share['id']}/resend"))
    host.deliver(share["id"])
    first = user.post(f"/v1/shares/{share['id']}/resend", Idempotency_Key="resend-1")
    again = user.post(f"/v1/shares/{share['id']}/resend", Idempotency_Key="resend-1")

    assert (busy["code"], busy["detail"]) == (
        "JS-SHARE-BUSY",
        "The share is on its way already. Wait for its outcome before sending it once more.",
    )
    assert (first.status_code, first.json()["resendOf"], first.json()["state"]) == (201, share["id"], "queued")
    assert again.content == first.content
    assert len(user.get(path).json()["items"]) == 2


def test_the_share_of_somebody_else_is_not_resent(api: Api, user: Api) -> None:
    opened = api.open(CONFIDENTIAL_CASE)
    (share,) = api.post(f"/v1/sessions/{opened['sessionId']}/shares", {"shares": [{"channel": "email"}]}).json()["items"]

    refused = problem(user.as_(OTHER_USER).post(f"/v1/shares/{share['id']}/resend"))
    unknown = problem(user.post("/v1/shares/sh_0/resend"))

    assert (refused["code"], refused["detail"]) == ("JS-NOT-FOUND", f"There is no share '{share['id']}'.")
    assert (unknown["code"], unknown["param"]) == ("JS-NOT-FOUND", "shareId")


def test_a_receipt_of_the_gateway_changes_what_became_of_a_share(user: Api, host: Host, workspace: Path, sinks: Sinks) -> None:
    (workspace / "var" / "receipt").write_text("from-the-gateway")
    receipts = {"receipts": True, "receipt_secret": {"file": "var/receipt"}, "receipt_key_path": "key", "receipt_status_path": "state"}
    write_settings(workspace, "sms", {**sinks.settings["sms"], **receipts, "status_map": {"undelivered": "refused"}})
    until(lambda: host.share_channels["sms"].config.receipts)
    path = f"/v1/sessions/{user.open(session_type='pilot')['sessionId']}/shares"
    (share,) = user.post(path, {"shares": [{"channel": "sms"}]}).json()["items"]
    host.deliver(share["id"])
    with host._wiring.store.read() as connection:
        message = share_rows.message(connection, share["id"])
    assert message is not None
    said = {"key": message.key, "state": "undelivered"}

    answers = [Api(user.base).post(f"/-/sms/receipt/{end}", said).status_code for end in ("somebody-else", "from-the-gateway")]

    assert answers == [403, 204]
    assert [item["state"] for item in user.get(path).json()["items"]] == ["refused"]
    assert Api(user.base).post("/-/sms/receipt/from-the-gateway", {**said, "key": "m_0"}).status_code == 404


def test_channels_say_what_they_promise(user: Api) -> None:
    promises = {
        item["name"]: (item["honoursKey"], item["canLookUp"], item["promise"]) for item in user.get("/v1/share-channels").json()["items"]
    }

    unknown = "A share whose answer was lost is unknown: it is not repeated by itself, and can be resent by hand."
    never = "Never lost and never doubled: a share whose answer was lost is sent again, and the gateway takes it for the same one."
    assert promises["email"] == (False, False, unknown)
    assert promises["sms"] == (True, True, never)


def test_a_share_is_previewed_sent_and_listed(user: Api, host: Host, sinks: Sinks) -> None:
    session = user.open()
    path = f"/v1/sessions/{session['sessionId']}/shares"

    (preview,) = user.post(f"{path}/preview", {}).json()["items"]
    sent = user.post(path, {"shares": [{"channel": "email"}]})
    (share,) = sent.json()["items"]
    host.deliver(share["id"])

    assert sent.status_code == 201
    assert (share["state"], share["address"], share["template"], share["language"]) == ("queued", CAMILLE, "Case", "fr")
    assert preview["subject"] == share["subject"] == "Assistance à distance pour votre dossier 00001026"
    (listed,) = user.get(path).json()["items"]
    assert (listed["id"], listed["state"]) == (share["id"], "sent")
    (mail,) = [mail for mail in read_outbox(sinks.folder) if session["customerLink"] in mail.text]
    assert mail.text.strip() == preview["text"].strip()


def test_a_contact_a_template_and_a_language_are_chosen(user: Api) -> None:
    session = user.post(f"/v1/records/Account/{ACCOUNT}/sessions", {"sessionType": "remote_control"}).json()
    wish = {"channel": "email", "contactId": "003A000000Jmc02IAB", "template": "Account", "language": "en"}

    (preview,) = user.post(f"/v1/sessions/{session['sessionId']}/shares/preview", {"shares": [wish]}).json()["items"]

    assert (preview["address"], preview["recipientName"]) == ("hugo.bernard@ateliers-lumiere.example", "Hugo Bernard")
    assert (preview["template"], preview["language"]) == ("Account", "en")
    assert preview["text"].startswith("Hello Hugo,")


def test_an_address_is_typed_where_the_object_allows_it(user: Api) -> None:
    session = user.post(f"/v1/records/Account/{ACCOUNT}/sessions", {"sessionType": "remote_control"}).json()
    wish = {"channel": "email", "address": "someone@example.test"}

    answer = user.post(f"/v1/sessions/{session['sessionId']}/shares", {"shares": [wish]})

    assert [item["address"] for item in answer.json()["items"]] == ["someone@example.test"]


# --- drop-downs -------------------------------------------------------------------------------------------------------


def test_session_types_say_whether_the_settings_allow_them(user: Api) -> None:
    items = {item["name"]: item for item in user.get("/v1/session-types").json()["items"]}

    assert list(items) == sorted(SESSION_TYPES)
    assert (items["pilot"]["camera"], items["pilot"]["allowed"], items["remote_control"]["control"]) == (True, True, True)
    assert (items["browser_screen"]["screen"], items["browser_screen"]["needsHttps"]) == (True, True)
    assert items["remote_control"]["lateSupporterLink"] is False


def test_share_channels_are_listed_by_name(user: Api, host: Host) -> None:
    assert names(user.get("/v1/share-channels")) == sorted(host.share_channels)


def test_templates_are_listed_by_channel(user: Api, host: Host) -> None:
    everything = user.get("/v1/templates").json()["items"]
    mails = user.get("/v1/templates?channel=email").json()["items"]

    assert len(everything) == len(host.catalogue.templates)
    assert mails == [item for item in everything if item["channel"] == "email"]
    assert {"name": "Case", "language": "fr"}.items() <= next(
        item for item in mails if item["file"] == "templates/email/case.fr.txt"
    ).items()


# --- administration ---------------------------------------------------------------------------------------------------


def test_plugins_are_listed_with_their_states(api: Api) -> None:
    items = {item["name"]: item for item in api.get("/v1/plugins").json()["items"]}

    assert items["email"]["state"] == "active"
    assert items["teamviewer"]["sessionTypes"] == ["pilot", "remote_control"]


def test_problems_of_an_edit_are_listed_while_the_metadata_before_it_is_served(api: Api, host: Host) -> None:
    case = host.workspace / "metadata" / "objects" / "case.yaml"
    case.write_text(case.read_text(encoding="utf-8").replace("label: Case", "labell: Case"), encoding="utf-8")
    until(lambda: host.problems)

    (problem, *_) = api.get("/v1/problems").json()["items"]
    ready = api.get("/health/ready")

    assert (problem["file"], problem["line"], problem["severity"]) == ("metadata/objects/case.yaml", 2, "error")
    assert problem["cause"] == "unknown key 'labell'"
    assert api.get(f"/v1/records/Case/{CASE}/offer").status_code == 200
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    assert ready.json()["metadataProblems"] > 0


def test_the_trace_log_is_set_and_read(api: Api) -> None:
    set_level = api.post("/v1/trace/level", {"level": "all"})
    session = api.open()
    rows = api.get("/v1/trace").json()["items"]
    (opening,) = [row for row in rows if row["call"] == "remote_control.open"]
    paged = api.get("/v1/trace?limit=1").json()

    assert set_level.json()["items"] == [{"level": "all"}]
    assert (opening["plugin"], opening["outcome"]) == ("teamviewer", "ok")
    assert session["sessionId"]
    assert api.get(f"/v1/trace?correlationId={opening['correlationId']}").json()["items"] != []
    assert paged["nextLink"].endswith(f"/v1/trace?limit=1&before={paged['items'][0]['id']}")
    assert {row["plugin"] for row in api.get("/v1/trace?plugin=email").json()["items"]} == {"email"}


def test_a_plugin_failure_is_found_by_the_correlation_id_of_its_problem(api: Api, emulator: Running, host: Host) -> None:
    before = host.catalogue.version
    write_settings(host.workspace, "teamviewer", {"api_url": "http://127.0.0.1:9/api/v1", "token": {"file": "var/teamviewer-token"}})
    until(lambda: host.catalogue.version != before)

    refused = api.post(f"/v1/records/Case/{CASE}/sessions", {"sessionType": "remote_control"}, Correlation_Id="mine-1")

    assert refused.status_code == 503
    assert refused.json()["correlationId"] == "mine-1"
    rows = api.get("/v1/trace?correlationId=mine-1").json()["items"]
    assert [(row["call"], row["outcome"]) for row in rows] == [("remote_control.open", "provider")]


# --- operation --------------------------------------------------------------------------------------------------------


def test_liveness_and_readiness_need_no_sign_in(server: str, host: Host) -> None:
    nobody = Api(server)

    assert nobody.get("/health/live").json() == {"live": True, "version": "0.1.0", "hostId": host.id}
    assert nobody.get("/health/ready").json() == {
        "ready": True,
        "stopping": False,
        "version": "0.1.0",
        "catalogueVersion": host.catalogue.version,
        "database": "reachable",
        "metadataProblems": 0,
    }


def test_readiness_ends_while_the_database_does_not_answer(server: str, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "store_reachable", lambda: False)  # a real outage of SQLite would need a broken disk
    answer = Api(server).get("/health/ready")

    assert (answer.status_code, answer.json()["ready"], answer.json()["database"]) == (503, False, "unreachable")


def test_head_is_answered_like_get_without_a_body(api: Api) -> None:
    answer = api.call("HEAD", "/v1/objects")

    assert (answer.status_code, answer.text) == (200, "")
    assert answer.headers["Content-Type"] == "application/json"


def test_a_key_that_acts_for_itself_has_its_own_rights(api: Api) -> None:
    session = api.as_(None).open()

    assert session["openedBy"] == "key:crm"
    assert session["openedBy"] != ADMINISTRATOR
