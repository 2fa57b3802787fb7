"""``jumpseat check``: everything that is wrong with the metadata and templates, at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jumpseat.cli.context import Context, json_option, pass_context
from jumpseat.cli.progress import bars
from jumpseat.errors import ExitCode, JumpseatError, PluginNotLoaded, ProviderSignInNeeded, WorkspaceNotFound

if TYPE_CHECKING:
    from jumpseat.catalogue.load import Loaded
    from jumpseat.catalogue.problems import Problem
    from jumpseat.catalogue.vocabulary import Vocabulary
    from jumpseat.cli.progress import Bar
    from jumpseat.contract import RecordSource
    from jumpseat.host import Host
    from jumpseat.types import ObjectInfo, Recipe

FORMATS = ("text", "json", "sarif", "github")


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="How to print the problems.")
@click.option("--live", is_flag=True, help="Ask the record sources whether objects and fields exist.")
@json_option
@pass_context
def check(ctx: Context, path: Path | None, form: Any, live: bool, as_json: bool) -> None:
    """Check the metadata and templates; every problem with its place, cause and fix.

    PATH is a workspace, or a file or folder in one; only its problems are shown then. With --live, exit code 3 when a record source could
    not be asked and nothing else is wrong.
    """
    from jumpseat.catalogue.load import load
    from jumpseat.catalogue.problems import formatted, has_errors

    workspace, below = _where(ctx, path)
    loaded = load(workspace, _vocabulary(ctx, workspace))
    if live and has_errors(loaded.problems):
        click.echo("The record sources were not asked: mend these problems first.", err=True)
    elif live:
        loaded = _load_live(ctx, workspace)
    problems = [problem for problem in loaded.problems if _is_below(problem, below)]
    click.echo(formatted(problems, "json" if as_json else form))
    if has_errors(problems):
        click.get_current_context().exit(ExitCode.PROBLEM)
    if any(problem.code == "M315" for problem in problems):
        click.get_current_context().exit(ExitCode.UNREACHABLE)


def _where(ctx: Context, path: Path | None) -> tuple[Path, str]:
    """The workspace, and the part of it that is meant (``""`` for all)."""
    if path is None:
        return ctx.find_workspace(), ""
    if not path.exists():
        raise WorkspaceNotFound(f"{path} does not exist.")
    # Not resolved: a linked file belongs to the workspace that holds the link.
    place = path.absolute()
    for folder in (place, *place.parents):
        if (folder / "metadata").is_dir():
            return folder, place.relative_to(folder).as_posix().removeprefix(".")
    raise WorkspaceNotFound(f"{path} is not a workspace and does not lie in one: no folder above it has a metadata/ folder.")


def _is_below(problem: Problem, below: str) -> bool:
    return not below or problem.file == below or problem.file.startswith(f"{below}/")


def _vocabulary(ctx: Context, workspace: Path) -> Vocabulary | None:
    """What the plugins bring; None, said on stderr, when they cannot even be asked."""
    try:
        from jumpseat.early import vocabulary_for

        return vocabulary_for(workspace, safe_mode=ctx.safe_mode, no_plugins=ctx.no_plugins)
    except Exception as error:  # a plugin that breaks must not keep the metadata from being checked
        why = f" ({error.message})" if isinstance(error, JumpseatError) else ""
        click.echo(f"The plugins could not be asked{why}: names that they bring are not checked.", err=True)
        return None


def _load_live(ctx: Context, workspace: Path) -> Loaded:
    """Load once more, with the record sources of an open host asked for their objects and fields."""
    from jumpseat.catalogue.load import load
    from jumpseat.early import vocabulary_for
    from jumpseat.host import Host

    with Host.open(workspace, safe_mode=ctx.safe_mode, no_plugins=ctx.no_plugins) as host, bars() as bar:
        live = _Live(host, bar)
        vocabulary = vocabulary_for(workspace, safe_mode=ctx.safe_mode, no_plugins=ctx.no_plugins)
        return load(workspace, replace(vocabulary, describe=live.describe, recipe=live.recipe, contact_object=live.contact_object))


class _Live:
    """The record sources of an open host, asked one after the other while a bar shows how far they are."""

    def __init__(self, host: Host, bar: Bar) -> None:
        self._host, self._bar = host, bar
        self._asked = Counter[str]()
        self._all = Counter(host.catalogue.source_of(one) for one in host.objects())

    def describe(self, source: str, name: str) -> ObjectInfo | None:
        self._asked[source] += 1
        known = self._source(source).describe(name)
        self._bar(f"objects of {source}", self._asked[source], max(self._all[source], self._asked[source]))
        return known

    def recipe(self, source: str, name: str) -> Recipe | None:
        return self._source(source).recipe(name)

    def contact_object(self, source: str) -> str:
        return self._source(source).contact_object()

    def _source(self, name: str) -> RecordSource:
        found = self._host.sources.get(name)
        if found is None:
            raise PluginNotLoaded("no plugin that is running brings its kind.")
        if missing := found.missing():
            raise ProviderSignInNeeded(missing)
        return found
