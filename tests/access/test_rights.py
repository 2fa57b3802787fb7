"""Rights: which permission sets apply, what they add up to, and the refusal that names what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from jumpseat.access.rights import assignments, narrowed, refusal, require, union
from jumpseat.catalogue.model import PermissionSet
from jumpseat.errors import RightMissing
from jumpseat.types import Level, Rights, Supporter, SupporterInfo

RIGHTS = ("session.open", "session.read", "keys.edit")
levels = st.dictionaries(st.sampled_from(RIGHTS), st.sampled_from(Level))


def permission_set(name: str, **given: object) -> PermissionSet:
    return PermissionSet(name, name.title(), **given)  # type: ignore[arg-type]  # tests name only the fields they are about


def test_a_permission_set_applies_to_the_supporters_it_names() -> None:
    named = permission_set("user", supporters=frozenset({"005A"}))

    assert [given.because for given in assignments(SupporterInfo("005A", "Nadia"), [named])] == ["assigned to this supporter"]
    assert assignments(SupporterInfo("005B", "Marc"), [named]) == ()


def test_a_permission_set_applies_to_whoever_holds_one_of_the_crms_permissions() -> None:
    mapped = permission_set("administrator", crm_permissions=frozenset({"Jumpseat_Administrator"}))

    given = assignments(SupporterInfo("005A", "Nadia", crm_permissions=("Jumpseat_Administrator",)), [mapped])

    assert [one.because for one in given] == ["the CRM says the supporter holds 'Jumpseat_Administrator'"]


def test_a_permission_set_for_everyone_applies_to_everyone() -> None:
    given = assignments(SupporterInfo("x", "X"), [permission_set("user", everyone=True)])

    assert [one.because for one in given] == ["assigned to everyone"]


@given(st.lists(levels, max_size=4))
def test_several_permission_sets_add_up_and_the_widest_level_wins(several: list[dict[str, Level]]) -> None:
    rights = union(permission_set(str(number), levels=given) for number, given in enumerate(several))

    for right in RIGHTS:
        assert rights.level(right) == max((given.get(right, Level.NONE) for given in several), default=Level.NONE)


@given(levels, levels)
def test_a_key_never_gives_more_than_the_key_or_the_supporter_has(mine: dict[str, Level], keys: dict[str, Level]) -> None:
    both = narrowed(Rights(mine), Rights(keys), "and a key")

    for right in RIGHTS:
        assert both.level(right) == min(mine.get(right, Level.NONE), keys.get(right, Level.NONE))


def test_a_refusal_names_the_right_the_sets_and_the_fix() -> None:
    nadia = Supporter("005A", "Nadia Ferrand", permission_sets=("user",), rights=Rights({"keys.edit": Level.NONE}))

    with pytest.raises(RightMissing) as refused:
        require(nadia, "keys.edit")

    assert refused.value.right == "keys.edit: all"
    assert refused.value.message == (
        "Nadia Ferrand may not do this: the right 'keys.edit: all' is missing. Permission sets: user. "
        "An administrator grants it in metadata/permission_sets/."
    )


def test_a_refusal_names_the_key_that_narrows_what_the_sets_give() -> None:
    mine, keys = Rights({"jobs.read": Level.ALL}), Rights({"jobs.read": Level.NONE})
    rights = narrowed(mine, keys, "and the key 'crm' allows no more than 'user'")

    assert refusal(Supporter("005A", "Claire", permission_sets=("administrator",), rights=rights), "jobs.read", Level.ALL) == (
        "Claire may not do this: the right 'jobs.read: all' is missing. Permission sets: administrator, and the key 'crm' allows no more "
        "than 'user'. An administrator grants it in metadata/permission_sets/."
    )
    assert ", and the key" not in refusal(Supporter("005A", "Claire", rights=rights), "keys.edit", Level.ALL)


def test_the_level_own_is_enough_for_what_is_ones_own_and_for_nothing_else() -> None:
    nadia = Supporter("005A", "Nadia", rights=Rights({"session.open": Level.OWN}))

    assert require(nadia, "session.open", own=True) is Level.OWN
    with pytest.raises(RightMissing):
        require(nadia, "session.open")
