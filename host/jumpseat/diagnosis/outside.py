"""What a host depends on outside of its machine: CRMs, provider accounts, gateways, webhooks, its own public address, the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jumpseat.diagnosis.finding import Finding, State
from jumpseat.diagnosis.inside import HOST_YAML, METADATA
from jumpseat.errors import JumpseatError

if TYPE_CHECKING:
    from jumpseat.catalogue.model import SourceConfig
    from jumpseat.contract import Extension, RecordSource, SignIn
    from jumpseat.host import Host
    from jumpseat.store.accounts import Account

SOURCES = f"{METADATA}#sourcesyaml"
SIGN_INS = "plugins/README.md#a-sign-in"
NOTED, BREAKS = timedelta(seconds=60), timedelta(seconds=300)
"""A clock that is further off is told of; one that is off by more than the second breaks signed launches and tokens of sign-ins."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def sources(host: Host) -> Iterator[Finding]:
    """Whether each CRM can be reached and is signed in to, and who may show the host in a frame."""
    if not host.catalogue.sources:
        yield Finding("record sources", "ok", "none; records have to be given by value", "add a file to metadata/sources/", SOURCES)
    for name, config in host.catalogue.sources.items():
        yield _source(f"source {name}", config, host.sources.get(name))
    secure = urlsplit(host.catalogue.host.public_url).scheme == "https"
    for name, config in host.catalogue.sources.items():
        yield _frames(f"frames of {name}", config, secure=secure)


def _source(what: str, config: SourceConfig, source: RecordSource | None) -> Finding:
    if source is None:
        return Finding(what, "failed", f"its kind '{config.kind}' is not available", "run 'jumpseat plugins list'", config.file)
    try:
        if missing := source.missing():
            return Finding(what, "failed", missing, f"fill it in {config.file}", SOURCES)
        health = source.health()
    except JumpseatError as error:
        return Finding(what, "failed", error.message, f"check {config.file}", SOURCES)
    if health.ok:
        return Finding(what, "ok", health.text or "answers", link=SOURCES)
    return Finding(what, "failed", health.text or "does not answer", f"check {config.file}", SOURCES)


def _frames(what: str, config: SourceConfig, *, secure: bool) -> Finding:
    """Who may show launches of a source in a frame, and what follows."""
    origins = config.frame_ancestors
    if not origins:
        return Finding(
            what, "todo", "frame_ancestors is not set: no page of this CRM can show Jumpseat", f"name its origins in {config.file}", SOURCES
        )
    plain = [origin for origin in origins if not origin.startswith("https://") and urlsplit(origin).hostname not in LOOPBACK]
    if plain:
        return Finding(
            what,
            "failed",
            f"{', '.join(plain)} is not https: anybody on the way could change the page",
            f"write https:// in {config.file}",
            SOURCES,
        )
    said = f"{', '.join(origins)} may show launches, and no other page"
    if not secure and any(origin.startswith("https://") for origin in origins):
        fix = "set public_url in metadata/host.yaml to an https:// address: browsers show no http page inside an https one"
        return Finding(what, "warning", said, fix, HOST_YAML)
    return Finding(what, "ok", said, link=SOURCES)


def extensions(host: Host) -> Iterator[Finding]:
    """Whether each session type and channel can be used, and whether its sign-in holds."""
    allowed = {name: item for name, item in host.session_types.items() if host.catalogue.sessions.allows(name)}
    if not allowed:
        yield Finding("session types", "failed", "none is allowed", "allow one in metadata/sessions.yaml", f"{METADATA}#sessionsyaml")
    tried: dict[str, str] = {}
    for kind, found in (("session type", allowed), ("channel", host.share_channels)):
        missing = {name: item.missing() for name, item in found.items()}
        some_work = not all(missing.values())
        for name, unset in missing.items():
            link = f"{METADATA}#pluginsyaml"
            if unset:
                fix = f"'jumpseat plugins show {_plugin(found[name])}' lists the settings"
                yield Finding(f"{kind} {name}", "todo" if some_work else "failed", unset, fix, link)
            else:
                why = _signed_in(found[name], name, tried)
                said = why or ("can be used; its account takes the sign-in" if getattr(found[name], "account", "") else "can be used")
                yield Finding(
                    f"{kind} {name}", "failed" if why else "ok", said, "mend that, and run 'jumpseat doctor' again" if why else "", link
                )


def _plugin(extension: Extension) -> str:
    return str(getattr(extension, "plugin", extension.name))


def _signed_in(extension: Extension, name: str, tried: dict[str, str]) -> str:
    """Why the sign-in of an extension does not hold; empty when it does. Each account is tried once."""
    account = getattr(extension, "account", "") or name
    if account not in tried:
        try:
            extension.keep_signed_in()
            tried[account] = ""
        except JumpseatError as error:
            tried[account] = error.message
    return tried[account]


def sign_ins(host: Host) -> Iterator[Finding]:
    """Who is signed in where, what has ended, and which scopes are missing."""
    try:
        accounts = host.accounts(host.operator())
        offered = host.sign_ins
    except Exception:  # the line of the database, or of the source, says why
        return
    for name, sign_in in sorted(offered.items()):
        yield _sign_in(sign_in, f"sign-in {name}", [account for account in accounts if account.sign_in == name])


def _sign_in(sign_in: SignIn, what: str, own: Sequence[Account]) -> Finding:
    fix = f"'jumpseat accounts {what}' prints where; 'jumpseat accounts list' shows who"
    held = [account for account in own if account.ended_at is None]
    ended = [account for account in own if account.ended_at is not None]
    # A provider that does not say which scopes it gave may have given all.
    lacking = {scope for account in held if account.scopes for scope in sign_in.needs_scopes if scope not in account.scopes}
    said = f"{len(held)} signed in to {sign_in.label}" + (f", {len(ended)} ended" if ended else "")
    if not own:
        return Finding(what, "todo", sign_in.missing() or f"nobody is signed in to {sign_in.label}", fix, SIGN_INS)
    if lacking:
        return Finding(what, "failed", f"{said}; missing scopes: {', '.join(sorted(lacking))}", fix, SIGN_INS)
    if any(not account.owner for account in ended):
        return Finding(what, "failed", f"{said}, the company's among them", fix, SIGN_INS)
    return Finding(what, "warning" if ended else "ok", said, fix if ended else "", SIGN_INS)


def webhooks(host: Host) -> Iterator[Finding]:
    """Whom the host calls, and what keeps it from calling."""
    for webhook, trouble in host.webhook_troubles(host.operator()):
        disabled = webhook.disabled_at is not None
        fix = f"run 'jumpseat webhooks rotate {webhook.name}' for a new secret, or 'change' with it for another address"
        if disabled:
            fix = f"run 'jumpseat webhooks enable {webhook.name}', or 'delete' with it"
        state: State = "todo" if disabled else "failed" if trouble else "ok"
        yield Finding(f"webhook {webhook.name}", state, trouble or "is called", fix if trouble else "", "host/README.md")


# --- the public address -----------------------------------------------------------------------------------------------


def address(host: Host) -> Iterator[Finding]:
    """Whether the public address is one that others can use, and who answers there."""
    url = host.catalogue.host.public_url
    parts = urlsplit(url)
    local = parts.hostname in LOOPBACK
    if parts.scheme != "https" and not local:
        yield Finding(
            "public address", "failed", f"{url} is not HTTPS", "set public_url in metadata/host.yaml to an https:// address", HOST_YAML
        )
    else:
        yield Finding("public address", "ok", url + (" (this machine only)" if local else ""), link=HOST_YAML)
    yield _answers(host, url, local=local)


def _answers(host: Host, url: str, *, local: bool) -> Finding:
    from jumpseat import __version__
    from jumpseat.http import HttpSession

    what = "host at that address"
    with HttpSession(connect_seconds=3, read_seconds=5) as http:
        try:
            said = _live(http.get(f"{url}/health/live"))
        except JumpseatError as error:
            fix = "run 'jumpseat serve'" if local else "run 'jumpseat serve', and check DNS, certificate and proxy on the way to it"
            return Finding(
                what, "todo" if local else "failed", f"nobody answers: {error.message}", fix, "host/deploy/README.md#first-start"
            )
    if said is None:
        fix = "have the proxy pass /health/live on to this host, or mend public_url in metadata/host.yaml"
        return Finding(what, "failed", f"what answers at {url} is not Jumpseat", fix, HOST_YAML)
    shown = f"host {said.get('hostId', 'without an id')}, Jumpseat {said.get('version')}"
    try:
        own = host.id
    except Exception:  # the line of the secret key says why
        own = ""
    if own and said.get("hostId") not in (own, None):
        fix = "mend public_url in metadata/host.yaml, or give both the same JUMPSEAT_SECRET_KEY if they are one host"
        return Finding(what, "failed", f"another one answers: {shown}; this is host {own}", fix, HOST_YAML)
    if said.get("version") != __version__:
        return Finding(
            what,
            "warning",
            f"{shown}, while this is {__version__}",
            "upgrade every process",
            "host/deploy/README.md#upgrade-and-any-other-restart",
        )
    return Finding(what, "ok", f"this one: {shown}", link=HOST_YAML)


def _live(response: Any) -> Mapping[str, Any] | None:
    """What a host says of itself; None when it is none."""
    try:
        said = response.json()
    except ValueError:
        return None
    return said if response.status_code == 200 and isinstance(said, dict) and said.get("live") is True else None


# --- the time ---------------------------------------------------------------------------------------------------------


def clock(host: Host) -> Iterator[Finding]:
    """How far this machine's clock is from those of the CRMs and providers that were asked before."""
    asked = {**host.sources, **host.session_types, **host.share_channels}
    seen = {name: item.runtime.http.clock_skew for name, item in asked.items() if hasattr(item, "runtime")}
    known = {name: skew for name, skew in seen.items() if skew is not None}
    if not known:
        yield Finding("clock", "ok", "nobody that was asked tells the time")
        return
    name, skew = max(known.items(), key=lambda one: abs(one[1]))
    off = round(abs(skew.total_seconds()))
    said = f"this machine is {off} s {'behind' if skew > timedelta(0) else 'ahead of'} {name}"
    fix = "have the system keep the time (NTP, chrony); signed launches and tokens are refused when it is too far off"
    if abs(skew) <= NOTED:
        yield Finding("clock", "ok", said)
    else:
        yield Finding("clock", "failed" if abs(skew) > BREAKS else "warning", said, fix, "host/deploy/README.md#first-start")
