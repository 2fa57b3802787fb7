"""Commands that several plugins bring: groups of one name are one group (``import salesforce``, ``import dynamics``)."""

from __future__ import annotations

from click import Group


def taken(brought: Group, existing: Group, before: str = "") -> list[str]:
    """Commands that exist already; two groups of one name share it, unless their commands meet."""
    found = []
    for name in sorted(set(brought.commands) & set(existing.commands)):
        ours, theirs = brought.commands[name], existing.commands[name]
        if isinstance(ours, Group) and isinstance(theirs, Group):
            found += taken(ours, theirs, f"{before}{name} ")
        else:
            found.append(f"{before}{name}")
    return found


def add(brought: Group, existing: Group) -> None:
    """Add commands to a group, and those of a group to the group of its name."""
    for name, command in sorted(brought.commands.items()):
        there = existing.commands.get(name)
        if isinstance(command, Group) and isinstance(there, Group):
            add(command, there)
        else:
            existing.add_command(command, name)
