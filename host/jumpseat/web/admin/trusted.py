"""Who is trusted with what: sign-ins at providers, API keys, webhooks. Secrets are shown once, when they are made, and never again."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from starlette.responses import RedirectResponse

from jumpseat.api.signin import Serving, host_of
from jumpseat.errors import UsageError
from jumpseat.host import Host
from jumpseat.secret import Secret
from jumpseat.speech import say
from jumpseat.web.admin.parts import Told, acted, show
from jumpseat.web.admin.running import UNKNOWN_ACTION
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import Seen, Visitor
from jumpseat.web.routing import pages

router = pages()
KINDS = ("session.opened", "session.shared", "customer.joined", "session.closed", "session.expired")
Which = Annotated[str, Query(max_length=100)]


# --- provider accounts ------------------------------------------------------------------------------------------------


@router.get("/admin/accounts")
def accounts(request: Request, visitor: Seen) -> Response:
    """Who is signed in where, and how that feels."""
    return _accounts(request, visitor)


@router.post("/admin/accounts")
def act_on_accounts(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Sign the company in, which leads to the provider; or end a sign-in."""
    action, _, which = form.get("action").partition(":")
    if action == "sign-in":
        started = host.start_sign_in(which, visitor.supporter, company=True)
        return RedirectResponse(started.url.reveal(), 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    def act() -> Told:
        if action != "end":
            raise UsageError(UNKNOWN_ACTION, param="action")
        ended = host.revoke_account(which, visitor.supporter)
        return Told(say("The sign-in of {account} has ended, here and at the provider.", account=ended.account or ended.owner_name))

    told, status = acted(act)
    return _accounts(request, visitor, told, status)


def _accounts(request: Request, visitor: Visitor, told: Told | None = None, status: int = 200) -> Response:
    host, by = host_of(request), visitor.supporter
    return show(
        request,
        visitor,
        say("Provider accounts"),
        "accounts.html",
        told,
        status,
        accounts=host.accounts(by),
        sign_ins=[(name, one.label, one.missing()) for name, one in sorted(host.sign_ins.items())],
        labels={name: one.label for name, one in host.sign_ins.items()},
        may_edit=bool(by.rights.level("accounts.edit")),
    )


# --- API keys ---------------------------------------------------------------------------------------------------------


@router.get("/admin/keys")
def keys(request: Request, visitor: Seen) -> Response:
    """The API keys, without their secrets."""
    return _keys(request, visitor)


@router.post("/admin/keys")
def act_on_keys(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Make a key, whose text this one page shows; or revoke one."""
    made: list[Secret] = []

    def act() -> Told:
        action, _, which = form.get("action").partition(":")
        if action == "create":
            made.append(host.create_key(form.get("name"), form.get("permission_set"), visitor.supporter))
            return Told(say("The key was made. Copy it now: it is not shown again."))
        if action == "revoke":
            host.revoke_key(which, visitor.supporter)
            return Told(say("The key '{name}' is revoked.", name=which))
        raise UsageError(UNKNOWN_ACTION, param="action")

    told, status = acted(act)
    return _keys(request, visitor, told, status, made[0] if made else None)


def _keys(request: Request, visitor: Visitor, told: Told | None = None, status: int = 200, made: Secret | None = None) -> Response:
    host, by = host_of(request), visitor.supporter
    response = show(
        request,
        visitor,
        say("API keys"),
        "keys.html",
        told,
        status,
        keys=host.keys(by),
        sets=host.catalogue.permission_sets,
        made=made.reveal() if made else "",
        may_edit=bool(by.rights.level("keys.edit")),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


# --- webhooks ---------------------------------------------------------------------------------------------------------


@router.get("/admin/webhooks")
def webhooks(request: Request, visitor: Seen, webhook: Which = "") -> Response:
    """Whom the host calls, what keeps it from calling, and the deliveries of one of them."""
    return _webhooks(request, visitor, webhook=webhook)


@router.post("/admin/webhooks")
def act_on_webhooks(request: Request, host: Serving, visitor: Seen, form: Posted) -> Response:
    """Make, test, enable, disable or delete one, give it a new secret, or send a delivery again."""
    made: list[Secret] = []
    action, _, which = form.get("action").partition(":")
    told, status = acted(lambda: _webhook_done(host, visitor, form, action, which, made))
    return _webhooks(request, visitor, told, status, made[0] if made else None, form.get("webhook"))


def _webhook_done(host: Host, visitor: Visitor, form: Form, action: str, which: str, made: list[Secret]) -> Told:
    by = visitor.supporter
    if action == "create":
        _, secret = host.create_webhook(form.get("name"), form.get("url"), form.all("kinds"), by)
        made.append(secret)
        return Told(say("The webhook was made. Copy its secret now: it is not shown again."))
    if action == "rotate":
        made.append(host.rotate_webhook_secret(which, by)[1])
        return Told(say("The webhook has a new secret; the one before signs as well for a while. Copy it now: it is not shown again."))
    if action == "test":
        done = host.test_webhook(which, by)
        if done.state == "delivered":
            return Told(say("The receiver took the test call (HTTP {status}).", status=done.status or 0))
        return Told(say("The test call failed: {why}", why=done.reason or str(done.status or "")), "error")
    if action in ("enable", "disable"):
        host.change_webhook(which, by, enabled=action == "enable")
        return Told(say("The webhook is called again.") if action == "enable" else say("The webhook is not called any more."))
    if action == "delete":
        host.delete_webhook(which, by)
        return Told(say("The webhook is deleted, with its deliveries."))
    if action == "redeliver":
        host.redeliver_webhook(form.get("webhook"), which, by)
        return Told(say("The delivery is sent again."))
    raise UsageError(UNKNOWN_ACTION, param="action")


def _webhooks(
    request: Request, visitor: Visitor, told: Told | None = None, status: int = 200, made: Secret | None = None, webhook: str = ""
) -> Response:
    host, by = host_of(request), visitor.supporter
    rows = host.webhook_troubles(by)
    one = next((found for found, _ in rows if webhook in (found.id, found.name)), None)
    response = show(
        request,
        visitor,
        say("Webhooks"),
        "webhooks.html",
        told,
        status,
        rows=rows,
        kinds=KINDS,
        one=one,
        deliveries=host.webhook_deliveries(one.id, by) if one else [],
        made=made.reveal() if made else "",
        may_edit=bool(by.rights.level("webhooks.edit")),
    )
    response.headers["Cache-Control"] = "no-store"
    return response
