"""By which rule a template applies to a supported object."""

from __future__ import annotations

from enum import IntEnum
from typing import Protocol

from jumpseat.types import Template

DEFAULT_NAME = "default"
"""A template of this name is the last resort of its channel: it applies to every object."""
NAME_BEGINS = "TeamViewer Email"
"""How the name of a template that is found by its object begins; capitals make no difference (manual for Dynamics)."""


class Rule(IntEnum):
    """The three rules, the best first."""

    DESCRIPTION = 0
    """The description equals the object's ``email_template_description`` (manual for Salesforce)."""
    OBJECT = 1
    """The name begins with "TeamViewer Email" and the template names the object (manual for Dynamics)."""
    LAST_RESORT = 2
    """The template is called ``default``."""


class Asking(Protocol):
    """What a rule has to know of a supported object."""

    @property
    def supported_object(self) -> str: ...
    @property
    def email_template_description(self) -> str: ...


def rule_of(template: Template, supported: Asking) -> Rule | None:
    """The best rule by which the template applies to the object; None when it does not apply."""
    if template.description is not None and template.description == supported.email_template_description:
        return Rule.DESCRIPTION
    if is_named_for_an_object(template) and same_object(template.object, supported.supported_object):
        return Rule.OBJECT
    return Rule.LAST_RESORT if template.name == DEFAULT_NAME else None


def is_named_for_an_object(template: Template) -> bool:
    """Does the name say that the template is found by its object?"""
    return template.name.casefold().startswith(NAME_BEGINS.casefold())


def same_object(one: str | None, other: str) -> bool:
    """API names and logical names are the same whatever their capitals, in Salesforce as in Dynamics."""
    return one is not None and one.casefold() == other.casefold()
