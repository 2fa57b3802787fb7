"""``jumpseat import dynamics``, ``jumpseat export dynamics`` and ``jumpseat wrap dynamics``."""

from __future__ import annotations

from pathlib import Path

import click

from jumpseat import Context, answer, json_option, pass_context


@click.command("dynamics")
@click.argument("place", metavar="FILE|DIR", type=click.Path(path_type=Path))
@click.option("--into", "into", metavar="WORKSPACE", type=click.Path(path_type=Path), help="Workspace to write to (else the current one).")
@click.option("--replace", is_flag=True, help="Overwrite files that say something else.")
@json_option
@pass_context
def import_dynamics(ctx: Context, place: Path, into: Path | None, replace: bool, as_json: bool) -> None:
    """Read rows of supported objects and e-mail templates (JSON of the Web API) into the workspace."""
    from jumpseat_dynamics.metadata_rows import import_rows

    done = import_rows(place, Context(into).find_workspace() if into else ctx.find_workspace(), replace=replace)
    answer(as_json, done.as_json(), done.as_text)


@click.command("dynamics")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME", help="Only the objects of this record source.")
@click.option("--replace", is_flag=True, help="Overwrite files that say something else.")
@json_option
@pass_context
def export_dynamics(ctx: Context, folder: Path, source: str | None, replace: bool, as_json: bool) -> None:
    """Write supported objects and e-mail templates as rows, in JSON for data import."""
    from jumpseat_dynamics.metadata_rows import export_rows

    done = export_rows(ctx.find_workspace(), folder, source=source, replace=replace)
    answer(as_json, done.as_json(), done.as_text)


@click.command("dynamics")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME", help="The record source that the environment is (else the only one of the kind).")
@click.option("--public-url", metavar="URL", help="Where the host is reached from there (else public_url of metadata/host.yaml).")
@click.option("--replace", is_flag=True, help="Overwrite files that say something else.")
@json_option
@pass_context
def wrap_dynamics(ctx: Context, folder: Path, source: str | None, public_url: str | None, replace: bool, as_json: bool) -> None:
    """Write an unpacked solution that shows the host's pages on forms; its README names the clicks that remain."""
    from jumpseat_dynamics.wrapper.wrapping import wrap

    done = wrap(ctx.find_workspace(), folder, source=source, public_url=public_url, replace=replace)
    answer(as_json, done.as_json(), done.as_text)


def add_commands(cli: click.Group) -> None:
    """Add the commands to the command line, each in the group of its verb, which the host shares between plugins."""
    for verb, command, words in (
        ("import", import_dynamics, "Read metadata of a CRM into the workspace."),
        ("export", export_dynamics, "Write the metadata of the workspace for a CRM."),
        ("wrap", wrap_dynamics, "Write what shows the host's pages inside a CRM."),
    ):
        group = click.Group(verb, help=words)
        group.add_command(command)
        cli.add_command(group)
