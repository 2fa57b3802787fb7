"""All metrics of one host as Prometheus reads them: what this process counted, and what the database knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from jumpseat.log import get_logger
from jumpseat.metrics import FROM_STORE, REGISTRY
from jumpseat.store.measures import measures
from jumpseat.store.store import Store
from jumpseat.work.heartbeat import DEAD_SECONDS

log = get_logger(__name__)


def exposition(store: Store) -> str:
    """The text that ``GET /metrics`` answers.

    Args:
        store: the database of the host; while it is away, only what the process counted is told.
    """
    return generate_latest(_All(store)).decode()


class _All(Collector):
    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        families = {metric.name: GaugeMetricFamily(metric.name, metric.help, labels=metric.labels) for metric in FROM_STORE}
        up = True
        try:
            with self._store.read() as conn:
                for name, labels, value in measures(conn, self._store.clock.now(), dead_after=timedelta(seconds=DEAD_SECONDS)):
                    families[name].add_metric(labels, value)
        except SQLAlchemyError as error:
            log.warning("metrics_without_database", cause=type(error).__name__)
            up = False
        families["jumpseat_database_up"].add_metric((), float(up))
        yield from families.values() if up else [families["jumpseat_database_up"]]
