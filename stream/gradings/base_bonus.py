"""Base points for one measure, bonus points for others, and bands of the total (seed 004).

The seed's example: orders of 500,000 CNY earn a base of 10, grade E (普通); two referrals, broad
demand and a high valuation lift the total to 35, grade D (潜在). An item counts once however
often its condition came about. It expires with the window of what it measures, or with a tag
that it tests: nothing is remembered here, so the total depends on the readings alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy.gradings.base_bonus import BASE, PointTable
from stream.gradings.base import Part, Reading, Scope, merged
from stream.gradings.conditions import Rules
from stream.gradings.scorecard import Item, Scorecard, build_card, point_ladder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from schemas.policy.gradings.base_bonus import BaseBonus as Document
    from stream.customer import Grade
    from stream.gradings.conditions import Test

_WHOLE = Fraction(1)


class Award(NamedTuple):
    """A bonus item that a condition earns.

    Attributes:
        name: Of the item.
        test: Earned while it holds.
        points: Exact.
        units: The same in units of the last decimal place that is kept.
    """

    name: str
    test: Test
    points: Fraction
    units: int


@dataclass(slots=True)
class BaseBonus(Scorecard):
    """A scorecard whose items have no weights, and with items that conditions earn.

    Attributes:
        awards: The items that conditions earn; the card has those that measures earn.
        order: Every item, in the order of the policy.
    """

    awards: tuple[Award, ...] = ()
    order: tuple[str, ...] = ()

    def parts(self, reading: Reading) -> tuple[Part, ...]:
        """Return what each item adds, nothing included."""
        found = {part.indicator: part for part in Scorecard.parts(self, reading)}
        for award in self.awards:
            holds = award.test(reading)
            points = award.points if holds else Fraction(0)
            found[award.name] = Part(award.name, None, int(holds), points, _WHOLE)
        return tuple(found[name] for name in self.order)

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier that the total earns from where the customer stands."""
        total = self.card.total(reading.values)
        for award in self.awards:
            if award.test(reading):
                total += award.units
        return self.ladder.tier(total, standing.tier)


def compile_base_bonus(name: str, document: Document, scope: Scope) -> BaseBonus:
    """Return the grading that *document* describes."""
    places = _places(document)
    unit = 10**places
    rules = Rules(scope)
    items, awards = [_item(BASE, document.base, scope)], []
    for item, rule in document.bonus.items():
        if isinstance(rule, PointTable):
            items.append(_item(item, rule, scope))
        else:
            points = Fraction(rule.points)
            awards.append(Award(item, rules.compile(rule.when), points, int(points * unit)))
    card = build_card(items, unit, {})
    rungs = point_ladder(document.tiers, places)
    return BaseBonus(
        name,
        rungs.tiers,
        cuts=merged(card.cuts, rules.table()),
        depends=tuple(sorted(rules.depends)),
        words=rules.words,
        card=card,
        denominator=unit,
        places=places,
        ladder=rungs,
        awards=tuple(awards),
        order=(BASE, *document.bonus),
    )


def _item(name: str, table: PointTable, scope: Scope) -> Item:
    rows = [row.below for row in table.ranges if row.below is not None]
    cuts = tuple(scope.level(table.measure, below) for below in rows)
    points = tuple(Fraction(row.points) for row in table.ranges)
    return Item(name, _WHOLE, scope.measures[table.measure], cuts, points)


def _places(document: Document) -> int:
    """Return how many decimal places say every sum of points exactly."""

    def points() -> Iterable[Decimal]:
        for rule in (document.base, *document.bonus.values()):
            if isinstance(rule, PointTable):
                yield from (row.points for row in rule.ranges)
            else:
                yield rule.points

    decimals = (number.normalize().as_tuple().exponent for number in points())
    return max(-min(exponent, 0) for exponent in decimals if isinstance(exponent, int))
