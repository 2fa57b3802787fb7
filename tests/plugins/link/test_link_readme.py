"""The README of the plugin says what its settings and abilities are."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import jumpseat_link
from jumpseat import SessionType
from jumpseat.hooks.checking import extensions

README = (Path(jumpseat_link.__file__).parent / "README.md").read_text(encoding="utf-8")
KINDS = extensions(SessionType)(list(jumpseat_link.register_session_types()))
SETTINGS = [setting for kind in KINDS for setting in kind.settings]


def test_every_setting_stands_there_with_its_words() -> None:
    table = README.partition("| setting |")[2]

    assert re.findall(r"^\| `(\w+)` \| – \| (.+) \|$", table, re.MULTILINE) == [(one.name, one.help) for one in SETTINGS]
    assert all(one.default is None for one in SETTINGS)


def test_the_example_names_settings_that_there_are_and_secrets_by_reference() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    example = yaml.safe_load(block)["settings"]
    secret = {one.name for one in SETTINGS if one.secret}

    assert set(example) <= {one.name for one in SETTINGS}
    assert {name for name, value in example.items() if isinstance(value, dict)} == set(example) & secret


def test_it_says_of_every_kind_whether_anybody_tells_that_the_customer_is_there() -> None:
    rows = re.findall(r"^\| `(link_\w+)` \| [^|]+ \| ([^|]+) \|", README, re.MULTILINE)

    assert {name: told != "nobody" for name, told in rows} == {kind.name: kind.abilities.joined_signal for kind in KINDS}
