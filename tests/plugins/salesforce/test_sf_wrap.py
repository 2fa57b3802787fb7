"""The project that shows the host's pages in Salesforce: complete, well-formed, by the platform's rules, and without a secret."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
import tree_sitter_javascript
from click.testing import CliRunner
from tree_sitter import Language, Parser

from jumpseat import InvalidValue, Refused, WrapFacts
from jumpseat.cli import cli
from jumpseat.web.records.components import COMPONENTS
from jumpseat.web.workspace.components import COMPONENTS as BESIDE
from jumpseat_salesforce.wrapper.wrapping import project, wrap

FACTS = WrapFacts(
    "https://support.example.com/jumpseat",
    "org",
    (("Case", "Case"), ("Long_" * 7 + "A__c", "A"), ("Long_" * 7 + "B__c", "Sec & <ond>")),
)
PACKAGE = "force-app/main/default/"
METADATA = "{http://soap.sforce.com/2006/04/metadata}"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return project(FACTS)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for path, text in {
        "metadata/host.yaml": "public_url: https://support.example.com\n",
        "metadata/sources/org.yaml": (
            "name: org\nkind: salesforce\nlabel: Org\nlaunch_secret: {file: secret}\n"
            "settings: {url: 'https://example.my.salesforce.com', client_id: consumer, client_secret: {file: secret}}\n"
        ),
        "metadata/objects/case.yaml": (
            "label: Case\nsupported_object: Case\nname_field: CaseNumber\nemail_template_description: t\nallow_custom_recipient: false\n"
        ),
        "secret": "do-not-show-me-0123456789-0123456789",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_every_xml_file_is_well_formed_and_of_the_metadata_api(files: dict[str, str]) -> None:
    roots = {path: fromstring(text) for path, text in files.items() if path.endswith(".xml")}

    assert len(roots) > 20
    assert all(root.tag.startswith(METADATA) for root in roots.values())
    versions = {root.findtext(f"{METADATA}apiVersion") for root in roots.values()} - {None}
    assert versions == {"67.0"}


def test_every_placeholder_is_filled(files: dict[str, str]) -> None:
    assert [path for path, text in files.items() if re.search(r"\{\{|\{%|\{#|__(page|role)__", path + text)] == []


def test_values_are_escaped_where_they_stand(files: dict[str, str]) -> None:
    assert "Sec & <ond>" in files["README.md"]
    assert not any("<ond>" in text for path, text in files.items() if path != "README.md")


def test_classes_pages_and_components_have_names_that_the_platform_takes(files: dict[str, str]) -> None:
    classes = [re.fullmatch(r".*/classes/(\w+)\.cls", path) for path in files]
    pages = [re.fullmatch(r".*/pages/(\w+)\.page", path) for path in files]
    names = [found[1] for found in (*classes, *pages) if found]

    assert len({name.casefold() for name in names}) == len(names) == 2 + 3 * len(FACTS.objects)
    assert all(re.fullmatch(r"[A-Za-z](?:_?[A-Za-z0-9])*", name) and len(name) <= 40 for name in names)
    for found in filter(None, classes):
        assert re.search(rf"\bclass {found[1]}\b", files[found.string])
    assert all(f"{path}-meta.xml" in files for path in files if path.endswith((".cls", ".page")))


def test_each_component_has_its_three_files_and_the_manuals_five_places(files: dict[str, str]) -> None:
    bundles = {path.split("/")[4] for path in files if path.startswith(f"{PACKAGE}lwc/")}

    assert bundles == {"jumpseatFrame", "jumpseatSession", "jumpseatSessionHistory", "jumpseatConnectionReport", "jumpseatNotification"}
    for name in bundles:
        stem = f"{PACKAGE}lwc/{name}/{name}"
        assert f"export default class {name[0].upper()}{name[1:]} extends LightningElement" in files[f"{stem}.js"]
        assert files[f"{stem}.html"].startswith("<template>")
        assert f"{stem}.js-meta.xml" in files
    report = fromstring(files[f"{PACKAGE}lwc/jumpseatConnectionReport/jumpseatConnectionReport.js-meta.xml"])
    assert {one.get("datasource") for one in report.iter(f"{METADATA}property")} == {None, "Desktop,Mobile"}
    note = fromstring(files[f"{PACKAGE}lwc/jumpseatNotification/jumpseatNotification.js-meta.xml"])
    assert note.findtext(f"{METADATA}targets/{METADATA}target") == "lightning__UtilityBar"


def test_properties_of_a_component_that_builders_see_are_public_in_its_class(files: dict[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".js-meta.xml"):
            script = files[path.removesuffix("-meta.xml")]
            for one in fromstring(text).iter(f"{METADATA}property"):
                assert re.search(rf"@api {one.get('name')}\b", script), f"{path}: {one.get('name')}"


def test_each_frame_asks_for_its_component_and_hears_the_hosts_origin_alone(files: dict[str, str]) -> None:
    frame = files[f"{PACKAGE}lwc/jumpseatFrame/jumpseatFrame.js"]
    views = {
        one for path, text in files.items() if "/lwc/" in path for one in re.findall(r"view=\"(\w+)\"|return '(\w+)';", text) for one in one
    }
    shown = {re.search(r"&amp;show=(\w+)\"", text)[1] for path, text in files.items() if path.endswith(".page")}  # type: ignore[index]

    assert views - {""} == {"session", "history", "notification"}
    assert shown == {"session", "history", "connections"}
    assert {*views, *shown} - {""} <= set(COMPONENTS) | set(BESIDE)
    assert "`${address}&show=" in frame
    heard = [text for path, text in files.items() if "addEventListener" in text]
    assert len(heard) == 1 + 3 * len(FACTS.objects)
    for text in heard:
        assert "https://support.example.com" in text
        assert re.search(r"event\.origin !== (ORIGIN|\"https://support\.example\.com\") ", text)
        assert re.search(r"event\.source !== frame\.contentWindow", text)


def test_scripts_can_be_parsed(files: dict[str, str]) -> None:
    parser = Parser(Language(tree_sitter_javascript.language()))
    scripts = {path: text for path, text in files.items() if path.endswith(".js")}
    assert scripts
    for path, text in scripts.items():
        assert not parser.parse(text.encode()).root_node.has_error, path


def test_braces_of_classes_are_balanced_outside_of_texts(files: dict[str, str]) -> None:
    for path, text in files.items():
        if path.endswith(".cls"):
            bare = re.sub(r"'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
            assert all(bare.count(one) == bare.count(other) for one, other in ("{}", "()", "[]")), path


def test_only_the_host_may_be_framed_and_called(files: dict[str, str]) -> None:
    site = fromstring(files[f"{PACKAGE}cspTrustedSites/Jumpseat.cspTrustedSite-meta.xml"])
    allowed = {one.tag.removeprefix(METADATA) for one in site if one.text == "true" and "Applicable" in one.tag}

    assert site.findtext(f"{METADATA}endpointUrl") == "https://support.example.com"
    assert allowed == {"isApplicableToFrameSrc"}
    named = fromstring(files[f"{PACKAGE}namedCredentials/Jumpseat.namedCredential-meta.xml"])
    assert "https://support.example.com/jumpseat" in {one.text for one in named.iter(f"{METADATA}parameterValue")}


def test_the_header_with_the_key_is_a_formula_that_the_named_credential_works_out(files: dict[str, str]) -> None:
    outside = fromstring(files[f"{PACKAGE}externalCredentials/Jumpseat.externalCredential-meta.xml"])
    named = fromstring(files[f"{PACKAGE}namedCredentials/Jumpseat.namedCredential-meta.xml"])

    assert "{!'Bearer ' & $Credential.Jumpseat.ApiKey}" in {one.text for one in outside.iter(f"{METADATA}parameterValue")}
    assert named.findtext(f"{METADATA}allowMergeFieldsInHeader") == "true"
    assert named.findtext(f"{METADATA}generateAuthorizationHeader") == "false"


def test_no_shell_reads_the_stars_of_the_command_that_uninstalls(files: dict[str, str]) -> None:
    (command,) = re.findall(r"`(sf project delete .*)`", files["README.md"])

    assert "'LightningComponentBundle:jumpseat*'" in command
    assert "*" not in re.sub(r"'[^']*'", "", command)


def test_no_file_holds_a_secret(workspace: Path, tmp_path: Path) -> None:
    done = wrap(workspace, tmp_path / "out")

    for path in done.written.created:
        text = (tmp_path / "out" / path).read_text()
        assert "do-not-show-me" not in text
        assert not re.search(r"Bearer [A-Za-z0-9]|jsk_\w|(?i:client_secret|password)", text), path


def test_the_same_workspace_gives_the_same_bytes_and_nothing_is_overwritten_unasked(workspace: Path, tmp_path: Path) -> None:
    first = wrap(workspace, tmp_path / "out")
    second = wrap(workspace, tmp_path / "out")
    readme = tmp_path / "out" / "README.md"
    readme.write_text("mine")

    assert second.written.unchanged == first.written.created
    with pytest.raises(Refused, match=r"^There already, and different: README\.md\."):
        wrap(workspace, tmp_path / "out")
    assert readme.read_text() == "mine"
    assert wrap(workspace, tmp_path / "out", replace=True).written.replaced == ("README.md",)


@pytest.mark.parametrize("address", ["http://support.example.com", "https://user@support.example.com", "https://x.example/';alert(1)"])
def test_an_address_that_cannot_be_framed_is_refused(workspace: Path, tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        wrap(workspace, tmp_path / "out", public_url=address)

    assert str(refused.value) == (
        f"{address} cannot be shown in a frame of a CRM: only https addresses can. "
        "Set public_url in metadata/host.yaml, or name it with --public-url."
    )


def test_the_command_names_a_source_that_is_not_there(workspace: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke(cli, ["--workspace", str(workspace), "wrap", "salesforce", str(tmp_path / "out"), "--source", "other"])

    assert str(run.exception) == "There is no record source 'other'. There are org."
    assert not (tmp_path / "out").exists()
