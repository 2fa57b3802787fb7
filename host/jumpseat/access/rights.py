"""Rights of a supporter: the permission sets that apply, their union, and the check before every operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from jumpseat.catalogue.model import PermissionSet
from jumpseat.errors import RightMissing
from jumpseat.speech import joined, say
from jumpseat.types import Level, Rights, Supporter, SupporterInfo

P = ParamSpec("P")
T = TypeVar("T")

OPERATIONS: dict[str, str] = {}
"""The right (``resource.verb``) of every public operation of the host, by method name; filled by ``operation``."""

UNGUARDED = "none"
"""For operations that tell nothing about anybody's records, such as the list of session types."""


def operation(right: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare the right that a method of the host needs.

    The method itself asks ``require`` (it knows the record and so whether ``own`` is enough); this declaration is what
    ``jumpseat access explain`` reads, and a public method without one fails the tests.
    """

    def declare(method: Callable[P, T]) -> Callable[P, T]:
        OPERATIONS[method.__name__] = right
        return method

    return declare


@dataclass(frozen=True, slots=True)
class Assignment:
    """Why a permission set applies to a supporter."""

    permission_set: PermissionSet
    because: str


def assignments(info: SupporterInfo, sets: Iterable[PermissionSet]) -> tuple[Assignment, ...]:
    """The permission sets that apply to a supporter, each with the reason.

    Args:
        info: what the CRM says of the supporter.
        sets: all permission sets of the catalogue.
    """
    found = []
    for permission_set in sets:
        held = sorted(permission_set.crm_permissions.intersection(info.crm_permissions))
        if info.id in permission_set.supporters:
            found.append(Assignment(permission_set, say("assigned to this supporter")))
        elif held:
            found.append(Assignment(permission_set, say("the CRM says the supporter holds '{permission}'", permission=held[0])))
        elif permission_set.everyone:
            found.append(Assignment(permission_set, say("assigned to everyone")))
    return tuple(found)


def union(sets: Iterable[PermissionSet]) -> Rights:
    """Several permission sets add up: for each right the widest level wins."""
    levels: dict[str, Level] = {}
    for permission_set in sets:
        for right, level in permission_set.levels.items():
            levels[right] = max(level, levels.get(right, Level.NONE))
    return Rights(MappingProxyType(levels))


def narrowed(rights: Rights, to: Rights, by: str) -> Rights:
    """The narrower of two for each right: an API key never gives a supporter more than either of them has.

    Args:
        rights: the supporter's.
        to: the most that there may be.
        by: what narrows them, in words; a refusal names it.
    """
    levels = {right: min(level, to.level(right)) for right, level in rights.levels.items()}
    bounds = {right: by for right, level in levels.items() if level < rights.level(right)}
    return Rights(MappingProxyType(levels), MappingProxyType({**rights.bounds, **bounds}))


def require(supporter: Supporter, right: str, *, own: bool = False) -> Level:
    """The supporter's level of a right, or a refusal that names it.

    Args:
        supporter: who acts.
        right: ``resource.verb``.
        own: the thing in question is the supporter's own, so that level *own* is enough.

    Returns:
        The level, never ``NONE``.

    Raises:
        RightMissing: the level is not enough.
    """
    level = supporter.rights.level(right)
    needed = Level.OWN if own else Level.ALL
    if level >= needed:
        return level
    raise RightMissing(refusal(supporter, right, needed), right=f"{right}: {needed.name.lower()}")


def refusal(supporter: Supporter, right: str, needed: Level) -> str:
    """The sentence that a refused supporter reads."""
    held = ", ".join(supporter.permission_sets) or say("none")
    if right in supporter.rights.bounds:
        held = joined(held, supporter.rights.bounds[right], by=", ")
    return say(
        "{name} may not do this: the right '{right}' is missing. "
        "Permission sets: {held}. An administrator grants it in metadata/permission_sets/.",
        name=supporter.name,
        right=f"{right}: {needed.name.lower()}",
        held=held,
    )


def explain(info: SupporterInfo, operation_name: str, sets: Sequence[PermissionSet]) -> Mapping[str, Any]:
    """Which permission sets apply, what each says of the operation, and what comes of it.

    Args:
        info: what the CRM says of the supporter.
        operation_name: a key of ``OPERATIONS``.
        sets: all permission sets of the catalogue.
    """
    right = OPERATIONS[operation_name]
    given = {assignment.permission_set.name: assignment.because for assignment in assignments(info, sets)}
    rows = [
        {
            "permissionSet": item.name,
            "applies": item.name in given,
            "because": given.get(item.name, say("not assigned")),
            "level": item.levels.get(right, Level.NONE).name.lower(),
            "file": item.file,
        }
        for item in sets
    ]
    level = union(item for item in sets if item.name in given).level(right) if right != UNGUARDED else Level.ALL
    return {"supporter": info.id, "operation": operation_name, "right": right, "level": level.name.lower(), "permissionSets": rows}
