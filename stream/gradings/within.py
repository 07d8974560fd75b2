"""A grading with levels of its own in each segment of the population."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stream.gradings.base import Grading, Reading, Scope, Score, merged
from stream.gradings.ungraded import Ungraded
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from schemas.policy.gradings.relative import RelativePart
    from schemas.policy.relative import Within as WithinDocument
    from stream.customer import Grade, Value

REST = ""
"""The segment of everybody with another value than those listed, or without any."""


@dataclass(slots=True)
class Within(Grading):
    """The same grading once for each segment; a customer is graded by that of its own.

    Attributes:
        by: Position of the measure of text that says which segment.
        parts: The grading of each segment, by its value; `REST` for the rest. One whose levels
            are not known yet grades nobody.
        levels: The cuts that matter in each segment, by its value.
    """

    by: int = 0
    parts: Mapping[str, Grading] = field(default_factory=dict)
    levels: Mapping[str, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier among the customers of the segment."""
        return self.part(reading.values).tier(reading, standing)

    def score(self, reading: Reading) -> Score | None:
        """Return the score behind the tier, where this type of grading has one."""
        return self.part(reading.values).score(reading)

    def rank(self, tier: str) -> int | None:
        """Return how good *tier* is, which is the same in every segment."""
        return self.graded().rank(tier)

    def cuts_for(self, values: Sequence[Value]) -> Mapping[int, tuple[int, ...]]:
        """Return the cuts of the customer's own segment."""
        return self.levels[self.segment(values)]

    def segment(self, values: Sequence[Value]) -> str:
        """Return the value of the customer's segment."""
        value = values[self.by]
        return value if isinstance(value, str) and value in self.parts else REST

    def part(self, values: Sequence[Value]) -> Grading:
        """Return the grading of the customer's segment."""
        return self.parts[self.segment(values)]

    def graded(self) -> Grading:
        """Return the grading of a segment whose levels are known."""
        return next(part for part in self.parts.values() if not isinstance(part, Ungraded))


def compile_within(
    name: str,
    document: RelativePart,
    within: WithinDocument,
    scope: Scope,
    compiled: Callable[[Scope], Grading],
) -> Grading:
    """Return the grading that *document* describes, once for each segment of *within*.

    Args:
        name: Of the grading.
        document: As written.
        within: Its segments.
        scope: Knows the cuts of every segment, as far as they are known.
        compiled: Compiles the grading with the cuts of one segment under their plain names.
    """
    by = scope.measures[within.measure]
    parts: dict[str, Grading] = {}
    for segment in within.each():
        plain = {cut.axis: replace(cut, grading=name, segment=segment) for cut in document.levels()}
        cuts = {
            f"{name}.{axis}": scope.cuts[cut.name]
            for axis, cut in plain.items()
            if cut.name in scope.cuts
        }
        parts[segment.value] = compiled(replace(scope, cuts=cuts))
    if all(isinstance(part, Ungraded) for part in parts.values()):
        return parts[REST]
    # Whether the segment is known at all makes a difference as well.
    known = {by: (MISSING + 1,)}
    levels = {value: merged(known, part.cuts) for value, part in parts.items()}
    return Within(
        name,
        parts[REST].tiers,
        cuts=merged(*levels.values()),
        words={by: within.segments},
        varies=True,
        by=by,
        parts=parts,
        levels=levels,
    )
