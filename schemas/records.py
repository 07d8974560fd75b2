"""The records that scoring works on: slim structs, equal in meaning to the pydantic contract.

Made by `schemas.decode`. Building one by hand checks nothing. They hold no cycles, so the
garbage collector is told to leave them alone.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

from schemas.base import MAX_ATTRIBUTE, MAX_MINOR, MAX_OVERDUE_DAYS
from schemas.currencies import EXPONENTS
from schemas.vocabulary import INTERACTION_KINDS, STAGES

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Instant = Annotated[datetime, Meta(tz=True)]
AmountMinor = Annotated[int, Meta(ge=0, le=MAX_MINOR)]
Score = Annotated[int, Meta(ge=0, le=100)]
Attribute = (
    Annotated[str, Meta(max_length=1024)]
    | Annotated[int, Meta(ge=-MAX_ATTRIBUTE, le=MAX_ATTRIBUTE)]
    | bool
    | None
)

if TYPE_CHECKING:
    KnownCurrency = str
    Kind = str
    Stage = str
else:
    # A lookup in a list of words is three times as fast as a pattern. A code that is not on
    # the list is left to the contract, which asks for three capital letters only.
    KnownCurrency = Literal[tuple(sorted(EXPONENTS))]
    Kind = Literal[INTERACTION_KINDS]
    Stage = Literal[STAGES]


class _Record(Struct, gc=False, forbid_unknown_fields=True, kw_only=True):
    """What every record has.

    Attributes:
        occurred_at: Event time with the zone it was sent in.
        occurred_ms: Event time in milliseconds since the epoch, rounded down. Set by the
            decoder; a field of this name in the payload is ignored.
    """

    event_id: Id
    occurred_at: Instant
    schema_version: Literal[1] = 1
    occurred_ms: int = 0


class OrderPaid(_Record, tag_field="kind", tag="order.paid", gc=False, kw_only=True):
    """An order was paid, once."""

    kind: ClassVar[str] = "order.paid"
    customer_id: Id
    order_id: Id
    amount_minor: AmountMinor
    currency: KnownCurrency
    cost_minor: AmountMinor | None = None
    category: Annotated[str, Meta(max_length=64)] | None = None


class OrderRefunded(_Record, tag_field="kind", tag="order.refunded", gc=False, kw_only=True):
    """Part or all of an order was paid back."""

    kind: ClassVar[str] = "order.refunded"
    customer_id: Id
    order_id: Id
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    currency: KnownCurrency


class OrderCancelled(_Record, tag_field="kind", tag="order.cancelled", gc=False, kw_only=True):
    """An order no longer counts."""

    kind: ClassVar[str] = "order.cancelled"
    customer_id: Id
    order_id: Id


class Details(Struct, gc=False, forbid_unknown_fields=True, frozen=True):
    """What an interaction says beyond its kind; a field is set exactly when its kind has it."""

    score: Score | None = None
    days: Annotated[int, Meta(ge=0, le=MAX_OVERDUE_DAYS)] | None = None
    amount_minor: AmountMinor | None = None
    currency: KnownCurrency | None = None
    stage: Stage | None = None


NO_DETAILS = Details()


class Interaction(_Record, gc=False, kw_only=True):
    """Anything between a customer and us that is not an order."""

    kind: Kind
    customer_id: Id
    details: Details = NO_DETAILS


class ProfileChanged(_Record, tag_field="kind", tag="profile.changed", gc=False, kw_only=True):
    """Some attributes changed; null forgets one."""

    kind: ClassVar[str] = "profile.changed"
    customer_id: Id
    attributes: Annotated[dict[Word, Attribute], Meta(max_length=256)]


class IdentityLinked(_Record, tag_field="kind", tag="identity.linked", gc=False, kw_only=True):
    """The customer is a user of, or in the group of, another customer."""

    kind: ClassVar[str] = "identity.linked"
    customer_id: Id
    relation: Literal["user_of", "member_of"]
    target_id: Id


class ConsentChanged(_Record, tag_field="kind", tag="consent.changed", gc=False, kw_only=True):
    """The customer allows or forbids being scored."""

    kind: ClassVar[str] = "consent.changed"
    customer_id: Id
    scoring: bool


class PolicyPublished(_Record, tag_field="kind", tag="policy.published", gc=False, kw_only=True):
    """A policy takes effect; `policy` is not yet checked."""

    kind: ClassVar[str] = "policy.published"
    policy: dict[str, Any]
    customer_id: Id | None = None


class ShadowStarted(_Record, tag_field="kind", tag="shadow.started", gc=False, kw_only=True):
    """A policy runs beside the one in force; `policy` is not yet checked."""

    kind: ClassVar[str] = "shadow.started"
    policy: dict[str, Any]
    customer_id: Id | None = None


class ShadowEnded(_Record, tag_field="kind", tag="shadow.ended", gc=False, kw_only=True):
    """No policy runs beside the one in force any more."""

    kind: ClassVar[str] = "shadow.ended"
    customer_id: Id | None = None


class CustomerErase(_Record, tag_field="kind", tag="customer.erase", gc=False, kw_only=True):
    """Everything known of a customer has to go."""

    kind: ClassVar[str] = "customer.erase"
    customer_id: Id
    reason: str


class TierPinned(_Record, tag_field="kind", tag="tier.pinned", gc=False, kw_only=True):
    """A person holds a customer at a tier."""

    kind: ClassVar[str] = "tier.pinned"
    customer_id: Id
    grading: Word
    tier: Word
    author: Word
    reason: str
    expires_at: Instant | None = None


class TierUnpinned(_Record, tag_field="kind", tag="tier.unpinned", gc=False, kw_only=True):
    """A person ends a pin before its time."""

    kind: ClassVar[str] = "tier.unpinned"
    customer_id: Id
    grading: Word
    author: Word
    reason: str


class ReviewSubmitted(_Record, tag_field="kind", tag="review.submitted", gc=False, kw_only=True):
    """A person scored an indicator, and another approved it."""

    kind: ClassVar[str] = "review.submitted"
    customer_id: Id
    grading: Word
    indicator: Word
    score: Score
    author: Word
    approved_by: Word


class IdentityMerged(_Record, tag_field="kind", tag="identity.merged", gc=False, kw_only=True):
    """This customer counts for another id of the same person."""

    kind: ClassVar[str] = "identity.merged"
    customer_id: Id
    into: Id
    author: Word
    reason: str


class IdentitySplit(_Record, tag_field="kind", tag="identity.split", gc=False, kw_only=True):
    """This customer counts for itself again."""

    kind: ClassVar[str] = "identity.split"
    customer_id: Id
    author: Word
    reason: str


class ClockAdvanced(_Record, tag_field="kind", tag="clock.advanced", gc=False, kw_only=True):
    """No more records with a record time up to `occurred_ms` will come on this partition."""

    kind: ClassVar[str] = "clock.advanced"
    customer_id: Id | None = None


class PopulationCuts(_Record, tag_field="kind", tag="population.cuts", gc=False, kw_only=True):
    """The population has moved the boundaries of a policy; `cuts` are levels by name."""

    kind: ClassVar[str] = "population.cuts"
    policy: Word
    version: int
    cuts: dict[str, list[int]]
    customers: dict[str, int]
    customer_id: Id | None = None
