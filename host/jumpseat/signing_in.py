"""The part of a host that signs people and the company in at providers and CRMs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jumpseat.access.rights import UNGUARDED, operation, require
from jumpseat.accounts.flow import Flow, Leaving, Started
from jumpseat.errors import NotFound, Refused
from jumpseat.reach import Reach
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.store.accounts import Account
from jumpseat.types import Level, Supporter

NO_PERSON = say(
    "'{name}' is no supporter and has no account of its own. Name the supporter who signs in, or sign the company in; "
    "on the command line by --as or without it, over HTTP by the header Jumpseat-Supporter or company=true."
)


class SigningIn(Reach):
    """Sign-ins at providers and CRMs; ``Host`` adds the rest."""

    @operation("accounts.edit")
    def start_sign_in(self, sign_in: str, supporter: Supporter, *, company: bool = False) -> Started:
        """Begin a sign-in: answers the address that is opened in a browser, once, within ten minutes.

        Args:
            sign_in: its name, or that of a record source.
            supporter: who signs in.
            company: for the company's account instead of their own.

        Raises:
            NotFound: there is no such sign-in.
            ProviderSignInNeeded: a setting that it needs is not there.
            RightMissing: the company's account is for those who may edit all of them.
        """
        require(supporter, "accounts.edit", own=not company)
        if not company and supporter.source is None and supporter.id.startswith(("key:", "operator")):
            raise Refused(NO_PERSON.format(name=supporter.name))
        owner, name = ("", "") if company else (supporter.id, supporter.name)
        return Flow(self._wiring.accounts).start(sign_in, owner, name)

    @operation(UNGUARDED)
    def asked_sign_in(self, ticket: Secret) -> tuple[str, str]:
        """What a ticket is for, to be shown before it is used: whoever opens it may be somebody else than who asked for it.

        Returns:
            What people call the provider, and the name of the supporter; empty for the company.

        Raises:
            SignInFailed: it is not known, was used or has run out.
        """
        found = Flow(self._wiring.accounts).waiting(ticket)
        return self.sign_in_label(found.sign_in), found.owner_name

    @operation(UNGUARDED)
    def leave_for_sign_in(self, ticket: Secret) -> Leaving:
        """Where a browser goes that shows a ticket; the ticket is used up.

        Raises:
            SignInFailed: it is not known, was used or has run out.
        """
        return Flow(self._wiring.accounts).leave(ticket)

    @operation(UNGUARDED)
    def finish_sign_in(self, query: Iterable[tuple[str, str]], cookies: Mapping[str, str]) -> Account:
        """Take what a provider sent a browser back with; what it is worth is kept for whoever began.

        Args:
            query: the parameters of the address, as they came.
            cookies: what the browser kept.

        Raises:
            SignInFailed: it answers no sign-in that began in this browser, or the provider said no; nothing is kept.
        """
        return Flow(self._wiring.accounts).finish(query, cookies)

    @operation(UNGUARDED)
    def sign_in_label(self, sign_in: str) -> str:
        """What people call a provider."""
        found = self._wiring.sign_in(sign_in)
        return found.label if found else sign_in

    @operation("accounts.read")
    def accounts(self, supporter: Supporter) -> list[Account]:
        """The supporter's own sign-ins, or with the level *all* everybody's, by name; never what they gave."""
        level = require(supporter, "accounts.read", own=True)
        return self._wiring.accounts.listed(None if level is Level.ALL else supporter.id)

    @operation("accounts.edit")
    def revoke_account(self, account_id: str, supporter: Supporter) -> Account:
        """End a sign-in here and at the provider; answers what it was.

        Raises:
            NotFound: there is none, or it is not the supporter's.
            ProviderError: the provider could not be told; it is used here no more.
        """
        level = require(supporter, "accounts.edit", own=True)
        account = self._wiring.accounts.get(account_id)
        if level is not Level.ALL and account.owner != supporter.id:
            raise NotFound(
                say("There is no account '{account_id}'; 'jumpseat accounts list' shows them.", account_id=account_id[:100]),
                param="accountId",
            )
        return self._wiring.accounts.revoke(account_id)

    @operation("accounts.edit")
    def reseal_accounts(self, supporter: Supporter) -> tuple[int, int]:
        """Put all sign-ins under the first key of ``JUMPSEAT_SECRET_KEY``, while they are used.

        Returns:
            How many were, and how many cannot be opened with the keys that are known here.
        """
        require(supporter, "accounts.edit")
        return self._wiring.accounts.reseal()
