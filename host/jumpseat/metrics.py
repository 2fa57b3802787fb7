"""What is counted and measured in this process, in Prometheus's words; ``GET /metrics`` shows it.

No label names a person, an address, a record or a link: their values are names of routes, plugins, channels, jobs and states. What the
database knows (queues, sessions, processes) is read from it at each look, see ``FROM_STORE``, so that every process tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import GC_COLLECTOR, CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.metrics import MetricWrapperBase

REGISTRY = CollectorRegistry()
"""All of the host's own metrics; labels never name a person, a record or a link."""

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
REGISTRY.register(GC_COLLECTOR)

_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PLUGIN_SECONDS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

CALLS = Counter("jumpseat_http_calls", "Calls of the HTTP API.", ("method", "route", "status"), registry=REGISTRY)
CALL_SECONDS = Histogram(
    "jumpseat_http_call_seconds",
    "From the first byte of a call to the last byte of its answer.",
    ("method", "route"),
    registry=REGISTRY,
    buckets=_CALL_SECONDS,
)
LISTENERS = Gauge("jumpseat_listeners", "Callers that listen to live events now.", registry=REGISTRY)
SOCKETS = Gauge("jumpseat_sockets", "Websockets of plugins that are open now.", ("plugin",), registry=REGISTRY)
SHARES = Counter("jumpseat_shares", "Shares that came to an outcome here.", ("channel", "outcome"), registry=REGISTRY)
SHARE_TRIES = Counter("jumpseat_share_tries", "Messages that were handed to a share channel.", ("channel",), registry=REGISTRY)
CHANNEL_RESTING = Gauge(
    "jumpseat_channel_resting",
    "1 while a share channel is left alone after failures and until one share got through, else 0.",
    ("channel",),
    registry=REGISTRY,
)
PLUGIN_CALLS = Counter(
    "jumpseat_plugin_calls", "Calls of plugins, and so of their providers.", ("plugin", "call", "outcome"), registry=REGISTRY
)
PLUGIN_SECONDS = Histogram(
    "jumpseat_plugin_call_seconds", "How long calls of plugins took.", ("plugin", "call"), registry=REGISTRY, buckets=_PLUGIN_SECONDS
)
HEADROOM = Gauge(
    "jumpseat_provider_headroom",
    "Which part of the calls that a provider account's published limit allows is still free, 0 to 1.",
    ("account",),
    registry=REGISTRY,
)
WEBHOOKS = Counter("jumpseat_webhook_deliveries", "Webhook deliveries that came to an outcome here.", ("outcome",), registry=REGISTRY)
JOB_RUNS = Counter("jumpseat_job_runs", "Runs of jobs that ended here.", ("job", "outcome"), registry=REGISTRY)


class StoreMetric(NamedTuple):
    """A gauge whose values are read from the database at each look."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


FROM_STORE = (
    StoreMetric("jumpseat_database_up", "1 when the database answered this look, else 0 and what follows is left out."),
    StoreMetric("jumpseat_queue_depth", "Shares that wait for their (next) try.", ("channel",)),
    StoreMetric("jumpseat_queue_oldest_seconds", "How long the share that waits longest is overdue.", ("channel",)),
    StoreMetric("jumpseat_shares_sending", "Shares whose try has begun and has no outcome.", ("channel",)),
    StoreMetric("jumpseat_webhook_queue_depth", "Webhook deliveries that wait for their (next) try."),
    StoreMetric("jumpseat_webhook_queue_oldest_seconds", "How long the webhook delivery that waits longest is overdue."),
    StoreMetric("jumpseat_sessions_open", "Sessions that are reserved or open.", ("session_type", "state")),
    StoreMetric("jumpseat_watch_lag_seconds", "How long the next look at the sessions of a provider account is overdue.", ("account",)),
    StoreMetric("jumpseat_alerts_open", "Incidents that administrators were told of and that are not over."),
    StoreMetric("jumpseat_processes", "Processes on this database.", ("role", "alive")),
    StoreMetric(
        "jumpseat_process_info", "1 for each process, with its versions.", ("executor", "role", "version", "catalogue_version", "alive")
    ),
)


def in_process() -> Iterable[tuple[str, str, tuple[str, ...]]]:
    """Name, kind and labels of every metric of the host's own that is kept in the process, as ``/metrics`` shows them."""
    for metric in globals().values():
        if isinstance(metric, MetricWrapperBase):
            kind = str(metric._type)
            yield metric._name + ("_total" if kind == "counter" else ""), kind, tuple(metric._labelnames)
