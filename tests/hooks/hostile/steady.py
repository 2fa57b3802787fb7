"""The neighbour of every hostile plugin: it must go on working whatever they do."""

from jumpseat import Outcome, ShareChannel, Verdict, hookimpl

heard = []


class Steady(ShareChannel):
    name, label = "steady", "Steady"

    def send(self, message):
        return Outcome.sent("steady-1")


@hookimpl
def register_share_channels(host):
    return [Steady()]


@hookimpl
def session_type_allowed(record):
    return Verdict.allow("Steady agrees.")


@hookimpl
def session_closed(session):
    heard.append(session)
