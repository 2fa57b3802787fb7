"""The solution that shows the host's pages in Dynamics: complete, well-formed, consistent in itself, and without a secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
import tree_sitter_c_sharp
import tree_sitter_javascript
from click.testing import CliRunner
from tree_sitter import Language, Parser

from jumpseat import InvalidValue, Refused, WrapFacts
from jumpseat.catalogue.schemas import SCHEMAS
from jumpseat.cli import cli
from jumpseat.web.records.components import COMPONENTS
from jumpseat_dynamics.metadata_rows import LONGEST_MORE, OBJECTS_FILE, export_rows
from jumpseat_dynamics.wrapper.wrapping import solution, wrap

FACTS = WrapFacts("https://support.example.com/jumpseat", "crm", (("incident", "Case & <more>"), ("new_machine", "Machine")))


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return solution(FACTS)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for path, text in {
        "metadata/host.yaml": "public_url: https://support.example.com\n",
        "metadata/sources/crm.yaml": (
            "name: crm\nkind: dynamics\nlabel: CRM\n"
            "settings: {url: 'https://org.crm.dynamics.com', tenant: t, client_id: c, client_secret: {file: secret}}\n"
        ),
        "metadata/objects/case.yaml": (
            "label: Case\nsupported_object: incident\nname_field: title\nemail_template_description: t\nallow_custom_recipient: false\n"
        ),
        "secret": "do-not-show-me-0123456789",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_every_xml_file_is_well_formed(files: dict[str, str]) -> None:
    assert len([fromstring(text.encode()) for path, text in files.items() if path.endswith((".xml", ".csproj"))]) > 15


def test_every_placeholder_is_filled(files: dict[str, str]) -> None:
    assert [path for path, text in files.items() if re.search(r"\{\{|\{%|\{#|__(entity|api|variable)__", path + text)] == []


def test_the_manifest_lists_every_web_resource_and_table(files: dict[str, str]) -> None:
    manifest = fromstring(files["solution/Other/Solution.xml"].encode())
    listed = {one.get("schemaName") for one in manifest.iter("RootComponent")}
    there = {path.removeprefix("solution/WebResources/") for path in files if "WebResources/" in path and not path.endswith(".data.xml")}

    assert there <= listed
    assert {"incident", "new_machine", "jmp_JumpseatUrl", "jmp_JumpseatKey"} <= listed
    assert all(f"solution/WebResources/{one}.data.xml" in files for one in there)


def test_the_table_of_supported_objects_has_a_column_for_everything_that_an_export_writes(
    files: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    (workspace / "metadata/objects/case.yaml").write_text(
        "label: Case\nsupported_object: incident\nname_field: title\nemail_template_description: t\nallow_custom_recipient: true\n"
        "template_fields: [prioritycode]\n"
    )
    export_rows(workspace, tmp_path / "rows")
    (row,) = json.loads((tmp_path / "rows" / OBJECTS_FILE).read_text())["value"]
    entity = fromstring(files["solution/Entities/jmp_supportedobject/Entity.xml"].encode()).find("EntityInfo/entity")
    assert entity is not None
    types = {str(one.findtext("LogicalName")): one.findtext("Type") for one in entity.iter("attribute")}

    assert set(row) == {*types, "statecode"}  # which every table has by itself
    assert [name for name, value in row.items() if isinstance(value, bool)] == [name for name, type in types.items() if type == "bit"]
    assert types["jmp_supportedobjectid"] == "primarykey"
    assert entity.findtext("EntitySetName") == Path(OBJECTS_FILE).stem
    assert [one.get("PhysicalName") for one in entity.iter("attribute") if "PrimaryName" in str(one.findtext("DisplayMask"))] == [
        "jmp_name"
    ]


def test_no_column_is_shorter_than_what_metadata_may_say(files: dict[str, str]) -> None:
    entity = fromstring(files["solution/Entities/jmp_supportedobject/Entity.xml"].encode())
    lengths = {one.get("PhysicalName"): int(one.findtext("MaxLength") or 0) for one in entity.iter("attribute")}
    keys = {"jmp_name": "label", "jmp_namefield": "name_field", "jmp_emailtemplatedescription": "email_template_description"}

    for column, key in {**keys, "jmp_supportedobject": "supported_object"}.items():
        assert lengths[column] >= SCHEMAS["supported-object"]["properties"][key]["maxLength"]
    assert lengths["jmp_morekeys"] == LONGEST_MORE


def test_the_manifest_brings_the_table_of_supported_objects_whole_and_others_as_they_are(files: dict[str, str]) -> None:
    manifest = fromstring(files["solution/Other/Solution.xml"].encode())

    tables = {one.get("schemaName"): one.get("behavior") for one in manifest.iter("RootComponent") if one.get("type") == "1"}
    assert tables == {"incident": "2", "new_machine": "2", "jmp_supportedobject": "0"}


def test_each_table_that_stays_as_it_is_has_a_place_for_its_buttons_when_the_solution_is_packed(files: dict[str, str]) -> None:
    ribbons = [path for path in files if path.endswith("/RibbonDiff.xml")]

    assert len(ribbons) == len(FACTS.objects)
    for path in ribbons:
        table = fromstring(files[path.replace("RibbonDiff", "Entity")].encode())
        columns = table.find("EntityInfo/entity[@unmodified='1']/attributes")
        assert table.find(fromstring(files[path].encode()).tag) is not None
        assert columns is not None
        assert len(columns) == 0


def test_tables_and_web_resources_are_named_in_the_customizations_so_that_they_are_packed(files: dict[str, str]) -> None:
    folders = {path.split("/")[1] for path in files if path.startswith("solution/")} - {"Other"}
    named = {one.tag for one in fromstring(files["solution/Other/Customizations.xml"].encode())}

    assert {one for one in folders if not one.islower()} == {"Entities", "WebResources"}  # newer kinds, in small letters, need no name
    assert folders & named == {"Entities", "WebResources"}


def test_every_part_of_a_custom_api_has_the_texts_that_the_platform_requires(files: dict[str, str]) -> None:
    parts = [fromstring(text.encode()) for path, text in files.items() if "/customapis/" in path]

    assert len(parts) == 2 * (1 + 2 + 1)
    for part in parts:
        assert part.findtext("name")
        for text in ("displayname", "description"):
            assert part.find(f"{text}[@default]/label[@description]") is not None, part.get("uniquename")


def test_each_button_has_a_command_with_a_rule_that_asks_the_host(files: dict[str, str]) -> None:
    ribbon = fromstring(files["solution/Entities/incident/RibbonDiff.xml"].encode())
    commands = {one.get("Id"): one for one in ribbon.iter("CommandDefinition")}
    rules = {one.get("Id"): one for one in ribbon.findall("RuleDefinitions/EnableRules/EnableRule")}
    script = files["solution/WebResources/jmp_jumpseat/jumpseat.js"]

    buttons = list(ribbon.iter("Button"))
    assert [str(one.get("Id")).rpartition(".")[2] for one in buttons] == ["new", "join", "share", "close"]
    for button in buttons:
        asked = [one.get("Id") for one in commands[button.get("Command")].findall("EnableRules/EnableRule")]
        custom = rules[asked[0]].find("CustomRule")
        assert custom is not None
        assert (custom.get("FunctionName"), custom.get("Default")) == ("Jumpseat.can", "false")
        assert custom.get("Library") == "$webresource:jmp_jumpseat/jumpseat.js"
    assert "return { can: can, open: open };" in script


def test_a_frame_asks_for_its_component_and_hears_the_hosts_origin_alone(files: dict[str, str]) -> None:
    frame, calls = (files[f"solution/WebResources/jmp_jumpseat/{name}.js"] for name in ("frame", "jumpseat"))
    asked = dict(re.findall(r"^    \"?([\w-]+)\"?: \"(\w+)", frame, re.MULTILINE))

    assert {asked[one] for one in ("session", "history", "connections", "connections-mobile", "notification")} <= set(COMPONENTS)
    assert {"new", "join", "share", "close"} <= set(asked)
    assert 'frame.src = address + "&show="' in frame
    assert "event.origin !== JumpseatCalls.ORIGIN" in frame
    assert 'var ORIGIN = "https://support.example.com";' in calls


def test_scripts_and_the_plug_in_can_be_parsed(files: dict[str, str]) -> None:
    for ending, grammar in ((".js", tree_sitter_javascript), (".cs", tree_sitter_c_sharp)):
        parser = Parser(Language(grammar.language()))
        texts = {path: text for path, text in files.items() if path.endswith(ending)}
        assert texts
        for path, text in texts.items():
            assert not parser.parse(text.encode()).root_node.has_error, path


def test_the_names_that_scripts_plug_in_and_solution_share_are_the_same(files: dict[str, str]) -> None:
    plug_in, script = files["plugin/JumpseatCall.cs"], files["solution/WebResources/jmp_jumpseat/jumpseat.js"]

    for name, answer in (("jmp_JumpseatLaunch", "Url"), ("jmp_JumpseatActions", "Actions")):
        parameters = [path.split("/")[-2] for path in files if f"{name}/customapirequestparameters/" in path]
        assert parameters == ["RecordId", "RecordObject"]
        assert f"solution/customapis/{name}/customapiresponseproperties/{answer}/customapiresponseproperty.xml" in files
        assert f'"{name}"' in script
        assert f'OutputParameters["{answer}"]' in plug_in
    assert all(f'"{one}"' in plug_in for one in ("RecordObject", "RecordId", "jmp_JumpseatUrl", "jmp_JumpseatKey"))


def test_the_key_is_a_pointer_to_a_vault_and_no_script_of_the_browser_knows_it(files: dict[str, str]) -> None:
    key = fromstring(files["solution/environmentvariabledefinitions/jmp_JumpseatKey/environmentvariabledefinition.xml"].encode())

    assert (key.findtext("type"), key.findtext("secretstore"), key.find("defaultvalue")) == ("100000005", "0", None)
    assert not any("jmp_JumpseatKey" in text or "Authorization" in text for path, text in files.items() if path.endswith((".js", ".html")))


def test_no_file_holds_a_secret(workspace: Path, tmp_path: Path) -> None:
    for path in wrap(workspace, tmp_path / "out").written.created:
        text = (tmp_path / "out" / path).read_text()
        assert "do-not-show-me" not in text
        assert not re.search(r"Bearer [A-Za-z0-9]|jsk_\w|(?i:client_secret|password)", text), path


def test_the_same_workspace_gives_the_same_bytes_and_nothing_is_overwritten_unasked(workspace: Path, tmp_path: Path) -> None:
    first = wrap(workspace, tmp_path / "out")
    second = wrap(workspace, tmp_path / "out")
    (tmp_path / "out" / "README.md").write_text("mine")

    assert second.written.unchanged == first.written.created
    with pytest.raises(Refused, match=r"^There already, and different: README\.md\."):
        wrap(workspace, tmp_path / "out")
    assert wrap(workspace, tmp_path / "out", replace=True).written.replaced == ("README.md",)


def test_a_name_that_is_no_logical_name_is_refused() -> None:
    with pytest.raises(InvalidValue) as refused:
        solution(WrapFacts("https://support.example.com", "crm", (("Case", "Case"),)))
    assert str(refused.value) == "'Case' is not the logical name of a table: those are in small letters, such as 'incident'."


def test_the_command_answers(workspace: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["--workspace", str(workspace), "wrap", "dynamics", str(tmp_path / "out")])

    assert run.stdout.split("\n")[0] == "created    README.md"
