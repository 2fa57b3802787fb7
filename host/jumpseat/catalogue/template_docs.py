"""The tables of templates/README.md, read off the definitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jumpseat.catalogue.merge_fields import TABLE
from jumpseat.catalogue.template_language import FILTERS
from jumpseat.catalogue.variables import VARIABLES


def tables() -> Mapping[str, str]:
    """Each table of the README in Markdown, by the name in its markers (``<!-- NAME: begin -->``)."""
    return {"variables": _variables(), "filters": _filters(), "merge fields": _merge_fields()}


def filled(readme: str) -> str:
    """The README with its tables written anew between their markers."""
    for name, table in tables().items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, _, rest = readme.partition(begin)
        readme = f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
    return readme


def _variables() -> str:
    rows = [
        (f"`{one.name}`", one.help, f"`{one.sample}`" if one.kind != "time" else f"`{one.sample:%Y-%m-%d %H:%M} UTC`") for one in VARIABLES
    ]
    at = next(number for number, row in enumerate(rows) if not row[0].startswith("`record."))
    fields = ("`record.<field>`", "A field that the object lists in its `template_fields`; empty for objects without it", "`(field)`")
    return _table(("variable", "what it shows", "in a preview"), [*rows[:at], fields, *rows[at:]])


def _filters() -> str:
    return _table(("filter", "what it makes of a value"), [(f"`{name}`", words) for name, words in FILTERS.items()])


def _merge_fields() -> str:
    rows = [(", ".join(f"`{{!{name}.{line.field}}}`" for name in line.objects), f"`{line.variable}`") for line in TABLE]
    own = [
        ("`{!Case.CaseNumber}`: the object's `name_field`", "`record.name`"),
        ("`{!Case.Status}`: one of its `template_fields`", "`record.Status`"),
    ]
    return _table(("merge field", "variable"), [*rows, *own])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *escaped))
