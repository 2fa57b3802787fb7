"""Spans: made where they are asked for, with nothing of anybody in them; and nothing of the library loaded otherwise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jumpseat import spans


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    spans.start_spans("test", exporter)
    yield exporter
    spans.stop_spans()


def test_nothing_is_made_unless_the_environment_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)

    assert spans.start_spans("test") is False
    assert not spans.spans_made()
    with spans.span("deliver", correlation_id="c1") as made:
        made.set("other", failed=True, outcome="sent")


def test_the_library_is_not_loaded_without_being_asked_for() -> None:
    code = (
        "import sys\nfrom jumpseat.spans import span, start_spans\nstart_spans('x')\n"
        "with span('a'): pass\nprint([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PATH": ""})

    assert done.stdout == "[]\n"


def test_a_span_goes_on_with_the_callers_trace_and_says_how_it_ended(exporter: InMemorySpanExporter) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with spans.span("call", {"traceparent": parent}, correlation_id="c1") as made, spans.span("inner"):
        made.set("GET /v1/objects", failed=True, http_route="/v1/objects")
    spans.stop_spans()

    inner, outer = exporter.get_finished_spans()
    assert (outer.name, dict(outer.attributes or {})) == ("GET /v1/objects", {"correlation.id": "c1", "http.route": "/v1/objects"})
    assert f"{outer.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert inner.parent is not None
    assert inner.parent.span_id == outer.context.span_id
    assert outer.status.status_code.name == "ERROR"
