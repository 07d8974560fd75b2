"""Measures: what is known of a customer at an instant, as integers.

Each measure reads a customer's series, already rolled to the instant asked about.
Money is in minor units of the reporting currency, ratios are basis points,
durations whole days. `MISSING` stands for "nothing to measure".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from operator import itemgetter
from typing import TYPE_CHECKING

from schemas.vocabulary import STAGES
from stream.calendar import DAY_MS
from stream.customer import ORDERS
from stream.money import divide_half_even
from stream.sentinels import MISSING, NEVER
from stream.window import COST, COUNT, GROSS, LAST_MS, REFUNDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.customer import Customer, Value
    from stream.totals import Totals
    from stream.window import Span, Window

BASIS_POINTS = 10_000
PROFILE = "profile"
# A forecast looks at no more changes of a window than this; past them it stops early,
# and the customer is simply looked at again. Keeps the cost of an event bounded.
LOOKAHEAD = 64


class Measure(ABC):
    """One named reading of a customer.

    Attributes:
        name: As the policy names it.
        unit: ``money``, ``count``, ``days``, ``bp``, ``number``, ``text`` or ``stage``.
        source: Kind of event that moves it (``orders``, an interaction kind), or ``profile``.
        also: Further kinds of events that move it.
        echo_ms: Age at which one more event, by itself, may move the reading other than
            by lowering a sum; `NEVER` where it cannot.
        steady: Orders counted one after the other move it one way only, so that where
            it ends tells how far it went in between.
    """

    echo_ms: int = NEVER
    steady: bool = False
    also: tuple[str, ...] = ()

    def __init__(self, name: str, unit: str, source: str) -> None:
        """Name the measure."""
        self.name = name
        self.unit = unit
        self.source = source

    @abstractmethod
    def value(self, customer: Customer, now_ms: int) -> Value:
        """Return the reading at *now_ms*, to which the customer has been rolled."""

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return when time alone may first take the reading out of ``[low, high)``.

        The answer is never too late; it may be early. `NEVER` where time alone does nothing.
        """
        del customer, now_ms, low, high
        return NEVER

    def heard_on(self, source: str) -> Measure:
        """Return the same measure as one that events of *source* move."""
        twin = copy(self)
        twin.source = source
        return twin

    @property
    def told_unit(self) -> str:
        """The unit in which others are told the reading."""
        return self.unit

    def told(self, value: Value) -> Value | None:
        """Return a reading as others are told it: None for `MISSING`."""
        return None if value == MISSING else value


_AMOUNTS: dict[str, Callable[[Window | Totals], int]] = {
    "count": lambda t: t.count,
    "gross": lambda t: t.gross,
    "refunded": lambda t: t.refunded,
    "cost": lambda t: t.cost,
    "revenue": lambda t: t.gross - t.refunded,
    "contribution": lambda t: t.gross - t.refunded - t.cost,
}


_AMOUNTS_OF_DAY: dict[str, Callable[[Sequence[int]], int]] = {
    "count": itemgetter(COUNT),
    "gross": itemgetter(GROSS),
    "refunded": itemgetter(REFUNDED),
    "cost": itemgetter(COST),
    "revenue": lambda row: row[GROSS] - row[REFUNDED],
}


class WindowSum(Measure):
    """A sum or a count over one rolling window, of amounts that are never negative."""

    def __init__(
        self, name: str, unit: str, source: str, window: int, field: str, span: Span
    ) -> None:
        """Read *field* of the window with index *window* of the series of *source*."""
        super().__init__(name, unit, source)
        self._window = window
        self._read = _AMOUNTS[field]
        self._of_day = _AMOUNTS_OF_DAY[field]
        if span.near_ms:
            self.echo_ms = span.near_ms
        self._only_falls = not span.near_ms
        self.steady = True

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the sum over the window."""
        del now_ms
        return self._read(customer.kinds[self.source].windows[self._window])

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return when buckets leaving (or entering) take the sum out of ``[low, high)``."""
        if self._only_falls:
            return NEVER if low <= 0 else self._falls_below_ms(customer, now_ms, low)
        series = customer.kinds[self.source]
        reading = self.value(customer, now_ms)
        previous = NEVER
        steps = 0
        for at_ms, row, sign in series.changes_of(series.windows[self._window]):
            if at_ms != previous:
                if not low <= reading < high or steps >= LOOKAHEAD:
                    return previous
                previous = at_ms
                steps += 1
            reading += sign * self._of_day(row)
        return previous if not low <= reading < high else NEVER

    def _falls_below_ms(self, customer: Customer, now_ms: int, low: int) -> int:
        """Return when buckets leaving take the sum below *low*, where none enters: sooner done."""
        series = customer.kinds[self.source]
        window = series.windows[self._window]
        reading, amount = self.value(customer, now_ms), self._of_day
        rows = series.between(window.start, window.start + LOOKAHEAD + 1)
        for steps, row in enumerate(rows):
            reading -= amount(row)
            if reading < low or steps == LOOKAHEAD:
                return row[LAST_MS] + window.far_ms
        return NEVER


class OrderRevenue(WindowSum):
    """Revenue of orders in one window: the reading most policies turn on."""

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return what was paid less what was refunded."""
        del now_ms
        window = customer.orders.windows[self._window]
        return window.gross - window.refunded


class OrderCount(WindowSum):
    """Number of surviving orders in one window."""

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the number of orders."""
        del now_ms
        return customer.orders.windows[self._window].count


class LifetimeSum(Measure):
    """A sum or a count over the customer's whole life; time alone never moves it."""

    def __init__(self, name: str, unit: str, source: str, field: str) -> None:
        """Read *field* of the lifetime totals of the series of *source*."""
        super().__init__(name, unit, source)
        self._read = _AMOUNTS[field]
        self.steady = field != "contribution"

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the lifetime total."""
        del now_ms
        return self._read(customer.kinds[self.source].totals)


class LifetimeFact(Measure):
    """The largest, first or newest single value of the customer's whole life."""

    def __init__(self, name: str, unit: str, source: str, fact: str) -> None:
        """Read *fact*: ``max``, ``first`` or ``last``."""
        super().__init__(name, unit, source)
        self._fact = fact
        self.steady = fact in {"max", "first"}

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the value, or `MISSING` before the first event."""
        del now_ms
        series = customer.kinds[self.source]
        if self._fact == "max":
            return series.totals.peak
        if self._fact == "first":
            return series.totals.first_value
        return series.latest()


def review_kind(grading: str, indicator: str) -> str:
    """Return the name of the series of the reviews of an indicator of a grading."""
    return f"review:{grading}.{indicator}"


class Reviewed(Measure):
    """The newest review of an indicator, for so long as it is valid."""

    def __init__(self, name: str, source: str, valid_ms: int | None) -> None:
        """Read *source*; a review is valid for *valid_ms*, None for ever."""
        super().__init__(name, "number", source)
        self._valid_ms = valid_ms

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the score, of several at one instant the highest; `MISSING` if none is valid."""
        series = customer.kinds[self.source]
        return series.latest() if now_ms < self._ends_ms(customer) else MISSING

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return the exact instant at which the review is no longer valid."""
        del low, high
        ends_ms = self._ends_ms(customer)
        return ends_ms if now_ms < ends_ms else NEVER

    def _ends_ms(self, customer: Customer) -> int:
        since_ms = customer.kinds[self.source].last_ms()
        if since_ms == MISSING:
            return MISSING
        return NEVER if self._valid_ms is None else since_ms + self._valid_ms


class LastStage(LifetimeFact):
    """The stage of the sale entered last: inside its position in `STAGES`, outside its name."""

    def __init__(self, name: str, source: str) -> None:
        """Read the newest event of *source*; of several at one instant, the furthest stage."""
        super().__init__(name, "stage", source, "last")

    @property
    def told_unit(self) -> str:
        """A name is text."""
        return "text"

    def told(self, value: Value) -> Value | None:
        """Return the name of the stage."""
        return STAGES[value] if isinstance(value, int) and value != MISSING else None


class OfWindows(Measure):
    """A reading of windows that may move either way whenever a bucket comes or goes."""

    def __init__(
        self, name: str, unit: str, source: str, windows: tuple[int, ...], span: Span | None
    ) -> None:
        super().__init__(name, unit, source)
        self._windows = windows
        if span is not None:
            self.echo_ms = span.near_ms or span.far_ms

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return the next instant at which any of the windows changes."""
        del now_ms, low, high
        series = customer.kinds[self.source]
        soonest = NEVER
        for index in self._windows:
            for at_ms, _, _ in series.changes_of(series.windows[index]):
                soonest = min(soonest, at_ms)
                break
        return soonest


class WindowContribution(OfWindows):
    """Revenue less cost over one window: an order may lower it, one that leaves may raise it."""

    def __init__(self, name: str, source: str, window: int, span: Span) -> None:
        """Read the window with index *window* of the series of *source*."""
        super().__init__(name, "money", source, (window,), span)

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the sum over the window."""
        del now_ms
        return _AMOUNTS["contribution"](customer.kinds[self.source].windows[self._windows[0]])


class WindowPeak(OfWindows):
    """The largest single value in one window."""

    def __init__(self, name: str, unit: str, source: str, window: int, span: Span) -> None:
        """Read the window with index *window* of the series of *source*."""
        super().__init__(name, unit, source, (window,), span)
        self.steady = True

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the peak, or `MISSING` where the window is empty."""
        del now_ms
        return customer.kinds[self.source].windows[self._windows[0]].peak


class Ratio(OfWindows):
    """One amount in terms of another over the same window, or over the whole life.

    An average is an amount in terms of the count (scale 1); a rate is in basis points.
    """

    def __init__(
        self,
        name: str,
        unit: str,
        fields: tuple[str, str],
        scale: int,
        window: int | None,
        span: Span | None,
    ) -> None:
        """Divide the first of *fields* by the second, times *scale*; over orders.

        *window* None means the whole life.
        """
        super().__init__(name, unit, ORDERS, () if window is None else (window,), span)
        self._of = _AMOUNTS[fields[0]]
        self._to = _AMOUNTS[fields[1]]
        self._scale = scale

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the quotient rounded half to even, or `MISSING` where *to* is not positive."""
        del now_ms
        series = customer.kinds[self.source]
        totals = series.windows[self._windows[0]] if self._windows else series.totals
        divisor = self._to(totals)
        if divisor <= 0:
            return MISSING
        return divide_half_even(self._of(totals) * self._scale, divisor)


class Growth(OfWindows):
    """A window against the window before it, in basis points of the earlier one."""

    def __init__(self, name: str, windows: tuple[int, int], field: str, span: Span) -> None:
        """Compare *field* of ``windows[0]`` (now, of *span*) with ``windows[1]`` (before)."""
        super().__init__(name, "bp", ORDERS, windows, span)
        self._read = _AMOUNTS[field]

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the growth, or `MISSING` where the earlier window holds nothing positive."""
        del now_ms
        windows = customer.kinds[self.source].windows
        earlier = self._read(windows[self._windows[1]])
        if earlier <= 0:
            return MISSING
        gained = self._read(windows[self._windows[0]]) - earlier
        return divide_half_even(gained * BASIS_POINTS, earlier)


class DaysSinceLast(Measure):
    """Whole days since the newest surviving event of a kind: recency."""

    steady = True

    def __init__(self, name: str, source: str) -> None:
        """Count from the newest event of *source*."""
        super().__init__(name, "days", source)

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the days elapsed, at least 0, or `MISSING` before the first event."""
        since_ms = customer.kinds[self.source].last_ms()
        if since_ms >= now_ms:
            return 0
        return MISSING if since_ms == MISSING else (now_ms - since_ms) // DAY_MS

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return the exact instant at which *high* days have passed."""
        del now_ms, low
        since_ms = customer.kinds[self.source].last_ms()
        return NEVER if since_ms == MISSING or high >= NEVER else since_ms + high * DAY_MS


class DaysSinceFirst(Measure):
    """Whole days since the earliest event of a kind: tenure."""

    steady = True

    def __init__(self, name: str, source: str) -> None:
        """Count from the earliest event of *source*."""
        super().__init__(name, "days", source)

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the days elapsed, at least 0, or `MISSING` before the first event."""
        since_ms = customer.kinds[self.source].totals.first_ms
        if since_ms == NEVER:
            return MISSING
        return (now_ms - since_ms) // DAY_MS if since_ms < now_ms else 0

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return the exact instant at which *high* days have passed."""
        del now_ms, low
        since_ms = customer.kinds[self.source].totals.first_ms
        return NEVER if since_ms == NEVER or high >= NEVER else since_ms + high * DAY_MS


class Attribute(Measure):
    """A profile attribute; time alone never moves it."""

    def __init__(self, name: str, unit: str, attribute: str) -> None:
        """Read *attribute* as ``number`` or ``text``."""
        super().__init__(name, unit, PROFILE)
        self._attribute = attribute

    def value(self, customer: Customer, now_ms: int) -> Value:
        """Return the attribute; `MISSING` where it is unknown or of the other type."""
        del now_ms
        known = customer.attributes.get(self._attribute)
        if known is None:
            return MISSING
        if self.unit == "text":
            return str(known)
        return known if isinstance(known, int) and not isinstance(known, bool) else MISSING
