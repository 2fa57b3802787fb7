"""Which templates apply to a supported object, and in which language one is sent. Pure functions over the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jumpseat.catalogue.model import SupportedObject
from jumpseat.catalogue.template_rules import NAME_BEGINS, is_named_for_an_object, rule_of, same_object
from jumpseat.errors import TemplateNotApplicable
from jumpseat.speech import say
from jumpseat.types import Template


@dataclass(frozen=True, slots=True)
class Applicable:
    """The templates of one channel, sorted into those that apply to an object and those that do not."""

    candidates: tuple[Template, ...]
    """Best first: by description, by object, the defaults; of one rule those of the workspace before the CRM's, by name and language."""
    skipped: tuple[tuple[Template, str], ...]
    """By name and language, each with the reason in words."""


def applicable(templates: Iterable[Template], supported: SupportedObject, channel: str) -> Applicable:
    """Which templates of a channel apply to an object.

    Three rules: the description equals the object's ``email_template_description`` (manual for Salesforce); the name begins
    with "TeamViewer Email" and the template names the object (manual for Dynamics); the template is called ``default``.

    Args:
        templates: all templates of the catalogue; those of other channels are left out without a word.
        supported: the object.
        channel: name of the share channel.
    """
    of_channel = sorted((one for one in templates if one.channel == channel), key=lambda one: (bool(one.in_crm), one.name, one.language))
    rules = [(rule_of(template, supported), template) for template in of_channel]
    candidates = sorted(((rule, template) for rule, template in rules if rule is not None), key=lambda pair: pair[0])
    skipped = tuple((template, _why_skipped(template, supported)) for rule, template in rules if rule is None)
    return Applicable(tuple(template for _, template in candidates), skipped)


def applies(template: Template, supported: SupportedObject) -> bool:
    """Does the template apply to the object, by any of the three rules?"""
    return rule_of(template, supported) is not None


def _why_skipped(template: Template, supported: SupportedObject) -> str:
    if same_object(template.object, supported.supported_object):
        return say(
            "skipped: its object is '{object}', but its name does not begin with '{begin}'", object=template.object, begin=NAME_BEGINS
        )
    if is_named_for_an_object(template) and template.object is not None:
        return say("skipped: its object is '{object}', the record's is '{other}'", object=template.object, other=supported.supported_object)
    if template.description is not None:
        return say(
            "skipped: its description is '{description}', the object asks for '{other}'",
            description=template.description,
            other=supported.email_template_description,
        )
    if is_named_for_an_object(template):
        return say("skipped: its name begins with '{begin}', but it names no object", begin=NAME_BEGINS)
    return say("skipped: it has no description, the object asks for '{other}'", other=supported.email_template_description)


def choose_language(candidates: Sequence[Template], wanted: Sequence[str | None]) -> Template:
    """The best candidate in the first wanted language that there is.

    Each wanted language is looked for as it is, then shortened (``fr-CA`` → ``fr``), then in any region (``fr`` → ``fr-FR``);
    the first candidate is the answer when no wanted language is there.

    Args:
        candidates: templates that apply, best first.
        wanted: BCP 47 tags, most wanted first: the contact's, the supporter's, the default; None where nothing is known.

    Raises:
        TemplateNotApplicable: there is no candidate.
    """
    if not candidates:
        raise TemplateNotApplicable(
            say("No template applies here. Add one to the templates/ folder: 'jumpseat templates list' says what it needs.")
        )
    for language in filter(None, wanted):
        for tag in _shorter_and_shorter(language.replace("_", "-").casefold()):
            for template in candidates:
                if template.language.casefold() == tag:
                    return template
        primary = language.replace("_", "-").casefold().split("-")[0]
        for template in candidates:
            if template.language.casefold().split("-")[0] == primary:
                return template
    return candidates[0]


def _shorter_and_shorter(tag: str) -> Iterable[str]:
    parts = tag.split("-")
    return ("-".join(parts[:size]) for size in range(len(parts), 0, -1))
