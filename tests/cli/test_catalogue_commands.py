"""The commands around metadata: check, objects, schema, explain, init."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jumpseat.catalogue.load import load
from jumpseat.cli import cli
from jumpseat.errors import InvalidValue, JumpseatError, MetadataInvalid, NotFound, ObjectNotSupported, Refused, WorkspaceNotFound

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    run("init", str(folder))
    return folder


def run(*words: str, at: Path | None = None) -> Result:
    """Run one command; what it raises on purpose is raised."""
    result = CliRunner().invoke(cli, [*(("--workspace", str(at)) if at else ()), *words], standalone_mode=False)
    if isinstance(result.exception, JumpseatError):
        raise result.exception
    assert result.exception is None, result.exception
    return result


def code(result: Result) -> int:
    """The exit code, as the command line makes it of what a command returned."""
    return result.return_value if isinstance(result.return_value, int) else 0


def misspell(workspace: Path) -> None:
    file = workspace / "metadata/objects/case.yaml"
    file.write_text(file.read_text().replace("email_template_description", "email_template_desciption"))


MISSPELT = """\
metadata/objects/case.yaml:5:1: error[M102]: unknown key 'email_template_desciption'
  5 | email_template_desciption: teamviewer_Case_template
    | ^^^^^^^^^^^^^^^^^^^^^^^^^
fix: did you mean 'email_template_description'?

1 error
"""


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_finds_nothing_wrong_with_a_new_workspace(workspace: Path) -> None:
    result = run("check", at=workspace)

    assert (code(result), result.stdout) == (0, "no problems\n")


def test_check_prints_every_problem_and_answers_one(workspace: Path) -> None:
    misspell(workspace)
    result = run("check", at=workspace)

    assert (code(result), result.stdout) == (1, MISSPELT)


def test_check_takes_a_workspace_a_folder_or_a_file(workspace: Path) -> None:
    misspell(workspace)

    assert run("check", str(workspace)).stdout == MISSPELT
    assert run("check", str(workspace / "metadata/objects")).stdout == MISSPELT
    assert run("check", str(workspace / "metadata/objects/case.yaml")).stdout == MISSPELT
    assert run("check", str(workspace / "metadata/objects/lead.yaml")).stdout == "no problems\n"
    assert code(run("check", str(workspace / "metadata/objects/lead.yaml"))) == 0


def test_check_of_something_that_is_in_no_workspace_says_so(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceNotFound) as refused:
        run("check", str(tmp_path))
    with pytest.raises(WorkspaceNotFound) as missing:
        run("check", str(tmp_path / "nowhere"))

    assert refused.value.message == f"{tmp_path} is not a workspace and does not lie in one: no folder above it has a metadata/ folder."
    assert missing.value.message == f"{tmp_path / 'nowhere'} does not exist."


@pytest.mark.parametrize("words", [("--json",), ("--format", "json")])
def test_check_as_json(workspace: Path, words: tuple[str, ...]) -> None:
    misspell(workspace)
    result = run("check", *words, at=workspace)

    assert code(result) == 1
    assert [(one["file"], one["line"], one["code"]) for one in json.loads(result.stdout)["problems"]] == [
        ("metadata/objects/case.yaml", 5, "M102")
    ]


def test_check_as_sarif_and_as_annotations(workspace: Path) -> None:
    misspell(workspace)

    assert json.loads(run("check", "--format", "sarif", at=workspace).stdout)["runs"][0]["results"][0]["ruleId"] == "M102"
    assert run("check", "--format", "github", at=workspace).stdout == (
        "::error file=metadata/objects/case.yaml,line=5,col=1,endColumn=26,title=M102%3A unknown key::"
        "unknown key 'email_template_desciption'; fix: did you mean 'email_template_description'?\n"
    )


def test_check_still_checks_when_the_plugins_cannot_be_asked(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a plugin broke")

    monkeypatch.setattr("jumpseat.early.vocabulary_for", broken)
    misspell(workspace)
    result = run("check", at=workspace)

    assert (code(result), result.stdout) == (1, MISSPELT)
    assert result.stderr == "The plugins could not be asked: names that they bring are not checked.\n"


def test_check_knows_what_the_plugins_bring(workspace: Path) -> None:
    file = workspace / "metadata/objects/case.yaml"
    file.write_text(file.read_text() + "session_types: [remote_controll]\nshare_channels: [email, smss]\n")

    assert run("check", at=workspace).stdout == (
        "metadata/objects/case.yaml:7:17: error[M302]: there is no session type 'remote_controll'\n"
        "  7 | session_types: [remote_controll]\n"
        "    |                 ^^^^^^^^^^^^^^^\n"
        "fix: did you mean 'remote_control'?\n\n"
        "metadata/objects/case.yaml:8:25: error[M303]: there is no share channel 'smss'\n"
        "  8 | share_channels: [email, smss]\n"
        "    |                         ^^^^\n"
        "fix: did you mean 'sms'?\n\n"
        "2 errors\n"
    )


def test_a_live_check_asks_the_record_source_for_fields(workspace: Path) -> None:
    assert run("check", "--live", at=workspace).stdout == "no problems\n"
    file = workspace / "metadata/objects/case.yaml"
    file.write_text(file.read_text().replace("CaseNumber", "CaseNumbr"))
    result = run("check", "--live", at=workspace)

    assert code(result) == 1
    assert result.stdout.splitlines()[0] == (
        "metadata/objects/case.yaml:4:13: error[M310]: 'Case' has no field 'CaseNumbr' that the host may read"
    )


def test_a_live_check_of_a_source_that_cannot_be_asked_says_so_once_and_ends_with_not_reachable(workspace: Path) -> None:
    (workspace / "metadata/sources/sandbox.yaml").write_text(
        "name: sandbox\nkind: sandbox\nlabel: Sample CRM\nsettings: {data: nowhere.yaml}\n"
    )
    result = run("check", "--live", "--json", at=workspace)

    (problem,) = json.loads(result.stdout)["problems"]
    assert code(result) == 3
    assert (problem["file"], problem["line"], problem["code"], problem["severity"]) == (
        "metadata/sources/sandbox.yaml",
        1,
        "M315",
        "warning",
    )
    assert problem["cause"].startswith("the record source 'sandbox' could not be asked, so nothing that it has was checked")


def test_a_live_check_of_broken_metadata_says_what_was_not_asked(workspace: Path) -> None:
    misspell(workspace)
    result = run("check", "--live", at=workspace)

    assert (code(result), result.stdout) == (1, MISSPELT)
    assert result.stderr == "The record sources were not asked: mend these problems first.\n"


# --- objects ----------------------------------------------------------------------------------------------------------


def test_objects_are_listed_by_label(workspace: Path) -> None:
    items = json.loads(run("objects", "list", "--json", at=workspace).stdout)["items"]

    assert [one["label"] for one in items] == ["Account", "Case", "Contact", "Lead", "Opportunity", "Service Contract"]
    assert items[1] == {
        "label": "Case",
        "supported_object": "Case",
        "source": "sandbox",
        "enabled": True,
        "file": "metadata/objects/case.yaml",
    }
    assert run("objects", "list", at=workspace).stdout.splitlines()[1].split() == ["Case", "Case", "metadata/objects/case.yaml"]


def test_an_object_is_shown_by_name_or_label(workspace: Path) -> None:
    by_label = json.loads(run("objects", "show", "service contract", "--json", at=workspace).stdout)

    assert by_label == json.loads(run("objects", "show", "Service_Contract__c", "--json", at=workspace).stdout)
    assert by_label["contacts"] == [{"lookup": "Contact__c"}, {"account_primary": "Account__c"}]
    assert "name_field                  CaseNumber" in run("objects", "show", "Case", at=workspace).stdout


def test_an_object_that_is_not_there_is_answered_with_the_nearest(workspace: Path) -> None:
    with pytest.raises(ObjectNotSupported) as near:
        run("objects", "show", "Cas", at=workspace)
    with pytest.raises(ObjectNotSupported) as far:
        run("objects", "show", "Invoice", at=workspace)

    assert near.value.message == "No supported object is called 'Cas'. Did you mean 'Case'?"
    assert far.value.message == "No supported object is called 'Invoice'. 'jumpseat objects list' shows those there are."


def test_objects_of_broken_metadata_are_not_listed(workspace: Path) -> None:
    misspell(workspace)
    with pytest.raises(MetadataInvalid) as refused:
        run("objects", "list", at=workspace)

    assert refused.value.problems == (MISSPELT.removesuffix("\n\n1 error\n"),)


def test_a_new_object_is_the_smallest_file_and_is_right(workspace: Path) -> None:
    result = run("objects", "new", "Warranty__c", at=workspace)

    assert result.stdout == "Wrote metadata/objects/warranty.yaml. A running host takes it within two seconds.\n"
    assert (workspace / "metadata/objects/warranty.yaml").read_text() == (
        "# yaml-language-server: $schema=../schema/supported-object.json\n"
        "label: Warranty\n"
        "supported_object: Warranty__c\n"
        "name_field: Name\n"
        "email_template_description: teamviewer_Warranty__c_template\n"
        "allow_custom_recipient: false\n"
    )
    assert load(workspace).catalogue is not None


def test_a_new_object_takes_the_values_it_is_given(workspace: Path) -> None:
    words = ("--label", "12: on", "--name-field", "Number", "--allow-custom-recipient", "--source", "sandbox")
    run("objects", "new", "NO", *words, at=workspace)
    catalogue = load(workspace).catalogue

    assert catalogue is not None
    one = catalogue.object("NO")
    assert one is not None
    assert (one.label, one.name_field, one.allow_custom_recipient, one.source) == ("12: on", "Number", True, "sandbox")


def test_a_new_object_overwrites_nothing(workspace: Path) -> None:
    file = workspace / "metadata/objects/warranty.yaml"
    file.write_text("# mine\n")
    with pytest.raises(Refused) as there:
        run("objects", "new", "Warranty", at=workspace)
    file.unlink()
    with pytest.raises(Refused) as supported:
        run("objects", "new", "Case", at=workspace)

    assert there.value.message == "metadata/objects/warranty.yaml exists already and is not overwritten. Edit it, or move it away."
    assert supported.value.message == "'Case' is a supported object already, in metadata/objects/case.yaml. Edit that file."


def test_a_new_object_with_an_impossible_name_is_not_written(workspace: Path) -> None:
    before = sorted((workspace / "metadata/objects").iterdir())
    with pytest.raises(InvalidValue) as refused:
        run("objects", "new", "../../evil", at=workspace)

    assert refused.value.message == (
        "The file would not be right: 'supported_object' must be an API name of letters, digits and '_' that begins with a letter, "
        "but is '../../evil'. Write it as the CRM does: 'Case', 'Service_Contract__c'."
    )
    assert sorted((workspace / "metadata/objects").iterdir()) == before


# --- schema, explain, init --------------------------------------------------------------------------------------------


def test_schemas_are_checked_and_written(workspace: Path) -> None:
    assert run("schema", "write", "--check", at=workspace).stdout == "All 8 schemas are up to date.\n"
    (workspace / "metadata/schema/host.json").write_text("{}")
    old = run("schema", "write", "--check", at=workspace)
    written = run("schema", "write", at=workspace)

    assert (code(old), old.stdout) == (1, "metadata/schema/host.json missing or old\n")
    assert (code(written), written.stdout) == (0, "metadata/schema/host.json written\n")
    assert json.loads(run("schema", "write", "--check", "--json", at=workspace).stdout) == {"files": [], "written": False}


def test_a_code_is_explained_with_an_example(workspace: Path) -> None:
    assert run("explain", "m107").stdout == (
        "M107: no value\n\n"
        "The key stands there without a value (or with null or ~). Absent is absent: leave out an optional key, fill in a required one.\n\n"
        "Wrong:\n  source:\n\n"
        "Right:\n  source: sandbox\n"
    )
    assert json.loads(run("explain", "M107", "--json").stdout)["title"] == "no value"


def test_all_codes_are_listed() -> None:
    assert "M102  unknown key" in run("explain").stdout.splitlines()


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFound) as near:
        run("explain", "M1022")
    with pytest.raises(NotFound) as far:
        run("explain", "hello")

    assert near.value.message == "There is no code 'M1022'. Did you mean 'M102'?"
    assert far.value.message == "There is no code 'hello'. 'jumpseat explain' lists all codes."


def test_init_makes_a_workspace_that_equals_what_ships(tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "new"))

    assert result.stdout == f"Made a workspace in {tmp_path / 'new'}. Next: jumpseat --workspace {tmp_path / 'new'} check\n"
    made, ships = load(tmp_path / "new").catalogue, load(ROOT).catalogue
    assert made is not None
    assert ships is not None
    assert made.version == ships.version


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused) as there:
        run("init", str(tmp_path))
    with pytest.raises(Refused) as file:
        run("init", str(tmp_path / "file"))

    assert there.value.message == f"{tmp_path / 'metadata'} exists already and is not overwritten. Name another folder."
    assert file.value.message == f"{tmp_path / 'file'} is not a folder. Name another one."
    assert list((tmp_path / "metadata").iterdir()) == []
