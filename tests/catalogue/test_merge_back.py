"""Variables as merge fields again: what comes back through the checker says the same."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat.catalogue.merge_back import with_merge_fields
from jumpseat.catalogue.merge_fields import RecordFields, translate

CASE = RecordFields("Case", "CaseNumber", ("Status",))
VARIABLES = ("session.customer_link", "session.code", "record.name", "record.Status", "recipient.first_name", "supporter.name")
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20)


@given(variable=st.sampled_from(VARIABLES), words=WORDS, before=st.sampled_from(["Hello ", "<p>", ""]), is_html=st.booleans())
def test_a_variable_that_has_a_merge_field_says_the_same_after_the_way_back(variable: str, words: str, before: str, is_html: bool) -> None:
    quoted = words.replace("\\", "\\\\").replace("'", "\\'")
    fallback = f" or '{quoted}'" if words else ""
    text = f"{before}{{{{ {variable}{fallback} }}}}"

    done = with_merge_fields(text, "Case", is_html=is_html)

    if done.left:
        assert done.text == text
    else:
        assert translate(done.text, CASE, is_html=is_html).source == text


@pytest.mark.parametrize(
    "text",
    ["{% if message %}", "{# note #}", "{{ message }}", "{{ record.label }}", "{{ record.name|upper }}", "{{ record.name or ' a' }}"],
)
def test_what_no_merge_field_says_is_told_and_left_as_it_is(text: str) -> None:
    assert (with_merge_fields(text, "Case").text, with_merge_fields(text, "Case").left) == (text, (text,))


def test_merge_fields_that_stand_there_stay() -> None:
    text = "{!Contact.Name, there} {{{Recipient.Name}}} {!IF(a, b)}"

    assert with_merge_fields(text, None).text == text
