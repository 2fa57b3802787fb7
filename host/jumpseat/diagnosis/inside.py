"""What a host depends on within its own machine: Python, metadata, plugins, database, processes, the secret key."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jumpseat.diagnosis.finding import Finding

if TYPE_CHECKING:
    from jumpseat.host import Host

METADATA = "metadata/README.md"
HOST_YAML = f"{METADATA}#hostyaml"
DEPLOY = "host/deploy/README.md"
NO_HEARTBEAT = "it was killed or cannot reach the database; a living worker takes its work over"
DATABASE_FIX = "check JUMPSEAT_DATABASE_URL and that the server runs"


def python() -> Iterator[Finding]:
    """The version that runs this."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", "ok" if sys.version_info >= (3, 11) else "failed", version, link="README.md#two-commands")


def metadata(host: Host) -> Iterator[Finding]:
    """Whether the files on disk are those that are served."""
    version = host.catalogue.version[:12]
    errors = sum(problem.severity == "error" for problem in host.problems)
    if errors:
        yield Finding("metadata", "failed", f"{errors} errors; version {version} is served instead", "run 'jumpseat check'", METADATA)
    else:
        yield Finding("metadata", "ok", f"version {version}, {len(host.objects())} supported objects", link=METADATA)


def plugins(host: Host) -> Iterator[Finding]:
    """Every plugin that was found, and names of plugins that are not there."""
    infos = host.plugins(host.operator())
    for name in host.catalogue.host.blocked_plugins:
        if name not in {info.name for info in infos}:
            fix = "mend 'blocked_plugins' in metadata/host.yaml"
            yield Finding(f"plugin {name}", "failed", "blocked, and there is none of this name", fix, HOST_YAML)
    for info in infos:
        what, fails = f"plugin {info.name}", "plugins/README.md#when-a-plugin-fails"
        if info.state == "active":
            fix = f"'jumpseat plugins show {info.name}' lists its settings" if info.reason else ""
            yield Finding(what, "failed" if info.reason else "ok", f"active, but: {info.reason}" if info.reason else "active", fix, fails)
        elif info.state == "blocked":
            yield Finding(what, "ok", f"left out: {info.reason}", link="plugins/README.md#order-blocking-clashes")
        else:
            fix = f"mend it, or block '{info.name}' in metadata/host.yaml"
            yield Finding(what, "failed", f"{info.state}: {info.reason}", fix, fails)


def database(host: Host) -> Iterator[Finding]:
    """Whether it answers."""
    try:
        host.sessions(host.operator(), limit=1)
        yield Finding("database", "ok", host.database, link=DEPLOY)
    except Exception as error:  # whatever the driver raises is what this line is about
        yield Finding("database", "failed", f"{type(error).__name__}: it cannot be used", DATABASE_FIX, DEPLOY)


def processes(host: Host) -> Iterator[Finding]:
    """Who serves and works on this database, and whether all have the same metadata."""
    try:
        found = host.processes(host.operator())
    except Exception:  # the line before says that the database cannot be used
        return
    alive = {process.catalogue_version for process in found if process.alive}
    for one in found:
        said = f"{one.role}, Jumpseat {one.version}, metadata {one.catalogue_version[:12]}"
        if not one.alive:
            said = f"{said}; no heartbeat since {one.beat_at:%Y-%m-%dT%H:%M:%SZ}"
            yield Finding(f"process {one.id}", "failed", said, NO_HEARTBEAT, f"{DEPLOY}#what-to-watch")
        else:
            fix = "" if len(alive) == 1 else "not all processes serve the same metadata: roll it out everywhere, and look for errors in it"
            yield Finding(f"process {one.id}", "failed" if fix else "ok", said, fix, f"{DEPLOY}#what-to-watch")


def secret_key(host: Host) -> Iterator[Finding]:
    """Where the key comes from that seals sign-ins and secrets, and who can read it."""
    from jumpseat.errors import InvalidValue
    from jumpseat.sealing import VARIABLE

    file = host.workspace / "var" / "secret.key"
    given = [key for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
    link = f"{DEPLOY}#first-start"
    if not given and not file.exists():
        yield Finding("secret key", "ok", "none yet; it is made in var/secret.key when it is first needed", link=link)
        return
    try:
        id = host.id
    except (InvalidValue, OSError) as error:
        why = error.message if isinstance(error, InvalidValue) else f"{file} cannot be read"
        yield Finding("secret key", "failed", why, f"write one that this host used before into {VARIABLE} or var/secret.key", link)
        return
    if given:
        yield Finding("secret key", "ok", f"from {VARIABLE}, {len(given)} of them; host id {id}", link=link)
        return
    mode = file.stat().st_mode & 0o777
    if mode & 0o077 and os.name == "posix":
        found = f"var/secret.key has the permissions {mode:04o}: others on this machine can read it"
        yield Finding("secret key", "failed", found, f"run 'chmod 600 {file}'", link)
    elif host.database.startswith("postgresql"):
        found = f"from var/secret.key (permissions {mode:04o}); host id {id}"
        yield Finding("secret key", "warning", found, f"give every machine of this host the same key, in {VARIABLE}", link)
    else:
        yield Finding("secret key", "ok", f"from var/secret.key (permissions {mode:04o}); host id {id}", link=link)
