"""What a customer takes in: nothing of a life that ended, nothing that it forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.records import (
    ConsentChanged,
    CustomerErase,
    Interaction,
    OrderCancelled,
    OrderRefunded,
    ProfileChanged,
    ReviewSubmitted,
)
from stream.arrivals import Payment
from stream.erasure import is_older
from stream.groups.member_rows import MemberTold, ParentGone, PartTold

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stream.arrivals import Arrival
    from stream.consent import Consent

_FACTS = (OrderRefunded, OrderCancelled, Interaction, ProfileChanged, ReviewSubmitted)


def of_this_life(
    arrivals: Sequence[Arrival], erased_ms: int, refuses: Callable[[MemberTold | PartTold], bool]
) -> list[Arrival]:
    """Return what was not told, and did not happen, before the customer was erased.

    *refuses* says it of what a member, or another id of the customer, tells.
    """
    kept = []
    for arrival in arrivals:
        if isinstance(arrival, Payment):
            older = is_older(arrival, erased_ms)
        elif isinstance(arrival.event, (MemberTold, PartTold)):
            older = refuses(arrival.event)
        else:
            erase = isinstance(arrival.event, (CustomerErase, ParentGone))
            older = not erase and is_older(arrival, erased_ms)
        if not older:
            kept.append(arrival)
    return kept


def allowed(arrivals: Sequence[Arrival], consent: Consent) -> list[Arrival]:
    """Return all but facts that the customer does not allow to be taken in.

    From its next word on everything is returned: whether that is allowed depends on it.
    """
    kept: list[Arrival] = []
    for place, arrival in enumerate(arrivals):
        if isinstance(arrival, Payment):
            forbidden = consent.forbids(arrival.entry.at_ms)
        elif isinstance(arrival.event, ConsentChanged):
            kept += arrivals[place:]
            break
        else:
            event = arrival.event
            forbidden = isinstance(event, _FACTS) and consent.forbids(event.occurred_ms)
        if not forbidden:
            kept.append(arrival)
    return kept
