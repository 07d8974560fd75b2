"""Scores: weighted indicators on a scale of 100 points, exact, rounded once at the end."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING, NamedTuple

from stream.gradings.base import Grading, Level, Part, Reading, Scope, Score, merged
from stream.gradings.ladder import Ladder, ladder
from stream.money import divide_half_even
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Protocol, TypeVar

    from schemas.policy.gradings.scorecards import Range, Rounding
    from schemas.policy.gradings.tiers import Tier
    from stream.customer import Grade, Value

    _Rule = TypeVar("_Rule")
    _Told_co = TypeVar("_Told_co", covariant=True)

    class _Tables(Protocol[_Told_co]):
        """The variants of a scorecard, as the policy says them."""

        @property
        def by(self) -> str: ...

        @property
        def tables(self) -> Mapping[str, Mapping[str, _Told_co]]: ...

    class _Document(Protocol[_Told_co]):
        """What the policy says of a scorecard of either kind."""

        @property
        def indicators(self) -> Mapping[str, _Told_co]: ...

        @property
        def rounding(self) -> Rounding: ...

        @property
        def tiers(self) -> Sequence[Tier]: ...

        @property
        def variants(self) -> _Tables[_Told_co] | None: ...

    _Items = Callable[[str, _Rule, Scope, str | None], "Iterable[Item]"]
    """Makes the items of an indicator, named and ruled so; last, the table they are from."""


FULL = Fraction(100)


def round_units(numerator: int, denominator: int, mode: str) -> int:
    """Return *numerator* over a positive *denominator* as an integer, rounded by *mode*.

    ``truncate`` drops what is left, ``half_up`` sends halves away from the lower
    neighbour, ``half_even`` to the even one.

    >>> [round_units(23600, 3, mode) for mode in ("truncate", "half_up", "half_even")]
    [7866, 7867, 7867]
    >>> [round_units(5, 2, mode) for mode in ("truncate", "half_up", "half_even")]
    [2, 3, 2]
    """
    if mode == "truncate":
        return numerator // denominator if numerator >= 0 else -(-numerator // denominator)
    if mode == "half_up":
        return (2 * numerator + denominator) // (2 * denominator)
    return divide_half_even(numerator, denominator)


@dataclass(frozen=True, slots=True)
class Item:
    """What earns points: one measure within one indicator.

    Attributes:
        indicator: Name of the indicator.
        weight: Share of the indicator in the score.
        measure: Position of the measure.
        cuts: Ascending lower ends of the ranges after the first; unused when *direct*.
        points: Points per range, one more than cuts; unused when *direct*.
        direct: The measure itself, held to 0..100, is the points.
        table: Name of the table of ranges where there are several; None for the usual one.
    """

    indicator: str
    weight: Fraction
    measure: int
    cuts: tuple[int, ...] = ()
    points: tuple[Fraction, ...] = ()
    direct: bool = False
    table: str | None = None

    def earned(self, value: Value) -> Fraction:
        """Return the points for a reading; one that is missing earns those of the lowest range."""
        if not isinstance(value, int):
            return Fraction(0)
        if self.direct:
            return Fraction(min(max(value, 0), 100))
        return self.points[bisect_right(self.cuts, value)]


def _steps(item: Item, denominator: int) -> tuple[int, ...]:
    """Return what each range (or, if direct, one point) contributes, times *denominator*."""
    points = (Fraction(1),) if item.direct else item.points
    return tuple(int(item.weight * value * denominator) for value in points)


class Card(NamedTuple):
    """What earns points, for one kind of customer.

    Attributes:
        items: What earns points.
        steps: Per item, the contribution of each range in units of one over the scorecard's
            denominator: the same sum as the score, in integers, as it is taken for every event.
        cuts: Readings per measure at which the score may change.
    """

    items: tuple[Item, ...] = ()
    steps: tuple[tuple[int, ...], ...] = ()
    cuts: Mapping[int, tuple[int, ...]] = {}

    def total(self, values: Sequence[Value]) -> int:
        """Return the exact score in units of one over the denominator."""
        total = 0
        for item, steps in zip(self.items, self.steps, strict=True):
            value = values[item.measure]
            if item.direct:
                total += steps[0] * min(max(value, 0), 100)  # type: ignore[operator]
            else:
                total += steps[bisect_right(item.cuts, value)]
        return total


NO_CARD = Card()


@dataclass(slots=True)
class Scorecard(Grading):
    """Sum of the items' points times weights, and a ladder over the rounded sum.

    Attributes:
        card: What earns points.
        by: Position of the measure of text that says which card counts; None: there is one.
        variants: Cards by what that measure reads; any other reading takes `card`.
        denominator: Common denominator of all contributions, of every card.
        places: Decimal places that are kept.
    """

    card: Card = NO_CARD
    by: int | None = None
    variants: Mapping[Value, Card] = field(default_factory=dict)
    denominator: int = 1
    mode: str = "half_even"
    places: int = 2

    def card_of(self, values: Sequence[Value]) -> Card:
        """Return the card that counts for a customer with these readings."""
        return self.card if self.by is None else self.variants.get(values[self.by], self.card)

    def cuts_for(self, values: Sequence[Value]) -> Mapping[int, tuple[int, ...]]:
        """Return the cuts of the card that counts."""
        return self.cuts if self.by is None else self.card_of(values).cuts

    def parts(self, reading: Reading) -> tuple[Part, ...]:
        """Return what each item adds."""
        return tuple(
            Part(item.indicator, item.measure, value, item.earned(value), item.weight, item.table)
            for item in self.card_of(reading.values).items
            for value in [reading.values[item.measure]]
        )

    def score(self, reading: Reading) -> Score:
        """Return the score; its parts and the rounding add up to it exactly."""
        parts = self.parts(reading)
        exact = sum((part.contribution for part in parts), Fraction(0))
        unit = 10**self.places
        units = round_units(exact.numerator * unit, exact.denominator, self.mode)
        rounded = Fraction(units, unit)
        return Score(rounded, parts, rounded - exact)

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier that the rounded score earns from where the customer stands."""
        total = self.card_of(reading.values).total(reading.values)
        level = round_units(total * 10**self.places, self.denominator, self.mode)
        return self.ladder.tier(level, standing.tier)

    def level(self, reading: Reading) -> Level | None:
        """Return the rounded score."""
        return Level(int(self.score(reading).value * 10**self.places), None, self.places)


@dataclass(frozen=True, slots=True)
class Variants:
    """Items for customers of whom a measure of text reads one value or another.

    Attributes:
        by: Position of the measure.
        items: All items of the score, by what the measure reads.
    """

    by: int
    items: Mapping[str, tuple[Item, ...]]


def compile_scorecard(
    name: str, document: _Document[_Rule], items_of: _Items[_Rule], scope: Scope
) -> Scorecard:
    """Return the scorecard that *document* describes, of what *items_of* makes of a rule."""
    items = [
        item
        for indicator, rule in document.indicators.items()
        for item in items_of(indicator, rule, scope, None)
    ]
    variants = _variant_items(document.indicators, document.variants, items_of, scope)
    return _build(name, items, document.rounding, document.tiers, variants)


def _build(
    name: str,
    items: Sequence[Item],
    rounding: Rounding,
    tiers: Sequence[Tier],
    variants: Variants | None,
) -> Scorecard:
    """Return a scorecard; tier levels are compared with the rounded score."""
    rungs = point_ladder(tiers, rounding.places)
    tables = {} if variants is None else variants.items
    everything = [*items, *(item for table in tables.values() for item in table)]
    denominator = lcm(
        *(
            (item.weight * points).denominator
            for item in everything
            for points in (item.points or (Fraction(1),))
        )
    )
    known: dict[int, tuple[int, ...]] = {} if variants is None else {variants.by: (MISSING + 1,)}
    cards: dict[Value, Card] = {
        value: build_card(table, denominator, known) for value, table in tables.items()
    }
    card = build_card(items, denominator, known)
    return Scorecard(
        name,
        rungs.tiers,
        cuts=merged(card.cuts, *(other.cuts for other in cards.values())),
        continuous=frozenset(item.measure for item in everything if item.direct),
        words={} if variants is None else {variants.by: tuple(variants.items)},
        card=card,
        by=None if variants is None else variants.by,
        variants=cards,
        denominator=denominator,
        mode=rounding.mode,
        places=rounding.places,
        ladder=rungs,
    )


def build_card(
    items: Sequence[Item], denominator: int, known: Mapping[int, tuple[int, ...]]
) -> Card:
    """Return the card of *items* in units of one over *denominator*; *known* are further cuts."""
    cuts = merged(known, *({item.measure: item.cuts} for item in items if not item.direct))
    return Card(tuple(items), tuple(_steps(item, denominator) for item in items), cuts)


def point_ladder(tiers: Sequence[Tier], places: int) -> Ladder:
    """Return a ladder whose levels are points with so many decimal places, as integers."""
    unit = 10**places
    return ladder(
        (
            tier.tier,
            None if tier.enter is None else ceil(tier.enter * unit),
            None if tier.exit is None else ceil(tier.exit * unit),
        )
        for tier in tiers
    )


def range_table(
    measure: str, ranges: Sequence[Range], full: Fraction, scope: Scope
) -> tuple[tuple[int, ...], tuple[Fraction, ...]]:
    """Return ``(cuts, points)`` of a table of ranges; *full* is what ``full`` stands for."""
    cuts = tuple(scope.level(measure, row.below) for row in ranges if row.below is not None)
    points = tuple(full if row.points is None else row.points for row in ranges)
    return cuts, points


def _variant_items(
    indicators: Mapping[str, _Rule],
    variants: _Tables[_Rule] | None,
    items: _Items[_Rule],
    scope: Scope,
) -> Variants | None:
    """Return the items of every variant: its own indicators, and the usual ones beside them."""
    if variants is None:
        return None
    return Variants(
        scope.measures[variants.by],
        {
            value: tuple(
                item
                for name, usual in indicators.items()
                for item in items(
                    name, table.get(name, usual), scope, value if name in table else None
                )
            )
            for value, table in variants.tables.items()
        },
    )
