"""Tiers by the level of one measure (the customer pyramid, VIP lists, value tiers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.gradings.base import Grading, Level, Reading, Scope
from stream.gradings.ladder import ladder
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from schemas.policy.gradings.bands import Bands as Document
    from stream.customer import Grade


@dataclass(slots=True)
class Bands(Grading):
    """A ladder over one measure. A measure without a reading stands at the floor.

    Source: the customer pyramid of seed 000 (platinum, gold, iron, lead) and the
    consumption levels of seed 001 (VIP, important, ordinary, potential).
    """

    measure: int = 0

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return the tier that the measure earns from where the customer stands."""
        level = reading.values[self.measure]
        return self.ladder.tier(level, standing.tier) if isinstance(level, int) else None

    def level(self, reading: Reading) -> Level | None:
        """Return the reading of the measure."""
        level = reading.values[self.measure]
        if not isinstance(level, int) or level == MISSING:
            return None
        return Level(level, self.measure)


def compile_bands(name: str, document: Document, scope: Scope) -> Bands:
    """Return the grading that *document* describes."""
    rungs = ladder(
        (
            tier.tier,
            None if tier.enter is None else scope.level(document.measure, tier.enter),
            None if tier.exit is None else scope.level(document.measure, tier.exit),
        )
        for tier in document.tiers
    )
    measure = scope.measures[document.measure]
    return Bands(
        name,
        rungs.tiers,
        cuts={measure: tuple(sorted(set(rungs.levels())))},
        measure=measure,
        ladder=rungs,
    )
