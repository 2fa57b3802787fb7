"""Texts through an Apprise URL: some twenty further services, without a message id and without a reason for a failure."""

from __future__ import annotations

import importlib
from urllib.parse import quote

from jumpseat import Message, Outcome, Secret, joined, say


def send(message: Message, url: Secret) -> Outcome:
    """Send through Apprise.

    Apprise says yes or no. A no may be a lost answer as well as a refusal, so it is ``unknown``.

    Args:
        message: what to send.
        url: Apprise's URL of the service; ``{to}`` stands for the number.
    """
    try:
        apprise = importlib.import_module("apprise")
    except ImportError:
        return Outcome.refused(say("'apprise_url' needs the package apprise: install jumpseat[apprise], or describe the gateway by 'url'."))
    service = apprise.Apprise(asset=apprise.AppriseAsset(async_mode=False))
    if not service.add(url.reveal().replace("{to}", quote(message.address, safe="+"))):
        return Outcome.refused(say("Apprise does not understand 'apprise_url'; correct it in metadata/plugins/sms.yaml."))
    if service.notify(body=message.text, body_format=apprise.NotifyFormat.TEXT):
        return Outcome.sent()
    why = say("The service behind 'apprise_url' did not confirm the text.")
    return Outcome.unknown(joined(why, say("The text may have been sent; ask the recipient before sending again.")))
