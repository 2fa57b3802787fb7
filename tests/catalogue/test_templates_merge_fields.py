"""Salesforce's merge fields: what they become, and what is said of those that are not understood."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat.catalogue.merge_fields import TABLE, RecordFields, names_supporter_link, translate
from jumpseat.catalogue.template_language import inspect
from jumpseat.catalogue.variables import VARIABLES

CASE = RecordFields("Case", "CaseNumber", ("Status",))
FORMS = "understood are {!Object.Field}, {!Object.Field, words when empty} and {{{Object.Field}}}; formulas are not"


@pytest.mark.parametrize(
    ("written", "jinja"),
    [
        ("{!TeamViewerCase__c.tvCustomerLink__c}", "{{ session.customer_link }}"),
        ("{!TeamViewerAccount__c.tvCustomerLink__c}", "{{ session.customer_link }}"),
        ("{!ns__TeamViewerCase__c.tvCustomerLink__c}", "{{ session.customer_link }}"),
        ("{!teamviewercase__c.TVCUSTOMERLINK__C}", "{{ session.customer_link }}"),
        ("{!TeamViewerCase__c.ParentRecordName__c}", "{{ record.name }}"),
        ("{!User.Name}", "{{ supporter.name }}"),
        ("{! User.Name }", "{{ supporter.name }}"),
        ("{!Contact.FirstName}", "{{ recipient.first_name }}"),
        ("{!Contact.FirstName, there}", "{{ recipient.first_name or 'there' }}"),
        ("{!Contact.FirstName, dear Sir, or Madam}", "{{ recipient.first_name or 'dear Sir, or Madam' }}"),
        ("{!Contact.FirstName, l'ami}", "{{ recipient.first_name or 'l\\'ami' }}"),
        ("{!Contact.FirstName, a\\'b}", "{{ recipient.first_name or 'a\\\\\\'b' }}"),
        ("{!Contact.FirstName,}", "{{ recipient.first_name }}"),
        ('{!BLANKVALUE(Contact.FirstName, "there")}', "{{ recipient.first_name or 'there' }}"),
        ("{!nullvalue(Contact.FirstName, 'there')}", "{{ recipient.first_name or 'there' }}"),
        ("{!Recipient.Name}", "{{ recipient.name }}"),
        ("{{{Recipient.FirstName}}}", "{{ recipient.first_name }}"),
        ("{{{ Case.Status }}}", "{{ record.Status }}"),
        ("{!Organization.Name}", "{{ company.name }}"),
        ("{!$Organization.Name}", "{{ company.name }}"),
        ("{!Case.CaseNumber}", "{{ record.name }}"),
        ("{!case.status}", "{{ record.Status }}"),
        ("{!TeamViewerCase__c.tvCustomerLink__c, none}", "{{ session.customer_link }}"),
    ],
)
def test_a_merge_field_becomes_a_variable(written: str, jinja: str):
    translated = translate(written, CASE)

    assert (translated.source, translated.problems) == (jinja, ())
    assert inspect(jinja, CASE.template_fields).problems == ()


def test_both_dialects_and_variables_may_stand_in_one_text():
    text = "{!User.Name} {{ record.name|upper }} {{{Recipient.Name}}}\n{% if message %}{!Case.Status}{% endif %}"

    assert translate(text, CASE).source == (
        "{{ supporter.name }} {{ record.name|upper }} {{ recipient.name }}\n{% if message %}{{ record.Status }}{% endif %}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{# {!Nobody.Knows} #}",
        "{% raw %}{!Nobody.Knows} {{{X.Y}}}{% endraw %}",
        "{{ '{!Nobody.Knows}' }}",
        "no braces",
        "{ !User.Name }",
        "p{color:red}",
        "{# not closed {!Nobody.Knows}",
    ],
)
def test_what_is_no_merge_field_stays_as_it_is(text: str):
    assert translate(text, CASE).source == text
    assert translate(text, CASE).problems == ()


def test_words_for_an_empty_field_in_html_are_html():
    assert translate("{!Contact.FirstName, R&amp;D}", is_html=True).source == "{{ recipient.first_name or 'R&D' }}"
    assert translate("{!Contact.FirstName, R&amp;D}").source == "{{ recipient.first_name or 'R&amp;D' }}"


@pytest.mark.parametrize(
    ("written", "code", "cause", "fix"),
    [
        ("{!Contact.FistName}", "M408", "the merge field 'Contact.FistName' is not known", "did you mean 'Contact.FirstName'?"),
        (
            "{!TeamViewerLead__c.tvCustomrLink__c}",
            "M408",
            "the merge field 'TeamViewerLead__c.tvCustomrLink__c' is not known",
            "did you mean 'TeamViewerLead__c.tvCustomerLink__c'?",
        ),
        (
            "{!TeamViewerCase__c.tvSupporterLink__c}",
            "M409",
            "'TeamViewerCase__c.tvSupporterLink__c' would show the supporter link, which is a secret",
            "show the customer's: {{ session.customer_link }}",
        ),
        ("{!IF(Case.Status, 1, 2)}", "M408", "'{!IF(Case.Status, 1, 2)}' is not a merge field that is understood", FORMS),
        ("{!TODAY()}", "M408", "'{!TODAY()}' is not a merge field that is understood", FORMS),
        ("{!important}", "M408", "'{!important}' is not a merge field that is understood", FORMS),
        ("{!Case.Owner.Name}", "M408", "'{!Case.Owner.Name}' is not a merge field that is understood", FORMS),
        ("{{{Case.Status, none}}}", "M408", "'{{{Case.Status, none}}}' is not a merge field that is understood", FORMS),
        (
            "{!User.Name",
            "M408",
            "a merge field is not closed on its line",
            "write it as one of {!Object.Field}, {!Object.Field, words when empty} and {{{Object.Field}}}",
        ),
        ("{!Case.XyzQ__c}", "M408", "the merge field 'Case.XyzQ__c' is not known", "add 'XyzQ__c' to template_fields of 'Case'"),
    ],
)
def test_a_merge_field_that_is_not_understood_is_left_out_and_named(written: str, code: str, cause: str, fix: str):
    translated = translate(f"one\ntwo {written}", CASE)

    problem = translated.problems[0]
    assert (problem.line, problem.column, problem.code, problem.cause, problem.fix) == (2, 5, code, cause, fix)
    assert "{!" not in translated.source or written == "{!User.Name"


def test_fields_of_an_object_need_a_template_that_applies_to_that_object_only():
    problem = translate("{!Quote.GrandTotal}", None).problems[0]

    assert problem.fix == (
        "templates/README.md lists the merge fields; fields of an object need a template that applies to that object only"
    )


def test_every_line_of_the_table_leads_to_a_documented_variable():
    documented = {variable.name for variable in VARIABLES}

    assert {line.variable for line in TABLE} <= documented


@pytest.mark.parametrize("name", ["tvSupporterLink__c", "support_link", "SupporterURL", "agent_join_link", "technicianUri"])
def test_names_of_the_supporter_link_are_recognised(name: str):
    assert names_supporter_link(name)


@pytest.mark.parametrize("name", ["session.customer_link", "supporter.name", "SupportPortalUrl__c", "record.Link__c", "AgentNotes"])
def test_other_names_are_not_taken_for_the_supporter_link(name: str):
    assert not names_supporter_link(name)


@given(st.text(max_size=80))
def test_words_for_an_empty_field_cannot_become_template_code(words: str):
    translated = translate("{!Contact.FirstName, " + words + "}")

    if not translated.problems and "{" not in words and "}" not in words and "\n" not in words:
        assert inspect(translated.source).problems == ()
        assert len(inspect(translated.source).skeleton) == 1


@given(st.text("{}!#%.,()'\"raw end\nAbc", max_size=200))
def test_translating_never_fails_and_keeps_the_lines(text: str):
    translated = translate(text, CASE)

    assert translated.source.count("\n") == text.count("\n")
    assert all(1 <= problem.line <= text.count("\n") + 1 for problem in translated.problems)
