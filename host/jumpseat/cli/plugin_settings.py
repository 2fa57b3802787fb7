"""The settings of a plugin as ``jumpseat plugins show`` explains them: what they are, never what is set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jumpseat.contract import REQUIRED, Setting

_TYPES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    list[str]: "list of texts",
    dict[str, str]: "mapping of texts",
}


def settings_view(settings: Sequence[Setting]) -> list[dict[str, Any]]:
    """The settings as JSON; absent is absent."""
    return [
        {
            "name": setting.name,
            "type": _TYPES[setting.type],
            "help": setting.help,
            "secret": setting.secret,
            "required": setting.default is REQUIRED,
            **({"choices": list(setting.choices)} if setting.choices else {}),
            **({"default": setting.default} if setting.default not in (None, REQUIRED) else {}),
        }
        for setting in settings
    ]


def settings_lines(settings: Sequence[Setting], where: str) -> Iterator[str]:
    """The settings for people.

    Args:
        settings: what may be set.
        where: the file, or files, in which to set it.
    """
    if settings:
        yield f"settings, in {where}:"
    for setting in settings:
        yield f"  {setting.name:<20} {_traits(setting)}"
        if setting.help:
            yield f"  {'':<20} {setting.help}"


def _traits(setting: Setting) -> str:
    kind = "secret, as {env: NAME} or {file: PATH}" if setting.secret else _TYPES[setting.type]
    if setting.choices:
        kind = f"one of {', '.join(setting.choices)}"
    if setting.default is REQUIRED:
        return f"{kind}; required"
    return f"{kind}; {setting.default} when left out" if setting.default not in (None, "") else kind
