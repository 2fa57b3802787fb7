"""Reading templates/: what is taken, what is refused, and in which words."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from jumpseat.catalogue.codes import CODES
from jumpseat.catalogue.model import SupportedObject
from jumpseat.catalogue.problems import render
from jumpseat.catalogue.template_docs import filled
from jumpseat.catalogue.templates import TemplatesRead, read_templates
from jumpseat.types import Template

ROOT = Path(__file__).parents[2]
CASE = SupportedObject("Case", "Case", "CaseNumber", "teamviewer_Case_template", False, template_fields=("Status", "Account.Name"))
INCIDENT = SupportedObject("Case", "incident", "title", "teamviewer_incident_template", False, template_fields=("ticketnumber",))
CHANNELS = frozenset({"email", "sms"})
GOOD = "---\nname: Case\ndescription: teamviewer_Case_template\nsubject: Your session\n---\nJoin: {{ session.customer_link }}\n"


class Folder:
    """A workspace whose templates a test writes."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def write(self, name: str, text: str | bytes) -> None:
        path = self.workspace / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def read(self, *objects: SupportedObject) -> TemplatesRead:
        return read_templates(self.workspace, CHANNELS, objects or (CASE, INCIDENT))

    def problems(self, *objects: SupportedObject) -> list[str]:
        return [render(problem) for problem in self.read(*objects).problems]

    def body(self, text: str) -> list[str]:
        """Problems of a template for cases with this text."""
        self.write("email/case.en.txt", GOOD.replace("Join: {{ session.customer_link }}\n", text))
        return self.problems()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_template_is_read_with_its_front_matter_its_html_and_the_line_of_its_text(folder: Folder):
    folder.write("email/case.en.txt", GOOD)
    folder.write("email/case.en.html", '<a href="{{ session.customer_link }}">Join</a>\n')

    read = folder.read()

    assert read.problems == ()
    assert read.templates == (
        Template(
            name="Case",
            channel="email",
            language="en",
            body="Join: {{ session.customer_link }}\n",
            html='<a href="{{ session.customer_link }}">Join</a>\n',
            subject="Your session",
            description="teamviewer_Case_template",
            file="templates/email/case.en.txt",
            line=6,
        ),
    )


def test_without_the_folder_there_is_nothing_and_nothing_is_wrong(tmp_path: Path):
    assert read_templates(tmp_path, CHANNELS, ()) == TemplatesRead((), ())


def test_windows_line_ends_and_a_byte_order_mark_make_no_difference(folder: Folder):
    folder.write("email/case.en.txt", GOOD)
    plain = folder.read().templates
    folder.write("email/case.en.txt", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())

    assert folder.read() == TemplatesRead(plain, ())


def test_templates_are_sorted_by_channel_name_and_language(folder: Folder):
    for file, name in (("sms/z.fr.txt", "default"), ("sms/a.en.txt", "default"), ("sms/x.en.txt", "Case")):
        folder.write(file, f"---\nname: {name}\n---\n{{{{ session.customer_link }}}}")
    folder.write("email/case.en.txt", GOOD)

    read = folder.read().templates

    assert [(one.channel, one.name, one.language) for one in read] == [
        ("email", "Case", "en"),
        ("sms", "Case", "en"),
        ("sms", "default", "en"),
        ("sms", "default", "fr"),
    ]


def test_a_change_of_the_file_is_seen_and_a_change_of_the_objects_too(folder: Folder):
    folder.write("email/case.en.txt", GOOD.replace("Join:", "{{ record.Owner }}"))
    assert folder.problems() != []

    owner = SupportedObject("Case", "Case", "CaseNumber", "teamviewer_Case_template", False, template_fields=("Owner",))
    assert folder.problems(owner) == []

    folder.write("email/case.en.txt", GOOD)
    assert folder.problems() == []


def test_a_template_with_an_error_is_left_out_and_the_others_stay(folder: Folder):
    folder.write("email/case.en.txt", GOOD)
    folder.write("email/case.en.html", "<p>nothing to click</p>")
    folder.write("sms/default.en.txt", "---\nname: default\n---\n{{ session.customer_link }}")

    assert [one.channel for one in folder.read().templates] == ["sms"]


# --- front matter -----------------------------------------------------------------------------------------------------

PLACE = "templates/email/case.en.txt"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Join: {{ session.customer_link }}",
            f"{PLACE}:1:1: error[M402]: the front matter is missing\n  1 | Join: {{{{ session.customer_link }}}}\n    | ^\n"
            "fix: begin with '---', the keys, and '---' again",
        ),
        ("", f"{PLACE}:1:1: error[M402]: the front matter is missing\nfix: begin with '---', the keys, and '---' again"),
        (
            "---\nname: x\n",
            f"{PLACE}:1:1: error[M402]: the front matter has no end\n  1 | ---\n    | ^\nfix: begin with '---', the keys, and '---' again",
        ),
        (
            GOOD.replace("name: Case\n", ""),
            f"{PLACE}:1:1: error[M101]: the required key 'name' is missing\n  1 | ---\n    | ^\nfix: add 'name: …' to the front matter",
        ),
        (
            GOOD.replace("subject: Your session\n", ""),
            f"{PLACE}:1:1: error[M101]: the required key 'subject' is missing: every template of 'email' has one\n  1 | ---\n    | ^\n"
            "fix: add 'subject: …' to the front matter",
        ),
        (
            GOOD.replace("description:", "desciption:"),
            f"{PLACE}:3:1: error[M102]: unknown key 'desciption'\n  3 | desciption: teamviewer_Case_template\n    | ^^^^^^^^^^\n"
            "fix: did you mean 'description'?",
        ),
        (
            GOOD.replace("name: Case", "name: 12"),
            f"{PLACE}:2:7: error[M106]: 12 stands without quotes and reads as a number, where a text is expected\n  2 | name: 12\n"
            '    |       ^^\nfix: write "12"',
        ),
        (
            GOOD.replace("name: Case", "name: yes"),
            f"{PLACE}:2:7: error[M106]: yes stands without quotes and reads as a boolean, where a text is expected\n  2 | name: yes\n"
            '    |       ^^^\nfix: write "yes"',
        ),
        (
            GOOD.replace("name: Case", "name:"),
            f"{PLACE}:2:1: error[M107]: 'name' has no value\n  2 | name:\n    | ^^^^\nfix: fill it in, or leave the key out",
        ),
        (
            GOOD.replace("name: Case", 'name: " "'),
            f"{PLACE}:2:7: error[M107]: 'name' is empty\n  2 | name: \" \"\n    |       ^^^\nfix: fill it in, or leave the key out",
        ),
        (
            GOOD.replace("name: Case", "name: Case\nname: Lead"),
            f"{PLACE}:3:1: error[M202]: 'name' stands twice, first in line 2\n  3 | name: Lead\n    | ^^^^\nfix: keep one of the two",
        ),
        (
            GOOD.replace("Your session", "{{ record.name }}"),
            f"{PLACE}:4:11: error[M213]: a mapping or a list stands where a key is expected\n  4 | subject: {{{{ record.name }}}}\n"
            "    |           ^\nfix: write the key as one word; put quotes around a text that begins with '{' or '['",
        ),
        (
            GOOD.replace("Your session", "=?utf-8?q?a=0d=0aBcc=3a_x=40evil.test?="),
            f"{PLACE}:4:10: error[M414]: the subject holds an encoded word, '=?utf-8?q?…'\n"
            "  4 | subject: =?utf-8?q?a=0d=0aBcc=3a_x=40evil.test?=\n    |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
            "fix: write the letters themselves",
        ),
        (
            GOOD.replace("Your session", '"{{ record.nmae }}"'),
            f"{PLACE}:4:10: error[M406]: the variable 'record.nmae' is not known (in the subject)\n"
            "  4 | subject: \"{{ record.nmae }}\"\n    |          ^^^^^^^^^^^^^^^^^^^\nfix: did you mean 'record.name'?",
        ),
        (
            GOOD.replace("Your session", '"{{ session.customer_link }}"'),
            f"{PLACE}:4:10: error[M407]: the customer link stands in the subject, which mail servers write to their logs\n"
            '  4 | subject: "{{ session.customer_link }}"\n    |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nfix: show it in the text',
        ),
        (
            GOOD.replace("Your session", "Your session\nlanguage: fr"),
            f"{PLACE}:5:11: error[M404]: the file is called 'en', its front matter says 'fr'\n  5 | language: fr\n    |           ^^\n"
            "fix: make the two the same, or leave the key out",
        ),
        (
            GOOD.replace("name: Case", "name: [Case]"),
            f"{PLACE}:2:7: error[M103]: 'name' is not a text; an unquoted '{{' or '[' begins something else in YAML\n  2 | name: [Case]\n"
            '    |       ^\nfix: put it in quotes: "{{ record.name }}"',
        ),
    ],
)
def test_a_mistake_in_the_front_matter_is_named_with_its_place_and_fix(folder: Folder, text: str, expected: str):
    folder.write("email/case.en.txt", text)

    assert folder.problems() == [expected]
    assert folder.read().templates == ()


def test_a_subject_may_be_left_out_where_the_channel_is_not_email(folder: Folder):
    folder.write("sms/default.en.txt", "---\nname: default\n---\n{{ session.customer_link }}")

    assert folder.problems() == []


# --- files ------------------------------------------------------------------------------------------------------------


def test_two_templates_of_one_name_channel_and_language_are_refused(folder: Folder):
    folder.write("email/a.en.txt", GOOD)
    folder.write("email/b.en.txt", GOOD)

    assert folder.problems() == [
        "templates/email/b.en.txt:2:7: error[M403]: the template 'Case' in 'en' stands in two files, first in templates/email/a.en.txt\n"
        "  2 | name: Case\n    |       ^^^^\nfix: give one of them another name, or delete it"
    ]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (
            "mail/case.en.txt",
            "templates/mail:1:1: error[M303]: there is no share channel 'mail' that the folder could belong to\nfix: did you mean 'email'?",
        ),
        (
            "fax/case.en.txt",
            "templates/fax:1:1: error[M303]: there is no share channel 'fax' that the folder could belong to\nfix: there are email, sms",
        ),
        (
            "email/case.txt",
            "templates/email/case.txt:1:1: error[M401]: 'case.txt' is not the name of a template\n"
            "fix: call it NAME.LANGUAGE.txt, such as case.en.txt",
        ),
        (
            "email/case.en.htm",
            "templates/email/case.en.htm:1:1: error[M401]: 'case.en.htm' is not the name of a template\n"
            "fix: call it NAME.LANGUAGE.txt, such as case.en.txt",
        ),
        (
            "email/case.english.txt",
            "templates/email/case.english.txt:1:1: error[M404]: 'english' is not a BCP 47 language tag, in the name of the file\n"
            "  1 | ---\n    | ^\nfix: call it NAME.LANGUAGE.txt with a language such as en or fr-CA",
        ),
        (
            "email/case.xx.txt",
            "templates/email/case.xx.txt:1:1: error[M404]: the language 'xx' has no words of dates here, in the name of the file\n"
            "  1 | ---\n    | ^\nfix: call it NAME.LANGUAGE.txt with a language such as en or fr-CA",
        ),
        (
            "email/case.en.html",
            "templates/email/case.en.html:1:1: error[M412]: there is no text beside the HTML\nfix: write case.en.txt with the front matter",
        ),
        (
            "case.en.txt",
            "templates/case.en.txt:1:1: error[M211]: the file stands outside of the folders of the channels\n"
            "fix: move it, to templates/email/ for instance",
        ),
    ],
)
def test_a_file_that_would_not_be_read_is_named(folder: Folder, file: str, expected: str):
    folder.write(file, GOOD)

    assert folder.problems() == [expected]


@pytest.mark.parametrize("file", ["README.md", "email/README.md", "email/.case.en.txt.swp", "email/case.en.txt~", ".gitkeep"])
def test_readmes_hidden_files_and_copies_of_editors_are_passed_over(folder: Folder, file: str):
    folder.write(file, "anything")

    assert folder.problems() == []


def test_every_folder_is_a_channel_while_the_channels_are_not_known(folder: Folder):
    folder.write("fax/case.en.txt", GOOD)

    assert [one.channel for one in read_templates(folder.workspace, None, [CASE]).templates] == ["fax"]


def test_a_file_that_leads_out_of_the_workspace_is_refused(folder: Folder, tmp_path_factory: pytest.TempPathFactory):
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text(GOOD)
    (folder.workspace / "templates" / "email").mkdir(parents=True)
    os.symlink(outside, folder.workspace / "templates" / "email" / "case.en.txt")

    assert folder.problems() == [f"{PLACE}:1:1: error[M209]: the file leads out of the workspace\nfix: put the file itself there"]


def test_a_file_that_is_not_utf8_is_refused_with_its_place(folder: Folder):
    folder.write("email/case.en.txt", GOOD.replace("Join", "Café").encode("latin-1"))

    assert folder.problems() == [
        f"{PLACE}:6:4: error[M206]: the byte 0xE9 is not UTF-8; the file seems to be Latin-1 or Windows-1252\nfix: save the file as UTF-8"
    ]


def test_a_text_longer_than_64_kib_is_refused(folder: Folder):
    text = "{{ session.customer_link }}" + "x" * 64 * 1024
    assert folder.body(text)[0].splitlines()[0] == f"{PLACE}:6:1: error[M413]: the text is longer than 64 KiB"


def test_a_character_that_no_editor_shows_is_refused(folder: Folder):
    assert folder.body("{{ session.customer_link }} \u202eabc") == [
        f"{PLACE}:6:1: error[M206]: the line holds a character that no editor shows\n  6 | {{{{ session.customer_link }}}} �abc\n    | ^\n"
        "fix: delete it and save the file as UTF-8"
    ]


# --- the text ---------------------------------------------------------------------------------------------------------

LINK = "{{ session.customer_link }}"


def test_a_misspelt_variable_is_named_with_its_line_column_and_near_match(folder: Folder):
    assert folder.body(f"{LINK}\nDear {{{{ recipient.frist_name }}}}") == [
        f"{PLACE}:7:9: error[M406]: the variable 'recipient.frist_name' is not known\n  7 | Dear {{{{ recipient.frist_name }}}}\n"
        "    |         ^^^^^^^^^^^^^^^^^^^^\nfix: did you mean 'recipient.first_name'?"
    ]


def test_a_field_of_the_record_may_be_used_when_an_object_of_the_template_lists_it(folder: Folder):
    assert folder.body(f"{LINK} {{{{ record.Status }}}} {{{{ record.Account.Name }}}}") == []


def test_a_field_that_only_another_object_lists_is_refused(folder: Folder):
    assert folder.body(f"{LINK} {{{{ record.ticketnumber }}}}") == [
        f"{PLACE}:6:32: error[M406]: the variable 'record.ticketnumber' is not known\n  6 | {LINK} {{{{ record.ticketnumber }}}}\n"
        "    |                                ^^^^^^^^^^^^^^^^^^^\n"
        "fix: add 'ticketnumber' to template_fields of the object in metadata/objects/"
    ]


def test_a_default_template_may_use_the_fields_of_every_object(folder: Folder):
    folder.write("sms/default.en.txt", f"---\nname: default\n---\n{LINK} {{{{ record.ticketnumber }}}} {{{{ record.Status }}}}")

    assert folder.problems() == []


def test_a_group_of_variables_is_not_a_value(folder: Folder):
    assert folder.body(f"{LINK} {{{{ recipient }}}}")[0].splitlines()[-1] == "fix: write one of recipient.first_name, recipient.name"


@pytest.mark.parametrize(
    "name",
    [
        "session.supporter_link",
        "session.supporterLink",
        "session.SUPPORTER_URL",
        "supporter.link",
        "session.support_link",
        "record.tvSupporterLink__c",
    ],
)
def test_the_supporter_link_is_refused_in_every_spelling(folder: Folder, name: str):
    problem = folder.body(f"{LINK}\n{{{{ {name} }}}}")[0]

    assert problem == (
        f"{PLACE}:7:4: error[M409]: '{name}' would show the supporter link, which is a secret\n  7 | {{{{ {name} }}}}\n"
        f"    |    {'^' * len(name)}\nfix: show the customer's: {{{{ session.customer_link }}}}"
    )


def test_the_supporter_link_is_refused_even_when_an_object_lists_it_as_a_field(folder: Folder):
    folder.write("email/case.en.txt", GOOD + "{{ record.tvSupporterLink__c }}")
    listed = SupportedObject("Case", "Case", "CaseNumber", "teamviewer_Case_template", False, template_fields=("tvSupporterLink__c",))

    assert [problem.code for problem in folder.read(listed).problems] == ["M409"]


def test_an_if_that_is_not_closed_is_named_with_the_last_line(folder: Folder):
    problem = folder.body(f"{LINK}\n{{% if message %}}\n{{{{ message }}}}\n")[0]

    assert problem.startswith(f"{PLACE}:8:1: error[M405]: not a template: unexpected end of template.")


def test_a_text_without_the_customer_link_is_refused(folder: Folder):
    assert folder.body("Your session is ready.\n") == [
        f"{PLACE}:6:1: error[M410]: the text never shows the customer link\n  6 | Your session is ready.\n    | ^\n"
        "fix: put {{ session.customer_link }} where the customer is to click"
    ]


@pytest.mark.parametrize(
    ("html", "cause"),
    [
        ("<p title={{ record.name }}>", "a value stands in the tag <p> without quotes"),
        ('<p style="{{ record.name }}">', "a value stands in the attribute 'style'"),
        ('<p onclick="{{ record.name }}">', "a value stands in the attribute 'onclick'"),
        ('<p onclick="go()">', "the attribute 'onclick' is not allowed in a message"),
        ('<a href="{{ record.name }}">x</a>', "the address in 'href' is put together from values"),
        ('<a href="https://x.test/{{ session.code }}">x</a>', "the address in 'href' is put together from values"),
        ('<a href="{{ session.customer_link }}{{ record.name }}">x</a>', "the address in 'href' is put together from values"),
        ("<a href={{ session.customer_link }}>x</a>", "a value stands in the tag <a> without quotes"),
        ('<a href="java&#10;script:alert(1)">x</a>', "an address in 'href' begins with 'javascript:'"),
        ("<a href=javascript:alert(1)>x</a>", "an address in 'href' begins with 'javascript:'"),
        ('<img src="data:image/png;base64,AAAA">', "an address in 'src' begins with 'data:'"),
        ("<script>go()</script>", "<script> is not allowed in a message"),
        ("<style>p { color: {{ record.name }} }</style>", "a value stands inside <style>"),
        ("<iframe></iframe>", "<iframe> is not allowed in a message"),
        ("<{{ record.name }}>", None),
        ('<p title="x>', "the tag <p> is not closed"),
    ],
)
def test_a_value_where_escaping_does_not_help_is_refused(folder: Folder, html: str, cause: str | None):
    folder.write("email/case.en.txt", GOOD)
    folder.write("email/case.en.html", f'<a href="{LINK}">Join</a>\n{html}\n')

    found = [problem for problem in folder.read().problems if problem.code == "M411"]

    assert [problem.cause for problem in found][:1] == ([cause] if cause else [])
    assert all((problem.file, problem.line) == ("templates/email/case.en.html", 2) for problem in found)


def test_problems_of_the_html_are_shown_in_its_own_file(folder: Folder):
    folder.write("email/case.en.txt", GOOD)
    folder.write("email/case.en.html", f'<a href="{LINK}">Join</a>\n<p title={{{{ record.name }}}}>x</p>\n')

    assert folder.problems() == [
        "templates/email/case.en.html:2:1: error[M411]: a value stands in the tag <p> without quotes\n"
        '  2 | <p title={{ record.name }}>x</p>\n    | ^\nfix: put quotes around it: title="{{ record.name }}"'
    ]


# --- merge fields in files --------------------------------------------------------------------------------------------

FROM_THE_MANUAL = """Dear {!TeamViewerCase__c.ParentRecordName__c},
A TeamViewer remote support session has been created to solve your case.
Please follow the link to join the remote support session:
{!TeamViewerCase__c.tvCustomerLink__c}
Best regards
{!User.Name}
"""


def test_the_template_of_the_salesforce_manual_can_be_pasted(folder: Folder):
    assert folder.body(FROM_THE_MANUAL) == []

    assert folder.read().templates[0].body == (
        FROM_THE_MANUAL.replace("{!TeamViewerCase__c.ParentRecordName__c}", "{{ record.name }}")
        .replace("{!TeamViewerCase__c.tvCustomerLink__c}", "{{ session.customer_link }}")
        .replace("{!User.Name}", "{{ supporter.name }}")
    )


def test_a_mistake_behind_a_merge_field_is_shown_where_it_stands_in_the_file(folder: Folder):
    assert folder.body(f"{LINK}\n{{!TeamViewerCase__c.ParentRecordName__c}} {{{{ record.nmae }}}}") == [
        f"{PLACE}:7:45: error[M406]: the variable 'record.nmae' is not known\n"
        "  7 | {!TeamViewerCase__c.ParentRecordName__c} {{ record.nmae }}\n"
        "    |                                             ^^^^^^^^^^^\nfix: did you mean 'record.name'?"
    ]


# --- everything -------------------------------------------------------------------------------------------------------


def test_the_templates_that_ship_have_no_problems_and_both_languages():
    read = read_templates(ROOT, CHANNELS, ())

    assert read.problems == ()
    by_name = {(one.channel, one.name): set() for one in read.templates}
    for one in read.templates:
        by_name[one.channel, one.name].add(one.language)
    assert set(by_name) == {
        *(("email", name) for name in ("Account", "Case", "Contact", "Lead", "Opportunity", "Service Contract", "default")),
        ("sms", "default"),
    }
    assert all(languages == {"en", "fr"} for languages in by_name.values())


def test_the_readme_lists_every_variable_filter_and_merge_field():
    readme = (ROOT / "templates" / "README.md").read_text()

    assert readme == filled(readme)


def test_every_code_of_the_reader_is_explained():
    source = "".join(path.read_text() for path in sorted((ROOT / "host/jumpseat/catalogue").glob("*.py")) if "codes" not in path.name)

    assert set(re.findall(r'"(M4\d\d)"', source)) == {code for code in CODES if code.startswith("M4")}


def test_a_subject_that_begins_with_a_variable_is_told_to_be_quoted(folder: Folder):
    folder.write("email/case.en.txt", GOOD.replace("subject: Your session", "subject: {{ record.name }}"))

    assert [problem.fix for problem in folder.read().problems] == [
        "write the key as one word; put quotes around a text that begins with '{' or '['"
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.text("{}%#!|.'\"-<>=~ \nabcrecord.namesession", max_size=120))
def test_no_text_whatever_keeps_the_reader_from_answering(tmp_path_factory: pytest.TempPathFactory, text: str):
    folder = Folder(tmp_path_factory.mktemp("any"))
    folder.write("email/case.en.txt", GOOD.encode() + text.encode("utf-8", "replace"))
    folder.write("email/case.en.html", text.encode("utf-8", "replace"))
    folder.write("sms/raw.en.txt", text.encode("utf-8", "replace"))

    read = folder.read()

    assert all(render(problem) for problem in read.problems)
    assert bool(read.problems) or len(read.templates) >= 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_keep_the_reader_from_answering(tmp_path_factory: pytest.TempPathFactory, data: bytes):
    folder = Folder(tmp_path_factory.mktemp("any"))
    folder.write("sms/raw.en.txt", data)

    assert folder.read().problems != ()
