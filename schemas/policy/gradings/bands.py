"""Tiers by the level of one measure: the customer pyramid, VIP lists, value tiers."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from schemas.policy.findings import Location, Mistake
from schemas.policy.fit import Fit
from schemas.policy.gradings.tiers import Tiered, ladder_mistakes
from schemas.policy.quantities import Name


class Bands(Tiered):
    """Tiers by the level of one measure."""

    type: Literal["bands"]
    measure: Name = Field(description="the name of a measure")

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what is wrong with the measure and the levels."""
        yield from fit.numeric((*at, "measure"), self.measure)
        for position, tier in enumerate(self.tiers):
            for key, level in (("enter", tier.enter), ("exit", tier.exit)):
                if level is not None:
                    yield from fit.fits((*at, "tiers", position, key), self.measure, level)
        yield from ladder_mistakes((*at, "tiers"), self.tiers)
