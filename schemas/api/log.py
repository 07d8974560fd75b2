"""What happened: changes, policies, erasure receipts; and how the server is."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.api.base import Answer, Count, Label, OutInstant, Policy
from schemas.base import CurrencyCode, Id, Word
from schemas.erasure_receipts import ErasureReceipt
from schemas.tier_changes import TierChange

CURSOR = r"^[0-9]{1,15}(\.[0-9]{1,15})*$"
Cursor = Annotated[str, Field(pattern=CURSOR, max_length=8192)]
"""Where to go on in `tier-changes`; opaque. It stays valid when the server restarts."""


class Changes(Answer):
    """Tier changes as they were published, oldest first.

    Attributes:
        next: Give it as `after` to go on; also where there are none yet.
        more: Whether there is more behind `next` already.
    """

    changes: list[TierChange]
    next: Cursor
    more: bool


class InForce(Answer):
    """The policy in force.

    Attributes:
        edition: 0 for the one that the workers were started with, then 1, 2, 3, ...
        since: When it took effect; null for the first.
        document: The policy itself.
        labels: How people call measures, by name.
        simulated: Whether `/v1/simulation` compares another policy.
    """

    policy: Policy
    currency: CurrencyCode
    exponent: Annotated[int, Field(ge=0, le=3)]
    time_zone: str
    edition: Count
    since: OutInstant | None
    document: dict[str, Any]
    labels: dict[Word, Label]
    simulated: bool


class PolicyPublished(Answer):
    """A policy that was published while workers ran."""

    policy: Policy
    event_id: Id
    published_at: OutInstant


class Policies(Answer):
    """Policies published, as far as the topic of controls holds them, oldest first."""

    in_force: Policy
    published: list[PolicyPublished]


class Receipts(Answer):
    """Erasure receipts, oldest first.

    Attributes:
        next: Give it as `after` for the next page; null on the last one.
    """

    receipts: list[ErasureReceipt]
    next: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None


class TopicHealth(Answer):
    """How far one topic has been read.

    Attributes:
        behind: Offsets between what was read and the end, over all partitions.
    """

    topic: str
    partitions: Count
    behind: Count


class Health(Answer):
    """How the server is.

    Attributes:
        status: rebuilding until what was in the topics at the start has been read once.
        surveyed: When the last complete look at the store ended.
        survey_error: Why the last look did not come to its end; null where it did.
    """

    status: Literal["ok", "rebuilding"]
    version: str
    as_of: OutInstant | None
    customers: Count
    followers: Count
    topics: list[TopicHealth]
    surveyed: OutInstant | None
    survey_error: str | None
