"""Salesforce: the record source ``salesforce``, and what moves metadata in and out of an org."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jumpseat import hookimpl

if TYPE_CHECKING:
    import click

    from jumpseat import RecordSource


@hookimpl
def register_record_sources() -> Iterable[type[RecordSource]]:
    from jumpseat_salesforce.source import SalesforceSource

    return [SalesforceSource]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from jumpseat_salesforce.metadata_files.commands import add_commands

    add_commands(cli)
