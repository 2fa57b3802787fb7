"""What is known of a workspace before a host is opened: which plugins to load, and what they bring."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jumpseat.catalogue.build import host_settings
from jumpseat.catalogue.files import read
from jumpseat.catalogue.model import HostSettings
from jumpseat.catalogue.positions import read_yaml
from jumpseat.catalogue.problems import has_errors
from jumpseat.catalogue.validate import check
from jumpseat.catalogue.vocabulary import Vocabulary
from jumpseat.hooks.plugins import Plugins

if TYPE_CHECKING:
    import click


def early_settings(workspace: Path) -> HostSettings:
    """What ``host.yaml`` says of the plugins to load; the defaults while the file is missing or wrong (``check`` shows why)."""
    path = "metadata/host.yaml"
    if not (workspace / path).is_file():
        return HostSettings()
    content = read(workspace, path)
    if not isinstance(content, bytes):
        return HostSettings()
    reading = read_yaml(content, path)
    if reading.problems or reading.empty or has_errors(check("host", reading)):
        return HostSettings()
    return host_settings(reading)


class NoHost:
    """Stands for the host where plugins are only asked what they bring; they may keep it as a weak key, which None cannot be."""


def vocabulary_for(workspace: Path, *, safe_mode: bool = False, no_plugins: Sequence[str] = ()) -> Vocabulary:
    """What the plugins of a workspace bring, for checking its metadata when a host cannot be opened.

    Args:
        workspace: the folder.
        safe_mode: load first-party plugins only.
        no_plugins: names of plugins to leave out.
    """
    early = early_settings(workspace)
    plugins = Plugins.load(
        workspace, NoHost(), order=early.plugin_order, blocked=early.blocked_plugins, no_plugins=no_plugins, safe_mode=safe_mode
    )
    try:
        return Vocabulary(
            frozenset(plugins.session_types),
            frozenset(plugins.channels),
            plugins.source_settings,
            plugins.settings,
            complete=plugins.complete(),
        )
    finally:
        plugins.close()


def register_commands(cli: click.Group, workspace: Path | None, *, safe_mode: bool, no_plugins: Sequence[str]) -> None:
    """Let the plugins add their commands to the command line; without a workspace, those that are installed.

    Args:
        cli: the click group ``jumpseat``.
        workspace: the folder given on the command line, if any.
        safe_mode: load first-party plugins only.
        no_plugins: names of plugins to leave out.
    """
    folder = workspace or Path.cwd()
    early = early_settings(folder)
    plugins = Plugins.load(
        folder, NoHost(), order=early.plugin_order, blocked=early.blocked_plugins, no_plugins=no_plugins, safe_mode=safe_mode
    )
    plugins.add_commands(cli)
