"""Facts that tie measures together: no customer has readings that contradict them.

A part is never more than the whole, no orders means no revenue, silence since 60 days
means no order within 30. Every fact holds for every customer, so what contradicts one can
be left out of a proof. Not every combination that is left must really exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.customer import ORDERS
from stream.measures import BASIS_POINTS
from stream.money import divide_half_even
from stream.proofs.traits import FOREVER, Traits
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from stream.customer import Value
    from stream.proofs.cells import Cell

_SMALLER = {
    "count": ("count",),
    "revenue": ("revenue", "gross"),
    "refunded": ("refunded", "gross"),
    "gross": ("gross",),
    "cost": ("cost",),
    "contribution": ("revenue", "gross"),
}
"""By amount, those that are at least as large over the same orders."""

_ALWAYS = (0, FOREVER)
_REPAIRS = 40

Ages = tuple[int, int]
"""Days of age, from (included) and to (not included)."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one reading says about when there were events that count.

    Attributes:
        some: Ages among which there is at least one event.
        none: Ages among which there is no event.
        ever: Whether anything ever happened, counting or not; None where it does not say.
    """

    some: tuple[Ages, ...] = ()
    none: tuple[Ages, ...] = ()
    ever: bool | None = None


def sight(traits: Traits, cell: Cell) -> Sight:
    """Return what a reading in *cell* says about the events of its kind."""
    seen = _SEEN.get(traits.role)
    return Sight() if seen is None else seen(traits, cell)


def _since_last(traits: Traits, cell: Cell) -> Sight:
    del traits
    if not cell.known:
        return Sight(none=(_ALWAYS,))
    newest: Ages = (cell.low, min(cell.high + 1, FOREVER))
    return Sight(some=(newest,), none=((0, cell.low),), ever=True)


def _since_first(traits: Traits, cell: Cell) -> Sight:
    del traits
    if not cell.known:
        return Sight(none=(_ALWAYS,), ever=False)
    return Sight(none=((cell.high + 1, FOREVER),), ever=True)


def _one_value(traits: Traits, cell: Cell) -> Sight:
    window: Ages = (traits.near, traits.far)
    if cell.known:
        # The largest order is still known when it was cancelled; interactions never are.
        return Sight(some=() if traits.source == ORDERS else (window,), ever=True)
    return Sight(none=(window,), ever=False if window == _ALWAYS else None)


def _average_known(traits: Traits, cell: Cell) -> Sight:
    window: Ages = (traits.near, traits.far)
    return Sight(some=(window,), ever=True) if cell.known else Sight(none=(window,))


def _ratio_known(traits: Traits, cell: Cell) -> Sight:
    # Unknown only says that what it is divided by is 0: there may be orders for nothing.
    return _average_known(traits, cell) if cell.known else Sight()


def _growth_known(traits: Traits, cell: Cell) -> Sight:
    before: Ages = (traits.far, 2 * traits.far)
    return Sight(some=(before,), ever=True) if cell.known else Sight()


def _total(traits: Traits, cell: Cell) -> Sight:
    window: Ages = (traits.near, traits.far)
    if not cell.low <= 0 <= cell.high:
        return Sight(some=(window,), ever=True)
    none = traits.field == "count" and cell.high == 0
    return Sight(none=(window,) if none else ())


_SEEN: dict[str, Callable[[Traits, Cell], Sight]] = {
    "since_last": _since_last,
    "since_first": _since_first,
    "first": _one_value,
    "last": _one_value,
    "max": _one_value,
    "average": _average_known,
    "ratio": _ratio_known,
    "growth": _growth_known,
    "amount": _total,
    "contribution": _total,
}


def at_most(small: Traits, large: Traits) -> bool:
    """Say whether the first measure never reads more than the second ("unknown" is least)."""
    if small.role == "since_last" and large.role == "since_first":
        return small.source == large.source
    if large.role == "max":
        if small.field != large.field and not (
            small.role == "average" and small.field in {"revenue", "refunded", "contribution"}
        ):
            return False
        whole = (large.near, large.far) == _ALWAYS
        return (small.role in {"max", "average"} and small.within(large)) or (
            small.role in {"first", "last"} and whole
        )
    if large.field not in _SMALLER.get(small.field, ()):
        return False
    if large.role == "amount":
        return small.role in {"amount", "contribution", "average"} and small.within(large)
    return small.role == large.role == "average" and small.same_window(large)


def fit(one: tuple[Traits, Cell], other: tuple[Traits, Cell]) -> bool:
    """Say whether a customer may have a reading in either cell at once."""
    (traits_a, a), (traits_b, b) = one, other
    if traits_a.source != traits_b.source:
        return True
    if (at_most(traits_a, traits_b) and a.low > b.high) or (
        at_most(traits_b, traits_a) and b.low > a.high
    ):
        return False
    seen_a, seen_b = sight(traits_a, a), sight(traits_b, b)
    if None not in (seen_a.ever, seen_b.ever) and seen_a.ever != seen_b.ever:
        return False
    if _contradict(seen_a, seen_b) or _contradict(seen_b, seen_a):
        return False
    return _divides(one, other) and _divides(other, one)


def _contradict(one: Sight, other: Sight) -> bool:
    return any(near <= start and end <= far for start, end in one.some for near, far in other.none)


def _divides(quotient: tuple[Traits, Cell], amount: tuple[Traits, Cell]) -> bool:
    """Say whether a ratio or growth is known exactly where what it is divided by is above 0."""
    (traits, cell), (by, other) = quotient, amount
    if by.role not in {"amount", "contribution"}:
        return True
    if traits.role == "ratio" and by.field == traits.per and by.same_window(traits):
        return other.high > 0 if cell.known else other.low <= 0
    if traits.role == "growth" and by.field == traits.field:
        if (by.near, by.far) == (traits.far, 2 * traits.far):
            return other.high > 0 if cell.known else other.low <= 0
        if (by.near, by.far) == (0, traits.far) and other.low == other.high == 0 and cell.known:
            return cell.low <= -BASIS_POINTS <= cell.high
    return True


def breaks(traits: Traits, others: Sequence[Traits]) -> Iterator[int]:
    """Yield the readings at which what a measure says about *others* changes."""
    others = [other for other in others if other is not traits and other.source == traits.source]
    if not others:
        return
    if traits.role in {"amount", "contribution"}:
        yield from (0, 1)
    if traits.role in {"since_last", "since_first"}:
        for other in others:
            yield from (days for days in (other.near, other.far) if 0 < days < FOREVER)
    if traits.role == "growth":
        yield from (-BASIS_POINTS, 1 - BASIS_POINTS)


class Facts:
    """Every fact about some measures, and readings that obey all of them at once."""

    def __init__(self, traits: Sequence[Traits]) -> None:
        """Look for what ties the measures with these *traits* together."""
        places = range(len(traits))
        self._ordered = [
            (a, b) for a in places for b in places if a != b and at_most(traits[a], traits[b])
        ]
        counts = [c for c in places if traits[c].role == "amount" and traits[c].field == "count"]
        sums = [s for s in places if traits[s].role == "amount" and traits[s].field != "count"]
        self._averages = [
            (a, c, s)
            for a in places
            if traits[a].role == "average" and traits[a].field != "contribution"
            for c in counts
            if traits[c].same_window(traits[a])
            for s in sums
            if traits[s].same_window(traits[a]) and traits[s].field == traits[a].field
        ]
        self._peaks = [
            (s, c, m)
            for m in places
            if traits[m].role == "max" and traits[m].field == "gross"
            for c in counts
            for s in sums
            if traits[c].same_window(traits[s])
            and traits[s].within(traits[m])
            and traits[s].field in {"gross", "revenue", "refunded"}
        ]

    def readings(self, chosen: Sequence[Cell]) -> list[Value] | None:
        """Return one reading from each cell so that all facts hold; None where none was found."""
        values: list[Value] = [cell.start for cell in chosen]
        for _ in range(_REPAIRS):
            before = values.copy()
            if not self._repair(values, chosen):
                return None
            if values == before:
                return values
        return None

    def _repair(self, values: list[Value], chosen: Sequence[Cell]) -> bool:
        """Move readings so that what is wrong gets better; False where nothing helps."""
        for small, large in self._ordered:
            if values[small] > values[large] and not (  # type: ignore[operator]
                _put(values, chosen, large, values[small])
                or _put(values, chosen, small, values[large])
            ):
                return False
        return all(_average(values, chosen, *triple) for triple in self._averages) and all(
            _peak(values, chosen, *triple) for triple in self._peaks
        )


def _put(values: list[Value], chosen: Sequence[Cell], place: int, value: Value) -> bool:
    if not chosen[place].holds(value):
        return False
    values[place] = value
    return True


def _average(
    values: list[Value], chosen: Sequence[Cell], average: int, count: int, total: int
) -> bool:
    """See that the total is the average times the count, as far as rounding hides it."""
    a, c, s = (_number(values[place]) for place in (average, count, total))
    if a == MISSING or c <= 0 or 2 * abs(s - a * c) <= c:
        return True
    if s < a * c:
        return _put(values, chosen, total, a * c)
    if _put(values, chosen, average, divide_half_even(s, c)):
        return True
    return a > 0 and _put(values, chosen, count, s // a)


def _peak(values: list[Value], chosen: Sequence[Cell], total: int, count: int, peak: int) -> bool:
    """See that so many orders, none above the largest, can come to the total."""
    s, c, m = (_number(values[place]) for place in (total, count, peak))
    if m == MISSING or s <= c * m:
        return True
    if c > 0 and _put(values, chosen, peak, -(-s // c)):
        return True
    m = min(chosen[peak].high, s)
    return m > 0 and _put(values, chosen, peak, m) and _put(values, chosen, count, -(-s // m))


def _number(value: Value) -> int:
    return value if isinstance(value, int) else 0
