"""The kit for plugin authors: a pytest plugin, fakes, and contract suites.

In a plugin's ``tests/conftest.py``::

    pytest_plugins = ["jumpseat.testing"]

    @pytest.fixture
    def plugins():
        return [jumpseat_pager]

gives every test a ``host`` on a temporary workspace with these plugins and nothing else, a ``clock`` to move, a ``case`` with its
contact, a ``supporter``, and ``recording``: a session type, a channel and a CRM in memory that keep what they were asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jumpseat import Host, Record, Supporter
from jumpseat.errors import MetadataInvalid

pytest.register_assert_rewrite("jumpseat.testing.contracts")  # so that a failing contract shows its values

from jumpseat.testing.contracts import RecordSourceContract, SessionTypeContract, ShareChannelContract  # noqa: E402  # after the line above
from jumpseat.testing.fakes import (  # noqa: E402  # as above
    CONTACT,
    NOW,
    FakeClock,
    RecordingChannel,
    RecordingPlugin,
    RecordingSessionType,
    RecordingSource,
    a_message,
    a_picture,
    a_record,
    a_session,
    a_supporter,
    an_open_request,
    lend,
)
from jumpseat.testing.workspace import make_workspace  # noqa: E402  # as above

__all__ = [
    "CONTACT",
    "NOW",
    "FakeClock",
    "RecordSourceContract",
    "RecordingChannel",
    "RecordingPlugin",
    "RecordingSessionType",
    "RecordingSource",
    "SessionTypeContract",
    "ShareChannelContract",
    "a_message",
    "a_picture",
    "a_record",
    "a_session",
    "a_supporter",
    "an_open_request",
    "lend",
    "make_workspace",
]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands at ``NOW`` until it is moved."""
    return FakeClock()


@pytest.fixture
def plugins() -> Sequence[Any]:
    """The plugins under test, as modules or objects; override it."""
    return ()


@pytest.fixture
def plugin_settings() -> Mapping[str, Mapping[str, Any]]:
    """The settings of ``metadata/plugins/NAME.yaml``, by plugin name; override it."""
    return {}


@pytest.fixture
def workspace(tmp_path: Path, plugin_settings: Mapping[str, Mapping[str, Any]]) -> Path:
    """A small workspace: the object Case, the recording CRM, the usual permission sets, a template; add files to it at will."""
    return make_workspace(tmp_path / "workspace", plugin_settings)


@pytest.fixture
def recording() -> RecordingPlugin:
    """A plugin that brings a session type, a channel and a CRM in memory, and keeps every event."""
    return RecordingPlugin()


@pytest.fixture
def host(workspace: Path, clock: FakeClock, recording: RecordingPlugin, plugins: Sequence[Any]) -> Iterator[Host]:
    """A host that knows the plugins under test and the recording one, and looks for no others."""
    try:
        opened = Host.open(workspace, discover=False, plugins=[("recording", recording), *plugins], clock=clock)
    except MetadataInvalid as invalid:
        pytest.fail("\n".join((invalid.message, *invalid.problems)), pytrace=False)
    with opened as host:
        yield host


@pytest.fixture
def case() -> Record:
    """A case of the recording CRM, with its contact."""
    return a_record()


@pytest.fixture
def supporter() -> Supporter:
    """A supporter with every right."""
    return a_supporter()
