"""What is counted and measured in this process, in Prometheus's words; ``/metrics`` shows it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

REGISTRY = CollectorRegistry()
"""All of the host's own metrics; labels never name a person, a record or a link."""
