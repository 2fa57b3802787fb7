"""MeshCentral: session type ``meshcentral``, remote control through a server of the operator's own.

The server's API is met in ``line`` only, over ``wire``; ``groups`` and ``report`` know its forms, ``failures`` its complaints, ``ending``
the order in which a session is ended there, ``memory`` what the host keeps for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jumpseat import SessionType, hookimpl
from jumpseat_meshcentral.session_type import MeshCentral

if TYPE_CHECKING:
    import click


@hookimpl
def register_session_types() -> Iterable[SessionType]:
    return [MeshCentral()]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from jumpseat_meshcentral.commands import make_token

    cli.add_command(make_token)
