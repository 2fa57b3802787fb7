"""Sign-ins at providers and CRMs: where they begin and end for callers, and the way that a browser takes in between."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api import sign_in_page
from jumpseat.api.models.accounts import Account, AccountList, SignInStart
from jumpseat.api.models.common import Id, Name
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, answers
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.errors import JumpseatError, SignInFailed, UsageError
from jumpseat.secret import Secret
from jumpseat.store.accounts import Account as AccountFound
from jumpseat.views import view

router = operations()
LONGEST_QUERY = 16_384
PATH = "/sign-in"
"""Also the path of the cookie, where the address is not https."""


@router.post(
    "/v1/accounts/{signIn}/start", operation_id="startSignIn", summary="Begin a sign-in at a provider", responses=answers(404, *SIGNED_IN)
)
def start_sign_in(
    signIn: Name,
    host: Serving,
    caller: SignedIn,
    company: Annotated[bool, Query(description="For the company's account instead of the supporter's own.")] = False,
) -> SignInStart:
    """Answers the address at which the supporter signs in, once, within ten minutes. Open it in a pop-up; it closes by itself."""
    started = host.start_sign_in(signIn, caller.supporter, company=company)
    return SignInStart(url=started.url.reveal(), expires_at=started.expires_at)


@router.get("/v1/accounts", operation_id="listAccounts", summary="List sign-ins at providers", responses=answers(*SIGNED_IN))
def list_accounts(host: Serving, caller: SignedIn) -> AccountList:
    """The supporter's own sign-ins; with the right to all of them, everybody's and the company's, with their last use."""
    return AccountList(items=[_shown(account) for account in host.accounts(caller.supporter)])


@router.delete(
    "/v1/accounts/{accountId}", operation_id="revokeAccount", summary="Revoke a sign-in at a provider", responses=answers(404, *SIGNED_IN)
)
def revoke_account(accountId: Id, host: Serving, caller: SignedIn) -> Account:
    """End a sign-in here at once, and at the provider; answers what it was. May be repeated where the provider could not be told."""
    return _shown(host.revoke_account(accountId, caller.supporter))


# --- what a browser sees ----------------------------------------------------------------------------------------------


@router.get(sign_in_page.SCRIPT_ADDRESS, include_in_schema=False)
def close_window() -> Response:
    """The one line that closes the window of a sign-in."""
    return sign_in_page.script()


@router.get(f"{PATH}/callback", include_in_schema=False)
def come_back(request: Request, host: Serving) -> Response:
    """Where providers send browsers back to."""
    languages = request.headers.get("accept-language", "")
    try:
        if len(request.url.query) > LONGEST_QUERY:
            raise SignInFailed("The answer to the sign-in is too long. Begin again.")
        account = host.finish_sign_in(request.query_params.multi_items(), request.cookies)
    except JumpseatError as error:
        return sign_in_page.failed(error, languages)
    label = host.sign_in_label(account.sign_in)
    return sign_in_page.done(label, account.account, account.owner_name, languages)


@router.get(f"{PATH}/{{ticket}}", include_in_schema=False)
def ask(ticket: str, request: Request, host: Serving) -> Response:
    """Where a sign-in begins: says for whom it is. Looking at it uses nothing up."""
    languages = request.headers.get("accept-language", "")
    try:
        label, owner = host.asked_sign_in(_ticket(ticket, request))
    except JumpseatError as error:
        return sign_in_page.failed(error, languages)
    return sign_in_page.ask(label, owner, languages)


@router.post(f"{PATH}/{{ticket}}", include_in_schema=False)
def leave(ticket: str, request: Request, host: Serving) -> Response:
    """The person goes on: sends the browser to the provider."""
    try:
        leaving = host.leave_for_sign_in(_ticket(ticket, request))
    except JumpseatError as error:
        return sign_in_page.failed(error, request.headers.get("accept-language", ""))
    response = RedirectResponse(leaving.url, 303)
    secure = urlsplit(host.catalogue.host.public_url).scheme == "https"
    # Lax: the provider's page leads back from another site. A '__Host-' cookie has to be the whole host's.
    path = "/" if secure else PATH
    response.set_cookie(leaving.cookie, leaving.value.reveal(), max_age=600, path=path, secure=secure, httponly=True, samesite="lax")
    return response


def _ticket(ticket: str, request: Request) -> Secret:
    if request.url.query or len(ticket) > 100:
        raise UsageError("This address to sign in was changed on its way. Ask for a new one.")
    return Secret(ticket)


def _shown(account: AccountFound) -> Account:
    return Account.model_validate({name: value for name, value in view(account).items() if value != ""})
