"""What a host depends on outside of its machine: CRMs, provider accounts, gateways, webhooks, its own public address, the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jumpseat.diagnosis.finding import Finding, State
from jumpseat.diagnosis.inside import HOST_YAML, METADATA
from jumpseat.diagnosis.setup import allowed_types
from jumpseat.errors import JumpseatError
from jumpseat.speech import joined, say

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
        yield Finding(
            say("record sources"), "ok", say("none; records have to be given by value"), say("add a file to metadata/sources/"), SOURCES
        )
    for name, config in host.catalogue.sources.items():
        yield _source(say("source {name}", name=name), config, host.sources.get(name))
    secure = urlsplit(host.catalogue.host.public_url).scheme == "https"
    for name, config in host.catalogue.sources.items():
        yield _frames(say("frames of {name}", name=name), config, secure=secure)


def _source(what: str, config: SourceConfig, source: RecordSource | None) -> Finding:
    if source is None:
        return Finding(
            what, "failed", say("its kind '{kind}' is not available", kind=config.kind), say("run 'jumpseat plugins list'"), config.file
        )
    try:
        if missing := source.missing():
            return Finding(what, "failed", missing, say("fill it in {file}", file=config.file), SOURCES)
        health = source.health()
    except JumpseatError as error:
        return Finding(what, "failed", error.message, say("check {file}", file=config.file), SOURCES)
    if health.ok:
        return Finding(what, "ok", health.text or say("answers"), link=SOURCES)
    return Finding(what, "failed", health.text or say("does not answer"), say("check {file}", file=config.file), SOURCES)


def _frames(what: str, config: SourceConfig, *, secure: bool) -> Finding:
    """Who may show launches of a source in a frame, and what follows."""
    origins = config.frame_ancestors
    if not origins:
        return Finding(
            what,
            "todo",
            say("frame_ancestors is not set: no page of this CRM can show Jumpseat"),
            say("name its origins in {file}", file=config.file),
            SOURCES,
        )
    plain = [origin for origin in origins if not origin.startswith("https://") and urlsplit(origin).hostname not in LOOPBACK]
    if plain:
        return Finding(
            what,
            "failed",
            say("{origins} is not https: anybody on the way could change the page", origins=", ".join(plain)),
            say("write https:// in {file}", file=config.file),
            SOURCES,
        )
    said = say("{origins} may show launches, and no other page", origins=", ".join(origins))
    if not secure and any(origin.startswith("https://") for origin in origins):
        fix = say("set public_url in metadata/host.yaml to an https:// address: browsers show no http page inside an https one")
        return Finding(what, "warning", said, fix, HOST_YAML)
    return Finding(what, "ok", said, link=SOURCES)


def extensions(host: Host) -> Iterator[Finding]:
    """Whether each session type and channel can be used, and whether its sign-in holds."""
    allowed = {name: item for name, item in host.session_types.items() if host.catalogue.sessions.allows(name)}
    if not allowed_types(host):
        yield Finding(
            say("session types"), "failed", say("none is allowed"), say("allow one in metadata/sessions.yaml"), f"{METADATA}#sessionsyaml"
        )
    tried: dict[str, str] = {}
    for is_channel, found in ((False, allowed), (True, host.share_channels)):
        missing = {name: item.missing() for name, item in found.items()}
        some_work = not all(missing.values())
        for name, unset in missing.items():
            what = say("channel {name}", name=name) if is_channel else say("session type {name}", name=name)
            yield _extension(what, found[name], name, unset, tried, some_work=some_work)


def _extension(what: str, item: Extension, name: str, unset: str, tried: dict[str, str], *, some_work: bool) -> Finding:
    link = f"{METADATA}#pluginsyaml"
    if unset:
        fix = say("'jumpseat plugins show {name}' lists the settings", name=_plugin(item))
        return Finding(what, "todo" if some_work else "failed", unset, fix, link)
    why = _signed_in(item, name, tried)
    if why:
        return Finding(what, "failed", why, say("mend that, and run 'jumpseat doctor' again"), link)
    takes = getattr(item, "account", "")
    return Finding(what, "ok", say("can be used; its account takes the sign-in") if takes else say("can be used"), "", link)


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
        yield _sign_in(sign_in, name, [account for account in accounts if account.sign_in == name])


def _sign_in(sign_in: SignIn, name: str, own: Sequence[Account]) -> Finding:
    what = say("sign-in {name}", name=name)
    fix = say("'jumpseat accounts sign-in {name}' prints where; 'jumpseat accounts list' shows who", name=name)
    held = [account for account in own if account.ended_at is None]
    ended = [account for account in own if account.ended_at is not None]
    # A provider that does not say which scopes it gave may have given all.
    lacking = {scope for account in held if account.scopes for scope in sign_in.needs_scopes if scope not in account.scopes}
    said = say("{n} signed in to {provider}", n=len(held), provider=sign_in.label)
    said = joined(said, say("{n} ended", n=len(ended)), by=", ") if ended else said
    if not own:
        return Finding(what, "todo", sign_in.missing() or say("nobody is signed in to {provider}", provider=sign_in.label), fix, SIGN_INS)
    if lacking:
        return Finding(
            what, "failed", joined(said, say("missing scopes: {scopes}", scopes=", ".join(sorted(lacking))), by="; "), fix, SIGN_INS
        )
    if any(not account.owner for account in ended):
        return Finding(what, "failed", joined(said, say("the company's among them"), by=", "), fix, SIGN_INS)
    return Finding(what, "warning" if ended else "ok", said, fix if ended else "", SIGN_INS)


def webhooks(host: Host) -> Iterator[Finding]:
    """Whom the host calls, and what keeps it from calling."""
    for webhook, trouble in host.webhook_troubles(host.operator()):
        disabled = webhook.disabled_at is not None
        fix = say("run 'jumpseat webhooks rotate {name}' for a new secret, or 'change' with it for another address", name=webhook.name)
        if disabled:
            fix = say("run 'jumpseat webhooks enable {name}', or 'delete' with it", name=webhook.name)
        state: State = "todo" if disabled else "failed" if trouble else "ok"
        what = say("webhook {name}", name=webhook.name)
        yield Finding(what, state, trouble or say("is called"), fix if trouble else "", "host/README.md")


# --- the public address -----------------------------------------------------------------------------------------------


def address(host: Host) -> Iterator[Finding]:
    """Whether the public address is one that others can use, and who answers there."""
    url = host.catalogue.host.public_url
    parts = urlsplit(url)
    local = parts.hostname in LOOPBACK
    if parts.scheme != "https" and not local:
        yield Finding(
            say("public address"),
            "failed",
            say("{url} is not HTTPS", url=url),
            say("set public_url in metadata/host.yaml to an https:// address"),
            HOST_YAML,
        )
    else:
        yield Finding(say("public address"), "ok", say("{url} (this machine only)", url=url) if local else url, link=HOST_YAML)
    yield _answers(host, url, local=local)


def _answers(host: Host, url: str, *, local: bool) -> Finding:
    from jumpseat import __version__
    from jumpseat.http import HttpSession

    what = say("host at that address")
    with HttpSession(connect_seconds=3, read_seconds=5) as http:
        try:
            said = _live(http.get(f"{url}/health/live"))
        except JumpseatError as error:
            away = say("run 'jumpseat serve', and check DNS, certificate and proxy on the way to it")
            fix = say("run 'jumpseat serve'") if local else away
            return Finding(
                what,
                "todo" if local else "failed",
                say("nobody answers: {why}", why=error.message),
                fix,
                "host/deploy/README.md#first-start",
            )
    if said is None:
        fix = say("have the proxy pass /health/live on to this host, or mend public_url in metadata/host.yaml")
        return Finding(what, "failed", say("what answers at {url} is not Jumpseat", url=url), fix, HOST_YAML)
    id = said.get("hostId") or say("without an id")
    shown = say("host {id}, Jumpseat {version}", id=id, version=str(said.get("version")))
    try:
        own = host.id
    except Exception:  # the line of the secret key says why
        own = ""
    if own and said.get("hostId") not in (own, None):
        fix = say("mend public_url in metadata/host.yaml, or give both the same JUMPSEAT_SECRET_KEY if they are one host")
        return Finding(what, "failed", say("another one answers: {other}; this is host {own}", other=shown, own=own), fix, HOST_YAML)
    if said.get("version") != __version__:
        return Finding(
            what,
            "warning",
            say("{host}, while this is {version}", host=shown, version=__version__),
            say("upgrade every process"),
            "host/deploy/README.md#upgrade-and-any-other-restart",
        )
    return Finding(what, "ok", say("this one: {host}", host=shown), link=HOST_YAML)


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
        yield Finding(say("clock"), "ok", say("nobody that was asked tells the time"))
        return
    name, skew = max(known.items(), key=lambda one: abs(one[1]))
    off = round(abs(skew.total_seconds()))
    behind = say("this machine is {seconds} s behind {name}", seconds=off, name=name)
    said = behind if skew > timedelta(0) else say("this machine is {seconds} s ahead of {name}", seconds=off, name=name)
    fix = say("have the system keep the time (NTP, chrony); signed launches and tokens are refused when it is too far off")
    if abs(skew) <= NOTED:
        yield Finding(say("clock"), "ok", said)
    else:
        yield Finding(say("clock"), "failed" if abs(skew) > BREAKS else "warning", said, fix, "host/deploy/README.md#first-start")
