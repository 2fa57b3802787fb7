"""E-mail templates that are kept in the CRM, offered beside those of the workspace where the record source declares them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from jumpseat.catalogue.model import SupportedObject
from jumpseat.contract import RecordSource
from jumpseat.errors import JumpseatError
from jumpseat.speech import say
from jumpseat.types import CrmTemplate, Provenance, Reason, Record, Supporter, Template

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
MOST = 200
"""Templates of one record that are offered at most; a list that is longer helps nobody to choose."""


@dataclass(frozen=True, slots=True)
class KeptInCrm:
    """What the CRM keeps for one record, or why nobody knows."""

    templates: tuple[CrmTemplate, ...] = ()
    default_language: str = ""
    reasons: tuple[Reason, ...] = ()
    """Why there are none, where the CRM could not be asked."""

    def of(self, channel: str, known: Iterable[Template]) -> tuple[Template, ...]:
        """The templates for one channel; those of the workspace that have the same name and language go before them."""
        taken = {(one.name, one.language) for one in known if one.channel == channel}
        found = (self._as_template(one, channel) for one in self.templates[:MOST])
        return tuple(one for one in found if (one.name, one.language) not in taken)

    def _as_template(self, kept: CrmTemplate, channel: str) -> Template:
        language = kept.language if kept.language and _LANGUAGE.fullmatch(kept.language) else self.default_language
        return Template(
            name=" ".join(kept.name.split())[:255] or kept.id,
            channel=channel,
            language=language,
            body="",
            description=kept.description,
            object=kept.object,
            in_crm=kept.id,
        )


def kept_in_crm(
    record: Record, supported: SupportedObject, source: RecordSource | None, supporter: Supporter, default_language: str
) -> KeptInCrm:
    """Ask the record source for its templates; a CRM that does not answer costs nothing but these.

    Args:
        record: what is to be offered.
        supported: its supported object; says which description is looked for.
        source: where the record comes from.
        supporter: in whose name.
        default_language: of templates that do not say theirs.
    """
    if source is None or not source.crm_templates:
        return KeptInCrm()
    try:
        found: Sequence[CrmTemplate] = source.templates(replace(record, acting_for=supporter), supported.email_template_description)
    except JumpseatError as error:
        said = say("The templates that are kept in the CRM are not offered: {reason}", reason=error.message)
        return KeptInCrm(reasons=(Reason(said, Provenance(source.source)),))
    return KeptInCrm(tuple(found), default_language)
