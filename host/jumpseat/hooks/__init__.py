"""Plugins: finding, checking and registering them, calling them, and writing down what they did.

The rest of the host uses the names below; the modules are this room's own.
"""

from jumpseat.hooks.discovery import Candidate, discover
from jumpseat.hooks.dispatch import Answer, Dispatch, Implementation
from jumpseat.hooks.guarding import guard
from jumpseat.hooks.plugins import PluginInfo, Plugins, PluginState
from jumpseat.hooks.trace import (
    Trace,
    TraceLevel,
    TraceOutcome,
    TraceRow,
    TraceSetting,
    TraceSink,
    correlated,
    correlation_id,
    current_correlation_id,
    new_correlation_id,
)
from jumpseat.hooks.values import freeze

__all__ = [
    "Answer",
    "Candidate",
    "Dispatch",
    "Implementation",
    "PluginInfo",
    "PluginState",
    "Plugins",
    "Trace",
    "TraceLevel",
    "TraceOutcome",
    "TraceRow",
    "TraceSetting",
    "TraceSink",
    "correlated",
    "correlation_id",
    "current_correlation_id",
    "discover",
    "freeze",
    "guard",
    "new_correlation_id",
]
