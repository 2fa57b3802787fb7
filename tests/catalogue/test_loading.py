"""A whole workspace becomes one catalogue, with one version, or a list of everything that is wrong."""

from __future__ import annotations

import dataclasses
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from workspaces import DASHBOARD, GOOD, TEMPLATE, VOCABULARY, small_workspace, write

from jumpseat.catalogue import load as load_module
from jumpseat.catalogue.load import Cache, Loaded, load
from jumpseat.catalogue.rights import all_rights
from jumpseat.secret import Secret
from jumpseat.types import ContactRule, Level

ROOT = Path(__file__).parents[2]
CRM = "name: crm\nkind: salesforce\nlabel: CRM\nsettings:\n  instance_url: https://crm.example\n"


def heads(loaded: Loaded) -> list[str]:
    """The first line of every problem."""
    return [str(problem).split("\n")[0] for problem in loaded.problems]


# --- values -----------------------------------------------------------------------------------------------------------


def test_the_workspace_that_ships_has_no_problems() -> None:
    loaded = load(ROOT)

    assert loaded.problems == ()
    assert loaded.catalogue is not None
    assert [one.supported_object for one in loaded.catalogue.objects] == [
        "Account",
        "Case",
        "Contact",
        "Lead",
        "Opportunity",
        "Service_Contract__c",
    ]
    assert {one.name for one in loaded.catalogue.permission_sets} == {"administrator", "user"}


def test_the_five_keys_of_the_manual_are_enough(workspace: Path) -> None:
    smallest = GOOD.replace("source: sandbox\n", "").replace("Good", "Tiny")
    catalogue = load(write(workspace, {"metadata/objects/tiny.yaml": smallest})).catalogue

    assert catalogue is not None
    tiny = catalogue.object("Tiny__c")
    assert tiny is not None
    assert (tiny.session_types, tiny.contacts, tiny.chat_message, tiny.enabled) == (None, None, True, True)
    assert catalogue.source_of(tiny) == "sandbox"
    assert (tiny.file, tiny.lines["name_field"]) == ("metadata/objects/tiny.yaml", 3)


def test_contact_rules_are_read_in_all_their_forms(workspace: Path) -> None:
    rules = """
contacts:
  - lookup: ContactId
  - self
  - self: true
  - {children: AccountId}
  - {account_primary: AccountId}
  - {account_contacts: AccountId}
  - {roles: OpportunityContactRole}
  - {value: {name: SuppliedName, email: SuppliedEmail, phone: SuppliedPhone}}
"""
    catalogue = load(write(workspace, {"metadata/objects/good.yaml": GOOD + rules})).catalogue

    assert catalogue is not None
    assert catalogue.objects[0].contacts == (
        ContactRule("lookup", "ContactId"),
        ContactRule("self"),
        ContactRule("self"),
        ContactRule("children", "AccountId"),
        ContactRule("account_primary", "AccountId"),
        ContactRule("account_contacts", "AccountId"),
        ContactRule("roles", "OpportunityContactRole"),
        ContactRule("value", fields={"name": "SuppliedName", "email": "SuppliedEmail", "phone": "SuppliedPhone"}),
    )


def test_session_settings_become_durations_and_one_table_of_types(workspace: Path) -> None:
    text = "allow_pilot: false\nallow:\n  browser_screen: false\nvalid_for: 90m\nclose_unjoined_after: 7d\nnotify_on_join: never\n"
    catalogue = load(write(workspace, {"metadata/sessions.yaml": text}), VOCABULARY).catalogue

    assert catalogue is not None
    sessions = catalogue.sessions
    assert sessions.allowed == {"browser_screen": False, "pilot": False}
    assert (sessions.allows("pilot"), sessions.allows("remote_control")) == (False, True)
    assert (sessions.valid_for, sessions.close_unjoined_after) == (timedelta(minutes=90), timedelta(days=7))
    assert sessions.lines["allow.browser_screen"] == 3


def test_every_right_has_a_level_and_what_is_said_of_everything_is_the_least(workspace: Path) -> None:
    text = "name: agents\nlabel: Agents\nrights:\n  everything: own\n  session: {read: all, open: none}\n  history: all\n"
    catalogue = load(write(workspace, {"metadata/permission_sets/agents.yaml": text})).catalogue

    assert catalogue is not None
    levels = catalogue.permission_sets[0].levels
    assert tuple(levels) == all_rights()
    assert (levels["session.read"], levels["session.open"], levels["history.read"]) == (Level.ALL, Level.OWN, Level.ALL)
    assert levels["keys.edit"] is Level.OWN


def test_nobody_has_a_permission_set_that_is_not_assigned(workspace: Path) -> None:
    text = "name: agents\nlabel: Agents\nrights: {}\n"
    catalogue = load(write(workspace, {"metadata/permission_sets/agents.yaml": text})).catalogue

    assert catalogue is not None
    one = catalogue.permission_sets[0]
    assert (one.everyone, one.supporters, one.crm_permissions) == (False, frozenset(), frozenset())
    assert set(one.levels.values()) == {Level.NONE}


def test_host_settings_are_read(workspace: Path) -> None:
    text = (
        "company: Example\nlanguages: [fr]\ndefault_language: fr\npublic_url: https://help.example/\nphone_country: FR\n"
        "plugin_order: [sms]\nblocked_plugins: [gone]\ntrace_retention: 2d\n"
    )
    catalogue = load(write(workspace, {"metadata/host.yaml": text}), VOCABULARY).catalogue

    assert catalogue is not None
    host = catalogue.host
    assert (host.company, host.languages, host.public_url, host.phone_country) == ("Example", ("fr",), "https://help.example", "FR")
    assert (host.plugin_order, host.blocked_plugins, host.trace_retention) == (("sms",), ("gone",), timedelta(days=2))


def test_nothing_in_the_catalogue_can_be_changed(workspace: Path) -> None:
    catalogue: Any = load(workspace).catalogue

    with pytest.raises(dataclasses.FrozenInstanceError):
        catalogue.version = "other"
    with pytest.raises(TypeError):
        catalogue.sources["other"] = None


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_secrets_are_read_from_the_environment_and_from_files(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUMPSEAT_TEST_TOKEN", "hunter2")
    source = f"{CRM}  token: {{env: JUMPSEAT_TEST_TOKEN}}\n  optional: {{file: secrets/one}}\n  timeout: 2.50\n"
    loaded = load(write(workspace, {"metadata/sources/crm.yaml": source, "secrets/one": "hunter3\n"}), VOCABULARY)

    assert loaded.catalogue is not None
    settings = loaded.catalogue.sources["crm"].settings
    assert settings == {
        "instance_url": "https://crm.example",
        "token": Secret("hunter2"),
        "optional": Secret("hunter3"),
        "timeout": 2.5,
    }
    assert "hunter" not in repr(loaded.catalogue)


def test_without_a_vocabulary_references_are_secrets_and_nothing_is_said_of_missing_ones(workspace: Path) -> None:
    plugin = "plugin: pager\nsettings:\n  url: https://pager.example\n  token: {env: JUMPSEAT_TEST_NOT_SET}\n  other: {file: one}\n"
    loaded = load(write(workspace, {"metadata/plugins/pager.yaml": plugin, "one": "hunter2"}))

    assert loaded.problems == ()
    assert loaded.catalogue is not None
    assert loaded.catalogue.plugins["pager"] == {"url": "https://pager.example", "other": Secret("hunter2")}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "the file 'secrets/one' is empty"),
        (b"\n", "the file 'secrets/one' is empty"),
        (b"\xff\xfe", "the file 'secrets/one' cannot be read as UTF-8 text"),
        (b"x" * 70_000, "the file 'secrets/one' is too large to hold a secret"),
    ],
)
def test_a_secret_file_without_a_secret_is_told(workspace: Path, content: bytes, cause: str) -> None:
    source = CRM + "  token: {file: secrets/one}\n"
    loaded = load(write(workspace, {"metadata/sources/crm.yaml": source, "secrets/one": content}), VOCABULARY)

    assert heads(loaded) == [f"metadata/sources/crm.yaml:6:3: error[M111]: {cause}"]


@pytest.mark.parametrize(
    "line",
    [
        "token: hunter2-hunter2",
        "token: [hunter2-hunter2]",
        "token:\n    - hunter2-hunter2",
        "token: {env: hunter2-hunter2}",
        "token: {hunter2-hunter2: x}",
        "token: 'hunter2-hunter2",
        "token: @hunter2-hunter2",
        "token: &hunter2-hunter2 x",
        "token: !hunter2-hunter2",
        "token: hunter2-hunter2: x",
        "token: >\n    hunter2-hunter2",
        "tokn: hunter2-hunter2",
        "optional: 5\n  hunter2-hunter2",
        "instance_url: https://me:hunter2-hunter2@crm.example",
        "headers: {a: [hunter2-hunter2]}",
    ],
)
@pytest.mark.parametrize("vocabulary", [VOCABULARY, None], ids=["with plugins", "without"])
def test_a_secret_that_stands_in_the_metadata_is_never_repeated(workspace: Path, line: str, vocabulary: Any) -> None:
    source = f"name: crm\nkind: salesforce\nlabel: CRM\nsettings:\n  {line}\n"
    loaded = load(write(workspace, {"metadata/sources/crm.yaml": source}), vocabulary)

    shown = "".join(str(problem) + str(problem.as_json()) for problem in loaded.problems)
    assert "hunter2-hunter2" not in shown


# --- files ------------------------------------------------------------------------------------------------------------


FOLDERS = ("objects", "permission_sets", "sources", "plugins", "dashboards")
ELSEWHERE = f"delete it, or move it to one of {', '.join(f'metadata/{folder}/' for folder in FOLDERS)}"


def test_files_that_nothing_reads_are_told(workspace: Path) -> None:
    write(
        workspace,
        {
            "metadata/objects/other.yml": GOOD,
            "metadata/objects/deep/other.yaml": GOOD,
            "metadata/object/other.yaml": GOOD,
            "metadata/session.yaml": "",
            "metadata/notes.txt": "",
            "metadata/README.md": "",
            "metadata/objects/README.md": "",
            "metadata/objects/.hidden.yaml.swp": "",
            "metadata/objects/case.yaml~": "",
            "metadata/schema/host.json": "",
            "metadata/jobs.yaml": "company_report: {}\n",
            "metadata/dashboards/one.yaml": DASHBOARD,
        },
    )
    loaded = load(workspace)

    assert [(problem.file, problem.code, problem.fix) for problem in loaded.problems] == [
        (
            "metadata/notes.txt",
            "M211",
            ELSEWHERE,
        ),
        ("metadata/object", "M211", "did you mean 'metadata/objects/'?"),
        (
            "metadata/objects/deep",
            "M211",
            ELSEWHERE,
        ),
        ("metadata/objects/other.yml", "M211", "rename it to 'other.yaml'"),
        ("metadata/session.yaml", "M211", "did you mean 'metadata/sessions.yaml'?"),
    ]


def test_dashboards_and_jobs_that_are_not_yaml_are_told(workspace: Path) -> None:
    loaded = load(write(workspace, {"metadata/jobs.yaml": "a: [", "metadata/dashboards/one.yaml": ""}))

    assert heads(loaded) == [
        "metadata/dashboards/one.yaml:1:1: error[M210]: the file is empty",
        "metadata/jobs.yaml:1:5: error[M201]: the text ends before the '[' or '{' is closed",
    ]


def test_a_folder_without_metadata_is_no_workspace(tmp_path: Path) -> None:
    assert heads(load(tmp_path)) == ["metadata:1:1: error[M212]: the workspace has no metadata/ folder"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling", "loop"])
def test_what_is_no_readable_file_is_told_and_does_not_hold_the_host(workspace: Path, kind: str) -> None:
    place = workspace / "metadata" / "objects" / "odd.yaml"
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("nowhere" if kind == "dangling" else "odd.yaml")
    loaded = load(workspace)

    assert loaded.catalogue is None
    assert [(problem.file, problem.code) for problem in loaded.problems] in (
        [("metadata/objects/odd.yaml", "M209")],
        [("metadata/objects/odd.yaml", "M211")],
    )


def test_a_linked_metadata_folder_is_read(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "metadata").symlink_to(workspace / "metadata")
    shutil.copytree(workspace / "templates", tmp_path / "other" / "templates")

    catalogue = load(tmp_path / "other").catalogue

    assert catalogue is not None
    assert catalogue.version == version(workspace)


# --- what files say about each other ----------------------------------------------------------------------------------


def test_all_problems_of_all_files_are_found_in_one_run(workspace: Path) -> None:
    broken = GOOD.replace("Good__c", "Bad__c").replace("label", "lable") + "session_types: [remote]\n"
    loaded = load(write(workspace, {"metadata/objects/bad.yaml": broken, "metadata/sessions.yaml": "valid_for: 1\n"}), VOCABULARY)

    assert heads(loaded) == [
        "metadata/objects/bad.yaml:1:1: error[M102]: unknown key 'lable'",
        "metadata/objects/bad.yaml:2:19: error[M309]: the record source 'sandbox' has no object 'Bad__c'",
        "metadata/objects/bad.yaml:7:17: error[M302]: there is no session type 'remote'",
        "metadata/sessions.yaml:1:12: error[M105]: 'valid_for' must be a duration, but is 1",
    ]


def test_a_broken_source_is_not_also_reported_as_missing(workspace: Path) -> None:
    loaded = load(write(workspace, {"metadata/sources/sandbox.yaml": "name: sandbox\n"}), VOCABULARY)

    assert {problem.code for problem in loaded.problems} == {"M101"}


def test_two_files_with_one_name_are_told_in_the_second(workspace: Path) -> None:
    source = (workspace / "metadata/sources/sandbox.yaml").read_text()
    rights = "name: agents\nlabel: Agents\nrights: {}\n"
    write(
        workspace,
        {
            "metadata/objects/zood.yaml": GOOD,
            "metadata/sources/zandbox.yaml": source,
            "metadata/permission_sets/a.yaml": rights,
            "metadata/permission_sets/b.yaml": rights,
            "metadata/plugins/a.yaml": "plugin: sms\nsettings: {}\n",
            "metadata/plugins/b.yaml": "plugin: sms\nsettings: {}\n",
        },
    )

    assert heads(load(workspace)) == [
        "metadata/objects/zood.yaml:2:19: error[M301]: "
        "the supported object 'Good__c' of record source 'sandbox' stands in metadata/objects/good.yaml already",
        "metadata/permission_sets/b.yaml:1:7: error[M301]: the permission set 'agents' stands in metadata/permission_sets/a.yaml already",
        "metadata/plugins/b.yaml:1:9: error[M301]: the plugin 'sms' stands in metadata/plugins/a.yaml already",
        "metadata/sources/zandbox.yaml:1:7: error[M301]: the record source 'sandbox' stands in metadata/sources/sandbox.yaml already",
    ]


def test_one_object_may_stand_in_two_sources(workspace: Path) -> None:
    other = "name: other\nkind: sandbox\nlabel: Other\n"
    there = GOOD.replace("source: sandbox", "source: other")
    loaded = load(write(workspace, {"metadata/sources/other.yaml": other, "metadata/objects/there.yaml": there}), VOCABULARY)

    assert loaded.problems == ()
    assert loaded.catalogue is not None
    assert {loaded.catalogue.source_of(one) for one in loaded.catalogue.objects} == {"sandbox", "other"}


def test_a_disabled_object_is_kept_and_not_checked_against_others(workspace: Path) -> None:
    loaded = load(write(workspace, {"metadata/objects/off.yaml": GOOD + "enabled: false\nsession_types: [gone]\n"}), VOCABULARY)

    assert loaded.problems == ()
    assert loaded.catalogue is not None
    assert [one.enabled for one in loaded.catalogue.objects] == [True, False]


def test_names_of_plugins_that_are_left_out_are_only_warned_of(workspace: Path) -> None:
    write(
        workspace, {"metadata/objects/good.yaml": GOOD + "session_types: [meshcentral]\n", "metadata/host.yaml": "required_plugins: [x]\n"}
    )
    loaded = load(workspace, dataclasses.replace(VOCABULARY, complete=False))

    assert loaded.catalogue is not None
    assert [(problem.code, problem.severity) for problem in loaded.problems] == [("M306", "warning"), ("M302", "warning")]


def test_templates_of_a_channel_that_is_left_out_do_not_hold_the_host(workspace: Path) -> None:
    write(workspace, {"templates/pager/default.en.txt": "---\nname: default\n---\n{{ session.customer_link }}\n"})
    left_out = load(workspace, dataclasses.replace(VOCABULARY, complete=False))

    assert left_out.catalogue is not None
    assert heads(left_out) == ["templates/pager:1:1: warning[M303]: there is no share channel 'pager' that the folder could belong to"]
    assert load(workspace, VOCABULARY).catalogue is None


def test_the_fix_for_a_missing_key_keeps_its_capitals(workspace: Path) -> None:
    write(workspace, {"metadata/objects/good.yaml": GOOD.replace("supported_object: ", "# ")})

    assert [problem.fix for problem in load(workspace, VOCABULARY).problems if problem.code == "M101"] == [
        "add 'supported_object: …' (API or logical name of the object in the CRM)"
    ]


def test_settings_of_a_blocked_plugin_are_not_missed(workspace: Path) -> None:
    write(
        workspace, {"metadata/plugins/pager.yaml": "plugin: pager\nsettings: {a: 1}\n", "metadata/host.yaml": "blocked_plugins: [pager]\n"}
    )

    assert load(workspace, VOCABULARY).problems == ()


# --- version and cache ------------------------------------------------------------------------------------------------


def version(workspace: Path) -> str:
    catalogue = load(workspace).catalogue
    assert catalogue is not None
    return catalogue.version


def test_the_version_does_not_depend_on_folder_order_or_time(workspace: Path, tmp_path: Path) -> None:
    files = {path.relative_to(workspace).as_posix(): path.read_bytes() for path in workspace.rglob("*") if path.is_file()}
    again = write(tmp_path / "elsewhere", dict(sorted(files.items(), reverse=True)))
    os.utime(again / "metadata/objects/good.yaml", (1, 1))

    assert version(again) == version(workspace)


@pytest.mark.parametrize(
    "path", ["metadata/objects/good.yaml", "metadata/sources/sandbox.yaml", "metadata/jobs.yaml", "templates/email/case.en.txt"]
)
def test_the_version_changes_with_every_file(workspace: Path, path: str) -> None:
    before = version(workspace)
    file = workspace / path
    file.write_text((file.read_text() if file.exists() else "retention: {}\n") + "# changed\n")

    assert version(workspace) != before


def test_readme_and_schema_do_not_change_the_version(workspace: Path) -> None:
    before = version(workspace)

    assert version(write(workspace, {"metadata/README.md": "x", "metadata/schema/host.json": "{}", "templates/README.md": "y"})) == before


edits = st.lists(
    st.tuples(st.sampled_from(["good", "two", "three"]), st.sampled_from([GOOD, GOOD.replace("Good", "Two"), "label: [", "", None])),
    max_size=8,
)


@given(edits)
def test_a_load_with_a_cache_answers_what_one_without_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str | None]]
) -> None:
    workspace = small_workspace(tmp_path_factory.mktemp("w"))
    cache = Cache()
    for name, text in steps:
        file = workspace / "metadata" / "objects" / f"{name}.yaml"
        if text is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(text)

        assert load(workspace, VOCABULARY, cache=cache) == load(workspace, VOCABULARY)


def test_a_file_that_did_not_change_is_not_read_again(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache()
    load(workspace, cache=cache)
    read: list[str] = []
    real = load_module.read_yaml
    monkeypatch.setattr(load_module, "read_yaml", lambda data, file, **options: (read.append(file), real(data, file, **options))[1])

    load(write(workspace, {"metadata/sessions.yaml": "valid_for: 1h\n"}), cache=cache)

    assert read == ["metadata/sessions.yaml"]


def test_the_shipped_template_of_the_test_workspace_is_read(workspace: Path) -> None:
    catalogue = load(workspace).catalogue

    assert catalogue is not None
    assert [(one.name, one.channel, one.language) for one in catalogue.templates] == [("case", "email", "en")]
    assert TEMPLATE.endswith(catalogue.templates[0].body)


def test_a_file_that_did_not_change_is_not_read_again_and_one_that_did_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jumpseat.catalogue import files, load as loading

    objects = tmp_path / "metadata" / "objects"
    objects.mkdir(parents=True)
    text = "label: {0}\nsupported_object: {0}\nname_field: Name\nemail_template_description: x\nallow_custom_recipient: false\n"
    for name in ("One", "Two"):
        (objects / f"{name}.yaml").write_text(text.format(name))
    later = files.SETTLED_NS + 10**9
    monkeypatch.setattr(loading.time, "time_ns", lambda clock=loading.time.time_ns: clock() + later)
    read: list[str] = []
    monkeypatch.setattr(loading, "read", lambda workspace, path: read.append(path) or files.read(workspace, path))
    cache = Cache()

    load(tmp_path, cache=cache)
    (objects / "Two.yaml").write_text(text.format("New"))
    loaded = load(tmp_path, cache=cache)

    assert read == ["metadata/objects/One.yaml", "metadata/objects/Two.yaml", "metadata/objects/Two.yaml"]
    assert loaded.catalogue is not None
    assert [item.label for item in loaded.catalogue.objects] == ["New", "One"]


def test_a_file_that_is_younger_than_a_file_systems_clock_is_always_read() -> None:
    from jumpseat.catalogue.files import SETTLED_NS, is_settled

    now = 10 * SETTLED_NS
    old, young = now - SETTLED_NS - 1, now - SETTLED_NS

    assert is_settled((old, old, 1, 1, 1), now)
    assert not is_settled((old, young, 1, 1, 1), now)
    assert not is_settled((young, old, 1, 1, 1), now)
    assert not is_settled((), now)
