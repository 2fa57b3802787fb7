"""Texts that stay translatable while they travel."""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from gettext import NullTranslations

import pytest

from jumpseat.errors import Refused
from jumpseat.secret import Secret, redact
from jumpseat.speech import Said, joined, say, say_n, translated
from jumpseat.store import Store
from jumpseat.types import Verdict

FRENCH = {
    "The channel '{name}' failed.": "Le canal « {name} » a échoué.",
    "Try again.": "Réessayez.",
    "{n} session is open.": "{n} session est ouverte.",
    "{n} sessions are open.": "{n} sessions sont ouvertes.",
    "Reason: {reason}": "Motif : {reason}",
    "Valid until {until}.": "Valable jusqu'au {until}.",
    "One {mistake}": "Une {faute}",
}


class French(NullTranslations):
    def gettext(self, message: str) -> str:
        return FRENCH.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return FRENCH[msgid1 if n < 2 else msgid2]


def french(text: str) -> str:
    return translated(text, French())


def test_a_said_text_is_its_english_text() -> None:
    said = say("The channel '{name}' failed.", name="sms")

    assert said == "The channel 'sms' failed."
    assert json.dumps({"title": said}) == '{"title": "The channel \'sms\' failed."}'


def test_it_can_be_said_in_another_language_with_its_values() -> None:
    assert french(say("The channel '{name}' failed.", name="sms")) == "Le canal « sms » a échoué."


def test_a_value_that_was_said_is_translated_along() -> None:
    reason = say("The channel '{name}' failed.", name="sms")
    assert french(say("Reason: {reason}", reason=reason)) == "Motif : Le canal « sms » a échoué."


def test_a_plain_text_is_looked_up_as_a_whole_and_stays_when_it_is_not_known() -> None:
    assert french("Try again.") == "Réessayez."
    assert french("Camille {Durand}") == "Camille {Durand}"
    assert french("") == ""


def test_texts_without_values_may_hold_braces() -> None:
    assert say("Write {env: NAME}.") == "Write {env: NAME}."
    assert say("{text}", text="{name}") == "{name}"


def test_a_constant_is_filled_in_with_format() -> None:
    pattern = say("The channel '{name}' failed.")

    assert pattern.format(name="sms") == "The channel 'sms' failed."
    assert french(pattern.format(name="sms")) == "Le canal « sms » a échoué."


@pytest.mark.parametrize(
    ("n", "english", "in_french"),
    [
        (0, "0 sessions are open.", "0 session est ouverte."),
        (1, "1 session is open.", "1 session est ouverte."),
        (2, "2 sessions are open.", "2 sessions sont ouvertes."),
    ],
)
def test_a_number_is_said_by_the_rules_of_each_language(n: int, english: str, in_french: str) -> None:
    said = say_n("{n} session is open.", "{n} sessions are open.", n)
    assert (str(said), french(said)) == (english, in_french)


def test_sentences_are_joined_without_losing_their_translations() -> None:
    failed, again = say("The channel '{name}' failed.", name="sms"), say("Try again.")

    assert joined(failed, "", again) == "The channel 'sms' failed. Try again."
    assert french(joined(failed, again)) == french(failed + " " + again) == "Le canal « sms » a échoué. Réessayez."
    assert french("- " + again) == "- Réessayez."
    assert french(joined("a", "b", "c", by=say("Try again."))) == "aRéessayez.bRéessayez.c"


def test_a_moment_is_written_as_the_reader_has_it() -> None:
    said = say("Valid until {until}.", until=datetime(2026, 3, 28, 12, tzinfo=UTC))

    assert said == "Valid until 2026-03-28T12:00:00Z."
    assert translated(said, French(), lambda at: f"{at:%H h %M}") == "Valable jusqu'au 12 h 00."


def test_a_translation_with_a_place_that_does_not_exist_gives_way_to_the_english_text() -> None:
    assert french(say("One {mistake}", mistake="typo")) == "One typo"


@dataclass(frozen=True)
class Holder:
    text: str


@pytest.mark.parametrize(
    "travel",
    [
        str,
        copy.deepcopy,
        lambda said: pickle.loads(pickle.dumps(said)),
        lambda said: said[:2000],
        lambda said: asdict(Holder(said))["text"],
        lambda said: replace(Verdict(False), reason=said).reason,
        lambda said: Refused(said).message,
        lambda said: Refused(said).args[0],
        redact,
    ],
)
def test_it_stays_translatable_on_its_ways(travel) -> None:
    assert french(travel(say("The channel '{name}' failed.", name="sms"))) == "Le canal « sms » a échoué."


def test_the_message_of_an_error_is_the_object_that_was_given() -> None:
    said = say("Try again.")
    assert Refused(said).message is said


def test_a_secret_is_masked_in_the_text_and_in_its_values() -> None:
    link = Secret("abcdefgh12345678abcd")
    said = redact(say("The channel '{name}' failed.", name=link.reveal()), (link,))

    assert said == "The channel '***' failed."
    assert isinstance(said, Said)
    assert french(said) == "Le canal « *** » a échoué."
    assert say("The channel '{name}' failed.", name=link).values["name"] == "***"


def test_what_only_together_looks_like_a_secret_is_masked_as_plain_text() -> None:
    said = redact(say("It answered password={name}", name="hunter22"))

    assert said == "It answered password=***"
    assert not isinstance(said, Said)


def test_a_cut_text_is_plain() -> None:
    assert type(say("Try again.")[:3]) is str


def test_the_database_keeps_the_english_text(database_url: str) -> None:
    store = Store.open(database_url)
    try:
        with store.engine.connect() as conn:
            kept = conn.exec_driver_sql("SELECT '" + "Try again." + "'").scalar_one()
            from sqlalchemy import literal, select

            assert conn.execute(select(literal(say("Try again.")))).scalar_one() == kept == "Try again."
    finally:
        store.close()
