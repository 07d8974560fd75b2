"""The compacted `tier-differences` topic: whom a policy that runs beside would put elsewhere."""

from typing import Annotated

from pydantic import Field

from schemas.base import Contract, Id, OutInstant, PolicyName, Word


class Difference(Contract):
    """Where one customer stands in one grading, and where it would.

    Attributes:
        live: Tier under the policy in force; null: not graded, or it has no such grading.
        shadow: Tier under the policy that runs beside it, in the same way; another one.
        since: Since when it has been these two.
    """

    live: Word | None
    shadow: Word | None
    since: OutInstant


class TierDifferences(Contract):
    """Every grading in which the two policies put a customer elsewhere.

    The newest record of a key replaces all before it; a null value says that both agree, or
    that no policy runs beside the one in force any more.

    Attributes:
        instant: When either of the two standings last changed.
        differences: By grading, at least one.
        policy: In force.
        shadow: What runs beside it.
    """

    customer_id: Id
    instant: OutInstant
    differences: Annotated[dict[Word, Difference], Field(min_length=1)]
    policy: PolicyName
    shadow: PolicyName
