"""What a host depends on within its own machine: Python, metadata, plugins, database, processes, the secret key."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jumpseat.diagnosis.finding import Finding
from jumpseat.speech import joined, say

if TYPE_CHECKING:
    from jumpseat.host import Host

METADATA = "metadata/README.md"
HOST_YAML = f"{METADATA}#hostyaml"
DEPLOY = "host/deploy/README.md"
NO_HEARTBEAT = say("it was killed or cannot reach the database; a living worker takes its work over")
DATABASE_FIX = say("check JUMPSEAT_DATABASE_URL and that the server runs")


def python() -> Iterator[Finding]:
    """The version that runs this."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", "ok" if sys.version_info >= (3, 11) else "failed", version, link="README.md#two-commands")


def metadata(host: Host) -> Iterator[Finding]:
    """Whether the files on disk are those that are served."""
    version = host.catalogue.version[:12]
    errors = sum(problem.severity == "error" for problem in host.problems)
    if errors:
        words = say("{n} errors; version {version} is served instead", n=errors, version=version)
        yield Finding(say("metadata"), "failed", words, say("run 'jumpseat check'"), METADATA)
    else:
        words = say("version {version}, {n} supported objects", version=version, n=len(host.objects()))
        yield Finding(say("metadata"), "ok", words, link=METADATA)


def plugins(host: Host) -> Iterator[Finding]:
    """Every plugin that was found, and names of plugins that are not there."""
    infos = host.plugins(host.operator())
    for name in host.catalogue.host.blocked_plugins:
        if name not in {info.name for info in infos}:
            fix = say("mend 'blocked_plugins' in metadata/host.yaml")
            what = say("plugin {name}", name=name)
            yield Finding(what, "failed", say("blocked, and there is none of this name"), fix, HOST_YAML)
    for info in infos:
        what, fails = say("plugin {name}", name=info.name), "plugins/README.md#when-a-plugin-fails"
        if info.state == "active":
            hint = say("'jumpseat plugins show {name}' lists its settings", name=info.name)
            words = say("active, but: {why}", why=info.reason) if info.reason else say("active")
            yield Finding(what, "failed" if info.reason else "ok", words, hint if info.reason else "", fails)
        elif info.state == "blocked":
            yield Finding(what, "ok", say("left out: {why}", why=info.reason), link="plugins/README.md#order-blocking-clashes")
        else:
            fix = say("mend it, or block '{name}' in metadata/host.yaml", name=info.name)
            yield Finding(what, "failed", joined(say(info.state.value), info.reason, by=": "), fix, fails)


def database(host: Host) -> Iterator[Finding]:
    """Whether it answers."""
    try:
        host.sessions(host.operator(), limit=1)
        yield Finding(say("database"), "ok", host.database, link=DEPLOY)
    except Exception as error:  # whatever the driver raises is what this line is about
        words = say("{error}: it cannot be used", error=type(error).__name__)
        yield Finding(say("database"), "failed", words, DATABASE_FIX, DEPLOY)


def processes(host: Host) -> Iterator[Finding]:
    """Who serves and works on this database, and whether all have the same metadata."""
    try:
        found = host.processes(host.operator())
    except Exception:  # the line before says that the database cannot be used
        return
    alive = {process.catalogue_version for process in found if process.alive}
    for one in found:
        facts = {"role": one.role, "version": one.version, "metadata": one.catalogue_version[:12]}
        what, said = say("process {id}", id=one.id), say("{role}, Jumpseat {version}, metadata {metadata}", **facts)
        if not one.alive:
            said = joined(said, say("no heartbeat since {at}", at=one.beat_at), by="; ")
            yield Finding(what, "failed", said, NO_HEARTBEAT, f"{DEPLOY}#what-to-watch")
        else:
            differ = say("not all processes serve the same metadata: roll it out everywhere, and look for errors in it")
            fix = "" if len(alive) == 1 else differ
            yield Finding(what, "failed" if fix else "ok", said, fix, f"{DEPLOY}#what-to-watch")


def secret_key(host: Host) -> Iterator[Finding]:
    """Where the key comes from that seals sign-ins and secrets, and who can read it."""
    from jumpseat.errors import InvalidValue
    from jumpseat.sealing import VARIABLE

    file = host.workspace / "var" / "secret.key"
    given = [key for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
    link = f"{DEPLOY}#first-start"
    if not given and not file.exists():
        yield Finding(say("secret key"), "ok", say("none yet; it is made in var/secret.key when it is first needed"), link=link)
        return
    try:
        id = host.id
    except (InvalidValue, OSError) as error:
        why = error.message if isinstance(error, InvalidValue) else say("{file} cannot be read", file=str(file))
        yield Finding(
            say("secret key"),
            "failed",
            why,
            say("write one that this host used before into {variable} or var/secret.key", variable=VARIABLE),
            link,
        )
        return
    if given:
        yield Finding(
            say("secret key"), "ok", say("from {variable}, {n} of them; host id {id}", variable=VARIABLE, n=len(given), id=id), link=link
        )
        return
    mode = file.stat().st_mode & 0o777
    if mode & 0o077 and os.name == "posix":
        found = say("var/secret.key has the permissions {mode}: others on this machine can read it", mode=f"{mode:04o}")
        yield Finding(say("secret key"), "failed", found, say("run 'chmod 600 {file}'", file=str(file)), link)
    elif host.database.startswith("postgresql"):
        found = say("from var/secret.key (permissions {mode}); host id {id}", mode=f"{mode:04o}", id=id)
        yield Finding(
            say("secret key"), "warning", found, say("give every machine of this host the same key, in {variable}", variable=VARIABLE), link
        )
    else:
        yield Finding(
            say("secret key"), "ok", say("from var/secret.key (permissions {mode}); host id {id}", mode=f"{mode:04o}", id=id), link=link
        )
