"""Catalogues: the host's, those of plugins, the pseudo-language, and English that comes back from the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumpseat.languages import catalogue_of
from jumpseat.languages.__main__ import main
from jumpseat.languages.pseudo import pseudo
from jumpseat.languages.recognising import Patterns
from jumpseat.speech import Said, say, say_n, translated

HEAD = """\
msgid ""
msgstr ""
"Language: fr\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a plugin that was dropped in with its own French."""
    folder = tmp_path / "plugins" / "pager" / "locale" / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    texts = [
        'msgid "The pager of {name} is off."\nmsgstr "Le récepteur de {name} est éteint."\n',
        'msgid "Charge it."\nmsgstr "Rechargez-le."\n',
        'msgid "{n} pager is off."\nmsgid_plural "{n} pagers are off."\n'
        'msgstr[0] "{n} récepteur est éteint."\nmsgstr[1] "{n} récepteurs sont éteints."\n',
        'msgid "It did not answer: {reason} It is tried again."\nmsgstr "Pas de réponse : {reason} Nouvel essai prévu."\n',
        'msgid "Case"\nmsgstr "Étui"\n',
    ]
    (folder / "pager.po").write_text(HEAD + "\n".join(texts), encoding="utf-8")
    return tmp_path


def test_english_needs_no_catalogue() -> None:
    english = catalogue_of("en")

    assert english.shown(say("The pager of {name} is off.", name="Camille")) == "The pager of Camille is off."
    assert english.ngettext("one", "many", 2) == "many"


def test_a_language_without_catalogue_is_shown_in_english() -> None:
    assert catalogue_of("de").gettext("Case") == "Case"
    assert catalogue_of("../en").gettext("Case") == "Case"


def test_french_of_canada_is_french() -> None:
    assert catalogue_of("fr-CA").gettext("Case") == catalogue_of("fr").gettext("Case") != "Case"


def test_a_plugin_brings_its_own_texts(workspace: Path) -> None:
    french = catalogue_of("fr", workspace)

    assert french.shown(say("The pager of {name} is off.", name="Camille")) == "Le récepteur de Camille est éteint."
    assert translated(say_n("{n} pager is off.", "{n} pagers are off.", 2), french) == "2 récepteurs sont éteints."


def test_a_text_that_the_host_has_too_is_the_hosts(workspace: Path) -> None:
    assert catalogue_of("fr", workspace).gettext("Case") == catalogue_of("fr").gettext("Case")


def test_a_broken_catalogue_of_a_plugin_costs_only_its_own_texts(workspace: Path) -> None:
    (workspace / "plugins/pager/locale/fr/LC_MESSAGES/pager.po").write_bytes(b'msgid "\xff\nmsgstr')

    assert catalogue_of("fr", workspace).gettext("Case") == catalogue_of("fr").gettext("Case")


def test_a_sentence_that_was_stored_in_english_is_recognised(workspace: Path) -> None:
    french = catalogue_of("fr", workspace)

    assert french.shown("The pager of Camille Durand is off.") == "Le récepteur de Camille Durand est éteint."
    assert french.shown("Charge it.") == "Rechargez-le."
    assert french.shown("3 pagers are off.") == "3 récepteurs sont éteints."
    assert french.shown("It did not answer: Charge it. It is tried again.") == "Pas de réponse : Rechargez-le. Nouvel essai prévu."
    assert french.shown("Camille rang twice.") == "Camille rang twice."


def test_of_several_sentences_that_were_stored_each_is_recognised(workspace: Path) -> None:
    french = catalogue_of("fr", workspace)

    assert french.shown("The pager of Camille is off. Charge it.") == "Le récepteur de Camille est éteint. Rechargez-le."
    assert french.shown("Nobody knows why. Charge it.") == "Nobody knows why. Rechargez-le."
    assert french.shown("Nobody knows why. Nobody cares.") == "Nobody knows why. Nobody cares."


def test_a_stored_reason_in_a_new_sentence_is_recognised(workspace: Path) -> None:
    said = say("It did not answer: {reason} It is tried again.", reason="Charge it.")
    assert catalogue_of("fr", workspace).shown(said) == "Pas de réponse : Rechargez-le. Nouvel essai prévu."


def test_a_name_within_a_stored_sentence_stays_a_name(workspace: Path) -> None:
    assert catalogue_of("fr", workspace).shown("The pager of Case is off.") == "Le récepteur de Case est éteint."


def test_the_text_that_says_most_is_the_one_that_is_recognised() -> None:
    found = Patterns(["{name} is not reached.", "The gateway {name} is not reached."]).recognised("The gateway north is not reached.")

    assert isinstance(found, Said)
    assert (found.msgid, dict(found.values)) == ("The gateway {name} is not reached.", {"name": "north"})


def test_the_pseudo_language_is_longer_and_keeps_places_and_tags() -> None:
    shown = pseudo('Send <b class="x">{count}</b> to %(name)s &amp; wait.')

    for kept in ("{count}", "%(name)s", '<b class="x">', "</b>", "&amp;"):
        assert kept in shown
    assert len(shown) >= 1.4 * len('Send <b class="x">{count}</b> to %(name)s &amp; wait.')
    assert "Send" not in shown
    assert catalogue_of("en-XA").shown(say("The pager of {name} is off.", name="Camille")).count("Camille") == 1
    assert catalogue_of("en-XA").gettext("{part1} {part2}") == "{part1} {part2}"


def test_the_command_collects_the_texts_of_a_plugin_and_keeps_translations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin = tmp_path / "jumpseat_pager"
    plugin.mkdir()
    (plugin / "__init__.py").write_text(
        'say("Charge it.")\nsay("It is {x}.", x=say("off"))\nsay_n("{n} pager", "{n} pagers", 2)\nsay(name)\n'
    )

    assert main(["update", str(plugin)]) == 1
    file = plugin / "locale/fr/LC_MESSAGES/pager.po"
    assert capsys.readouterr().out == f"{file}: 4 to translate\n"

    text = file.read_text(encoding="utf-8").replace('"Charge it."\nmsgstr ""', '"Charge it."\nmsgstr "Rechargez-le."')
    text = text.replace('msgstr ""\n\n#', 'msgstr "x"\n\n#').replace('[0] ""', '[0] "x"').replace('[1] ""', '[1] "x"')
    file.write_text(text.replace('msgid "off"\nmsgstr ""', 'msgid "off"\nmsgstr "x"'), encoding="utf-8")
    assert main(["update", str(plugin)]) == 0
    assert 'msgid "Charge it."\nmsgstr "Rechargez-le."' in file.read_text(encoding="utf-8")

    (plugin / "__init__.py").write_text('say("Charge it now.")\n')
    assert main(["update", str(plugin)]) == 1, "a text that changed is looked at again"
    assert main([]) == 2
