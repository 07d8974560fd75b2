"""What gradings have that may take their levels from the population."""

from collections.abc import Iterator
from dataclasses import replace

from schemas.policy.findings import Location, Mistake, shown
from schemas.policy.fit import Fit
from schemas.policy.gradings.base import GradingPart
from schemas.policy.relative import RelativeCut, Within


class RelativePart(GradingPart):
    """A grading some levels of which the population may set.

    Attributes:
        within: Those levels are found in each segment by itself; None: among everybody.
    """

    within: Within | None = None

    def levels(self) -> Iterator[RelativeCut]:
        """Yield the cuts that it takes from the population, whoever that is."""
        return iter(())

    def relative(self) -> Iterator[RelativeCut]:
        """Yield the cuts that it takes from the population, segment by segment."""
        if self.within is None:
            yield from self.levels()
            return
        for segment in self.within.each():
            for cut in self.levels():
                yield replace(cut, segment=segment)

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield everything that does not fit, with *at* as the grading's own place."""
        yield from super().mistakes(at, fit)
        if self.within is not None:
            place = (*at, "within")
            yield from self.within.mistakes(place, fit)
            if not any(self.levels()):
                allowed = "nothing: the population sets no level of this grading"
                yield Mistake(place, shown("within"), allowed, at_key=True)
