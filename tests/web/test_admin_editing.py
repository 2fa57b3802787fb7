"""The pages on which the workspace's files are edited, over HTTP without script: exactly the lines that were meant, and no secret."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect
from web_kit import CASE, USER, Pages, Reader, text_of

from jumpseat import Host


def edited(reader: Reader, path: str, way: str = "form", **fields: Any) -> requests.Response:
    """Read the page of a file, and send one of its forms with some fields changed."""
    page = reader.get(path)
    assert page.status_code == 200, text_of(page)
    return reader.post(path.split("?")[0], page.text, **{**fields_of(page.text, way), **fields})


def fields_of(page: str, way: str) -> dict[str, Any]:
    """What a browser would send of the form (``form``) or of the text (``text``), without its buttons."""
    forms = re.findall(r"<form method=\"post\".*?</form>", page, re.DOTALL)
    form = next(one for one in forms if f'name="way" value="{way}"' in one)
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r' name="([^"]*)"', tag), re.search(r' value="([^"]*)"', tag)
        if name and (' type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, text in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        found[name] = html.unescape(text).replace("\n", "\r\n")
    for name, options in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", options) or re.search(
            r"<option(?: value=\"([^\"]*)\")?>([^<]*)", options
        )
        found[name] = html.unescape(chosen[1] if chosen and chosen[1] is not None else chosen[2] if chosen else "")
    return found


def difference(page: requests.Response) -> list[str]:
    """The lines that the page shows as changed."""
    return [html.unescape(line) for line in re.findall(r"<(?:ins|del)>(.*?)</(?:ins|del)>", page.text)]


@pytest.fixture
def reader(pages: Pages) -> Reader:
    return pages.reader(None)


@pytest.fixture
def case_file(workspace: Path) -> Path:
    file = workspace / "metadata" / "objects" / "case.yaml"
    file.write_text(file.read_text() + "# asked by Legal\nphone_fields:\n    - Phone # first\n    - 'Mobile'\n")
    return file


CASE_PAGE = "/admin/edit/object/case"


def test_a_form_that_is_sent_as_it_is_changes_nothing(reader: Reader, workspace: Path) -> None:
    files = {file: file.read_bytes() for file in workspace.rglob("*.yaml")}
    paths = [f"/admin/edit/{kind}" for kind in ("sessions", "host", "jobs")]
    for kind, folder in (("object", "objects"), ("permission_set", "permission_sets"), ("source", "sources"), ("plugin", "plugins")):
        paths += [f"/admin/edit/{kind}/{file.stem}" for file in sorted((workspace / "metadata" / folder).glob("*.yaml"))]

    for path in paths:
        for way in ("form", "text"):
            answer = edited(reader, path, way, action="save")
            assert (answer.status_code, difference(answer)) == (200, []), f"{path} {way}: {text_of(answer)}"

    assert {file: file.read_bytes() for file in files} == files


def test_the_difference_shows_exactly_the_lines_and_saves_nothing(reader: Reader, case_file: Path) -> None:
    before = case_file.read_text()
    shown = edited(reader, CASE_PAGE, action="check", **{"key.label": "Ticket", "key.phone_fields": "Phone\r\nFax\r\nMobile"})

    assert difference(shown) == ["-label: Case", "+label: Ticket", "+    - Fax"]
    assert "This can be saved." in text_of(shown)
    assert case_file.read_text() == before


def test_saving_changes_only_the_edited_lines_and_keeps_comments(reader: Reader, pages: Pages, case_file: Path) -> None:
    before = case_file.read_text()
    saved = edited(reader, CASE_PAGE, action="save", **{"key.label": "Ticket", "key.allow_custom_recipient": "true"})

    assert saved.status_code == 200, text_of(saved)
    assert case_file.read_text() == before.replace("label: Case", "label: Ticket").replace("recipient: false", "recipient: true")
    assert "Ticket" in {one.label for one in pages.host.objects()}


def test_a_file_changed_meanwhile_is_not_overwritten(reader: Reader, case_file: Path) -> None:
    page = reader.get(CASE_PAGE)
    theirs = case_file.read_text() + "enabled: true\n"
    case_file.write_text(theirs)

    for way in ("form", "text"):
        answer = reader.post(CASE_PAGE, page.text, **{**fields_of(page.text, way), "key.label": "Mine", "action": "save"})

        assert answer.status_code == 409
        assert "JS-FILE-CHANGED" in text_of(answer)
        assert case_file.read_text() == theirs


def test_an_edit_that_breaks_the_metadata_says_where_and_is_not_saved(reader: Reader, case_file: Path) -> None:
    before = case_file.read_text()
    answer = edited(reader, CASE_PAGE, "text", action="save", text=before.replace("name_field", "name_feild"))

    assert answer.status_code == 422
    assert "metadata/objects/case.yaml:4:1: error[M102]: unknown key 'name_feild'" in text_of(answer)
    assert "fix: did you mean 'name_field'?" in text_of(answer)
    assert "name_feild" in fields_of(answer.text, "text")["text"]
    assert case_file.read_text() == before


def test_the_crm_is_asked_whether_it_has_the_fields(reader: Reader, case_file: Path) -> None:
    answer = edited(reader, CASE_PAGE, action="ask", **{"key.name_field": "NoSuchField"})

    assert "error[M310]" in answer.text


def test_an_object_a_template_and_a_dashboard_are_added_in_the_browser(reader: Reader, pages: Pages, workspace: Path) -> None:
    before = _files(workspace)
    page = reader.get("/admin/new/object?name=invoice&for=Invoice__c").headers["Location"]
    assert page == "/admin/edit/object/invoice?for=Invoice__c"
    saved = edited(reader, page, action="save", **{"key.name_field": "InvoiceNumber"})
    assert saved.status_code == 200, text_of(saved)

    page = reader.get("/admin/new/template?channel=email&name=invoice&language=en&for=teamviewer_Invoice__c_template").headers["Location"]
    saved = edited(reader, page, action="save", **{"key.subject": "Your invoice", "body": "Hello\r\n\r\n{{ session.customer_link }}\r\n"})
    assert saved.status_code == 200, text_of(saved)

    starter = (workspace / "metadata" / "dashboards" / "activity.yaml").read_text()
    saved = edited(reader, "/admin/edit/dashboard/mine", "text", action="save", text=starter.replace("activity", "mine"))
    assert saved.status_code == 200, text_of(saved)

    after = _files(workspace)
    new = {path: text for path, text in after.items() if path not in before}
    assert {path: after[path] for path in before} == before
    assert new == {
        "metadata/objects/invoice.yaml": "label: Invoice\nsupported_object: Invoice__c\nname_field: InvoiceNumber\n"
        "email_template_description: teamviewer_Invoice__c_template\nallow_custom_recipient: false\n",
        "templates/email/invoice.en.txt": "---\nname: invoice\ndescription: teamviewer_Invoice__c_template\nsubject: Your invoice\n---\n"
        "Hello\n\n{{ session.customer_link }}\n",
        "metadata/dashboards/mine.yaml": starter.replace("activity", "mine"),
    }
    assert "Invoice__c" in {one.supported_object for one in pages.host.objects()}


def _files(workspace: Path) -> dict[str, str]:
    found = [file for folder in ("metadata", "templates") for file in (workspace / folder).rglob("*") if file.is_file()]
    return {file.relative_to(workspace).as_posix(): file.read_text() for file in found}


def test_a_file_is_deleted_and_what_that_breaks_is_refused(reader: Reader, workspace: Path) -> None:
    page = reader.get(CASE_PAGE)
    gone = reader.post(CASE_PAGE, page.text, **{**fields_of(page.text, "form"), "action": "delete"})
    assert gone.headers["Location"] == "/admin/objects"
    assert not (workspace / "metadata" / "objects" / "case.yaml").exists()

    answer = edited(reader, "/admin/edit/source/sandbox", action="delete")
    assert answer.status_code == 422
    assert (workspace / "metadata" / "sources" / "sandbox.yaml").exists()


# --- session settings, permissions, templates -------------------------------------------------------------------------


def test_all_session_types_off_is_said(reader: Reader, workspace: Path) -> None:
    page = reader.get("/admin/sessions")
    fields = {name: value for name, value in fields_of(page.text, "form").items() if not name.startswith("key.allow")}
    saved = reader.post("/admin/edit/sessions", page.text, **{**fields, "action": "save"})

    changed = difference(saved)
    assert changed[:2] == ["-allow_remote_control: true", "-allow_pilot: true"]
    assert {"+allow_remote_control: false", "+allow_pilot: false", "+  browser_screen: false", "+  link_room: false"} <= set(changed)
    assert "No session type is allowed" in text_of(saved)


def test_a_level_of_one_verb_is_one_line(reader: Reader) -> None:
    shown = edited(reader, "/admin/edit/permission_set/user", action="check", **{"right.session.close": "none", "right.trace.read": "all"})

    assert difference(shown) == [
        "-  session: own",
        "+  session:",
        "+    read: own",
        "+    open: own",
        "+    join: own",
        "+  trace:",
        "+    read: all",
    ]


def test_a_template_is_previewed_on_a_record_with_both_naming_rules(reader: Reader) -> None:
    path = "/admin/edit/template/email/case.en.txt"
    body = "For {{ record.name }}: {{ session.customer_link }}"
    shown = edited(reader, path, action="preview", object="Case@sandbox", record=CASE, body=body)

    text = text_of(shown)
    assert "For 00001026: https://" in text
    assert "kept Its description is an object's e-mail template description" in text
    assert "not kept Its name begins with 'TeamViewer Email'" in text


def test_a_template_that_loses_the_customer_link_is_not_saved(reader: Reader) -> None:
    answer = edited(reader, "/admin/edit/template/email/case.en.txt", action="save", body="Hello")

    assert answer.status_code == 422
    assert "session.customer_link" in text_of(answer)


# --- secrets ----------------------------------------------------------------------------------------------------------

TYPED = "hunter2-hunter2-hunter2"


def test_a_secret_that_is_typed_is_refused_and_not_shown_again(reader: Reader, workspace: Path) -> None:
    page = reader.get("/admin/edit/source/sandbox")
    text = f"{fields_of(page.text, 'text')['text']}launch_secret: {TYPED}\r\n"
    answer = edited(reader, "/admin/edit/source/sandbox", "text", action="save", text=text)

    assert answer.status_code == 422
    assert "A secret is never written into the metadata." in text_of(answer)
    assert TYPED not in answer.text
    assert TYPED not in (workspace / "metadata" / "sources" / "sandbox.yaml").read_text()


def test_a_secret_that_stands_in_a_file_is_never_shown(reader: Reader, workspace: Path) -> None:
    file = workspace / "metadata" / "plugins" / "teamviewer.yaml"
    file.write_text(f"plugin: teamviewer\nsettings:\n  token: {TYPED}\n  group: {TYPED}\n")

    for path in ("/admin/edit/plugin/teamviewer", "/admin", "/admin/plugins/teamviewer"):
        assert TYPED not in reader.get(path).text
    assert TYPED not in edited(reader, "/admin/edit/plugin/teamviewer", action="check", **{"key.settings.group": "Support"}).text


def test_a_secret_is_set_by_the_name_of_its_place(reader: Reader, workspace: Path) -> None:
    names = {"key.launch_secret.where": "env", "key.launch_secret": "LAUNCH_SECRET"}
    saved = edited(reader, "/admin/edit/source/sandbox", action="save", **names)

    assert difference(saved) == ["+launch_secret: {env: LAUNCH_SECRET}"]


# --- who may ----------------------------------------------------------------------------------------------------------


def test_somebody_without_the_right_is_told_which_one_is_missing(pages: Pages) -> None:
    reader = pages.reader(USER)

    for path in (CASE_PAGE, "/admin", "/admin/sessions", "/admin/objects", "/admin/edit/host"):
        answer = reader.get(path)
        assert answer.status_code == 403, path
        assert re.search(r"the right '(settings|objects)\.(read|edit): all' is missing", text_of(answer)), path


def test_there_is_no_page_for_other_files(reader: Reader, host: Host) -> None:
    assert reader.get("/admin/edit/nonsense/x").status_code == 404
    assert reader.get("/admin/edit/object/..%2F..%2Fetc").status_code == 422


# --- in a browser -----------------------------------------------------------------------------------------------------


def test_a_browser_changes_no_more_than_what_somebody_typed(signed_in_tab: Callable[..., Page], pages: Pages, workspace: Path) -> None:
    template = workspace / "templates" / "email" / "case.en.txt"
    objects, texts = workspace / "metadata" / "objects" / "case.yaml", template.read_text()
    tab = signed_in_tab()

    tab.goto(pages.local + CASE_PAGE)
    form = tab.get_by_role("region", name="Form")
    form.get_by_label("Allow custom recipient").check()
    form.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("status")).to_contain_text("Saved.")
    assert objects.read_text().endswith("allow_custom_recipient: true\n")

    tab.goto(f"{pages.local}/admin/edit/template/email/case.en.txt")
    tab.get_by_role("region", name="File").get_by_role("button", name="Save").click()
    expect(tab.get_by_role("status")).to_contain_text("Nothing changed.")
    tab.get_by_role("region", name="Form").get_by_label("Subject").fill("Your case")
    tab.get_by_role("region", name="Form").get_by_role("button", name="Save").click()
    expect(tab.get_by_role("status")).to_contain_text("Saved.")
    assert [line for line in template.read_text().split("\n") if line not in texts.split("\n")] == ['subject: "Your case"']
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1200
