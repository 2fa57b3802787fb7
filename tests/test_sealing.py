"""Values sealed in the database: they open with their key, in their place, and nowhere else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from jumpseat.errors import InvalidValue, SealBroken
from jumpseat.sealing import VARIABLE, Sealer, new_key
from jumpseat.secret import Secret

PLACE = "webhooks:wh_1:secret"


@given(st.text())
def test_what_was_sealed_opens_again(text: str) -> None:
    sealer = Sealer([new_key()])

    assert sealer.open(sealer.seal(Secret(text), PLACE), PLACE).reveal() == text


def test_a_sealed_value_says_nothing_of_what_is_in_it() -> None:
    sealer = Sealer([new_key()])

    assert "canary" not in sealer.seal(Secret("canary"), PLACE)
    assert sealer.seal(Secret("canary"), PLACE) != sealer.seal(Secret("canary"), PLACE)


def test_a_sealed_value_that_was_moved_to_another_row_does_not_open() -> None:
    sealer = Sealer([new_key()])

    with pytest.raises(SealBroken) as broken:
        sealer.open(sealer.seal(Secret("x"), PLACE), "webhooks:wh_2:secret")

    assert broken.value.message == "A sealed value was changed, or belongs to another row; set it anew."


def test_a_sealed_value_without_its_key_names_the_variable() -> None:
    sealed = Sealer([new_key()]).seal(Secret("x"), PLACE)

    with pytest.raises(SealBroken) as broken:
        Sealer([new_key()]).open(sealed, PLACE)

    assert broken.value.message == (
        "A sealed value needs a key that is not known here. Add it to JUMPSEAT_SECRET_KEY, behind the first one."
    )


def test_a_new_key_in_front_seals_and_the_old_one_still_opens() -> None:
    old, new = new_key(), new_key()
    sealed = Sealer([old]).seal(Secret("x"), PLACE)
    both = Sealer([new, old])

    assert both.open(sealed, PLACE).reveal() == "x"
    assert Sealer([new]).open(both.seal(Secret("y"), PLACE), PLACE).reveal() == "y"


@pytest.mark.parametrize("key", ["short", "é", "A" * 43, " "])
def test_something_that_is_not_a_key_is_refused_without_being_shown(key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, f"{key},{new_key()}")

    if key.strip():
        with pytest.raises(InvalidValue) as refused:
            Sealer.of(tmp_path)
        assert refused.value.message == "JUMPSEAT_SECRET_KEY holds something that is not a key; a key is base64 of 32 random bytes."
    else:
        Sealer.of(tmp_path)


def test_the_key_of_a_workspace_is_made_once_and_for_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with ThreadPoolExecutor(16) as pool:
        sealers = list(pool.map(lambda _: Sealer.of(tmp_path / "var"), range(32)))

    sealed = sealers[0].seal(Secret("x"), PLACE)
    assert {sealer.open(sealed, PLACE).reveal() for sealer in sealers} == {"x"}
    assert [file.name for file in (tmp_path / "var").iterdir()] == ["secret.key"]
    assert stat.S_IMODE((tmp_path / "var" / "secret.key").stat().st_mode) == 0o600
