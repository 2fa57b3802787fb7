"""CRMs that run on this machine and speak the wire protocols of Salesforce and Dataverse, for tests, demos and trying things out.

Written from the platforms' descriptions and not from our connectors, so that the one checks the other. In memory, on the loopback
address only, over real HTTP::

    from jumpseat_fake_crm import running_dynamics, running_salesforce

    with running_salesforce() as fake:
        fake.url, fake.client_id, fake.client_secret     # or fake.settings, a dict for a source's settings
        fake.private_key, fake.certificate               # PEM; JWT bearer and client assertions
        fake.token_for("005A000000Jmu03")                # a token that speaks for Emma, without any flow
        fake.switch(throttle_calls=2, retry_after="3")   # see below
        fake.insert("Contact", LastName="New")           # a row, behind the API's back
        fake.written("feed_post")                        # what callers wrote
        fake.requests()                                  # what was asked, and whether a token came along
        fake.reset()                                     # all as at the start; the secret stays

As commands: ``jumpseat fake-crm salesforce`` (port 8410) and ``jumpseat fake-crm dynamics`` (port 8420).

The same over HTTP: POST JSON to ``/_fake/switch``, ``/_fake/rows`` (``{"object", "values"}``), ``/_fake/reset``; GET ``/_fake/state``,
``/_fake/written?kind=…``, ``/_fake/requests``.

Switches that stay: the fields of ``jumpseat_fake_crm.faults.Faults``, each described there. Switches that do something once:

=================  ============================================================================================
``expire_tokens``  true: every access token is refused from now on (``expire_after=N``: after N further calls)
``advance_seconds``  moves the CRM's clock on
``hide_field``, ``show_field``  ``{"object", "field", "user"}``: field-level security; without ``user`` for everybody
``hide_record``, ``show_record``  ``{"id", "user"}``: sharing; without ``user`` for everybody
``delete_record``  id
``set_field``  ``{"id", "field", "value"}``
=================  ============================================================================================

``written`` holds ``kind`` (``feed_post``, ``note``, ``notification``, ``task``, ``contact``, ``create``, ``update``), ``object``, ``id``,
``values`` and ``by``, the id of the user it was written as. ``requests`` holds method, path, query, a few headers, status, and ``bearer``:
whether a token came, never the token.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jumpseat import hookimpl

if TYPE_CHECKING:
    import click

    from jumpseat_fake_crm.serving import Fake

__all__ = ["running_dynamics", "running_salesforce"]


@hookimpl
def register_commands(cli: click.Group) -> None:
    from jumpseat_fake_crm.commands import fake_crm

    cli.add_command(fake_crm)


@contextmanager
def running_salesforce(port: int = 0, host: str = "127.0.0.1", **given: Any) -> Iterator[Fake]:
    """A Salesforce org that serves until the block is left.

    Args:
        port: 0 for any free one.
        host: a loopback address.
        given: ``client_secret`` and ``private_key`` (PEM) of the external client app; made up when left out.
    """
    from jumpseat_fake_crm.salesforce.server import Salesforce
    from jumpseat_fake_crm.serving import serve

    with serve(Salesforce(**given), port, host) as fake:
        yield fake


@contextmanager
def running_dynamics(port: int = 0, host: str = "127.0.0.1", **given: Any) -> Iterator[Fake]:
    """A Dataverse environment, with the token endpoint of its tenant, that serves until the block is left.

    Args:
        port: 0 for any free one.
        host: a loopback address.
        given: ``client_secret`` and ``private_key`` (PEM) of the app registration; made up when left out.
    """
    from jumpseat_fake_crm.dynamics.server import Dynamics
    from jumpseat_fake_crm.serving import serve

    with serve(Dynamics(**given), port, host) as fake:
        yield fake
