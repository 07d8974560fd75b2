"""The `tier-changes` topic: who moved from which grade to which, when, and why."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import (
    AmountMinor,
    Contract,
    CurrencyCode,
    Id,
    OutInstant,
    PolicyName,
    Sentence,
    Word,
)

_EXACT = r"^-?[0-9]+(\.[0-9]+|/[1-9][0-9]*)?$"
ExactNumber = Annotated[str, Field(pattern=_EXACT)]
"""A number without loss: a decimal where one exists, else a fraction ("236/3")."""
Reading = str | int | None
"""A measure in its unit (money: minor units); null while unknown."""


class Cause(Contract):
    """What made the grade change.

    Attributes:
        kind: ``policy_changed``: another policy took effect; ``boundary_moved``: others have
            moved a boundary that the population sets; ``merged``: ids of one customer were merged
            or split, or one that was merged has something new.
        event_id: The event, or the control; null when nothing happened but time.
    """

    kind: Literal[
        "order",
        "refund",
        "interaction",
        "profile",
        "time",
        "pinned",
        "review",
        "policy_changed",
        "boundary_moved",
        "consent",
        "merged",
    ]
    event_id: Id | None


class ScorePart(Contract):
    """What one measure added to a score: contribution = points x weight.

    Attributes:
        measure: The measure; where a condition earns the points, the indicator once more.
        value: Its reading; of a condition 1 while it holds, else 0.
        table: Which of several tables of the indicator was used; null for the usual one.
    """

    indicator: Word
    measure: Word
    value: Reading
    points: ExactNumber
    weight: ExactNumber
    contribution: ExactNumber
    table: str | None = None


class ScoreBreakdown(Contract):
    """A score. The contributions and `rounding` add up to `value` exactly."""

    value: ExactNumber
    parts: tuple[ScorePart, ...] = Field(strict=False)
    rounding: ExactNumber


class Reason(Contract):
    """A measure, or another grading, that moved.

    Attributes:
        measure: Name of the measure; of the grading when `unit` is ``tier``; of the policy when
            it is ``policy``, and then its versions are what it went from and to.
        boundary: The level that was crossed, in the unit; null when there is none to name.
        boundary_before: Where that level was before, where it is the level that has moved; left
            out otherwise.
        segment: The segment of the population that the customer is judged in, "" for the rest of
            it; left out where the grading knows none.
    """

    measure: Word
    unit: Literal["money", "count", "days", "bp", "number", "text", "points", "tier", "policy"]
    before: Reading
    after: Reading
    boundary: Reading
    crossed: Literal["above", "below"] | None
    boundary_before: Reading = Field(default=None, exclude_if=lambda told: told is None)
    segment: str | None = Field(default=None, exclude_if=lambda told: told is None)


class ServiceTerms(Contract):
    """How a customer is looked after; null where nothing is promised.

    Attributes:
        response_hours: Hours until the first response.
        owner: How senior the person in charge is.
        survey_days: Days between two surveys.
        visit_days: Days between two visits.
        action: What is recommended to do next.
    """

    response_hours: Annotated[int, Field(ge=1)] | None
    owner: Word | None
    survey_days: Annotated[int, Field(ge=1)] | None
    visit_days: Annotated[int, Field(ge=1)] | None
    action: Word | None


class TreatmentChange(Contract):
    """What the change does to what the customer gets by this grading.

    Attributes:
        granted: Benefits that come with the new grade.
        withdrawn: Benefits that go with the old one.
        before: Terms of the old grade.
        after: Terms of the new one.
    """

    granted: tuple[Word, ...] = Field(strict=False)
    withdrawn: tuple[Word, ...] = Field(strict=False)
    before: ServiceTerms
    after: ServiceTerms


class Counterfactual(Contract):
    """What would take a downgrade back: so many equal orders, paid at that very instant.

    Attributes:
        to: The grade they lead to: the one that was lost, or a better one.
        measure: The measure that they take across a level; null where it is not one alone.
        amount_minor: Least amount of each; one minor unit less would not do.
    """

    to: Word
    measure: Word | None
    amount_minor: AmountMinor
    currency: CurrencyCode
    orders: Annotated[int, Field(ge=1)]


class PinNote(Contract):
    """The pin that brought a change about: it was set, a person lifted it, or its time was over.

    Attributes:
        event_id: Of the control that set it, or that lifted it.
        author: Who did.
        reason: Why.
        until: When it ends or has ended; null while it stands until it is lifted.
    """

    status: Literal["set", "lifted", "ended"]
    event_id: Id
    author: Word
    reason: Sentence
    until: OutInstant | None


class Waited(Contract):
    """The rule that has held a change back, and since when the change had been earned."""

    rule: Literal["grace", "minimum_hold", "cool_down"]
    since: OutInstant


class Prevention(Contract):
    """Equal orders, all placed at once, with which a fall would not come.

    From then on, up to and including the instant of the fall, the grade is never worse than
    the one that would be lost.

    Attributes:
        amount_minor: Of each. Of one order the least: one minor unit less would not do. Of
            several what the customer usually pays.
        orders: How many; one fewer would not do.
    """

    amount_minor: AmountMinor
    currency: CurrencyCode
    orders: Annotated[int, Field(ge=1)]


class Forecast(Contract):
    """The next change of the same grading if nothing happens.

    Attributes:
        to: The grade from then on; null: not graded.
        at: The exact instant.
        prevention: Orders placed at the instant of this change with which a fall would not
            come; left out where none were found, and where the policy does not ask for it.
    """

    to: Word | None
    at: OutInstant
    prevention: Prevention | None = Field(default=None, exclude_if=lambda told: told is None)


class TierChange(Contract):
    """One change of one grading of one customer.

    Attributes:
        id: The same for the same change, whatever is restarted or replayed.
        from_: The grade before; null: not graded. Equals the last `to` of this grading.
        to: The grade now; null: no longer graded.
        direction: first where there was no grade; lateral where the grades have no order.
        sequence: 1, 2, 3, ... for each customer and grading, without gaps.
        instant: When it became true; not when it was computed.
        policy: By which policy.
        score: How the grade came about, for scorecards; null for other gradings.
        reasons: What moved, and which level it crossed.
        treatment: Left out where the policy has no treatments for the grading.
        counterfactual: Of a downgrade on a ladder of tiers; left out where no one order was
            found that takes it back, and of all other changes.
        pin: Left out where no pin had a part in it.
        waited: Left out where no rule on stability has held it back.
        forecast: What time alone will bring next; left out where the policy has no forecasts
            and where nothing is in sight.
    """

    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    customer_id: Id
    grading: Word
    from_: Word | None = Field(alias="from")
    to: Word | None
    direction: Literal["first", "up", "down", "lateral"]
    sequence: Annotated[int, Field(ge=1)]
    instant: OutInstant
    cause: Cause
    policy: PolicyName
    score: ScoreBreakdown | None
    reasons: tuple[Reason, ...] = Field(strict=False)
    treatment: TreatmentChange | None = Field(default=None, exclude_if=lambda told: told is None)
    counterfactual: Counterfactual | None = Field(
        default=None, exclude_if=lambda told: told is None
    )
    pin: PinNote | None = Field(default=None, exclude_if=lambda told: told is None)
    waited: Waited | None = Field(default=None, exclude_if=lambda told: told is None)
    forecast: Forecast | None = Field(default=None, exclude_if=lambda told: told is None)
