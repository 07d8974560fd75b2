"""Do the parts of a policy fit together? Every check yields one mistake for each place."""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from schemas.policy.check_ladders import ladder_mistakes, range_mistakes, weight_mistakes
from schemas.policy.conditions import GradingCondition, MeasureCondition
from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.gradings import (
    CUTS,
    Bands,
    Conditions,
    Cuts,
    DirectIndicator,
    Grading,
    IntervalScorecard,
    RfmCells,
    RfmSegments,
    WeightedScorecard,
)
from schemas.policy.quantities import Unit
from schemas.policy.shape import PolicyShape, conditions_in, referred_gradings, whole_level

_SHOWN_NAMES = 8


def level_words(unit: Unit, currency: str, exponent: int) -> str:
    """Say in words what level a measure of *unit* may be compared with."""
    words: dict[Unit, str] = {
        "money": f"a number of {currency}, such as {Decimal(1000).scaleb(0):.{exponent}f}",
        "count": "a whole number, such as 3",
        "days": "a whole number of days, such as 30",
        "bp": 'a percent such as "12.5%", or whole basis points such as 1250',
        "number": "a whole number, such as 80",
        "text": "is or is_known, as the measure is text",
    }
    return words[unit]


@dataclass(frozen=True, slots=True)
class Checker:
    """The policy under check.

    Attributes:
        policy: What could be read of it.
        broken: Measures and gradings that exist but have mistakes of their own; referring to
            them is right, and nothing more can be said of them.
    """

    policy: PolicyShape
    broken: frozenset[str] = field(default_factory=frozenset)

    def mistakes(self) -> Iterator[Mistake]:
        """Yield everything that does not fit, in file order."""
        if self.policy.currency in self.policy.rates:
            yield Mistake(
                ("rates", self.policy.currency),
                shown(self.policy.currency),
                "any currency but the reporting currency, whose rate is 1",
                at_key=True,
            )
        for name, grading in self.policy.gradings.items():
            yield from self._grading(("gradings", name), grading)
        yield from self._cycles()

    def _grading(self, at: Location, grading: Grading) -> Iterator[Mistake]:
        if isinstance(grading, Bands):
            yield from self._bands(at, grading)
        elif isinstance(grading, IntervalScorecard):
            yield from self._interval_scorecard(at, grading)
        elif isinstance(grading, WeightedScorecard):
            yield from self._weighted_scorecard(at, grading)
        elif isinstance(grading, RfmCells):
            yield from self._cuts((*at, "recency"), grading.recency, ("days",))
            yield from self._cuts((*at, "frequency"), grading.frequency)
            yield from self._cuts((*at, "monetary"), grading.monetary)
        elif isinstance(grading, RfmSegments):
            recency, frequency, monetary = grading.recency, grading.frequency, grading.monetary
            yield from self._level(
                (*at, "recency"), recency.measure, ("high_below", recency.high_below), ("days",)
            )
            for key, part in (("frequency", frequency), ("monetary", monetary)):
                yield from self._level((*at, key), part.measure, ("high_from", part.high_from))
        else:
            if isinstance(grading, Conditions):
                yield from self._levels(at, grading)
            for place, test in conditions_in(grading):
                yield from self._test((*at, *place), test)

    def _bands(self, at: Location, bands: Bands) -> Iterator[Mistake]:
        yield from self._numeric((*at, "measure"), bands.measure)
        evidence = bands.minimum_evidence
        if evidence:
            place = (*at, "minimum_evidence")
            yield from self._level(place, evidence.measure, ("at_least", evidence.at_least))
        for position, tier in enumerate(bands.tiers):
            for key, level in (("enter", tier.enter), ("exit", tier.exit)):
                if level is not None:
                    place = (*at, "tiers", position, key)
                    yield from self._fits(place, bands.measure, level)
        yield from ladder_mistakes((*at, "tiers"), bands.tiers)

    def _interval_scorecard(self, at: Location, card: IntervalScorecard) -> Iterator[Mistake]:
        yield from weight_mistakes((*at, "indicators"), card.indicators)
        for name, indicator in card.indicators.items():
            for measure, ranges in indicator.measures.items():
                place = (*at, "indicators", name, "measures", measure)
                yield from self._numeric(place, measure, at_key=True)
                for position, part in enumerate(ranges):
                    if part.below is not None:
                        yield from self._fits((*place, position, "below"), measure, part.below)
                yield from range_mistakes(place, ranges, parts=len(indicator.measures))
        yield from ladder_mistakes((*at, "tiers"), card.tiers, points=True)

    def _weighted_scorecard(self, at: Location, card: WeightedScorecard) -> Iterator[Mistake]:
        yield from weight_mistakes((*at, "indicators"), card.indicators)
        for name, indicator in card.indicators.items():
            place: Location = (*at, "indicators", name)
            if isinstance(indicator, DirectIndicator):
                yield from self._numeric(
                    (*place, "points_from"), indicator.points_from, ("number", "count")
                )
                continue
            table = indicator.ranges
            place = (*place, "ranges")
            yield from self._numeric((*place, "measure"), table.measure)
            place = (*place, "ranges")
            for position, part in enumerate(table.ranges):
                if part.below is not None:
                    yield from self._fits((*place, position, "below"), table.measure, part.below)
            yield from range_mistakes(place, table.ranges, parts=1)
        yield from ladder_mistakes((*at, "tiers"), card.tiers, points=True)

    def _cuts(self, at: Location, part: Cuts, units: tuple[Unit, ...] = ()) -> Iterator[Mistake]:
        yield from self._numeric((*at, "measure"), part.measure, units)
        if len(part.cuts) != CUTS:
            yield Mistake((*at, "cuts"), f"{len(part.cuts)} cuts", "exactly 4 cuts, ascending")
        for position, cut in enumerate(part.cuts):
            yield from self._fits((*at, "cuts", position), part.measure, cut)
        for position, (one, two) in enumerate(pairwise(part.cuts), start=1):
            if one >= two:
                allowed = f"a number above the cut before it, {one:f}"
                yield Mistake((*at, "cuts", position), shown(f"{two:f}"), allowed)

    def _levels(self, at: Location, grading: Conditions) -> Iterator[Mistake]:
        seen: set[str] = set()
        for position, level in enumerate(grading.levels):
            place = (*at, "levels", position)
            if level.level in seen:
                yield Mistake((*place, "level"), shown(level.level), "a name not used above")
            seen.add(level.level)
            if level.when is None and position + 1 < len(grading.levels):
                allowed = "a condition; only the last level may do without"
                yield Mistake((*place, "when"), None, allowed)

    def _test(self, at: Location, test: MeasureCondition | GradingCondition) -> Iterator[Mistake]:
        if isinstance(test, GradingCondition):
            yield from self._grades(at, test)
            return
        for key, level in (("at_least", test.at_least), ("below", test.below)):
            if level is not None:
                yield from self._level(at, test.measure, (key, level))
                return
        if test.measure not in self.policy.measures:
            yield from self._numeric((*at, "measure"), test.measure)
        elif test.is_ is not None:
            yield from self._values((*at, "is"), test.measure, test.is_)

    def _values(
        self, at: Location, measure: str, values: tuple[str | int, ...]
    ) -> Iterator[Mistake]:
        unit = self.policy.unit_of(measure)
        if unit not in {"text", "number", "count"}:
            yield Mistake(at, "is", f"at_least, below or is_known, as {measure} is {unit}")
            return
        kind, words = (str, "text") if unit == "text" else (int, "a whole number")
        for position, value in enumerate(values):
            if not isinstance(value, kind):
                yield Mistake((*at, position), shown(value), f"{words}, as {measure} is {unit}")

    def _grades(self, at: Location, test: GradingCondition) -> Iterator[Mistake]:
        if test.grading not in self.policy.gradings:
            if test.grading not in self.broken:
                words = _one_of("a grading", test.grading, self.policy.gradings)
                yield Mistake((*at, "grading"), shown(test.grading), words)
            return
        grades = self.policy.grades_of(test.grading)
        for position, grade in enumerate(test.is_):
            if grade not in grades:
                words = _one_of(f"a grade of {test.grading}", grade, grades)
                yield Mistake((*at, "is", position), shown(grade), words)

    def _level(
        self, at: Location, measure: str, level: tuple[str, Decimal], units: tuple[Unit, ...] = ()
    ) -> Iterator[Mistake]:
        """Check a mapping that names a measure and, beside it, one level."""
        key, value = level
        unit = self.policy.unit_of(measure) if measure in self.policy.measures else None
        if unit == "text" and key in {"at_least", "below"}:
            allowed = f"is or is_known, as {measure} is text"
            yield Mistake((*at, key), shown(key), allowed, at_key=True)
            return
        yield from self._numeric((*at, "measure"), measure, units)
        yield from self._fits((*at, key), measure, value)

    def _numeric(
        self, at: Location, measure: str, units: tuple[Unit, ...] = (), *, at_key: bool = False
    ) -> Iterator[Mistake]:
        """Check that *measure* exists and is a number (in one of *units*, when given)."""
        if measure not in self.policy.measures:
            if measure not in self.broken:
                words = _one_of("a measure", measure, self.policy.measures)
                yield Mistake(at, shown(measure), words, at_key)
            return
        unit = self.policy.unit_of(measure)
        if unit == "text" or (units and unit not in units):
            wanted = " or ".join(units) or "a number"
            yield Mistake(at, shown(measure), f"a measure of {wanted}; this one is {unit}", at_key)

    def _fits(self, at: Location, measure: str, level: Decimal) -> Iterator[Mistake]:
        """Check that *level* can be said in the unit of *measure*."""
        if measure not in self.policy.measures or self.policy.unit_of(measure) == "text":
            return
        unit, exponent = self.policy.unit_of(measure), self.policy.exponent
        if whole_level(level, unit, exponent) is None:
            yield Mistake(
                at, shown(f"{level:f}"), level_words(unit, self.policy.currency, exponent)
            )

    def _cycles(self) -> Iterator[Mistake]:
        done: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> Iterator[Mistake]:
            if name in path:
                cycle = " -> ".join((*path[path.index(name) :], name))
                allowed = f"gradings that do not refer back to themselves ({cycle})"
                yield Mistake(("gradings", name), shown(name), allowed, at_key=True)
            elif name in self.policy.gradings and name not in done:
                for other in referred_gradings(self.policy.gradings[name]):
                    yield from visit(other, (*path, name))
                done.add(name)

        for name in self.policy.gradings:
            yield from visit(name, ())


def _one_of(what: str, given: str, names: Iterable[str]) -> str:
    known = list(names)
    near = difflib.get_close_matches(given, known, n=3)
    if near:
        return f"{what}, such as {' or '.join(near)}"
    more = ", ..." if len(known) > _SHOWN_NAMES else ""
    return f"{what}: {', '.join(known[:_SHOWN_NAMES])}{more}"
