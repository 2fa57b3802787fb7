"""The embedded default: a sample CRM, and an outbox that takes the place of real mail and SMS gateways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jumpseat import hookimpl

if TYPE_CHECKING:
    import click

    from jumpseat import RecordSource


@hookimpl
def register_record_sources() -> Iterable[type[RecordSource]]:
    from jumpseat_sandbox.source import SandboxSource

    return [SandboxSource]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from jumpseat_sandbox.demo import demo

    cli.add_command(demo)
