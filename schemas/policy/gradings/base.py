"""What every grading of the policy language has, whatever its type."""

from collections.abc import Iterator

from pydantic import Field

from schemas.policy.conditions import GradingCondition, MeasureCondition
from schemas.policy.findings import Location, Mistake
from schemas.policy.fit import Fit
from schemas.policy.labels import Label
from schemas.policy.part import Part
from schemas.policy.quantities import Level, Name
from schemas.policy.relative import RelativeCut
from schemas.policy.stability import Stability


class MinimumEvidence(Part):
    """Below this there is too little data to grade at all."""

    measure: Name = Field(description="the name of a measure")
    at_least: Level = Field(description="a number")


class GradingPart(Part):
    """A grading. Subclasses name their ``type`` and say what they can give and look at.

    Attributes:
        label: How people call it.
        minimum_evidence: Not graded while this is not met.
        stability: What holds a change of tier back; for grades that go from best to worst.
    """

    label: Label | None = None
    minimum_evidence: MinimumEvidence | None = None
    stability: Stability | None = None

    @property
    def grades(self) -> tuple[str, ...]:
        """Every grade it can give, best first; nothing where `grades_from` names another."""
        return ()

    @property
    def grades_from(self) -> str | None:
        """The grading whose grades it gives instead of `grades`, where there is one."""
        return None

    @property
    def ordered(self) -> bool:
        """Whether its grades go from best to worst, so that one may be said to cap another."""
        return False

    @property
    def indicator_names(self) -> tuple[str, ...]:
        """The names of its indicators, for gradings that add up points."""
        return ()

    def tests(self) -> Iterator[tuple[Location, MeasureCondition | GradingCondition]]:
        """Yield every test that its conditions make, with its place inside the grading."""
        return iter(())

    def referred(self) -> tuple[str, ...]:
        """Return the names of the gradings that it looks at, in file order, once each."""
        tests = (test for _, test in self.tests())
        return tuple(dict.fromkeys(t.grading for t in tests if isinstance(t, GradingCondition)))

    def relative(self) -> Iterator[RelativeCut]:
        """Yield the cuts that it takes from the population."""
        return iter(())

    def labels(self) -> dict[str, Label]:
        """Return how people call its grades, for those that the policy gives a name."""
        return {}

    def own_mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield what does not fit in this type of grading; `mistakes` adds the rest."""
        del at, fit
        return iter(())

    def mistakes(self, at: Location, fit: Fit) -> Iterator[Mistake]:
        """Yield everything that does not fit, with *at* as the grading's own place."""
        evidence = self.minimum_evidence
        if evidence is not None:
            place = (*at, "minimum_evidence")
            yield from fit.level(place, evidence.measure, ("at_least", evidence.at_least))
        if self.stability is not None:
            yield from self.stability.mistakes((*at, "stability"), str(at[-1]), fit)
        yield from self.own_mistakes(at, fit)
        for place, test in self.tests():
            yield from fit.test((*at, *place), test)
