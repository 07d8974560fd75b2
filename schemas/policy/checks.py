"""Do the parts of a policy fit together? Every check yields one mistake for each place."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.policy.findings import Mistake, shown
from schemas.policy.fit import Fit, one_of
from schemas.policy.measures import ReviewMeasure
from schemas.policy.relative import population_mistakes
from schemas.policy.shape import PolicyShape


@dataclass(frozen=True, slots=True)
class Checker:
    """The policy under check.

    Attributes:
        policy: What could be read of it.
        broken: Measures and gradings that exist but have mistakes of their own.
    """

    policy: PolicyShape
    broken: frozenset[str] = field(default_factory=frozenset)

    def mistakes(self) -> Iterator[Mistake]:
        """Yield everything that does not fit, in file order."""
        if self.policy.currency in self.policy.rates:
            yield Mistake(
                ("rates", self.policy.currency),
                shown(self.policy.currency),
                "any currency but the reporting currency, whose rate is 1",
                at_key=True,
            )
        fit = Fit(self.policy, self.broken)
        yield from self._reviews(fit)
        for name, grading in self.policy.gradings.items():
            yield from grading.mistakes(("gradings", name), fit)
        if self.policy.population is not None:
            yield from population_mistakes(self.policy.population, self.policy.gradings, fit)
        yield from self._cycles()
        if self.policy.treatments is not None:
            yield from self.policy.treatments.mistakes(("treatments",), fit)
        if self.policy.groups is not None:
            yield from self.policy.groups.mistakes(self.policy)
        if self.policy.forecasts is not None:
            yield from self.policy.forecasts.mistakes(("forecasts",), fit)
        if self.policy.routes is not None:
            yield from self.policy.routes.mistakes(("routes",), fit)

    def _reviews(self, fit: Fit) -> Iterator[Mistake]:
        """Yield what is reviewed although nothing of that name is there."""
        for name, measure in self.policy.measures.items():
            if not isinstance(measure, ReviewMeasure):
                continue
            at = ("measures", name, "review")
            grading, indicator = measure.review.grading, measure.review.indicator
            yield from fit.grading((*at, "grading"), grading)
            reviewed = self.policy.gradings.get(grading)
            known = reviewed.indicator_names if reviewed is not None else (indicator,)
            if indicator not in known:
                words = one_of(f"an indicator of {grading}", indicator, known)
                yield Mistake((*at, "indicator"), shown(indicator), words)

    def _cycles(self) -> Iterator[Mistake]:
        done: set[str] = set()

        def visit(name: str, path: tuple[str, ...]) -> Iterator[Mistake]:
            if name in path:
                cycle = " -> ".join((*path[path.index(name) :], name))
                allowed = f"gradings that do not refer back to themselves ({cycle})"
                yield Mistake(("gradings", name), shown(name), allowed, at_key=True)
            elif name in self.policy.gradings and name not in done:
                for other in self.policy.gradings[name].referred():
                    yield from visit(other, (*path, name))
                done.add(name)

        for name in self.policy.gradings:
            yield from visit(name, ())
