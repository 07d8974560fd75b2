"""Cells: the readings between two neighbouring cuts, which a grading treats alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.customer import Value

LOWEST = MISSING + 1
"""Below every number that is known."""

HIGHEST = NEVER - 1
"""Above every number that is known."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Which readings a measure can have at all, whatever the others say.

    Attributes:
        least: Least number; `LOWEST` where there is no least.
        most: Greatest number; `HIGHEST` where there is no greatest.
        unknown: Whether there may be nothing to measure.
        texts: The texts that matter, for a measure of text; None for numbers.
    """

    least: int = LOWEST
    most: int = HIGHEST
    unknown: bool = True
    texts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Numbers from *low* to *high*, both included; or one text; or "unknown" (`MISSING`)."""

    low: int
    high: int
    text: str | None = None

    @property
    def known(self) -> bool:
        """Whether there is a reading."""
        return self.low != MISSING

    @property
    def start(self) -> Value:
        """The reading of the cell that people would name: its lower end, or what is nearest 0."""
        if self.text is not None:
            return self.text
        return self.low if self.low != LOWEST else min(self.high, 0)

    def holds(self, value: Value) -> bool:
        """Say whether *value* lies in the cell."""
        if isinstance(value, str):
            return value == self.text
        return self.text is None and self.low <= value <= self.high


UNKNOWN = Cell(MISSING, MISSING)


def cells(domain: Domain, cuts: Iterable[int]) -> tuple[Cell, ...]:
    """Return the cells between *cuts* that *domain* allows, unknown first, then ascending.

    >>> [(c.low, c.high) for c in cells(Domain(0, 9, unknown=False), [5, -3, 0, 12])]
    [(0, 4), (5, 9)]
    """
    first = (UNKNOWN,) if domain.unknown else ()
    if domain.texts is not None:
        return (*first, *(Cell(0, 0, text) for text in domain.texts))
    inside = sorted({cut for cut in cuts if domain.least < cut <= domain.most})
    lows = [domain.least, *inside]
    highs = [*(cut - 1 for cut in inside), domain.most]
    return (*first, *(Cell(low, high) for low, high in zip(lows, highs, strict=True)))
