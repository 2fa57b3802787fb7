"""The application: ``create_app(host)``."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from jumpseat.api import problems
from jumpseat.api.descriptions import external_services, power_platform
from jumpseat.api.document import document
from jumpseat.api.guard import Guard
from jumpseat.api.plugin_routes import mount_plugins
from jumpseat.api.routes import (
    accounts,
    administration,
    choices,
    connections,
    dashboards,
    events,
    health,
    jobs,
    launches,
    metrics,
    records,
    sessions,
    shares,
    webhooks,
)
from jumpseat.api.stopping import Sign
from jumpseat.errors import InvalidValue
from jumpseat.host import Host
from jumpseat.store.store import POOL_SIZE

log = logging.getLogger(__name__)
ROUTERS: tuple[APIRouter, ...] = (
    records.router,
    sessions.router,
    shares.router,
    connections.router,
    dashboards.router,
    choices.router,
    launches.router,
    accounts.router,
    administration.router,
    jobs.router,
    webhooks.router,
    events.router,
    health.router,
    metrics.router,
)


def create_app(host: Host, pages: Sequence[APIRouter] = ()) -> FastAPI:
    """The HTTP API of a host.

    Args:
        host: opened by the caller, who closes it after the server has stopped.
        pages: what is served beside the API, for people.

    Returns:
        An ASGI application; its state needs no other process, so that any number of them may serve one database.
    """
    app = FastAPI(lifespan=_lifespan, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.host = host
    app.state.host_id = _id_of(host)
    app.state.draining, app.state.stopping = Sign(), Sign()
    for router in (*ROUTERS, *pages):
        app.include_router(router)
    app.add_api_route("/openapi.json", lambda: JSONResponse(document(app)), include_in_schema=False)
    for path, describe in (("/openapi-3.0.json", external_services), ("/swagger-2.0.json", power_platform)):
        app.add_api_route(path, _described(app, host, describe), include_in_schema=False)
    mount_plugins(app, host)
    app.add_middleware(Guard)
    problems.install(app, methods_at)
    return app


def native_document() -> dict[str, Any]:
    """The native description, which is the same for every host."""
    app = FastAPI(openapi_url=None)
    for router in ROUTERS:
        app.include_router(router)
    return document(app)


def _id_of(host: Host) -> str | None:
    """The host's id; None where its secret key cannot be had, which keeps nobody from being served who needs none."""
    try:
        return host.id
    except (InvalidValue, OSError) as error:
        log.warning("no secret key", extra={"cause": type(error).__name__})
        return None


def _described(app: FastAPI, host: Host, describe: Callable[[dict[str, Any], str], dict[str, Any]]) -> Callable[[], JSONResponse]:
    """Answers one dialect of the description, with the address at which the host is reached now."""
    return lambda: JSONResponse(describe(document(app), host.catalogue.host.public_url))


def routes_of(router: APIRouter) -> list[APIRoute]:
    """The operations of one router."""
    return [route for route in router.routes if isinstance(route, APIRoute)]


def methods_at(path: str) -> list[str]:
    """The methods that a path has, sorted."""
    found = {method for router in ROUTERS for route in routes_of(router) if route.path_regex.match(path) for method in route.methods or ()}
    return sorted(found or {"GET"})


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    # As many handlers at once as there are connections: with more, they would only wait for each other.
    anyio.to_thread.current_default_thread_limiter().total_tokens = POOL_SIZE
    yield
    app.state.stopping.set()
