"""The whole policy file, each part well formed; whether they fit together is checked elsewhere."""

from decimal import Decimal

from pydantic import Field

from schemas.currencies import EXPONENTS
from schemas.policy.forecasts import Forecasts
from schemas.policy.gradings import Grading
from schemas.policy.groups import Groups
from schemas.policy.measures import Measure
from schemas.policy.part import Part
from schemas.policy.quantities import (
    MAX_DAYS,
    Currency,
    Name,
    PolicyName,
    Rate,
    TimeZone,
    Unit,
    whole_level,
)
from schemas.policy.relative import Population, RelativeCut, relative_cuts
from schemas.policy.routes import Routes
from schemas.policy.treatments import Treatments
from schemas.vocabulary import STAGES

_WEEK_MINUTES = 7 * 24 * 60


class PolicyShape(Part):
    """A policy whose parts are well formed, but may contradict each other.

    Attributes:
        policy: Name of the policy.
        version: Rises with every published change.
        time_zone: IANA zone whose calendar days are the day buckets.
        currency: ISO 4217 code of the reporting currency; all money measures are in it.
        rates: Value of one unit of every other accepted currency in the reporting currency.
        refund_days: How long a refund or cancellation can find its order.
        max_future_minutes: How far an event may claim to be ahead of its record.
        history_transitions: How many of its last changes are kept of each customer.
        measures: What is known of a customer, by name.
        gradings: How measures become grades, by name.
        population: Cuts that this policy fixes, and how the others follow the population; None:
            it fixes none, and none follows.
        treatments: What each grade gets.
        groups: What members of a group add to it; None where everyone stands alone.
        forecasts: What is foretold; None: nothing.
        routes: Who is told of what; None: nobody.
    """

    policy: PolicyName = Field(description="a name of a-z 0-9 -")
    version: int = Field(ge=1, description="a whole number from 1")
    time_zone: TimeZone = Field(description="an IANA time zone, such as UTC")
    currency: Currency = Field(description="an ISO 4217 currency code, such as USD")
    rates: dict[Currency, Rate] = Field(default_factory=dict)
    refund_days: int = Field(default=180, ge=1, le=MAX_DAYS)
    max_future_minutes: int = Field(default=60, ge=0, le=_WEEK_MINUTES)
    history_transitions: int = Field(default=10, ge=0, le=1000)
    measures: dict[Name, Measure] = Field(min_length=1, description="a mapping of measures")
    gradings: dict[Name, Grading] = Field(min_length=1, description="a mapping of gradings")
    population: Population | None = None
    treatments: Treatments | None = None
    groups: Groups | None = None
    forecasts: Forecasts | None = None
    routes: Routes | None = None

    @property
    def exponent(self) -> int:
        """Decimal places of the reporting currency's minor unit."""
        return EXPONENTS[self.currency]

    def unit_of(self, measure: str) -> Unit:
        """Return what *measure* counts. KeyError when the policy has no such measure."""
        return self.measures[measure].unit

    def grades_of(self, grading: str) -> tuple[str, ...]:
        """Return every grade that *grading* can give, best first. KeyError when unknown.

        Nothing for gradings that take their grades from one another in a circle.
        """
        return self._origin(grading).grades

    def is_ordered(self, grading: str) -> bool:
        """Whether the grades of *grading* go from best to worst. KeyError when unknown."""
        return self._origin(grading).ordered

    def _origin(self, grading: str) -> Grading:
        """Return the grading that decides which grades *grading* can give."""
        seen = {grading}
        found = self.gradings[grading]
        while found.grades_from in self.gradings and found.grades_from not in seen:
            seen.add(found.grades_from)
            found = self.gradings[found.grades_from]
        return found

    def threshold(self, measure: str, level: Decimal) -> int:
        """Return *level* as an integer in the unit of *measure* (money: minor units).

        Raises:
            ValueError: The level does not fit the measure; never for a checked policy.
        """
        whole = whole_level(level, self.unit_of(measure), self.exponent)
        if whole is None:
            message = f"{level} does not fit the measure {measure}"
            raise ValueError(message)
        return whole

    def relative_cuts(self) -> dict[str, RelativeCut]:
        """Return every cut that the gradings take from the population, by name."""
        return relative_cuts(self.gradings)

    def frozen_cuts(self) -> dict[str, tuple[int, ...]]:
        """Return the frozen cuts by name, in the unit of their measure; of a checked policy."""
        if self.population is None:
            return {}
        cuts = self.relative_cuts()
        return {
            name: tuple(self.threshold(cuts[name].measure, level) for level in levels)
            for name, levels in self.population.frozen.items()
        }

    def open_cuts(self) -> tuple[str, ...]:
        """Return the names of the relative cuts that are not frozen."""
        frozen = self.frozen_cuts()
        return tuple(name for name in self.relative_cuts() if name not in frozen)

    def followed_cuts(self) -> dict[str, RelativeCut]:
        """Return the cuts that follow the population, by name: none without a cadence."""
        if self.population is None or self.population.cadence is None:
            return {}
        cuts = self.relative_cuts()
        return {name: cuts[name] for name in self.open_cuts()}

    def listed(self, measure: str, value: str | int) -> str | int:
        """Return a value that a condition lists as the scorer reads it (stages: positions)."""
        return STAGES.index(str(value)) if self.unit_of(measure) == "stage" else value

    def grading_order(self) -> tuple[str, ...]:
        """Return the gradings so that each follows those it refers to; else in file order.

        Only meaningful without cycles, which a checked policy does not have.
        """
        order: dict[str, None] = {}
        open_: set[str] = set()

        def visit(name: str) -> None:
            if name in order or name in open_ or name not in self.gradings:
                return
            open_.add(name)
            for other in self.gradings[name].referred():
                visit(other)
            order[name] = None

        for name in self.gradings:
            visit(name)
        return tuple(order)
