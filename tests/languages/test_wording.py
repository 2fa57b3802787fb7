"""A CRM's words in place of Jumpseat's."""

from __future__ import annotations

import pytest

from jumpseat.languages import catalogue_of
from jumpseat.languages.wording import worded
from jumpseat.speech import say, say_n

ENGLISH = worded(catalogue_of("en"), {"session": "service request", "sessions": "service requests", "Share": "Tell the customer"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (say("There is no valid session."), "There is no valid service request."),
        (say("Session {code} is valid.", code="s1"), "Service request s1 is valid."),
        (say_n("{n} session is open.", "{n} sessions are open.", 2), "2 service requests are open."),
        (say("Share"), "Tell the customer"),
        (say("Share its link."), "Share its link."),
    ],
)
def test_words_are_replaced_wherever_they_stand_and_whole_texts_as_they_are(text: str, said: str) -> None:
    assert ENGLISH.shown(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (say("{name} has none.", name="Session Ltd"), "Session Ltd has none."),
        (say("The right '{right}' is missing.", right="session.open"), "The right 'session.open' is missing."),
        (say("It stands in sessions.yaml, under 'session'."), "It stands in sessions.yaml, under 'session'."),
        (say("Write {{session}}, or {session}.", session="session"), "Write {session}, or session."),
        ("The session of Session Ltd", "The session of Session Ltd"),
    ],
)
def test_names_keys_and_places_keep_their_words(text: str, said: str) -> None:
    assert ENGLISH.shown(text) == said


def test_templates_keep_the_names_of_their_places() -> None:
    assert ENGLISH.gettext("%(session)s session") == "%(session)s service request"


def test_whole_texts_are_named_in_english_in_every_language() -> None:
    french = worded(catalogue_of("fr"), {"Case": "Demande"})
    assert (french.gettext("Case"), french.gettext("Lead")) == ("Demande", "Prospect")


def test_a_template_is_said_in_the_crms_words_and_in_its_language() -> None:
    from jumpseat.web.rendering import environment

    words = (("Session ID", "ID de la demande de service"), ("session", "demande de service"))
    template = environment("fr", words).from_string("{{ _('Copy') }}, {% trans %}Session ID{% endtrans %}")

    assert template.render() == "Copier, ID de la demande de service"
