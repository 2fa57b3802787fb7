"""The whole application: the HTTP API, and the pages beside it."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from jumpseat.api import app as api
from jumpseat.errors import NotFound
from jumpseat.host import Host
from jumpseat.web import launch, live, sign_in
from jumpseat.web.records import session
from jumpseat.web.rendering import STATIC, static_address
from jumpseat.web.workspace import start

ROUTERS: tuple[APIRouter, ...] = (launch.router, sign_in.router, live.router, session.router, start.router)
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
    file = STATIC / name
    if "/" in name or file.suffix not in SERVED or not file.is_file():
        raise NotFound(f"There is nothing at '{request.url.path[:100]}'.")
    fresh = static_address(name).split("/")[2] == version
    kept = "public, max-age=31536000, immutable" if fresh else "no-cache"
    headers = {"Cache-Control": kept, "Cross-Origin-Resource-Policy": "same-origin"}
    return FileResponse(file, media_type=SERVED[file.suffix], headers=headers)
