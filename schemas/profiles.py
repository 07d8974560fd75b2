"""The `profiles` topic: what a customer is, who they belong to, and what they allow."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import MAX_ATTRIBUTE, CustomerEvent, Id, Word

AttributeValue = (
    Annotated[str, Field(max_length=1024)]
    | Annotated[int, Field(ge=-MAX_ATTRIBUTE, le=MAX_ATTRIBUTE)]
    | bool
    | None
)
"""Text, a whole number or a yes/no; null forgets the attribute."""


class ProfileChanged(CustomerEvent):
    """Some attributes changed; those not named stay as they are.

    Attributes:
        attributes: Any that the policy names, and any others; null forgets one.
    """

    kind: Literal["profile.changed"]
    attributes: Annotated[dict[Word, AttributeValue], Field(max_length=256)]


class IdentityLinked(CustomerEvent):
    """The customer is a user of, or a member of the group of, another customer.

    Attributes:
        relation: user_of a customer, or member_of a group.
        target_id: The customer, or the group, that it counts for from now on.
    """

    kind: Literal["identity.linked"]
    relation: Literal["user_of", "member_of"]
    target_id: Id


class ConsentChanged(CustomerEvent):
    """The customer allows or forbids being scored.

    Attributes:
        scoring: While it is false there is no grade, and nothing is taken in.
    """

    kind: Literal["consent.changed"]
    scoring: bool


ProfileEvent = Annotated[
    ProfileChanged | IdentityLinked | ConsentChanged, Field(discriminator="kind")
]
