"""For administrators: plugins, problems of the metadata, the plugin trace log."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request

from jumpseat.api.models.administration import (
    MetadataProblemList,
    PluginList,
    SetTraceLevel,
    TraceLevelList,
    TraceRowList,
)
from jumpseat.api.models.common import Id, Maybe, PluginName
from jumpseat.api.models.marks import Rare
from jumpseat.api.operation import operations
from jumpseat.api.problems import SIGNED_IN, WITH_BODY, answers
from jumpseat.api.routes.lists import Limit, next_link
from jumpseat.api.signin import Serving, SignedIn
from jumpseat.views import view

router = operations()


@router.get("/v1/plugins", operation_id="listPlugins", summary="List plugins", responses=answers(*SIGNED_IN))
def list_plugins(host: Serving, caller: SignedIn) -> PluginList:
    """Every plugin that was found, with its state and the reason for it."""
    return PluginList.model_validate({"items": view(host.plugins(caller.supporter))})


@router.get("/v1/problems", operation_id="listProblems", summary="List problems of the metadata", responses=answers(*SIGNED_IN))
def list_problems(host: Serving, caller: SignedIn) -> MetadataProblemList:
    """Problems of the latest edit of the metadata, each with file, line, column, cause and fix."""
    return MetadataProblemList.model_validate({"items": [problem.as_json() for problem in host.metadata_problems(caller.supporter)]})


@router.get("/v1/trace", operation_id="listTrace", summary="List the plugin trace log", responses=answers(*SIGNED_IN))
def list_trace(
    request: Request,
    host: Serving,
    caller: SignedIn,
    plugin: Annotated[Maybe[PluginName], Query(description="Only calls of this plugin.")] = None,
    correlationId: Annotated[Maybe[Id], Query(description="Only what belongs to this problem.")] = None,
    limit: Limit = 100,
    before: Annotated[Maybe[int], Rare(), Query(ge=1, le=2**63 - 1, description="Cursor of the next page; nextLink has it.")] = None,
) -> TraceRowList:
    """Calls of plugins that were written down, newest first; those of one problem all at once and oldest first."""
    rows = host.trace(caller.supporter, plugin=plugin, correlation_id=correlationId, before=before, limit=limit)
    more = correlationId is None and len(rows) == limit
    return TraceRowList.model_validate({"items": view(rows), "nextLink": next_link(request, str(rows[-1].id) if more else None)})


@router.post(
    "/v1/trace/level",
    operation_id="setTraceLevel",
    summary="Set a level of the plugin trace log",
    responses=answers(*SIGNED_IN, *WITH_BODY),
)
def set_trace_level(body: SetTraceLevel, host: Serving, caller: SignedIn) -> TraceLevelList:
    """Set what the plugin trace log keeps, for everything, a plugin, or one of its hooks; answers the levels that are set now."""
    host.set_trace_level(body.level, caller.supporter, plugin=body.plugin, hook=body.hook)
    levels = host.trace_levels(caller.supporter)
    return TraceLevelList.model_validate({"items": view(levels)})
