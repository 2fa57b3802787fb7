"""``jumpseat import salesforce``, ``jumpseat export salesforce`` and ``jumpseat wrap salesforce``."""

from __future__ import annotations

from pathlib import Path

import click

from jumpseat import Context, answer, json_option, pass_context


@click.command("salesforce")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--into", "into", metavar="WORKSPACE", type=click.Path(path_type=Path), help="Workspace to write to (else the current one).")
@click.option("--namespace", metavar="NS", help="Only types of this package; '' for those of no package.")
@click.option("--language", metavar="LANG", help="Language of templates whose name does not end in one, such as case_fr.")
@click.option("--replace", is_flag=True, help="Overwrite files that say something else.")
@json_option
@pass_context
def import_salesforce(
    ctx: Context, folder: Path, into: Path | None, namespace: str | None, language: str | None, replace: bool, as_json: bool
) -> None:
    """Read supported objects and e-mail templates of an SFDX or Metadata API tree into the workspace."""
    from jumpseat_salesforce.metadata_files.moving import import_tree

    workspace = Context(into).find_workspace() if into else ctx.find_workspace()
    done = import_tree(folder, workspace, namespace=namespace, language=language, replace=replace)
    answer(as_json, done.as_json(), done.as_text)


@click.command("salesforce")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--namespace", metavar="NS", default="", help="Prefix of the package that has the custom metadata type.")
@click.option("--source", metavar="NAME", help="Only the objects of this record source.")
@click.option("--replace", is_flag=True, help="Overwrite files that say something else.")
@json_option
@pass_context
def export_salesforce(ctx: Context, folder: Path, namespace: str, source: str | None, replace: bool, as_json: bool) -> None:
    """Write supported objects and e-mail templates as an SFDX tree that can be deployed."""
    from jumpseat_salesforce.metadata_files.moving import export_tree

    done = export_tree(ctx.find_workspace(), folder, namespace=namespace, source=source, replace=replace)
    answer(as_json, done.as_json(), done.as_text)


@click.command("salesforce")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME", help="The record source that the org is (else the only one of the kind).")
@click.option("--public-url", metavar="URL", help="Where the host is reached from the org (else public_url of metadata/host.yaml).")
@click.option("--replace", is_flag=True, help="Overwrite files that say something else.")
@json_option
@pass_context
def wrap_salesforce(ctx: Context, folder: Path, source: str | None, public_url: str | None, replace: bool, as_json: bool) -> None:
    """Write an SFDX project that shows the host's pages in Lightning and Classic; its README names the clicks that remain."""
    from jumpseat_salesforce.wrapper.wrapping import wrap

    done = wrap(ctx.find_workspace(), folder, source=source, public_url=public_url, replace=replace)
    answer(as_json, done.as_json(), done.as_text)


def add_commands(cli: click.Group) -> None:
    """Add the commands to the command line, each in the group of its verb, which the host shares between plugins."""
    for verb, command, words in (
        ("import", import_salesforce, "Read metadata of a CRM into the workspace."),
        ("export", export_salesforce, "Write the metadata of the workspace for a CRM."),
        ("wrap", wrap_salesforce, "Write what shows the host's pages inside a CRM."),
    ):
        group = click.Group(verb, help=words)
        group.add_command(command)
        cli.add_command(group)
