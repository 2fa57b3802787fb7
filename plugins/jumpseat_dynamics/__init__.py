"""Dynamics 365 and Dataverse: the record source ``dynamics``, and what moves metadata in and out of an environment.

``client`` is the Web API, ``odata`` the only place where its queries are made, ``ids`` the form of its ids, ``failures`` its complaints,
``tokens`` its sign-in, ``gate`` its limits. ``schema`` knows tables, ``recipes`` and ``people`` where contacts are, ``users`` who may see
what, ``writing`` what is written; ``source`` puts them behind the contract.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jumpseat import hookimpl

if TYPE_CHECKING:
    import click

    from jumpseat import RecordSource


@hookimpl
def register_record_sources() -> Iterable[type[RecordSource]]:
    from jumpseat_dynamics.source import DynamicsSource

    return [DynamicsSource]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from jumpseat_dynamics.rows_commands import add_commands

    add_commands(cli)
