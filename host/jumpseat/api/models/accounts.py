"""Sign-ins at providers and CRMs on the wire."""

from __future__ import annotations

from pydantic import Field

from jumpseat.api.models.common import Answer, ListAnswer, Maybe, Moment


class SignInStart(Answer):
    """Where a person signs in."""

    url: str = Field(description="Opened once, in a pop-up of the person's own browser; it is a secret until then.")
    expires_at: Moment = Field(description="When the address has run out.")


class Account(Answer):
    """One sign-in at a provider or CRM, without what it gave."""

    id: str
    sign_in: str = Field(description="Name of the sign-in, or of the record source.")
    owner: Maybe[str] = Field(default=None, description="The CRM's id of the supporter whose account it is; absent for the company's.")
    owner_name: Maybe[str] = None
    account: Maybe[str] = Field(default=None, description="Whose account it is at the provider, where the provider says so.")
    scopes: list[str] = Field(description="What was granted, where the provider says so.")
    created_at: Moment
    expires_at: Maybe[Moment] = Field(default=None, description="When the token runs out; it is renewed by itself before.")
    used_at: Maybe[Moment] = Field(default=None, description="Noted every five minutes at most.")
    renewed_at: Maybe[Moment] = None
    ended_at: Maybe[Moment] = Field(default=None, description="Present when somebody has to sign in again.")
    ended_reason: Maybe[str] = None


class AccountList(ListAnswer):
    """Sign-ins by name and owner."""

    items: list[Account]
