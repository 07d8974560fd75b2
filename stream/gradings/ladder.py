"""Tiers by level, with separate enter and exit levels (hysteresis) against flapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Rung:
    """One tier of a ladder.

    Attributes:
        tier: Its name.
        enter: Least level that earns it; None for the floor, which everyone earns.
        exit: Least level that keeps it, at most `enter`.
    """

    tier: str
    enter: int | None
    exit: int | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Tiers, best first; the last has no levels."""

    rungs: tuple[Rung, ...]

    @property
    def tiers(self) -> tuple[str, ...]:
        """Names, best first."""
        return tuple(rung.tier for rung in self.rungs)

    def levels(self) -> list[int]:
        """Return every enter and exit level."""
        return [
            level for rung in self.rungs for level in (rung.enter, rung.exit) if level is not None
        ]

    def tier(self, level: int, current: str | None) -> str:
        """Return the tier that *level* earns for someone who stands at *current*.

        >>> rungs = Rung("gold", 100, 80), Rung("silver", 50, 40), Rung("iron", None, None)
        >>> ladder = Ladder(rungs)
        >>> [ladder.tier(90, current) for current in ("gold", "silver", None)]
        ['gold', 'silver', 'silver']
        >>> ladder.tier(30, "gold")
        'iron'
        """
        for rung in self.rungs:
            needed = rung.exit if rung.tier == current else rung.enter
            if needed is None or level >= needed:
                return rung.tier
        return self.rungs[-1].tier


def ladder(rungs: Iterable[tuple[str, int | None, int | None]]) -> Ladder:
    """Return a ladder from ``(tier, enter, exit)``; a missing exit equals enter."""
    return Ladder(
        tuple(Rung(tier, enter, enter if leave is None else leave) for tier, enter, leave in rungs)
    )


NO_LADDER = Ladder(())
