"""What ``jumpseat doctor`` and the setup assistant look at: one generator of findings for each thing that a running host depends on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jumpseat.diagnosis.finding import Finding
    from jumpseat.host import Host


def findings(host: Host) -> Iterator[Finding]:
    """Everything there is to find, in the order in which one mends it; CRMs and providers are asked, nothing is changed.

    Args:
        host: opened by the caller.
    """
    from jumpseat.diagnosis import inside, outside

    yield from inside.python()
    for look in (inside.metadata, inside.plugins, inside.database, inside.processes, inside.secret_key):
        yield from look(host)
    for look in (outside.sources, outside.sign_ins, outside.extensions, outside.webhooks, outside.address, outside.clock):
        yield from look(host)
