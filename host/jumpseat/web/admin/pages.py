"""All pages of the administration, in the order in which their addresses are matched."""

from __future__ import annotations

from fastapi import APIRouter

from jumpseat.web.admin import access, editor, lists, overview, running, trusted

ROUTERS: tuple[APIRouter, ...] = (overview.router, lists.router, access.router, running.router, trusted.router, editor.router)
