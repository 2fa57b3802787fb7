"""Live events for pages: one stream for all pages that a browser shows of this host, whoever and whatever they are for.

The pages of one browser agree on one of them to listen (``jumpseat.js``). It sends the tokens of all, in the body of the call and never in
its address, and is told what any of them may see.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import Header, Request

from jumpseat.access.launches import TOKEN_PREFIX
from jumpseat.api.models.common import Maybe
from jumpseat.api.routes.events import hub_of
from jumpseat.api.signin import Caller, Serving
from jumpseat.api.streams import Ear, EventStream, Stream
from jumpseat.errors import NotSignedIn, RightMissing, UsageError
from jumpseat.host import Host
from jumpseat.secret import Secret
from jumpseat.web.forms import Form, Posted
from jumpseat.web.identity import VISIT_COOKIE, caller_of, supporter_of, visitor_of
from jumpseat.web.routing import pages

router = pages()
LAUNCH = "launch"
MOST_LAUNCHES = 50
"""Pages of launches for which one stream listens."""
LastEventId = Annotated[Maybe[int], Header(alias="Last-Event-ID", ge=0, le=2**63 - 1)]
SignIn = Callable[[], Caller]


@router.get("/events")
async def stream(request: Request, host: Serving, last_event_id: LastEventId = None) -> EventStream:
    """What happens to the sessions that the page may show, as it happens."""
    return await _stream(request, host, [lambda: visitor_of(request, Form()).caller], last_event_id)


@router.post("/events")
async def merged(request: Request, host: Serving, form: Posted, last_event_id: LastEventId = None) -> EventStream:
    """What happens to the sessions that any of the pages may show: those of the launches in the form, and of the browser's visit.

    A launch that is over is passed over, so that one page does not silence the others.
    """
    tokens = [token for token in dict.fromkeys(form.all(LAUNCH)) if token.startswith(TOKEN_PREFIX)]
    if len(tokens) > MOST_LAUNCHES:
        raise UsageError(f"One stream listens for {MOST_LAUNCHES} launches at most.", param=LAUNCH)
    visit = request.cookies.get(VISIT_COOKIE)
    given = [Secret(token) for token in (*tokens, *([visit] if visit else []))]
    return await _stream(request, host, [partial(_caller, host, token) for token in given], last_event_id)


async def _stream(request: Request, host: Host, sign_ins: list[SignIn], last_event_id: int | None) -> EventStream:
    hub = hub_of(request)
    ears = await hub.ask(partial(_ears, host, sign_ins))
    request.state.supporter = ears[0].caller.supporter.id
    await hub.start()
    return EventStream(Stream(hub, ears, last_event_id))


def _ears(host: Host, sign_ins: list[SignIn]) -> list[Ear]:
    """For whom the stream listens.

    Raises:
        NotSignedIn: nobody is left.
        RightMissing: nobody is left, and somebody may not see sessions.
    """
    ears: list[Ear] = []
    refused: NotSignedIn | RightMissing = NotSignedIn("You are not signed in. Sign in, or open the record in the CRM.")
    for sign_in in sign_ins:
        try:
            caller = sign_in()
            ears.append(Ear(caller, sign_in, host.wanted_events(caller.supporter)))
        except (NotSignedIn, RightMissing) as error:
            refused = error
    if not ears:
        raise refused
    return ears


def _caller(host: Host, token: Secret) -> Caller:
    return caller_of(supporter_of(host, token))
