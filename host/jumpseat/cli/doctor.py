"""``jumpseat doctor``: everything a running host depends on, each with what was found and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context
from jumpseat.errors import JumpseatError

if TYPE_CHECKING:
    from jumpseat.host import Host


NO_HEARTBEAT = "it was killed or cannot reach the database; a living worker takes its work over"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    fix: str = ""
    todo: bool = False
    """Not set up, while others of its kind are: the host runs without it."""


@click.command()
@json_option
@pass_context
def doctor(ctx: Context, as_json: bool) -> int:
    """Check metadata, plugins, database and record sources of the workspace; exit code 1 when something is wrong."""
    from jumpseat.views import view

    with ctx.host() as host:
        findings = [
            *_python(),
            *_metadata(host),
            *_plugins(host),
            *_database(host),
            *_processes(host),
            *_sources(host),
            *_extensions(host),
            *_webhooks(host),
            *_address(host),
        ]
    answer(as_json, view(findings), lambda: "\n".join(_line(item) for item in findings))
    return 0 if all(item.ok for item in findings) else 1


def _line(item: Finding) -> str:
    mark = "todo" if item.todo else "ok  " if item.ok else "FAIL"
    return f"{mark} {item.what:<24} {item.found}" + (f"\n     fix: {item.fix}" if item.fix else "")


def _python() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("python", sys.version_info >= (3, 11), version)


def _metadata(host: Host) -> Iterator[Finding]:
    errors = [problem for problem in host.problems if problem.severity == "error"]
    if errors:
        yield Finding(
            "metadata", False, f"{len(errors)} errors; version {host.catalogue.version[:12]} is served instead", "run 'jumpseat check'"
        )
    else:
        yield Finding("metadata", True, f"version {host.catalogue.version[:12]}, {len(host.objects())} supported objects")


def _plugins(host: Host) -> Iterator[Finding]:
    infos = host.plugins(host.operator())
    for name in host.catalogue.host.blocked_plugins:
        if name not in {info.name for info in infos}:
            yield Finding(
                f"plugin {name}", False, "blocked, and there is none of this name", "mend 'blocked_plugins' in metadata/host.yaml"
            )
    for info in infos:
        if info.state == "active":
            reason = info.reason.replace("\n", " ")
            yield Finding(f"plugin {info.name}", not reason, f"active, but: {reason}" if reason else "active")
        elif info.state == "blocked":
            yield Finding(f"plugin {info.name}", True, f"left out: {info.reason}")
        else:
            yield Finding(
                f"plugin {info.name}", False, f"{info.state}: {info.reason}", f"mend it, or block '{info.name}' in metadata/host.yaml"
            )


def _database(host: Host) -> Iterator[Finding]:
    try:
        host.sessions(host.operator(), limit=1)
        yield Finding("database", True, host.database)
    except Exception as error:  # whatever the driver raises is what this line is about
        yield Finding(
            "database", False, f"{type(error).__name__}: it cannot be used", "check JUMPSEAT_DATABASE_URL and that the server runs"
        )


def _processes(host: Host) -> Iterator[Finding]:
    """Who serves and works on this database, and whether all have the same metadata."""
    try:
        found = host.processes(host.operator())
    except Exception:  # the line before says that the database cannot be used
        return
    alive = {process.catalogue_version for process in found if process.alive}
    for one in found:
        said = f"{one.role}, Jumpseat {one.version}, metadata {one.catalogue_version[:12]}"
        if not one.alive:
            yield Finding(f"process {one.id}", False, f"{said}; no heartbeat since {one.beat_at:%Y-%m-%dT%H:%M:%SZ}", NO_HEARTBEAT)
        else:
            fix = "" if len(alive) == 1 else "not all processes serve the same metadata: roll it out everywhere, and look for errors in it"
            yield Finding(f"process {one.id}", not fix, said, fix)


def _sources(host: Host) -> Iterator[Finding]:
    if not host.catalogue.sources:
        yield Finding("record sources", True, "none; records have to be given by value", "add a file to metadata/sources/")
    for name, config in host.catalogue.sources.items():
        source = host.sources.get(name)
        if source is None:
            yield Finding(f"source {name}", False, f"its kind '{config.kind}' is not available", "run 'jumpseat plugins list'")
            continue
        try:
            health = source.health()
            yield Finding(f"source {name}", health.ok, health.text or ("answers" if health.ok else "does not answer"))
        except JumpseatError as error:
            yield Finding(f"source {name}", False, error.message, f"check {config.file}")


def _extensions(host: Host) -> Iterator[Finding]:
    allowed = {name: item for name, item in host.session_types.items() if host.catalogue.sessions.allows(name)}
    if not allowed:
        yield Finding("session types", False, "none is allowed", "allow one in metadata/sessions.yaml")
    for kind, found in (("session type", allowed), ("channel", host.share_channels)):
        missing = {name: item.missing() for name, item in found.items()}
        some_work = not all(missing.values())
        for name, unset in missing.items():
            yield Finding(f"{kind} {name}", not unset or some_work, unset or "can be used", todo=bool(unset) and some_work)


def _webhooks(host: Host) -> Iterator[Finding]:
    for webhook, trouble in host.webhook_troubles(host.operator()):
        disabled = webhook.disabled_at is not None
        fix = f"run 'jumpseat webhooks rotate {webhook.name}' for a new secret, or 'change' with it for another address"
        if disabled:
            fix = f"run 'jumpseat webhooks enable {webhook.name}', or 'delete' with it"
        yield Finding(f"webhook {webhook.name}", disabled or not trouble, trouble or "is called", fix if trouble else "", todo=disabled)


def _address(host: Host) -> Iterator[Finding]:
    url = host.catalogue.host.public_url
    local = any(url.startswith(f"http://{name}") for name in ("127.0.0.1", "localhost", "[::1]"))
    if url.startswith("https://") or local:
        yield Finding("public address", True, url + (" (this machine only)" if local else ""))
    else:
        yield Finding("public address", False, f"{url} is not HTTPS", "set public_url in metadata/host.yaml to an https:// address")
