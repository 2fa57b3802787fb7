"""The steps by which the manuals set remote support up, each as a check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jumpseat.diagnosis.finding import Finding
from jumpseat.speech import say, say_n

if TYPE_CHECKING:
    from jumpseat.contract import SessionType
    from jumpseat.host import Host

OBJECTS, PERMISSIONS = "metadata/README.md#objectsyaml", "metadata/README.md#permission_setsyaml"
SESSIONS, SOURCES, HOST = "metadata/README.md#sessionsyaml", "metadata/README.md#sourcesyaml", "metadata/README.md#hostyaml"


def findings(host: Host) -> Iterator[Finding]:
    """Each step with what was found; nobody outside is asked.

    Args:
        host: opened by the caller.
    """
    for look in (_sessions, _objects, _templates, _permissions, _frames, _accounts, _notices):
        yield from look(host)


def allowed_types(host: Host) -> Mapping[str, SessionType]:
    """The session types that the settings allow, by name; those that nobody has set up are none."""
    return {name: one for name, one in host.session_types.items() if host.catalogue.sessions.allows(name) and not one.dormant}


def _sessions(host: Host) -> Iterator[Finding]:
    allowed = [one.label for one in allowed_types(host).values()]
    if allowed:
        yield Finding(say("session settings"), "ok", say("allowed: {types}", types=", ".join(allowed)), link=SESSIONS)
    else:
        yield Finding(
            say("session settings"), "failed", say("no session type is allowed"), say("allow one in metadata/sessions.yaml"), SESSIONS
        )


def _objects(host: Host) -> Iterator[Finding]:
    labels = [one.label for one in host.objects()]
    if labels:
        yield Finding(say("supported objects"), "ok", ", ".join(labels), link=OBJECTS)
    else:
        yield Finding(say("supported objects"), "failed", say("none"), say("add a file to metadata/objects/"), OBJECTS)


def _templates(host: Host) -> Iterator[Finding]:
    from jumpseat.records.template_choice import applicable

    for channel in sorted({one.channel for one in host.templates()} & set(host.share_channels)):
        without = [one.label for one in host.objects() if not applicable(host.templates(channel), one, channel).candidates]
        what = say("templates of {channel}", channel=channel)
        if without:
            yield Finding(what, "failed", say("none applies to {objects}", objects=", ".join(without)), say("add one"), "templates/")
        else:
            yield Finding(what, "ok", say("every supported object has one"), link="templates/")


def _permissions(host: Host) -> Iterator[Finding]:
    for one in host.catalogue.permission_sets:
        held = [*sorted(one.crm_permissions), *sorted(one.supporters)[:5], *([say("everyone")] if one.everyone else [])]
        what = say("permission set {name}", name=one.name)
        if held:
            yield Finding(what, "ok", say("assigned to {holders}", holders=", ".join(held)), link=one.file)
        else:
            yield Finding(what, "todo", say("assigned to nobody"), say("say who has it"), one.file)


def _frames(host: Host) -> Iterator[Finding]:
    for name, config in host.catalogue.sources.items():
        what = say("pages of {source}", source=name)
        if config.frame_ancestors and config.launch_secrets:
            yield Finding(what, "ok", say("can show Jumpseat, and sign their launches"), link=SOURCES)
        elif config.frame_ancestors:
            yield Finding(
                what, "todo", say("can show Jumpseat, and no secret signs their launches"), say("set a launch secret"), config.file
            )
        else:
            yield Finding(what, "todo", say("cannot show Jumpseat in a frame"), say("name their origins"), config.file)


def _accounts(host: Host) -> Iterator[Finding]:
    held = [one for one in host.accounts(host.operator()) if one.ended_at is None]
    for name, sign_in in sorted(host.sign_ins.items()):
        number = sum(one.sign_in == name for one in held)
        said = say_n("{n} account is signed in to {label}", "{n} accounts are signed in to {label}", number, label=sign_in.label)
        fix = "" if number else say("sign the company in, or let each supporter sign in")
        yield Finding(
            say("account at {provider}", provider=sign_in.label), "ok" if number else "todo", said, fix, "plugins/README.md#a-sign-in"
        )


def _notices(host: Host) -> Iterator[Finding]:
    when = host.catalogue.sessions.notify_on_join
    if when == "never":
        yield Finding(say("notices"), "todo", say("nobody is told that a customer joined"), say("set notify_on_join"), SESSIONS)
    else:
        words = say("for every session") if when == "always" else say("for sessions whose link was sent")
        yield Finding(say("notices"), "ok", words, link=SESSIONS)
    if host.catalogue.host.administrators:
        yield Finding(say("alerts"), "ok", say("administrators are told by e-mail"), link=HOST)
    else:
        yield Finding(say("alerts"), "todo", say("nobody is told when a job fails"), say("name administrators in metadata/host.yaml"), HOST)
