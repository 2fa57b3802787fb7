"""OpenTelemetry spans of calls, of what plugins do in them, and of deliveries: an extra, ``jumpseat[otel]``.

They are made when the extra is installed and ``OTEL_EXPORTER_OTLP_ENDPOINT`` says where to send them; nothing is imported otherwise.
A span holds no name, address or link: only what was called, how it ended, and the correlation id.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from jumpseat.log import get_logger

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

log = get_logger(__name__)
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"

_tracer: Tracer | None = None
_provider: TracerProvider | None = None


class Span:
    """The span of a block; where none are made, setting something on it does nothing."""

    __slots__ = ("_span",)

    def __init__(self, span: object = None) -> None:
        self._span = span

    def set(self, name: str | None = None, *, failed: bool = False, **attributes: str | int | float) -> None:
        """Say how the block went.

        Args:
            name: the span's name, where it is known only later.
            failed: whether it ended badly.
            attributes: further values; underscores in their names become dots.
        """
        if self._span is None:
            return
        from opentelemetry.trace import Status, StatusCode

        for key, value in attributes.items():
            self._span.set_attribute(key.replace("_", "."), value)  # type: ignore[attr-defined]  # a span of the library
        if name is not None:
            self._span.update_name(name)  # type: ignore[attr-defined]
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))  # type: ignore[attr-defined]


_NONE = Span()


def start_spans(service: str, exporter: SpanExporter | None = None) -> bool:
    """Make spans from now on, if the environment asks for them.

    Args:
        service: name of this process's service, unless ``OTEL_SERVICE_NAME`` gives another.
        exporter: where they go instead of to the endpoint; for tests.

    Returns:
        Whether spans are made.
    """
    global _tracer, _provider
    if exporter is None and not os.environ.get(ENDPOINT):
        return False
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        log.warning("no_spans", reason=f"{ENDPOINT} is set, and the extra is not installed: pip install 'jumpseat[otel]'")
        return False
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if exporter is None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter = OTLPSpanExporter()
    _provider = TracerProvider(resource=Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", service)}))
    _provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = _provider.get_tracer("jumpseat")
    return True


def spans_made() -> bool:
    """Are spans made now?"""
    return _tracer is not None


def stop_spans() -> None:
    """Send what waits, and make no more."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider is not None:
        provider.shutdown()


@contextmanager
def span(name: str, carrier: Mapping[str, str] | None = None, **attributes: str | int | float) -> Iterator[Span]:
    """A span around the block.

    Args:
        name: what is done.
        carrier: headers of a call, whose trace is gone on with.
        attributes: what is known beforehand; underscores in their names become dots.
    """
    if _tracer is None:
        yield _NONE
        return
    from opentelemetry.propagate import extract

    context = extract(carrier) if carrier is not None else None
    with _tracer.start_as_current_span(name, context=context, record_exception=False, set_status_on_exception=False) as found:
        made = Span(found)
        for key, value in attributes.items():
            found.set_attribute(key.replace("_", "."), value)
        yield made
