"""One customer: where it stands and why, its last changes, what comes next, what it did."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.api.base import (
    NO_TEXT,
    Answer,
    Count,
    Exact,
    Minor,
    Orders,
    OutInstant,
    Policy,
    Question,
    Reading,
    ReadingUnit,
)
from schemas.base import CurrencyCode, Id, Word
from schemas.tier_changes import Cause, PinNote, Waited
from schemas.tier_changes import Reason as ChangeReason

Level = int | str | None
"""A level: of a measure in its unit, of points as a decimal text; null where there is none."""


class MeasureReading(Answer):
    """One measure of the policy."""

    unit: ReadingUnit
    value: Reading


class Turn(Answer):
    """One turn on the way through a decision tree."""

    measure: Word
    value: Reading
    threshold: int
    went: Literal["low", "high"]


class Part(Answer):
    """One addend of a score: contribution = points x weight.

    Attributes:
        measure: Null where a condition earns the points.
        table: Which of several tables of the indicator was used; null for the usual one.
    """

    indicator: Word
    measure: Word | None
    table: str | None
    points: Exact
    weight: Exact
    contribution: Exact


class Score(Answer):
    """A score. The contributions and `rounding` add up to `value` exactly."""

    value: Exact
    rounding: Exact
    parts: list[Part]


class Range(Answer):
    """A measure as one grading looks at it: the range in which the grading does not care.

    Attributes:
        from_: Least reading of the range; null where it has no lower end.
        below: First reading above it; null where it has no upper end.
    """

    measure: Word
    unit: ReadingUnit
    value: Reading
    from_: int | None = Field(alias="from")
    below: int | None


class Rung(Answer):
    """A tier with the least level that earns it and the least that keeps it."""

    tier: Word
    enter: Level
    exit: Level


class Standing(Answer):
    """Where a tier stands on its ladder.

    Attributes:
        level: What the tier is judged by now.
        tiers: Best first.
        next_tier: The next better one; null at the top.
        missing: What is missing to it.
        exit: Least level that keeps the tier; null on the floor.
        margin: How much the level may fall and still keep it.
    """

    unit: ReadingUnit
    level: Level
    tiers: list[Rung]
    next_tier: Word | None
    enter: Level
    missing: Level
    exit: Level
    margin: Level


class Evidence(Answer):
    """What is wanted before anything is graded."""

    measure: Word
    value: Reading
    at_least: int


class Amount(Answer):
    """Orders now, or a refund, and the tier they lead to.

    Attributes:
        orders: How many, for orders.
    """

    to: Word | None
    amount_minor: Minor
    orders: int | None = Field(default=None, exclude_if=lambda told: told is None)


class Move(Answer):
    """How far one measure alone would have to move, and the tier it leads to."""

    measure: Word
    unit: ReadingUnit
    value: Reading
    at: Reading
    to: Word | None


class Counterfactual(Answer):
    """What would change the tier now.

    Attributes:
        orders: The fewest orders, and their least amount, that earn a better tier.
        refund: The least refund of the newest day's orders that costs the tier.
        better: Single measures that would raise it.
        worse: Single measures that would lower it.
    """

    orders: Amount | None
    refund: Amount | None
    better: list[Move]
    worse: list[Move]


class Expected(Answer):
    """The next tier if nothing happens, from an exact instant on; null: not graded."""

    tier: Word | None
    at: OutInstant
    prevention: Orders | None


class Outlook(Answer):
    """What time alone does to one grading.

    Attributes:
        not_before: Without an expected change: nothing changes before this; null: never.
    """

    tier: Word | None
    expected: Expected | None
    not_before: OutInstant | None


class HeldBack(Answer):
    """A rule on stability that holds a change back."""

    rule: Word
    since: OutInstant
    until: OutInstant


class Pin(Answer):
    """A pin that a person has set; `until` is null where someone has to lift it."""

    event_id: Id
    author: Word
    reason: str
    until: OutInstant | None


class Stability(Answer):
    """What rules against flapping, and pins, do to a grade.

    Attributes:
        earned: The tier that is earned; another than the one that stands while it is held.
        suppressed: Changes that never came about, by what held them back.
    """

    earned: Word | None
    waiting: HeldBack | None
    pin: Pin | None
    suppressed: dict[Word, Count]


class CutStep(Answer):
    """A level of a cut, and how far it is from the reading."""

    level: int
    distance: int | None


class Place(Answer):
    """Where a reading lies among everybody's, and between which cuts of the population.

    Attributes:
        segment: The value of the segment that the cut is of, "" for the rest; null: everybody.
        levels: The cut in force, ascending; null while there is none.
        frozen: Whether the policy freezes it.
        rank: 1 for the best; null where the customer does not count.
        percentile: Percent of all that do no better; the shares are percents as well.
    """

    cut: str
    measure: Word
    segment: str | None
    unit: ReadingUnit
    value: Reading
    levels: list[int] | None
    frozen: bool
    next_up: CutStep | None
    next_down: CutStep | None
    rank: int | None
    customers: int | None
    percentile: str | None
    share: str | None
    cumulative_share: str | None


class EditionNote(Answer):
    """Since when the cuts, or the policy, are in force, and what brought them."""

    number: Annotated[int, Field(ge=1)]
    since: OutInstant
    cause: str


class CardGrading(Outlook):
    """One grading of one customer.

    Attributes:
        since: Instant of the last change.
        sequence: Changes so far.
        decided_by: The rule of the policy that gave the tier; null where there is but one way.
        path: The turns that led to it, for decision trees.
        score: For scorecards.
        measures: What the grading looks at.
        gradings: Other gradings that it looks at, with their tiers.
        places: Where readings lie among everybody's, for cuts that follow the population.
        standing: Where the tier stands on its ladder, if it has one.
    """

    since: OutInstant | None
    sequence: Count
    decided_by: str | None
    path: list[Turn]
    score: Score | None
    measures: list[Range]
    gradings: dict[Word, Word | None]
    places: list[Place]
    standing: Standing | None
    evidence: Evidence | None
    counterfactual: Counterfactual
    stability: Stability | None


class Card(Answer):
    """Where a customer stands and why: the same as `tierstream explain --json`."""

    customer_id: Id
    as_of: OutInstant
    source: Literal["store"]
    policy: Policy
    edition: EditionNote | None
    currency: CurrencyCode
    measures: dict[Word, MeasureReading]
    gradings: dict[Word, CardGrading]
    next_deadline: OutInstant | None


class Transition(Answer):
    """One change of one grading: the same as `tierstream history --json`."""

    grading: Word
    from_: Word | None = Field(alias="from")
    to: Word | None
    direction: Literal["first", "up", "down", "lateral"]
    sequence: Annotated[int, Field(ge=1)]
    instant: OutInstant
    cause: Cause
    policy_version: Annotated[int, Field(ge=1)]
    reasons: list["HistoryReason"]
    pin: PinNote | None = Field(default=None, exclude_if=lambda told: told is None)
    waited: Waited | None = Field(default=None, exclude_if=lambda told: told is None)


class HistoryReason(ChangeReason):
    """A measure, or another grading, that moved; histories do not say which way it crossed."""

    crossed: Literal["above", "below"] | None = Field(
        default=None, exclude_if=lambda told: told is None
    )


class History(Answer):
    """A customer's last changes, oldest first; as many as the policy keeps."""

    customer_id: Id
    transitions: list[Transition]


Whole = Annotated[Annotated[int, Field(ge=1, le=36_500, strict=False)] | None, NO_TEXT]
"""Days."""


class ForecastQuestion(Question):
    """Which customer, and how far ahead."""

    customer_id: Id
    days: Whole = None


class CustomerForecast(Answer):
    """What time alone will do, by grading: the same as `tierstream forecast --json`."""

    customer_id: Id
    as_of: OutInstant
    policy: Policy
    gradings: dict[Word, Outlook]


class ActiveDay(Answer):
    """One day on which something happened.

    Attributes:
        date: In the policy's time zone.
        events: Surviving ones.
        total: Orders: minor units paid less refunds; else what the events carry, or 0.
    """

    date: str
    events: Count
    total: int


class Activity(Answer):
    """What a customer did by day, as far as windows reach, by kind of event."""

    customer_id: Id
    as_of: OutInstant
    currency: CurrencyCode
    kinds: dict[Word, list[ActiveDay]]
