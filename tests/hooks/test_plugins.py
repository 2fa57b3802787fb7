"""Finding plugins, their order, leaving them out, and what they bring."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from jumpseat import REQUIRED, RecordRef, RecordSource, SessionType, Setting, ShareChannel, hookimpl
from jumpseat.errors import InvalidValue, NotFound, PluginError, PluginNotLoaded
from jumpseat.hooks import Plugins, discover
from jumpseat.testing.fakes import RecordingPlugin, RecordingSource, a_message

Load = Callable[..., Plugins]
ROOT = Path(__file__).parents[2]


def names(plugins: Plugins) -> list[str]:
    return [info.name for info in plugins.infos() if info.state == "active"]


def test_the_order_is_first_party_then_distributions_then_dropped_in(workspace: Any, load: Load, installed: Callable[..., Path]) -> None:
    installed("zoo-tools", "animals")
    installed("acme-tools", "zebra")
    workspace.write("aardvark.py", "")

    found = names(load(own=True))

    assert found[-3:] == ["zebra", "animals", "aardvark"]
    assert found[:-3] == sorted(found[:-3])


def test_the_calls_come_in_the_listed_order_and_one_list_overrides_it(workspace: Any, load: Load) -> None:
    for name in ("alpha", "beta", "gamma"):
        workspace.write(
            f"{name}.py",
            f"from jumpseat import Verdict, hookimpl\n@hookimpl\ndef session_type_allowed():\n    return Verdict.allow('{name}')\n",
        )
    question = {"record": None, "session_type": None, "supporter": None}

    plugins = load(order=["gamma", "nobody", "alpha"])

    assert names(plugins) == ["gamma", "alpha", "beta"]
    answers = plugins.dispatch.decide("session_type_allowed", **question)
    assert [answer.value.reason for answer in answers] == ["gamma", "alpha", "beta"]
    assert [str(answer.provenance) for answer in answers][:1] == ["gamma (plugins/gamma.py:3)"]


def test_blocked_plugins_are_not_imported(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "raise SystemExit")

    info = load(blocked=["pager"]).info("pager")

    assert (info.state, info.reason) == ("blocked", "It is listed under blocked_plugins in metadata/host.yaml.")


def test_a_plugin_can_be_left_out_once(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "raise SystemExit")

    assert load(no_plugins=["pager"]).info("pager").reason == "It was left out with --no-plugin."


def test_leaving_out_a_plugin_that_does_not_exist_is_a_mistake(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "")

    with pytest.raises(InvalidValue) as refused:
        load(no_plugins=["pagr"])

    assert refused.value.message == "There is no plugin 'pagr' that could be left out; did you mean 'pager'?"


def test_safe_mode_imports_only_what_is_first_party(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "raise SystemExit")

    plugins = load(own=True, safe_mode=True)

    assert plugins.info("pager").reason == "Safe mode loads the host's own plugins only."
    assert plugins.info("email").state == "active"


def test_nothing_is_discovered_when_that_is_not_wanted(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "")

    assert load(discover=False).infos() == ()


def test_the_repository_as_a_workspace_has_each_of_its_plugins_once() -> None:
    found = discover(ROOT)

    assert [candidate.name for candidate in found if candidate.dropped_in] == []
    assert len({candidate.name for candidate in found}) == len(found) >= 4
    assert all(candidate.refused is None for candidate in found)


def test_a_copy_of_an_installed_package_is_refused_and_the_installed_one_stays(workspace: Any, load: Load) -> None:
    workspace.write("jumpseat_email/__init__.py", "raise SystemExit")

    plugins = load(own=True)

    assert plugins.info("email").state == "active"
    assert plugins.info("jumpseat_email").reason == (
        "The package 'jumpseat_email' is installed already, by the distribution jumpseat 0.1.0. Remove one of the two."
    )


def test_a_dropped_in_folder_imports_its_own_modules_and_leaves_no_trace(workspace: Any, load: Load) -> None:
    workspace.write("jumpseat_pager/__init__.py", "from .words import HELLO as HELLO\n")
    workspace.write("jumpseat_pager/words.py", "HELLO = 'hello'\n")
    before, path = set(sys.modules), list(sys.path)

    plugins = load()
    new = {name for name in set(sys.modules) - before if "jumpseat_pager" in name}

    assert names(plugins) == ["pager"]
    assert all(name.startswith("_jumpseat_dropped_in_") for name in new)
    assert len(new) == 2
    assert sys.path == path
    assert not (workspace.folder / "plugins" / "__pycache__").exists()
    plugins.close()
    assert not new & set(sys.modules)


def test_what_is_no_plugin_is_passed_over(workspace: Any, load: Load) -> None:
    for name in ("README.md", "_private.py", ".hidden.py", "notes/readme.txt"):
        workspace.write(name, "raise SystemExit")

    assert names(load()) == []


def test_an_edited_file_is_read_anew(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "raise ValueError('old')")
    old = load().info("pager").reason
    workspace.write("pager.py", "raise ValueError('new')")

    assert (old[-3:], load().info("pager").reason[-3:]) == ("old", "new")


def test_an_unknown_plugin_is_answered_with_the_near_name(workspace: Any, load: Load) -> None:
    workspace.write("pager.py", "")

    with pytest.raises(NotFound) as missing:
        load().info("pagre")

    assert missing.value.message == "There is no plugin 'pagre'; did you mean 'pager'?"


# --- what plugins bring -----------------------------------------------------------------------------------------------


def test_what_is_brought_is_guarded_and_has_the_contracts_type(load: Load) -> None:
    recording = RecordingPlugin()
    plugins = load(discover=False, extra=[recording])

    channel, session_type = plugins.channels["recording"], plugins.session_types["recording"]

    assert isinstance(channel, ShareChannel)
    assert isinstance(session_type, SessionType)
    assert channel is not recording.channel
    assert (channel.name, channel.address_kind, session_type.abilities.findable) == ("recording", "email", True)
    assert channel.sent is recording.channel.sent  # type: ignore[attr-defined]  # what the contract does not know passes through
    with pytest.raises(AttributeError) as refused:
        channel.label = "Changed"  # type: ignore[misc]  # it is refused at run time too
    assert str(refused.value) == "'label' of 'recording' cannot be set: what a plugin registers is shared and does not change."
    assert repr(channel) == "<ShareChannel 'recording' of the plugin 'recordingplugin'>"


def test_two_hosts_in_one_process_share_nothing(load: Load, workspace: Any) -> None:
    shared = RecordingPlugin()
    one = load(discover=False, extra=[("one", shared)], settings=lambda _: {}, public_url=lambda: "https://one.test/")
    two = load(discover=False, extra=[("two", shared)], public_url=lambda: "https://two.test")

    assert one.channels["recording"].runtime.public_url == "https://one.test"
    assert two.channels["recording"].runtime.public_url == "https://two.test"
    assert one.channels["recording"].http is not two.channels["recording"].http
    assert [info.name for info in one.infos()] == ["one"]
    assert load(discover=False).channels == {}
    two.close()
    assert one.channels["recording"].send(a_message()).reference == "recording-1"


def test_a_dropped_in_file_is_another_module_in_another_host(workspace: Any, load: Load) -> None:
    workspace.write(
        "counter.py", "from jumpseat import hookimpl\nseen = []\n@hookimpl\ndef session_closed(session):\n    seen.append(session)\n"
    )
    one, two = load(), load()

    one.dispatch.notify("session_closed", session=None)

    lists = [
        sys.modules[name].seen for name in sorted(sys.modules) if name.startswith("_jumpseat_dropped_in_") and name.endswith(".counter")
    ]
    assert sorted(map(len, lists)) == [0, 1]
    assert names(two) == ["counter"]


def test_a_source_is_opened_with_its_own_settings(load: Load) -> None:
    plugins = load(discover=False, extra=[("recording", RecordingPlugin())])

    source = plugins.open_source("recording", "crm")

    assert isinstance(source, RecordSource)
    assert source.source == "crm"
    assert source.get(RecordRef("Case", "500000000000001"), ("CaseNumber",)) == {"CaseNumber": "00001001", "Name": "00001001"}
    assert plugins.plugin_of(RecordingSource) == "recording"


def test_an_unknown_kind_of_source_names_those_there_are(load: Load) -> None:
    with pytest.raises(PluginNotLoaded) as refused:
        load(discover=False, extra=[RecordingPlugin()]).open_source("salesforce", "crm")

    assert refused.value.message == (
        "No active plugin brings the kind of record source 'salesforce', which the source 'crm' needs. There are: recording."
    )


def test_a_source_that_cannot_be_made_is_a_failure_of_its_plugin(load: Load) -> None:
    class Broken(RecordingSource):
        def __init__(self) -> None:
            raise ZeroDivisionError

    class Plugin:
        @hookimpl
        def register_record_sources(self) -> list[type[RecordSource]]:
            return [Broken]

    with pytest.raises(PluginError, match=r"The plugin 'broken' failed in recording\.open\."):
        load(discover=False, extra=[("broken", Plugin())]).open_source("recording", "crm")


def test_commands_are_added_but_never_replaced(load: Load) -> None:
    class Plugin:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def register_commands(self, cli: click.Group) -> None:
            cli.add_command(click.Command(self.name))

    plugins = load(discover=False, extra=[("good", Plugin("pages")), ("bad", Plugin("check"))])
    cli = click.Group("jumpseat", {"check": click.Command("check", help="the host's own")})

    plugins.add_commands(cli)

    assert sorted(cli.commands) == ["check", "pages"]
    assert cli.commands["check"].help == "the host's own"
    assert plugins.info("bad").reason == "It brings the command 'check', which exists; none of its commands is used."


def test_routes_are_told_by_plugin_and_a_failure_is_noted(load: Load) -> None:
    class Plugin:
        def __init__(self, *routes: object) -> None:
            self.routes = routes

        @hookimpl
        def register_routes(self, host: Any) -> Any:
            return list(self.routes) if self.routes else 1 // 0

    plugins = load(discover=False, extra=[("good", Plugin("a route")), ("bad", Plugin())])

    assert plugins.routes(None) == {"good": ("a route",)}
    assert plugins.info("bad").reason == "It raised ZeroDivisionError in register_routes: integer division or modulo by zero"


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (
            {"name": "Fax Machine"},
            "the name 'Fax Machine'; a name begins with a small letter and holds small letters, digits and '_', 40 at most",
        ),
        ({"label": " "}, "'fax' without a label"),
        ({"address_kind": "pigeon"}, "'fax' with address_kind as 'pigeon'; one of 'email', 'phone', 'other' is needed"),
        ({"deadline_seconds": 0}, "'fax' with deadline_seconds 0; it must be more than 0"),
        ({"send": ShareChannel.send}, "'fax', which does not implement 'send'"),
        (
            {"settings": (Setting("token", str, default="tok-4711", secret=True),)},
            "'fax' with the setting 'token' that is secret and has a default; "
            "a secret comes from the metadata only, so leave the default out or write REQUIRED",
        ),
        (
            {"settings": (Setting("mode", str, default="c", choices=("a", "b")),)},
            "'fax' with the setting 'mode' whose default is none of its choices 'a', 'b'",
        ),
        ({"settings": "token"}, "'fax' with settings as str; a tuple of Setting is needed"),
    ],
)
def test_a_channel_that_is_badly_declared_is_refused(load: Load, declared: dict[str, Any], reason: str) -> None:
    channel = type("Fax", (ShareChannel,), {"name": "fax", "label": "Fax", "send": lambda self, message: None, **declared})()

    class Plugin:
        @hookimpl
        def register_share_channels(self) -> list[ShareChannel]:
            return [channel]

    info = load(discover=False, extra=[("fax", Plugin())]).info("fax")

    assert info.state == "failed"
    assert reason in info.reason


class _Fax(ShareChannel):
    name, label = "fax", "Fax"
    settings = (Setting("number", str, default=REQUIRED), Setting("token", str, secret=True, default=REQUIRED), Setting("pages", int))

    def send(self, message: Any) -> Any:
        raise NotImplementedError


class _BringsFax:
    @hookimpl
    def register_share_channels(self) -> list[ShareChannel]:
        return [_Fax()]


def test_a_plugin_tells_which_settings_it_still_needs(load: Load) -> None:
    given: dict[str, Any] = {"pages": 1}
    plugins = load(discover=False, extra=[("fax", _BringsFax())], settings=lambda _: given)

    assert plugins.info("fax").state == "active"
    assert plugins.info("fax").reason == "It needs the settings 'number', 'token'; write them in metadata/plugins/fax.yaml."
    given["number"] = "+33140000000"
    assert plugins.info("fax").reason == "It needs the setting 'token'; write it in metadata/plugins/fax.yaml."
    given["token"] = "tok"
    assert plugins.info("fax").reason == ""


def test_the_settings_of_a_channel_stay_known_while_its_name_is_in_dispute(load: Load) -> None:
    plugins = load(discover=False, extra=[("fax", _BringsFax()), ("telefax", _BringsFax())])

    assert not plugins.channels
    assert [setting.name for setting in plugins.settings["fax"]] == ["number", "token", "pages"]
