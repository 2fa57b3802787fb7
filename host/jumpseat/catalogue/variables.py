"""The variables of templates, defined once: the checker, the context of a rendering and templates/README.md are read off here.

There is no field for the supporter link, and none is ever to be added: what is not here cannot be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_type_hints

from jumpseat.types import NOTHING

Kind = Literal["line", "lines", "own", "link", "time"]
"""How a value is cleaned: ``line`` and ``lines`` come from people or the CRM (web addresses in them are made dead), ``own`` from the
host and its metadata, ``link`` is the customer link, ``time`` a time in UTC."""


_SAMPLE_END = datetime(2030, 1, 31, 14, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Variable:
    """One documented variable."""

    name: str
    """As a template writes it: ``recipient.first_name``."""
    kind: Kind
    help: str
    sample: Any
    """What ``jumpseat templates preview`` shows when no record is given."""


def _about(help: str, sample: Any, kind: Kind = "line") -> dict[str, Any]:
    """Metadata of a field of the context; ``help`` begins with a capital and ends without a full stop."""
    return {"help": help, "sample": sample, "kind": kind}


@dataclass(frozen=True, slots=True)
class RecordVariables:
    """``record``: the CRM record that the session belongs to."""

    name: str = field(metadata=_about("Name of the record, from the object's `name_field`", "00001026"))
    label: str = field(metadata=_about("Label of the object", "Case", "own"))
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """The object's ``template_fields``; a template writes ``record.<field>``."""


@dataclass(frozen=True, slots=True)
class RecipientVariables:
    """``recipient``: the person who was chosen to receive the share."""

    name: str = field(metadata=_about("Full name of the chosen recipient; empty for a typed address", "Ada Lovelace"))
    first_name: str = field(metadata=_about("First name of the chosen recipient; empty where the CRM does not say", "Ada"))


@dataclass(frozen=True, slots=True)
class SessionVariables:
    """``session``: what the customer needs to join."""

    code: str = field(metadata=_about("Session code, for reading out", "s12-345-678", "own"))
    type: str = field(metadata=_about("Name of the session type, for `{% if session.type == 'pilot' %}`", "remote_control", "own"))
    customer_link: str = field(
        metadata=_about("Link with which the customer joins; every template shows it", "https://get.teamviewer.com/s12345678", "link")
    )
    valid_until: datetime = field(metadata=_about("End of validity, in UTC and the words of the template's language", _SAMPLE_END, "time"))


@dataclass(frozen=True, slots=True)
class SupporterVariables:
    """``supporter``: the CRM user who acts."""

    name: str = field(metadata=_about("Name of the supporter", "Grace Hopper"))


@dataclass(frozen=True, slots=True)
class CompanyVariables:
    """``company``: who sends."""

    name: str = field(
        metadata=_about("Name of the company, from `company` in metadata/host.yaml; empty where not set", "Example Ltd", "own")
    )


@dataclass(frozen=True, slots=True)
class TemplateContext:
    """Everything that a template can show. Plain values; never a token, never a supporter link."""

    record: RecordVariables
    recipient: RecipientVariables
    session: SessionVariables
    supporter: SupporterVariables
    company: CompanyVariables
    message: str = field(
        metadata=_about("What the supporter typed in the share dialog; often empty", "Please keep the printer switched on.", "lines")
    )


def _walk(shape: type, prefix: str = "") -> list[Variable]:
    hints, found = get_type_hints(shape), []
    for one in fields(shape):
        if is_dataclass(hints[one.name]):
            found += _walk(hints[one.name], f"{one.name}.")
        elif one.metadata:
            found.append(Variable(prefix + one.name, one.metadata["kind"], one.metadata["help"], one.metadata["sample"]))
    return found


VARIABLES: tuple[Variable, ...] = tuple(_walk(TemplateContext))
"""Every variable but the template fields, in the order of the documentation."""

CUSTOMER_LINK = "session.customer_link"


def sample_context(label: str = "Case", template_fields: tuple[str, ...] = ()) -> TemplateContext:
    """The documented sample values, for a preview without a record.

    Args:
        label: label of the object.
        template_fields: fields of the object; each shows its own name in brackets.
    """
    samples = {variable.name: variable.sample for variable in VARIABLES}

    def part(name: str) -> dict[str, Any]:
        return {key.partition(".")[2]: sample for key, sample in samples.items() if key.startswith(f"{name}.")}

    return TemplateContext(
        record=RecordVariables(**part("record") | {"label": label}, fields={name: f"({name})" for name in template_fields}),
        recipient=RecipientVariables(**part("recipient")),
        session=SessionVariables(**part("session")),
        supporter=SupporterVariables(**part("supporter")),
        company=CompanyVariables(**part("company")),
        message=samples["message"],
    )
