"""A grading whose cuts the population has not set yet: it grades nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.gradings.base import Grading, Reading

if TYPE_CHECKING:
    from stream.customer import Grade


@dataclass(slots=True)
class Ungraded(Grading):
    """Knows its tiers, gives none of them, and looks at nothing."""

    def tier(self, reading: Reading, standing: Grade) -> str | None:
        """Return None: not yet graded."""
        del reading, standing
        return None

    def rank(self, tier: str) -> int | None:
        """Return None: what order its tiers have is not known here."""
        del tier
        return None
