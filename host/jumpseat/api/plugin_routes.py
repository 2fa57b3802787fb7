"""Routes that plugins bring, each plugin's under ``/-/NAME/``; what fails inside names the plugin and nothing else."""

from __future__ import annotations

import logging
import traceback

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from jumpseat.api.sockets import Counted, close_failed
from jumpseat.errors import JumpseatError, PluginError
from jumpseat.hooks.trace import correlation_id
from jumpseat.host import Host
from jumpseat.secret import redact

log = logging.getLogger(__name__)


def mount_plugins(app: FastAPI, host: Host) -> None:
    """Serve what the plugins registered.

    Args:
        app: the application.
        host: knows the plugins' routes by plugin name.
    """
    for name, routes in sorted(host.routes().items()):
        app.router.routes.append(Mount(f"/-/{name}", app=_Isolated(name, Router(list(routes), redirect_slashes=False))))


class _Isolated:
    """The routes of one plugin: an exception becomes a ``PluginError`` without the plugin's own words."""

    def __init__(self, name: str, app: ASGIApp) -> None:
        self.name = name
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except (JumpseatError, HTTPException):
            raise
        except Exception as error:
            cause = redact("".join(traceback.format_exception(error)))
            log.error("plugin route failed", extra={"plugin": self.name, "correlation_id": correlation_id(), "traceback": cause})
            raise PluginError(f"The plugin '{self.name}' failed while answering this call; its cause stands in the host's log.") from None

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        counted = Counted(self.name, send)
        try:
            await self.app(scope, receive, counted.send)
        except Exception as error:
            await close_failed(counted.send, error, self.name)
        finally:
            counted.ended()
