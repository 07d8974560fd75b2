"""The `erasure-receipts` topic: that a customer was erased, told without saying who it was."""

from typing import Annotated

from pydantic import Field

from schemas.base import Contract, OutInstant

_Count = Annotated[int, Field(ge=0)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Removed(Contract):
    """What was there to remove; a customer of whom nothing was known has a receipt as well.

    Attributes:
        state: Whether anything was known of it: facts, grades, deadlines, history, ranks.
        orders: Entries of the ledger.
        event_ids: Event ids kept to recognise repeats.
        members: Customers that counted for it, and no longer do.
        parent: Whether it counted for another customer, which was told that it left.
    """

    state: bool
    orders: _Count
    event_ids: _Count
    members: _Count
    parent: bool


class ErasureReceipt(Contract):
    """One request to erase was carried out. Written in the same step as the removal, once.

    Attributes:
        id: The same for the same request, and the key of the record.
        subject: Stands for the customer: BLAKE2b-128 of its id, personalised with the bytes
            "tierstream-erase". Who knows an id can find its receipts; nobody can read an id here.
        instant: The record time of the request: what happened up to it is gone.
        told_until: What other topics told of the customer before became true by then: `instant`,
            or somewhat later where the request was overtaken by time.
        reason: As given; the customer's id, should it stand there, is replaced by "(erased)".
    """

    id: _Digest
    subject: _Digest
    instant: OutInstant
    told_until: OutInstant | None = None
    reason: Annotated[str, Field(min_length=1, max_length=16_384)]
    removed: Removed
