"""The compacted `customer-tiers` topic: the current grades of each customer."""

from typing import Annotated

from pydantic import Field

from schemas.base import Contract, Id, OutInstant, PolicyName, Word


class CustomerTiers(Contract):
    """Every grade of one customer. The newest record of a key replaces all before it.

    Attributes:
        instant: Up to when everything known of the customer is in it.
        grades: By grading; null while there is too little to grade.
        sequence: How many changes each grading has seen; as in `tier-changes`.
        policy: By which policy.
    """

    customer_id: Id
    instant: OutInstant
    grades: dict[Word, Word | None]
    sequence: dict[Word, Annotated[int, Field(ge=0)]]
    policy: PolicyName
