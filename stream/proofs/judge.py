"""Grades for readings that are made up, by the same gradings that the fold asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from stream.customer import Grade
from stream.gradings.base import Reading
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stream.customer import Value
    from stream.plan import Plan

NOW_MS = 1_718_452_800_000
"""The instant of everything that is made up: noon of 15 June 2024, UTC."""


class Standing:
    """A standing that remembers whether anyone looked at it."""

    def __init__(self, grade: Grade) -> None:
        """Stand for *grade*."""
        self.grade = grade
        self.touched = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a grade has
        """Hand out what the grade says."""
        self.touched = True
        return getattr(self.grade, name)


@dataclass(frozen=True, slots=True)
class Judge:
    """Grades made-up readings by one plan."""

    plan: Plan

    def closure(self, position: int) -> tuple[int, ...]:
        """Return *position* and every grading it depends on, in the order of evaluation."""
        found = {position}
        for other in range(position, -1, -1):
            if other in found:
                found.update(self.plan.gradings[other].depends)
        return tuple(sorted(found))

    def blank(self, position: int) -> bool:
        """Say whether a grading looks at nothing, and so may yet give anything.

        Such a grading waits for levels that the population sets.
        """
        grading = self.plan.gradings[position]
        return not (grading.cuts or grading.continuous or grading.depends)

    def initial(self, position: int) -> Grade:
        """Return where everyone stands at first."""
        return Grade(self.plan.shape.initial[position])

    def standings(self, position: int, tiers: Iterable[str]) -> list[Grade]:
        """Return the standings that a customer may have who can reach *tiers*."""
        initial = self.initial(position)
        known = [Grade(tier, 1) for tier in tiers]
        if self.plan.gradings[position].expires:
            # Kept while what earned it holds, and perhaps for some time after.
            earned = [grade.tier for grade in known if grade.tier != initial.tier]
            known += [Grade(tier, 1, 0, NEVER) for tier in earned]
        return [initial, *known]

    def tier(self, position: int, reading: Reading, standing: Grade | Standing) -> str | None:
        """Return the tier that one grading gives, None without the evidence it needs."""
        evidence = self.plan.evidence[position]
        if evidence is not None and reading.values[evidence[0]] < evidence[1]:  # type: ignore[operator]
            return None
        return self.plan.gradings[position].tier(reading, cast("Grade", standing))

    def outcomes(
        self, position: int, reading: Reading, standings: Sequence[Grade]
    ) -> list[tuple[str | None, Grade]]:
        """Return each tier that one grading may give, with a standing from which it does.

        The first of *standings* is preferred; the others are only asked where they matter.
        """
        first = Standing(standings[0])
        found = {self.tier(position, reading, first): standings[0]}
        if first.touched:
            for standing in standings[1:]:
                found.setdefault(self.tier(position, reading, standing), standing)
        return list(found.items())

    def fresh(self, values: Sequence[Value], positions: Iterable[int]) -> list[str | None]:
        """Return the tier of each grading in *positions* for someone never graded before.

        The list has a place for every grading of the plan; those not asked for are None.
        """
        tiers: list[str | None] = [None] * len(self.plan.gradings)
        reading = Reading(NOW_MS, values, tiers)
        for position in positions:
            tiers[position] = self.tier(position, reading, self.initial(position))
        return tiers
