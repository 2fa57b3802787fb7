"""Which templates apply to an object, in which order, and in which language one is sent."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat.catalogue.model import SupportedObject
from jumpseat.errors import TemplateNotApplicable
from jumpseat.records.template_choice import applicable, applies, choose_language
from jumpseat.types import Template

CASE = SupportedObject("Case", "Case", "CaseNumber", "teamviewer_Case_template", allow_custom_recipient=False)
INCIDENT = SupportedObject("Case", "incident", "title", "teamviewer_incident_template", allow_custom_recipient=False)


def template(
    name: str, language: str = "en", *, channel: str = "email", description: str | None = None, object: str | None = None
) -> Template:
    return Template(name, channel, language, "{{ session.customer_link }}", description=description, object=object)


def names(templates: tuple[Template, ...]) -> list[str]:
    return [f"{one.name}.{one.language}" for one in templates]


def test_a_template_applies_when_its_description_is_the_one_the_object_asks_for():
    ours, other = template("Case", description="teamviewer_Case_template"), template("Lead", description="teamviewer_Lead_template")

    found = applicable([other, ours], CASE, "email")

    assert found.candidates == (ours,)
    assert found.skipped == (
        (other, "skipped: its description is 'teamviewer_Lead_template', the object asks for 'teamviewer_Case_template'"),
    )


def test_a_description_counts_only_when_it_is_equal_to_the_letter():
    assert not applies(template("Case", description="TeamViewer_Case_template"), CASE)


@pytest.mark.parametrize("name", ["TeamViewer Email Customer Support Link", "teamviewer email x", "TEAMVIEWER EMAIL"])
def test_a_template_named_teamviewer_email_applies_to_the_object_it_names(name: str):
    assert applies(template(name, object="incident"), INCIDENT)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (template("TeamViewer Email A", object="account"), "skipped: its object is 'account', the record's is 'incident'"),
        (
            template("TeamViewer Email A", object="account", description="For accounts"),
            "skipped: its object is 'account', the record's is 'incident'",
        ),
        (
            template("Account TeamViewer customer support Link", object="incident"),
            "skipped: its object is 'incident', but its name does not begin with 'TeamViewer Email'",
        ),
        (template("TeamViewer Email A"), "skipped: its name begins with 'TeamViewer Email', but it names no object"),
        (template("News"), "skipped: it has no description, the object asks for 'teamviewer_incident_template'"),
    ],
)
def test_a_template_that_does_not_apply_says_why(other: Template, reason: str):
    assert applicable([other], INCIDENT, "email").skipped == ((other, reason),)


def test_templates_of_other_channels_are_not_mentioned():
    found = applicable([template("default", channel="sms"), template("News", channel="sms")], CASE, "email")

    assert (found.candidates, found.skipped) == ((), ())


def test_the_order_is_description_then_object_then_default_then_name_and_language():
    everything = [
        template("default"),
        template("TeamViewer Email Z", object="Case"),
        template("B", "fr", description="teamviewer_Case_template"),
        template("B", "en", description="teamviewer_Case_template"),
        template("A", "fr", description="teamviewer_Case_template"),
    ]

    assert names(applicable(everything, CASE, "email").candidates) == ["A.fr", "B.en", "B.fr", "TeamViewer Email Z.en", "default.en"]


@given(
    st.permutations(
        [template(name, tag, description=text) for name in "ab" for tag in ("en", "fr") for text in (None, "teamviewer_Case_template")]
    )
)
def test_the_order_in_which_templates_are_given_makes_no_difference_to_which_apply(shuffled: list[Template]):
    found = applicable(shuffled, CASE, "email")

    assert names(found.candidates) == ["a.en", "a.fr", "b.en", "b.fr"]
    assert len(found.candidates) + len(found.skipped) == len(shuffled)


BOTH = (template("a", "en"), template("a", "fr"))


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        (("fr", "en"), "fr"),
        ((None, "fr", "en"), "fr"),
        (("de", "fr", "en"), "fr"),
        (("fr-CA", "en"), "fr"),
        (("FR_ca", "en"), "fr"),
        (("fr-Latn-CA",), "fr"),
        (("de",), "en"),
        ((), "en"),
    ],
)
def test_the_language_is_the_first_wanted_one_that_there_is(wanted: tuple[str | None, ...], language: str):
    assert choose_language(BOTH, wanted).language == language


def test_a_region_is_better_than_its_language_and_a_foreign_region_better_than_another_language():
    regions = (template("a", "en"), template("a", "fr"), template("a", "fr-CA"))

    assert choose_language(regions, ["fr-CA"]).language == "fr-CA"
    assert choose_language((regions[0], regions[2]), ["fr"]).language == "fr-CA"


def test_a_default_in_the_language_of_the_contact_is_better_than_a_fitting_one_in_another():
    chosen = choose_language((template("Case", "en"), template("default", "en"), template("default", "fr")), ["fr", "en"])

    assert (chosen.name, chosen.language) == ("default", "fr")


def test_without_a_candidate_the_refusal_says_where_templates_come_from():
    with pytest.raises(TemplateNotApplicable) as refused:
        choose_language((), ["fr"])

    assert refused.value.message == (
        "No template applies here. Add one to the templates/ folder: 'jumpseat templates list' says what it needs."
    )
