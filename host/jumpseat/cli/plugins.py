"""``jumpseat plugins``: which plugins there are, what became of each, and the beginning of a new one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jumpseat.cli.context import Context, answer, json_option, pass_context
from jumpseat.errors import InvalidValue, MetadataInvalid, NotFound, PluginNotLoaded, Refused

if TYPE_CHECKING:
    from jumpseat.hooks.plugins import PluginInfo


@click.group()
def plugins() -> None:
    """List and show plugins, or start a new one."""


@plugins.command("list")
@json_option
@pass_context
def list_command(ctx: Context, as_json: bool) -> None:
    """Every plugin that was found, in the order in which they are asked."""
    from jumpseat.views import view

    found = _infos(ctx)
    answer(as_json, view(found), lambda: "\n".join(_line(info) for info in found) or "No plugins.")


@plugins.command()
@click.argument("name")
@json_option
@pass_context
def show(ctx: Context, name: str, as_json: bool) -> None:
    """The plugin NAME: where it comes from, what it brings, its settings, and why it is not active."""
    from jumpseat.cli.plugin_settings import settings_lines, settings_view
    from jumpseat.early import vocabulary_for
    from jumpseat.hooks.discovery import near
    from jumpseat.views import view

    infos = _infos(ctx)
    found = [info for info in infos if info.name == name]
    if not found:
        raise NotFound(f"There is no plugin '{name}'{near(name, {info.name for info in infos}) or '.'}", param="name")
    vocabulary = vocabulary_for(ctx.find_workspace(), safe_mode=ctx.safe_mode, no_plugins=ctx.no_plugins)
    own = vocabulary.plugins.get(name, ())
    kinds = {kind: vocabulary.source_kinds.get(kind, ()) for info in found for kind in info.source_kinds}
    promises = _promises(ctx, {channel for info in found for channel in info.channels})
    explained = [f"{f'promise of {channel}:':<16} {text}" for channel, text in promises.items()]
    explained += settings_lines(own, f"metadata/plugins/{name}.yaml")
    for kind, of_kind in kinds.items():
        explained += settings_lines(of_kind, f"files of metadata/sources/ with the kind {kind}")
    data = [
        {
            **view(info),
            "promises": promises,
            "settings": settings_view(own),
            "sourceSettings": {kind: settings_view(some) for kind, some in kinds.items()},
        }
        for info in found
    ]
    text = "\n\n".join(_details(info) for info in found)
    answer(as_json, data[0] if len(data) == 1 else data, lambda: "\n".join((text, *explained)))


@plugins.command()
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where to make it; else here.")
@json_option
def new(name: str, folder: Path, as_json: bool) -> None:
    """Write a package jumpseat-NAME with a share channel, its settings, and a test that passes."""
    from jumpseat.cli.skeleton import files
    from jumpseat.hooks.checking import NAME

    if not NAME.fullmatch(name):
        raise InvalidValue(
            f"'{name}' cannot be the name of a plugin: a small letter first, then small letters, digits and '_'.", param="name"
        )
    target = folder / f"jumpseat-{name.replace('_', '-')}"
    if target.exists():
        raise Refused(f"{target} exists already and is not overwritten. Name another plugin or --folder.")
    written = []
    for path, text in files(name).items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(str(file))
    answer(
        as_json,
        {"name": name, "folder": str(target), "files": written},
        lambda: f"Made {target}. Next: install it beside jumpseat (pip install -e {target}) and run its test (pytest {target}).",
    )


def _infos(ctx: Context) -> tuple[PluginInfo, ...]:
    """The plugins; also when the host cannot start, for a plugin may be why, and this is where one looks."""
    try:
        with ctx.host() as host:
            return host.plugins(host.operator())
    except (MetadataInvalid, PluginNotLoaded):
        from jumpseat.early import NoHost, early_settings
        from jumpseat.hooks.plugins import Plugins

        workspace = ctx.find_workspace()
        early = early_settings(workspace)
        plugins = Plugins.load(
            workspace, NoHost(), order=early.plugin_order, blocked=early.blocked_plugins, no_plugins=ctx.no_plugins, safe_mode=ctx.safe_mode
        )
        try:
            return plugins.infos()
        finally:
            plugins.close()


def _promises(ctx: Context, channels: set[str]) -> dict[str, str]:
    """What each of these share channels promises, by name; nothing where the host cannot start."""
    from jumpseat.shares.compose import promise

    try:
        with ctx.host() as host:
            return {name: promise(host.share_channels[name]) for name in sorted(channels & host.share_channels.keys())}
    except (MetadataInvalid, PluginNotLoaded):
        return {}


def _line(info: PluginInfo) -> str:
    origin = f"{info.distribution} {info.version}" if info.distribution else info.file or ""
    brings = [*info.session_types, *info.channels, *info.source_kinds]
    first = info.reason.splitlines()[0] if info.reason else ""
    return f"{info.name:<16} {info.state.value:<12} {origin:<28} {', '.join(brings):<32} {first}".rstrip()


def _details(info: PluginInfo) -> str:
    rows = {
        "name": info.name,
        "state": info.state.value,
        "reason": info.reason.replace("\n", f"\n{'':<16}"),
        "distribution": f"{info.distribution} {info.version}" if info.distribution else "",
        "file": info.file or "",
        "hooks": ", ".join(info.hooks),
        "session types": ", ".join(info.session_types),
        "share channels": ", ".join(info.channels),
        "record sources": ", ".join(info.source_kinds),
        "loaded in": f"{info.load_ms:g} ms" if info.load_ms else "",
    }
    return "\n".join(f"{name + ':':<16}{text}" for name, text in rows.items() if text)
