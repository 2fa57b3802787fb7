"""The published schemas, the README beside them and the two engines that read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, strategies as st

from jumpseat.catalogue.dashboards import DATA, MEASURES
from jumpseat.catalogue.rights import RIGHTS
from jumpseat.catalogue.schemas import FORMS, SCHEMAS, published
from jumpseat.catalogue.validate import fast_validity, validator

ROOT = Path(__file__).parents[2]
README = (ROOT / "metadata" / "README.md").read_text()


def properties_of(schema: Any) -> list[dict[str, Any]]:
    """Every schema of a key, at any depth."""
    if isinstance(schema, list):
        return [one for item in schema for one in properties_of(item)]
    if not isinstance(schema, dict):
        return []
    own = list(schema["properties"].values()) if isinstance(schema.get("properties"), dict) else []
    return own + [one for value in schema.values() for one in properties_of(value)]


def table_below(heading: str) -> list[tuple[str, ...]]:
    """The rows of the first table below a heading of the README."""
    text = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    first = text.split("\n|", 1)[1].split("\n\n", 1)[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in first.splitlines() if line.startswith("| `")]
    return [row for row in rows if len(row) == 3]


def rows_of(schema: dict[str, Any]) -> list[tuple[str, ...]]:
    required = schema.get("required", ())
    return [
        (
            f"`{key}`",
            "required" if key in required else f"`{json.dumps(one['default'])}`".replace('"', "") if "default" in one else "–",
            one["description"],
        )
        for key, one in schema["properties"].items()
    ]


def test_the_published_schemas_are_up_to_date() -> None:
    there = {file.name: file.read_text() for file in (ROOT / "metadata" / "schema").glob("*.json")}

    assert there == published()


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_key_is_described(kind: str) -> None:
    assert all(one["description"].endswith((".", "?")) for one in properties_of(SCHEMAS[kind]))


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_pattern_has_words(kind: str) -> None:
    patterns = re.findall(r'"pattern": ("[^"\\]*(?:\\.[^"\\]*)*")', json.dumps(SCHEMAS[kind]))

    assert {json.loads(one) for one in patterns} <= set(FORMS)


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("dashboard", "dashboards/*.yaml"),
        ("supported-object", "objects/*.yaml"),
        ("sessions", "sessions.yaml"),
        ("permission-set", "permission_sets/*.yaml"),
        ("source", "sources/*.yaml"),
        ("plugin", "plugins/*.yaml"),
        ("host", "host.yaml"),
        ("jobs", "jobs.yaml"),
    ],
)
def test_the_readme_lists_every_key_as_the_schema_has_it(kind: str, heading: str) -> None:
    assert table_below(heading) == rows_of(SCHEMAS[kind])


def test_the_readme_lists_every_right() -> None:
    rows = [f"| `{resource}` | {', '.join(f'`{verb}`' for verb in verbs)} |" for resource, verbs in RIGHTS.items()]

    assert "\n".join(rows) in README


def test_the_readme_lists_every_contact_rule() -> None:
    rules = SCHEMAS["supported-object"]["properties"]["contacts"]["items"]["else"]["properties"]

    for rule, schema in rules.items():
        assert f"| `{rule}` | {schema['description']} |" in README


def test_the_readme_lists_every_key_of_a_tile() -> None:
    tile = SCHEMAS["dashboard"]["properties"]["rows"]["items"]["properties"]["tiles"]["items"]

    for row in rows_of(tile):
        assert f"| {' | '.join(row)} |" in README


def test_the_readme_lists_what_tiles_are_made_of() -> None:
    for name, data in DATA.items():
        cells = (", ".join(f"`{one}`" for one in names) for names in (data.fields, data.measures, data.columns))
        assert f"| `{name}` | {' | '.join(cells)} |" in README
    for measure, meaning in MEASURES.items():
        assert f"| `{measure}` | {meaning} |" in README


scalars = st.none() | st.booleans() | st.integers(-5, 10**6) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
words = st.sampled_from(
    ["sandbox", "24h", "own", "self", "fr", "FR", "Name", "https://a.example", "x\n", " x", "", "case_1", "A.B", "été", "x\u2028y"]
)


def values_for(kind: str) -> st.SearchStrategy[Any]:
    keys = [*sorted(SCHEMAS[kind]["properties"]), "other"]
    inner = st.sampled_from(
        ["self", "lookup", "value", "name", "read", "open", "env", "everyone", "supporters", "browser_screen", "Not Fine"]
    )
    leaves = scalars | words
    nested = leaves | st.lists(leaves | st.dictionaries(inner, leaves, max_size=2), max_size=3) | st.dictionaries(inner, leaves, max_size=3)
    return st.dictionaries(st.sampled_from(keys), nested, max_size=len(keys)) | leaves


@pytest.mark.parametrize("kind", SCHEMAS)
@given(data=st.data())
def test_both_engines_agree_on_every_value(kind: str, data: st.DataObject) -> None:
    value = data.draw(values_for(kind))
    fast = fast_validity(kind)
    assert fast is not None, "the extra 'fast' is part of the development set"

    assert fast(value) == validator(kind).is_valid(value)
