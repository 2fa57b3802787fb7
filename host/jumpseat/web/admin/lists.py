"""Lists of what the metadata holds: supported objects, templates, record sources, plugins; each leads to the page that edits it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from fastapi import Request, Response

from jumpseat.access.rights import require
from jumpseat.api.signin import Serving
from jumpseat.catalogue.model import SupportedObject
from jumpseat.contract import REQUIRED
from jumpseat.diagnosis import outside
from jumpseat.errors import NotFound
from jumpseat.host import Host
from jumpseat.records.template_choice import applicable
from jumpseat.speech import say
from jumpseat.types import Supporter, Template
from jumpseat.web.admin.parts import show
from jumpseat.web.identity import Seen
from jumpseat.web.routing import pages

router = pages()


def stem(file: str) -> str:
    """The name by which a metadata file is edited."""
    return PurePosixPath(file).stem


@dataclass(frozen=True, slots=True)
class ObjectRow:
    """One supported object."""

    object: SupportedObject
    source: str
    edit_at: str
    templates: tuple[tuple[str, int], ...]
    """By share channel, how many templates apply."""


@router.get("/admin/objects")
def objects(request: Request, host: Serving, visitor: Seen) -> Response:
    """The supported objects, each with the templates that were found for it."""
    require(visitor.supporter, "objects.read")
    channels = sorted({one.channel for one in host.templates()} | ({"email"} & set(host.share_channels)))
    rows = [
        ObjectRow(
            one,
            host.catalogue.source_of(one) or "",
            f"/admin/edit/object/{stem(one.file)}",
            tuple((channel, len(applicable(host.templates(), one, channel).candidates)) for channel in channels),
        )
        for one in host.catalogue.objects
    ]
    return show(
        request,
        visitor,
        say("Supported objects"),
        "objects.html",
        rows=rows,
        broken=_broken(host, visitor.supporter, "metadata/objects/"),
        may_edit=_may(visitor.supporter, "objects.edit"),
    )


def _broken(host: Host, supporter: Supporter, folder: str) -> list[tuple[str, str]]:
    """Files that cannot be used as they are, with the name by which each is edited."""
    if not _may(supporter, "settings.read"):
        return []
    files = sorted({one.file for one in host.metadata_problems(supporter) if one.severity == "error" and one.file.startswith(folder)})
    return [(file, stem(file)) for file in files]


def _may(supporter: Supporter, right: str) -> bool:
    return bool(supporter.rights.level(right))


@router.get("/admin/templates")
def templates(request: Request, host: Serving, visitor: Seen) -> Response:
    """The templates of each object and channel, by language; and those that apply to none, with the reason."""
    require(visitor.supporter, "objects.read")
    channels = sorted({one.channel for one in host.templates()})
    rows = [(one, channel, applicable(host.templates(), one, channel)) for one in host.objects() for channel in channels]
    used = {template.file for _, _, found in rows for template in found.candidates}
    return show(
        request,
        visitor,
        say("Templates"),
        "templates.html",
        rows=rows,
        unused=[one for one in host.templates() if one.file not in used],
        edit_at=_template_page,
        channels=sorted(host.share_channels),
        languages=host.catalogue.host.languages,
        objects=host.objects(),
        may_edit=_may(visitor.supporter, "objects.edit"),
    )


def _template_page(template: Template) -> str:
    return f"/admin/edit/template/{template.file.removeprefix('templates/')}"


@router.get("/admin/sources")
def sources(request: Request, host: Serving, visitor: Seen) -> Response:
    """The record sources, each asked how it feels."""
    require(visitor.supporter, "settings.read")
    health = {one.what: one for one in outside.sources(host)}
    rows = [
        (config, health.get(f"source {name}"), health.get(f"frames of {name}"), f"/admin/edit/source/{stem(config.file)}")
        for name, config in host.catalogue.sources.items()
    ]
    return show(
        request,
        visitor,
        say("Record sources"),
        "sources.html",
        rows=rows,
        kinds=host.source_kinds(visitor.supporter),
        broken=_broken(host, visitor.supporter, "metadata/sources/"),
        may_edit=_may(visitor.supporter, "settings.edit"),
    )


@router.get("/admin/plugins")
def plugins(request: Request, host: Serving, visitor: Seen) -> Response:
    """Every plugin that was found, with what it brings and why it is not active."""
    found = host.plugins(visitor.supporter)
    may_edit = _may(visitor.supporter, "plugins.edit")
    return show(request, visitor, say("Plugins"), "plugins.html", plugins=found, may_edit=may_edit)


@router.get("/admin/plugins/{name}")
def plugin(name: str, request: Request, host: Serving, visitor: Seen) -> Response:
    """One plugin: where it comes from, its hooks, and what may be set of it."""
    found = next((one for one in host.plugins(visitor.supporter) if one.name == name), None)
    if found is None:
        raise NotFound(say("There is no plugin '{name}'.", name=name[:100]))
    return show(
        request,
        visitor,
        say("Plugin: {name}", name=name),
        "plugin.html",
        plugin=found,
        settings=host.declared_settings("plugin", name, visitor.supporter),
        required=REQUIRED,
        may_edit=_may(visitor.supporter, "plugins.edit"),
    )
