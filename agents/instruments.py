"""Kinds of metrics: how each is registered and described, and one that prometheus_client lacks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Bounds of every histogram of seconds; what objectives speak of, 5 and 10, is among them."""


class Described(NamedTuple):
    """One metric as a reader of `/metrics` meets it.

    Attributes:
        name: With the suffix of its type.
        kind: ``counter``, ``gauge`` or ``histogram``.
        labels: Names of its labels.
        text: What it says.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    text: str


class CountedHistogram:
    """A histogram that takes many ages at once: each record counts, at the cost of one batch.

    Not for several threads; it is told and read on the event loop.
    """

    def __init__(self, name: str, text: str, bounds: Sequence[float] = LATENCY_S) -> None:
        """Count up to each of *bounds*, in seconds, ascending."""
        self._name = name
        self._text = text
        self._bounds_ms = [bound * 1000 for bound in bounds]
        self._labels = [*map(floatToGoString, map(float, bounds)), "+Inf"]
        self._counts = [0] * len(self._labels)
        self._sum_ms = 0.0

    def observe_since(self, instants_ms: Sequence[int], now_ms: float) -> None:
        """Take the ages at *now_ms* of instants in ascending order; one to come is of age 0."""
        past = bisect_right(instants_ms, now_ms)
        older = past
        for place, bound_ms in enumerate(self._bounds_ms):
            younger = bisect_left(instants_ms, now_ms - bound_ms, 0, older)
            self._counts[place] += older - younger
            older = younger
        self._counts[-1] += older
        self._counts[0] += len(instants_ms) - past
        self._sum_ms += past * now_ms - sum(instants_ms[:past])

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the metric, as a registry asks for it."""
        reached, buckets = 0, []
        for label, count in zip(self._labels, self._counts, strict=True):
            reached += count
            buckets.append((label, float(reached)))
        yield HistogramMetricFamily(self._name, self._text, buckets, self._sum_ms / 1000)


class Instruments:
    """Makes metrics in one registry and remembers how each is described.

    Attributes:
        registry: Where they are.
        listed: All of them, in the order in which they were made.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        """Make everything in *registry*."""
        self.registry = registry
        self.listed: list[Described] = []

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """Return a counter; its name is given without ``_total``."""
        self._list(f"{name}_total", "counter", text, labels)
        return Counter(name, text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        """Return a gauge."""
        self._list(name, "gauge", text, labels)
        return Gauge(name, text, labels, registry=self.registry)

    def histogram(self, name: str, text: str, buckets: Sequence[float] = LATENCY_S) -> Histogram:
        """Return a histogram that is told one value at a time."""
        self._list(name, "histogram", text, ())
        return Histogram(name, text, buckets=tuple(buckets), registry=self.registry)

    def counted_histogram(self, name: str, text: str) -> CountedHistogram:
        """Return a histogram of seconds that is told whole batches."""
        self._list(name, "histogram", text, ())
        made = CountedHistogram(name, text)
        self.registry.register(made)
        return made

    def _list(self, name: str, kind: str, text: str, labels: Sequence[str]) -> None:
        self.listed.append(Described(name, kind, tuple(labels), text))
