"""The `controls` topic: what operators and policy owners tell the running system."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from schemas.base import CustomerEvent, Event, Id, Instant, Score, Sentence, Word

MOST_CUTS = 1_000
"""How many cuts one control may carry: those of a policy, every segment by itself."""


class PolicyPublished(Event):
    """A policy takes effect. What is inside is checked by the policy language, not here.

    Attributes:
        policy: The policy file as JSON; decimals are strings.
    """

    kind: Literal["policy.published"]
    customer_id: Id | None = None
    policy: dict[str, JsonValue]


class ShadowStarted(Event):
    """A policy runs beside the one in force from now on, in the place of one that does.

    Attributes:
        policy: As in `policy.published`.
    """

    kind: Literal["shadow.started"]
    customer_id: Id | None = None
    policy: dict[str, JsonValue]


class ShadowEnded(Event):
    """No policy runs beside the one in force any more. Publishing one ends a shadow, too."""

    kind: Literal["shadow.ended"]
    customer_id: Id | None = None


class CustomerErase(CustomerEvent):
    """Everything known of a customer has to go.

    Attributes:
        reason: Stands in the receipt.
    """

    kind: Literal["customer.erase"]
    reason: Sentence


class TierPinned(CustomerEvent):
    """A person holds a customer at a tier until `expires_at` (null: until told otherwise).

    A pin in the same grading takes the place of the one before.

    Attributes:
        grading: In which grading.
        tier: One of its grades.
        author: Who pins.
        reason: Why, for those who read it later.
        expires_at: From when on the policy decides again.
    """

    kind: Literal["tier.pinned"]
    grading: Word
    tier: Word
    author: Word
    reason: Sentence
    expires_at: Instant | None = None


class TierUnpinned(CustomerEvent):
    """A person ends a pin before its time.

    Attributes:
        grading: In which grading.
        author: Who ends it.
        reason: Why, for those who read it later.
    """

    kind: Literal["tier.unpinned"]
    grading: Word
    author: Word
    reason: Sentence


class ReviewSubmitted(CustomerEvent):
    """A person scored an indicator of a grading, and another approved it.

    Attributes:
        grading: A grading of scores.
        indicator: One of its indicators, read by a measure of kind `review`.
        score: 0 worst to 100 best.
        author: Who gave it.
        approved_by: Who agreed: somebody else.
    """

    kind: Literal["review.submitted"]
    grading: Word
    indicator: Word
    score: Score
    author: Word
    approved_by: Word


class IdentityMerged(CustomerEvent):
    """Two ids turn out to be one customer: from now on this one counts for `into`.

    Attributes:
        customer_id: The id that goes; it is no longer graded.
        into: The id that stays, and is graded by what happened under both.
    """

    kind: Literal["identity.merged"]
    into: Id
    author: Word
    reason: Sentence


class IdentitySplit(CustomerEvent):
    """A merge was a mistake: this customer is graded by itself again."""

    kind: Literal["identity.split"]
    author: Word
    reason: Sentence


class ClockAdvanced(Event):
    """No more records with a record time up to `occurred_at` will come. One for each partition."""

    kind: Literal["clock.advanced"]
    customer_id: Id | None = None


class PopulationCuts(Event):
    """Where the boundaries lie that the population sets, from this record on.

    One for each partition, all with the same record time and the same content. Written by
    whoever takes the census; `occurred_at` is the census instant.

    Attributes:
        policy: Name of the policy whose cuts they are; under any other they mean nothing.
        version: Its version.
        cuts: Every cut that follows the population, by name (``grading.axis``), moved or not:
            its levels, ascending, in the unit of its measure (money: minor units).
        customers: How many customers each cut was found from, by name.
    """

    kind: Literal["population.cuts"]
    customer_id: Id | None = None
    policy: Word
    version: Annotated[int, Field(ge=1)]
    cuts: Annotated[
        dict[Id, Annotated[list[int], Field(min_length=1)]], Field(max_length=MOST_CUTS)
    ]
    customers: Annotated[dict[Id, Annotated[int, Field(ge=0)]], Field(max_length=MOST_CUTS)]


ControlEvent = Annotated[
    PolicyPublished
    | CustomerErase
    | TierPinned
    | TierUnpinned
    | ReviewSubmitted
    | IdentityMerged
    | IdentitySplit
    | ClockAdvanced
    | PopulationCuts
    | ShadowStarted
    | ShadowEnded,
    Field(discriminator="kind"),
]
