"""Condition matching: ordered rules over measures and other gradings; the first match wins.

Source: seed 003 (条件匹配). An unknown measure fails every test but "is not known".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.policy.conditions import AllOf, AnyOf, GradingCondition, MeasureCondition, Not
from stream.gradings.base import Grading, Reading, Scope
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.policy.conditions import Condition
    from schemas.policy.gradings.conditions import Conditions as Document
    from stream.customer import Grade

    Test = Callable[[Reading], bool]

_KNOWN = MISSING + 1


class Rules:
    """Compiles conditions, and collects what they look at.

    Attributes:
        cuts: Levels per measure at which any of the conditions may change.
        measures: Every measure looked at.
        depends: Every grading looked at.
        words: Texts per measure that any of the conditions asks for.
    """

    def __init__(self, scope: Scope) -> None:
        """Resolve names by *scope*."""
        self._scope = scope
        self.cuts: dict[int, set[int]] = {}
        self.depends: set[int] = set()
        self.words: dict[int, tuple[str, ...]] = {}

    def table(self) -> dict[int, tuple[int, ...]]:
        """Return the cuts collected so far, ascending."""
        return {measure: tuple(sorted(levels)) for measure, levels in self.cuts.items()}

    def compile(self, condition: Condition) -> Test:
        """Return a pure test of a reading."""
        if isinstance(condition, AllOf):
            parts = [self.compile(part) for part in condition.all_of]
            return lambda reading: all(part(reading) for part in parts)
        if isinstance(condition, AnyOf):
            parts = [self.compile(part) for part in condition.any_of]
            return lambda reading: any(part(reading) for part in parts)
        if isinstance(condition, Not):
            negated = self.compile(condition.negated)
            return lambda reading: not negated(reading)
        if isinstance(condition, GradingCondition):
            position = self._scope.gradings[condition.grading]
            self.depends.add(position)
            grades = frozenset(condition.is_)
            return lambda reading: reading.tiers[position] in grades
        return self._measure(condition)

    def _measure(self, condition: MeasureCondition) -> Test:
        position = self._scope.measures[condition.measure]
        cuts = self.cuts.setdefault(position, set())
        cuts.add(_KNOWN)
        if condition.is_known is not None:
            wanted = condition.is_known
            return lambda reading: (reading.values[position] != MISSING) is wanted
        if condition.is_ is not None:
            # A number may be listed as a number; text as text; a stage by its name.
            listed = (self._scope.listed(condition.measure, value) for value in condition.is_)
            accepted = frozenset(listed)
            for value in accepted:
                if isinstance(value, int):
                    cuts.update((value, value + 1))
                else:
                    self.words[position] = (*self.words.get(position, ()), value)
            return lambda reading: reading.values[position] in accepted
        if condition.at_least is not None:
            least = self._scope.level(condition.measure, condition.at_least)
            cuts.add(least)
            return lambda reading: reading.values[position] >= least  # type: ignore[operator]
        if condition.below is None:
            raise TypeError(condition)
        limit = self._scope.level(condition.measure, condition.below)
        cuts.add(limit)
        return lambda reading: MISSING < reading.values[position] < limit  # type: ignore[operator]


@dataclass(slots=True)
class Conditions(Grading):
    """Levels in the order of the policy, each with its test (None: everyone else)."""

    levels: tuple[tuple[str, Test | None], ...] = ()

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the first level whose test holds; None where none does."""
        del standing
        return self.decided_by(reading)

    def decided_by(self, reading: Reading) -> str | None:
        """Return the level whose rule is the first that holds."""
        for level, test in self.levels:
            if test is None or test(reading):
                return level
        return None


def compile_conditions(name: str, document: Document, scope: Scope) -> Conditions:
    """Return the grading that *document* describes."""
    rules = Rules(scope)
    levels = tuple(
        (level.level, None if level.when is None else rules.compile(level.when))
        for level in document.levels
    )
    return Conditions(
        name,
        tuple(level for level, _ in levels),
        cuts=rules.table(),
        depends=tuple(sorted(rules.depends)),
        words=rules.words,
        levels=levels,
    )
