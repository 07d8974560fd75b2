"""Spans of what is done with records, many at once or one, for OpenTelemetry. Off unless asked for.

Needs the extra ``tracing``. Where spans go, and as what service, is told by OpenTelemetry's own
variables (``OTEL_EXPORTER_OTLP_ENDPOINT``, ``OTEL_SERVICE_NAME`` and the rest).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from agents.settings import SettingsError
from stream.tracing import CE_TRACEPARENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.trace import Link, SpanContext
    from opentelemetry.trace import Tracer as OtelTracer

    from agents.settings import Settings
    from stream.outbox import Row

_MOST_LINKS = 64
_SAMPLED = b"01"


class Tracer:
    """Tells of a batch or a transaction once it is over, linked to the sampled records in it.

    What has no sampled record in it is not told of. Spans hold counts, nothing of a customer.
    """

    def __init__(self, tracer: OtelTracer) -> None:
        """Make spans with *tracer*."""
        self._tracer = tracer

    def note(self, what: str, began_ns: int, traces: Iterable[bytes], **counts: int | str) -> None:
        """Tell of something that began at *began_ns* and is over now.

        Args:
            what: Name of the span.
            began_ns: Wall clock.
            traces: Valid trace contexts of its records.
            counts: Attributes.
        """
        sampled = (trace for trace in dict.fromkeys(traces) if trace.endswith(_SAMPLED))
        links = [_link(trace) for trace in islice(sampled, _MOST_LINKS)]
        if links:
            attributes = {f"tierstream.{name}": count for name, count in counts.items()}
            self._tracer.start_span(
                f"tierstream {what}", start_time=began_ns, links=links, attributes=attributes
            ).end()

    def note_one(self, what: str, began_ns: int, trace: str, **facts: int | str) -> None:
        """Tell of what was done with one thing, as part of its *trace*; "": not at all."""
        if not trace.encode().endswith(_SAMPLED):
            return
        from opentelemetry.trace import (  # noqa: PLC0415 - as below
            NonRecordingSpan,
            set_span_in_context,
        )

        self._tracer.start_span(
            f"tierstream {what}",
            context=set_span_in_context(NonRecordingSpan(_context(trace))),
            start_time=began_ns,
            attributes={f"tierstream.{name}": fact for name, fact in facts.items()},
        ).end()

    def note_published(self, began_ns: int, rows: Iterable[Row], count: int) -> None:
        """Tell of a transaction of the relay."""
        traces = (value for row in rows for name, value in row.headers if name == CE_TRACEPARENT)
        self.note("publish", began_ns, traces, rows=count)


def open_tracer(settings: Settings) -> Tracer | None:
    """Return what `Settings.tracing` asks for; None where it is off.

    Raises:
        SettingsError: The extra is not installed.
    """
    if settings.tracing == "off":
        return None
    try:
        # Not at the top: only who asks for it has it.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as exc:
        raise SettingsError(
            "TIERSTREAM_TRACING: 'otlp' needs more packages; run: pip install 'tierstream[tracing]'"
        ) from exc
    provider = TracerProvider()  # flushes what it has when the process ends
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracer(provider.get_tracer("tierstream"))


def _link(traceparent: bytes) -> Link:
    from opentelemetry.trace import Link  # noqa: PLC0415 - as above

    return Link(_context(traceparent.decode()))


def _context(traceparent: str) -> SpanContext:
    from opentelemetry.trace import SpanContext, TraceFlags  # noqa: PLC0415 - as above

    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), True, TraceFlags(int(flags, 16)))  # noqa: FBT003
