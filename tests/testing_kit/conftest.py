"""The kit's fixtures, as a plugin author gets them; ``pytest_plugins`` itself may only stand in a topmost conftest."""

from jumpseat.testing import (
    case as case,
    clock as clock,
    host as host,
    plugin_settings as plugin_settings,
    plugins as plugins,
    recording as recording,
    supporter as supporter,
    workspace as workspace,
)
