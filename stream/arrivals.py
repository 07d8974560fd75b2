"""Records on their way into a bucket: decoded, admitted, and no larger than they must be. Pure.

Most records are paid orders. Of those only what the fold needs is kept, made while the
record is at hand: a batch that fits the processor's caches is folded twice as fast.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from schemas.records import (
    ConsentChanged,
    CustomerErase,
    IdentityLinked,
    IdentityMerged,
    IdentitySplit,
    Interaction,
    OrderCancelled,
    OrderPaid,
    OrderRefunded,
    ProfileChanged,
    ReviewSubmitted,
    TierPinned,
    TierUnpinned,
)
from stream.groups.member_rows import MemberTold, ParentGone, PartTold
from stream.ledger import OrderEntry

OtherEvent = (
    OrderRefunded
    | OrderCancelled
    | Interaction
    | ProfileChanged
    | IdentityLinked
    | ConsentChanged
    | CustomerErase
    | MemberTold
    | TierPinned
    | TierUnpinned
    | ReviewSubmitted
    | ParentGone
    | IdentityMerged
    | IdentitySplit
    | PartTold
)
Event = OrderPaid | OtherEvent


class Payment(Struct, gc=False):
    """A paid order.

    Attributes:
        record_ms: Record time.
        event_id: Named as the cause of changes.
        order_id: To find refunds that came before their order.
        entry: The order as the ledger will keep it; holds the record's checksum.
        origin: Opaque to the fold; whoever made it gets it back with a refusal.
    """

    record_ms: int
    event_id: str
    order_id: str
    entry: OrderEntry
    origin: Any = None


class Notice(Struct, gc=False):
    """Any other event.

    Attributes:
        record_ms: Record time.
        event: What it says.
        checksum: CRC-32 of the record.
        origin: Opaque to the fold; whoever made it gets it back with a refusal.
    """

    record_ms: int
    event: OtherEvent
    checksum: int
    origin: Any = None


Arrival = Payment | Notice
