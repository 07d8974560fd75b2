"""A simulation of another policy, as `tierstream policy simulate --json` wrote it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.api.base import Count, Minor
from schemas.base import CurrencyCode, Id, OutInstant, Word


class Part(BaseModel):
    """A part of the file; what is not told here is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SimulatedPolicy(Part):
    """One of the two policies."""

    policy: Word
    version: Annotated[int, Field(ge=1)]


class Amount(Part):
    """Customers, and what they brought in over `Simulation.revenue_days`."""

    customers: Count
    revenue_minor: Minor


class Sides(Part):
    """What each tier holds under the old policy and under the new one."""

    old: dict[Word, Amount]
    new: dict[Word, Amount]


class SimulatedFlow(Amount):
    """Customers who stand in `old` under the old policy, and in `new` under the new one."""

    old: Word | None
    new: Word | None
    direction: Word


class Mover(Part):
    """One customer who would move, and why."""

    customer_id: Id
    old: Word | None
    new: Word | None
    direction: Word
    revenue_minor: Minor
    reasons: list[str]


class SimulatedGrading(Part):
    """One grading that both policies have.

    Attributes:
        matrix: Everyone, by where they stand under each policy.
        movers: Some of those who would move.
    """

    matrix: list[SimulatedFlow]
    tiers: Sides
    movers: list[Mover]


class Simulation(Part):
    """Two policies over the same history, side by side.

    Attributes:
        as_of: The end of the history.
        revenue_days: How many last days amounts are of.
    """

    old: SimulatedPolicy
    new: SimulatedPolicy
    as_of: OutInstant
    customers: Count
    currency: CurrencyCode
    revenue_days: Count
    gradings: dict[Word, SimulatedGrading]
