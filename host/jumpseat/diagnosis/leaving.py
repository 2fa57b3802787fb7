"""What to take away, in which order, when remote support is taken out of a CRM again; each with what is still there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jumpseat.diagnosis.finding import Finding
from jumpseat.speech import Said, say, say_n
from jumpseat.types import SessionState

if TYPE_CHECKING:
    from jumpseat.host import Host


def findings(host: Host) -> Iterator[Finding]:
    """Each step, ``ok`` where nothing is left of it and ``todo`` where something is.

    Args:
        host: opened by the caller.
    """
    operator = host.operator()
    valid = len(host.sessions(operator, state=SessionState.OPEN, limit=200).items)
    yield _step(say("sessions"), valid, say_n("{n} session is open", "{n} sessions are open", valid), say("close them"), "")
    framed = [name for name, one in host.catalogue.sources.items() if one.frame_ancestors]
    words = say_n("pages of {n} record source show Jumpseat", "pages of {n} record sources show Jumpseat", len(framed))
    fix = say("take the components out of the CRM's page layouts and uninstall its package; then empty frame_ancestors")
    yield _step(say("pages of the CRM"), len(framed), words, fix, "metadata/README.md#sourcesyaml")
    given = sum(bool(one.crm_permissions or one.supporters or one.everyone) for one in host.catalogue.permission_sets)
    words = say_n("{n} permission set is assigned", "{n} permission sets are assigned", given)
    yield _step(
        say("permissions"), given, words, say("take the assignments back, in the CRM too"), "metadata/README.md#permission_setsyaml"
    )
    hooks = len(host.webhooks(operator))
    yield _step(
        say("webhooks"), hooks, say_n("{n} webhook is called", "{n} webhooks are called", hooks), say("delete them"), "host/README.md"
    )
    held = sum(one.ended_at is None for one in host.accounts(operator))
    words = say_n("{n} account is signed in", "{n} accounts are signed in", held)
    yield _step(say("accounts"), held, words, say("end the sign-ins: the providers are told"), "plugins/README.md#a-sign-in")
    keys = sum(one.revoked_at is None for one in host.keys(operator))
    words = say_n("{n} API key is valid", "{n} API keys are valid", keys)
    yield _step(say("API keys"), keys, words, say("revoke them, last of all"), "keys")
    what = say("the host itself")
    yield Finding(
        what, "todo", say("it runs"), say("stop its processes, then remove the workspace and the database"), "host/deploy/README.md"
    )


def _step(what: Said, left: int, words: Said, fix: Said, link: str) -> Finding:
    return Finding(what, "todo", words, fix, link) if left else Finding(what, "ok", say("nothing is left"), link=link)
