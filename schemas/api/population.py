"""Everyone: gradings with their tiers, members, flows, matrices, candidates, who is at risk."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.api.base import Answer, Count, Label, Minor, Orders, OutInstant, Policy, ReadingUnit
from schemas.base import CurrencyCode, Id, Word


class Tier(Answer):
    """One tier of a grading.

    Attributes:
        customers: How many stand there now.
        amount_minor: What they bring in, by the measure that `Gradings.amount` names; as of
            the last survey, moved along with customers who changed tier since.
    """

    tier: Word
    label: Label
    customers: Count
    amount_minor: Minor


class Grading(Answer):
    """One grading.

    Attributes:
        type: As the policy says it.
        ordered: Whether the tiers go from best to worst.
        tiers: Those of the policy in force in its order, then others that people still stand in.
        not_graded: Customers without a tier.
    """

    grading: Word
    label: Label
    type: Word
    ordered: bool
    tiers: list[Tier]
    not_graded: Count


class Gradings(Answer):
    """Every grading of the policy in force, with its tiers.

    Attributes:
        as_of: Newest instant read from the topics.
        customers: How many customers have a standing.
        amount: Measure of what a customer brings in; null where the policy measures no money.
        surveyed: When the last complete look at everyone's amounts ended; null before the first.
    """

    as_of: OutInstant | None
    policy: Policy
    currency: CurrencyCode
    customers: Count
    amount: Word | None
    surveyed: OutInstant | None
    gradings: list[Grading]


class Member(Answer):
    """A customer in a tier; the amount is null until it was surveyed."""

    customer_id: Id
    amount_minor: Minor | None


class Members(Answer):
    """A page of the customers in a tier.

    Attributes:
        next: Give it as `after` for the next page; null on the last one.
    """

    grading: Word
    tier: Word
    members: list[Member]
    next: Annotated[int, Field(ge=1)] | None


class Largest(Answer):
    """The customers of a tier who bring in most, the largest first."""

    grading: Word
    tier: Word
    currency: CurrencyCode
    members: list[Member]


class Flow(Answer):
    """Changes from one tier to another; null: not graded."""

    from_: Word | None = Field(alias="from")
    to: Word | None
    changes: Count


class CauseCount(Answer):
    """Changes of one direction with one kind of cause."""

    direction: Word
    cause: Word
    changes: Count


class FlowDay(Answer):
    """One day on which tiers changed; the date is that of the policy's time zone."""

    date: str
    flows: list[Flow]
    causes: list[CauseCount]


class Flows(Answer):
    """Changes by day, oldest first: days without one are left out."""

    grading: Word
    days: list[FlowDay]


class Axis(Answer):
    """An axis of a matrix.

    Attributes:
        name: Of the measure, or of the grading whose score it is.
        places: Decimal places of scores: 755 with one place is 75.5.
        levels: Where positions change, ascending.
    """

    name: Word
    label: Label
    unit: ReadingUnit
    places: Count
    levels: list[int]


class Point(Answer):
    """One customer in a matrix."""

    customer_id: Id
    tier: Word
    x: int
    y: int


class Matrix(Answer):
    """A sample of customers on the two axes of a matrix, as of the last survey."""

    grading: Word
    currency: CurrencyCode
    columns: Axis
    rows: Axis
    points: list[Point]


class Matrices(Answer):
    """Every matrix of the policy with two axes of numbers. Empty before the first survey."""

    surveyed: OutInstant | None
    matrices: list[Matrix]


class Candidate(Answer):
    """A customer close to the next better tier.

    Attributes:
        to: The next better tier.
        level: What it is judged by now, in `unit`; points in units of 10 ** -`places`.
        missing: What is missing to `to`.
        enter: The level that earns `to`.
    """

    customer_id: Id
    grading: Word
    tier: Word
    to: Word
    level: int
    missing: Annotated[int, Field(ge=1)]
    enter: int
    unit: ReadingUnit
    places: Count


class Candidates(Answer):
    """Promotion candidates by closeness, as of the last survey."""

    surveyed: OutInstant | None
    currency: CurrencyCode
    candidates: list[Candidate]


class Warned(Answer):
    """A customer who will fall if nothing happens.

    Attributes:
        kind: at_risk: it is about to earn less; grace: it already does, and is waited for.
        expected_tier: From `expected_at` on; null: not graded.
        prevention: Orders with which the fall would not come; null where none were found.
    """

    id: Id
    customer_id: Id
    grading: Word
    kind: Literal["at_risk", "grace"]
    tier: Word
    expected_tier: Word | None
    expected_at: OutInstant
    issued_at: OutInstant
    prevention: Orders | None


class AtRisk(Answer):
    """Standing warnings, the nearest first.

    Attributes:
        now: The instant they are counted from: of the wall clock, or of the stream in a replay.
        total: How many stand in all.
    """

    now: OutInstant
    total: Count
    warnings: list[Warned]
