"""The whole application: the HTTP API, and the pages beside it."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from jumpseat.api import app as api
from jumpseat.errors import NotFound
from jumpseat.host import Host
from jumpseat.web import launch, live, portfolio, sign_in
from jumpseat.web.admin import pages as admin
from jumpseat.web.records import code, connections, contact, details, history, notification, session, share
from jumpseat.web.rendering import STATIC, static_address
from jumpseat.web.workspace import company, dashboard_editor, dashboards, devices, lists, start

ROUTERS: tuple[APIRouter, ...] = (
    launch.router,
    sign_in.router,
    live.router,
    session.router,
    share.router,
    contact.router,
    code.router,
    details.router,
    history.router,
    connections.router,
    notification.router,
    company.router,
    devices.router,
    dashboards.router,
    dashboard_editor.router,
    lists.router,
    start.router,
    portfolio.router,
    *admin.ROUTERS,
)
SERVED = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".webmanifest": "application/manifest+json"}


def create_app(host: Host) -> FastAPI:
    """The API of a host with its pages.

    Args:
        host: opened by the caller, who closes it after the server has stopped.
    """
    app = api.create_app(host, ROUTERS)
    app.add_api_route("/static/{version}/{name}", static_file, include_in_schema=False)
    return app


def static_file(version: str, name: str, request: Request) -> Response:
    """A file that belongs to pages; its address holds its hash, so that a browser never asks twice."""
    if Path(name).suffix not in SERVED or not (STATIC / name).is_file():
        raise NotFound(f"There is nothing at '{request.url.path[:100]}'.")
    fresh = static_address(name).split("/")[2] == version
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Encoding",
    }
    small = "gzip" in request.headers.get("accept-encoding", "")
    if small:
        headers["Content-Encoding"] = "gzip"
    return Response(_content(name, small=small), media_type=SERVED[Path(name).suffix], headers=headers)


@cache
def _content(name: str, *, small: bool) -> bytes:
    content = (STATIC / name).read_bytes()
    return gzip.compress(content, 9, mtime=0) if small else content
