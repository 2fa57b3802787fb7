"""Share channel ``teamviewer_sms``: the provider sends the customer link of a Pilot session by SMS, in its own words."""

from __future__ import annotations

from jumpseat import (
    AnswerLost,
    Message,
    Outcome,
    ProviderBlocked,
    ProviderRefused,
    ProviderSignInNeeded,
    ProviderThrottled,
    ProviderUnreachable,
    ShareChannel,
    say,
)
from jumpseat_teamviewer.account import ACCOUNT, COMPANY, ProviderAccount
from jumpseat_teamviewer.session_types import missing


class TeamViewerSms(ShareChannel):
    """SMS by TeamViewer. It says neither whether the SMS arrived nor which id it has.

    Args:
        account: shared by the plugin's types and channel; an own one when left out.
    """

    name, label, address_kind = "teamviewer_sms", say("SMS by TeamViewer"), "phone"
    only_for = ("pilot",)
    templated = False

    def __init__(self, account: ProviderAccount | None = None) -> None:
        self.provider = account or ProviderAccount()

    def missing(self) -> str:
        return missing(self.runtime)

    def send(self, message: Message) -> Outcome:
        """One call, never repeated: each accepted one may send an SMS."""
        try:
            client = self.provider.client(self.runtime, message.provider_data.get(ACCOUNT, COMPANY))
            client.sms_invite(message.session_code, message.address, self.config.sms_language)
        except AnswerLost as error:
            return Outcome.unknown(error.message)
        except ProviderRefused as error:
            return Outcome.refused(error.message)
        except ProviderSignInNeeded as error:
            return Outcome.failed(error.message, retry=False)
        except (ProviderBlocked, ProviderThrottled, ProviderUnreachable) as error:
            return Outcome.failed(error.message, retry=True, retry_after_seconds=error.retry_after_seconds)
        return Outcome.sent()
