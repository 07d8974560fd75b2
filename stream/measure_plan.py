"""From measures as the policy writes them to measures that read a customer's series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.policy import conduct
from schemas.policy import measures as documents
from schemas.policy.cltv import CltvMeasure
from stream import conduct as behaviour
from stream import measures as runtime
from stream.calendar import DAY_MS
from stream.cltv.measure import compile_cltv
from stream.customer import ORDERS
from stream.window import Span

if TYPE_CHECKING:
    from schemas.policy.measures import Measure as Document

    Conduct = (
        conduct.OpenMeasure
        | conduct.DaysOverdueMeasure
        | conduct.RepurchaseRateMeasure
        | conduct.LongestGapMeasure
    )


class MeasurePlan:
    """Builds measures one by one, and collects what must be kept for them.

    Attributes:
        spans: Windows per kind of event; ``orders`` always stands first.
        attributes: Profile attributes that are read.
    """

    def __init__(self, exponent: int) -> None:
        """Start with orders and no window; *exponent* is of the currency's minor unit."""
        self._exponent = exponent
        self.spans: dict[str, list[Span]] = {ORDERS: []}
        self.attributes: set[str] = set()

    def build(self, name: str, document: Document) -> runtime.Measure:
        """Return the measure that *document* describes."""
        if isinstance(document, documents.AttributeMeasure):
            self.attributes.add(document.attribute)
            return runtime.Attribute(name, document.unit, document.attribute)
        if isinstance(document, documents.DaysSinceMeasure):
            return self._since(name, document)
        if isinstance(document, documents.GrowthMeasure):
            return self._growth(name, document)
        if isinstance(document, documents.Windowed):
            return self._windowed(name, document)
        if isinstance(document, documents.Fact):
            return self._fact(name, document)
        if isinstance(document, CltvMeasure):
            made: runtime.Measure = compile_cltv(name, document, self._exponent)
        else:
            made = self._conduct(name, document)
        for source in (made.source, *made.also):
            self._keep(source)
        return made

    def _since(self, name: str, document: documents.DaysSinceMeasure) -> runtime.Measure:
        if document.days_since == "first_order":
            return runtime.DaysSinceFirst(name, ORDERS)
        known = document.days_since == "last_order"
        return runtime.DaysSinceLast(name, self._keep(ORDERS if known else document.days_since))

    def _conduct(self, name: str, document: Conduct) -> runtime.Measure:
        if isinstance(document, conduct.OpenMeasure):
            made: runtime.Measure = behaviour.OpenMatters(name, document.open)
        elif isinstance(document, conduct.DaysOverdueMeasure):
            made = behaviour.DaysOverdue(name)
        elif isinstance(document, conduct.LongestGapMeasure):
            span = Span(0, document.window * DAY_MS)
            made = behaviour.LongestGap(name, self._window(ORDERS, span), span)
        elif document.window is None:
            made = behaviour.RepurchaseRate(name, None, None)
        else:
            span = Span(0, document.window * DAY_MS)
            made = behaviour.RepurchaseRate(name, self._window(ORDERS, span), span)
        return made

    def _fact(self, name: str, document: documents.Fact) -> runtime.Measure:
        if isinstance(document, documents.ReviewMeasure):
            of, days = document.review, document.valid_days
            source = self._keep(runtime.review_kind(of.grading, of.indicator))
            return runtime.Reviewed(name, source, None if days is None else days * DAY_MS)
        if isinstance(document, documents.FirstMeasure):
            return runtime.LifetimeFact(name, document.unit, ORDERS, "first")
        if document.last == "stage.changed":
            return runtime.LastStage(name, self._keep(document.last))
        source = self._keep(ORDERS if document.last == "gross" else document.last)
        return runtime.LifetimeFact(name, document.unit, source, "last")

    def _windowed(self, name: str, document: documents.Windowed) -> runtime.Measure:
        if isinstance(document, documents.CountMeasure):
            return self._total(name, document, self._keep(document.count), "count")
        if isinstance(document, documents.SumMeasure):
            return self._total(name, document, ORDERS, document.sum)
        if isinstance(document, documents.AverageMeasure):
            return self._ratio(name, document, (document.average, "count"), 1)
        if isinstance(document, documents.RatioMeasure):
            of, to = document.ratio.of, document.ratio.to
            return self._ratio(name, document, (of, to), runtime.BASIS_POINTS)
        if isinstance(document, documents.MaxMeasure):
            return self._max(name, document)
        raise TypeError(document)

    def _total(
        self, name: str, document: documents.Windowed, source: str, field: str
    ) -> runtime.Measure:
        unit = "count" if field == "count" else "money"
        span = _span(document)
        if span is None:
            return runtime.LifetimeSum(name, unit, source, field)
        window = self._window(source, span)
        if field == "contribution":
            return runtime.WindowContribution(name, source, window, span)
        kind = runtime.WindowSum
        if source == ORDERS and field == "revenue":
            kind = runtime.OrderRevenue
        elif source == ORDERS and field == "count":
            kind = runtime.OrderCount
        return kind(name, unit, source, window, field, span)

    def _ratio(
        self, name: str, document: documents.Windowed, fields: tuple[str, str], scale: int
    ) -> runtime.Measure:
        unit = "money" if scale == 1 else "bp"
        span = _span(document)
        window = None if span is None else self._window(ORDERS, span)
        return runtime.Ratio(name, unit, fields, scale, window, span)

    def _max(self, name: str, document: documents.MaxMeasure) -> runtime.Measure:
        source = self._keep(ORDERS if document.max == "gross" else document.max)
        span = _span(document)
        if span is None:
            return runtime.LifetimeFact(name, document.unit, source, "max")
        return runtime.WindowPeak(name, document.unit, source, self._window(source, span), span)

    def _growth(self, name: str, document: documents.GrowthMeasure) -> runtime.Measure:
        length_ms = document.window * DAY_MS
        now, before = Span(0, length_ms), Span(length_ms, 2 * length_ms)
        windows = self._window(ORDERS, now), self._window(ORDERS, before)
        return runtime.Growth(name, windows, document.growth, now)

    def _keep(self, source: str) -> str:
        self.spans.setdefault(source, [])
        return source

    def _window(self, source: str, span: Span) -> int:
        spans = self.spans.setdefault(source, [])
        if span not in spans:
            spans.append(span)
        return spans.index(span)


def _span(document: documents.Windowed) -> Span | None:
    if document.window is None:
        return None
    near_ms = (document.before or 0) * DAY_MS
    return Span(near_ms, near_ms + document.window * DAY_MS)
