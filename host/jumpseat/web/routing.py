"""How a page is declared: what goes wrong in its handler becomes a page too, and whoever is not signed in is led to signing in."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError, TimeoutError as PoolTimeout
from starlette.responses import RedirectResponse

from jumpseat.api.problems import RETRY_SECONDS, internal_error, invalid_call, problem_response
from jumpseat.api.signin import host_of
from jumpseat.errors import JumpseatError, NotSignedIn, StoreUnreachable
from jumpseat.hooks.trace import correlation_id
from jumpseat.log import get_logger
from jumpseat.secret import redact
from jumpseat.speech import say
from jumpseat.web.identity import is_framed, look_of, named_record
from jumpseat.web.rendering import is_partial, refusal

log = get_logger(__name__)


class PageRoute(APIRoute):
    """A route that answers HTML, whatever happens."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except JumpseatError as error:
                return refused(request, error)
            except RequestValidationError as error:
                return refused(request, invalid_call(error.errors()))
            except (OperationalError, PoolTimeout) as error:
                log.error("database unreachable", correlation_id=correlation_id(), cause=type(error).__name__)
                away = say("The host's database does not answer; try again in a moment.")
                return refused(request, StoreUnreachable(away, retry_after_seconds=RETRY_SECONDS))
            except Exception as error:  # what nobody foresaw is told without its text, which may hold anything
                log.error("page failed", correlation_id=correlation_id(), traceback=redact("".join(traceback.format_exception(error))))
                return refused(request, internal_error())

        return handle


def pages() -> APIRouter:
    """A router for one group of pages."""
    return APIRouter(route_class=PageRoute, include_in_schema=False)


def refused(request: Request, error: JumpseatError) -> Response:
    """The page of an error; somebody who is not signed in is led to the page where they can. A program gets what the API would answer."""
    if not is_partial(request) and "text/html" not in request.headers.get("accept", ""):
        return problem_response(error)
    ref, host = named_record(request), host_of(request)
    framed = is_framed(request)
    if isinstance(error, NotSignedIn) and request.method == "GET" and not is_partial(request) and not framed:
        return RedirectResponse(f"/sign-in?next={quote(str(request.url.path), safe='/')}", 303, {"Cache-Control": "no-store"})
    # Whose frame it is, nobody knows without a launch; what is refused may be read in any.
    sources = [ref.source or ""] if ref else list(host.catalogue.sources) if framed else []
    ancestors = [origin for source in sources for origin in host.frame_ancestors(source)]
    return refusal(look_of(request, host, None), error, ancestors, partial=is_partial(request))
