"""Do references and levels fit the policy around them? What the checks of every part build on."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from schemas.policy.conditions import GradingCondition, MeasureCondition
from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.quantities import NAMED_UNITS, Unit, whole_level
from schemas.vocabulary import STAGES

_SHOWN_NAMES = 8


class Names(Protocol):
    """What a policy names, as far as its parts must know (see `schemas.policy.shape`)."""

    @property
    def currency(self) -> str:
        """ISO 4217 code of the reporting currency."""

    @property
    def exponent(self) -> int:
        """Decimal places of its minor unit."""

    @property
    def measures(self) -> Mapping[str, object]:
        """Every measure by name."""

    @property
    def gradings(self) -> Mapping[str, object]:
        """Every grading by name."""

    def unit_of(self, measure: str) -> Unit:
        """Return what a measure counts. KeyError when unknown."""

    def grades_of(self, grading: str) -> tuple[str, ...]:
        """Return the grades that a grading can give. KeyError when unknown."""

    def is_ordered(self, grading: str) -> bool:
        """Whether its grades go from best to worst. KeyError when unknown."""


def level_words(unit: Unit, currency: str, exponent: int) -> str:
    """Say in words what level a measure of *unit* may be compared with."""
    words: dict[Unit, str] = {
        "money": f"a number of {currency}, such as {1000:.{exponent}f} (no separators, no signs of "
        f"currency, {exponent or 'no'} decimal places)",
        "count": "a whole number, such as 3",
        "days": "a whole number of days, such as 30",
        "bp": 'a percent such as "12.5%", or whole basis points such as 1250',
        "number": "a whole number, such as 80",
        "text": "is or is_known, as the measure is text",
        "stage": "is or is_known, as the measure is a stage",
    }
    return words[unit]


@dataclass(frozen=True, slots=True)
class Fit:
    """Checks of one reference or level against the policy around it.

    Attributes:
        names: What the policy names.
        broken: Measures and gradings that exist but have mistakes of their own; referring to
            them is right, and nothing more can be said of them.
    """

    names: Names
    broken: frozenset[str] = field(default_factory=frozenset)

    def test(self, at: Location, test: MeasureCondition | GradingCondition) -> Iterator[Mistake]:
        """Check what one test of a condition refers to, and what it compares that with."""
        if isinstance(test, GradingCondition):
            yield from self._grades(at, test)
            return
        for key, level in (("at_least", test.at_least), ("below", test.below)):
            if level is not None:
                yield from self.level(at, test.measure, (key, level))
                return
        if test.measure not in self.names.measures:
            yield from self.numeric((*at, "measure"), test.measure)
        elif test.is_ is not None:
            yield from self._values((*at, "is"), test.measure, test.is_)

    def _values(
        self, at: Location, measure: str, values: tuple[str | int, ...]
    ) -> Iterator[Mistake]:
        unit = self.names.unit_of(measure)
        if unit not in {"text", "number", "count", "stage"}:
            yield Mistake(at, "is", f"at_least, below or is_known, as {measure} is {unit}")
            return
        if unit == "stage":
            for position, value in enumerate(values):
                if value not in STAGES:
                    words = one_of("a stage", str(value), STAGES)
                    yield Mistake((*at, position), shown(value), words)
            return
        kind, words = (str, "text") if unit == "text" else (int, "a whole number")
        for position, value in enumerate(values):
            if not isinstance(value, kind):
                yield Mistake((*at, position), shown(value), f"{words}, as {measure} is {unit}")

    def _grades(self, at: Location, test: GradingCondition) -> Iterator[Mistake]:
        yield from self.grading((*at, "grading"), test.grading)
        yield from self.listed((*at, "is"), test.grading, test.is_)

    def grading(self, at: Location, grading: str, *, at_key: bool = False) -> Iterator[Mistake]:
        """Check that *grading* exists."""
        if grading not in self.names.gradings and grading not in self.broken:
            words = one_of("a grading", grading, self.names.gradings)
            yield Mistake(at, shown(grading), words, at_key)

    def listed(self, at: Location, grading: str, grades: Iterable[str]) -> Iterator[Mistake]:
        """Check that *grading*, if it is known, can give each of the *grades* listed at *at*."""
        if grading not in self.names.gradings:
            return
        known = self.names.grades_of(grading)
        for position, grade in enumerate(grades):
            if grade not in known:
                words = one_of(f"a grade of {grading}", grade, known)
                yield Mistake((*at, position), shown(grade), words)

    def ladder(self, at: Location, grading: str) -> Iterator[Mistake]:
        """Check that *grading* exists and has grades that go from best to worst."""
        yield from self.grading(at, grading)
        if grading in self.names.gradings and not self.names.is_ordered(grading):
            known = [name for name in self.names.gradings if self.names.is_ordered(name)]
            words = one_of("a grading whose grades go from best to worst", grading, known)
            yield Mistake(at, shown(grading), words)

    def grades(self, grading: str) -> tuple[str, ...]:
        """Return the grades of *grading*; nothing where that is not known."""
        return self.names.grades_of(grading) if grading in self.names.gradings else ()

    def level(
        self, at: Location, measure: str, level: tuple[str, Decimal], units: tuple[Unit, ...] = ()
    ) -> Iterator[Mistake]:
        """Check a mapping that names a measure and, beside it, one level."""
        key, value = level
        unit = self.names.unit_of(measure) if measure in self.names.measures else None
        if unit in NAMED_UNITS and key in {"at_least", "below"}:
            allowed = f"is or is_known, as {measure} is {unit}"
            yield Mistake((*at, key), shown(key), allowed, at_key=True)
            return
        yield from self.numeric((*at, "measure"), measure, units)
        yield from self.fits((*at, key), measure, value)

    def numeric(
        self, at: Location, measure: str, units: tuple[Unit, ...] = (), *, at_key: bool = False
    ) -> Iterator[Mistake]:
        """Check that *measure* exists and is a number (in one of *units*, when given)."""
        if measure not in self.names.measures:
            if measure not in self.broken:
                words = one_of("a measure", measure, self.names.measures)
                yield Mistake(at, shown(measure), words, at_key)
            return
        unit = self.names.unit_of(measure)
        if unit in NAMED_UNITS or (units and unit not in units):
            wanted = " or ".join(units) or "a number"
            yield Mistake(at, shown(measure), f"a measure of {wanted}; this one is {unit}", at_key)

    def text(self, at: Location, measure: str) -> Iterator[Mistake]:
        """Check that *measure* exists and is text."""
        if measure not in self.names.measures:
            yield from self.numeric(at, measure)
        elif (unit := self.names.unit_of(measure)) != "text":
            yield Mistake(at, shown(measure), f"a measure of text; this one is {unit}")

    def fits(self, at: Location, measure: str, level: Decimal) -> Iterator[Mistake]:
        """Check that *level* can be said in the unit of *measure*."""
        if measure not in self.names.measures or self.names.unit_of(measure) in NAMED_UNITS:
            return
        unit, exponent = self.names.unit_of(measure), self.names.exponent
        if whole_level(level, unit, exponent) is None:
            yield Mistake(at, shown(f"{level:f}"), level_words(unit, self.names.currency, exponent))


def one_of(what: str, given: str, names: Iterable[str]) -> str:
    """Say in words that *what* is one of *names*: those near to what was *given*, or the first."""
    known = list(names)
    near = difflib.get_close_matches(given, known, n=3)
    if near:
        return f"{what}, such as {' or '.join(near)}"
    more = ", ..." if len(known) > _SHOWN_NAMES else ""
    return f"{what}: {', '.join(known[:_SHOWN_NAMES])}{more}"
