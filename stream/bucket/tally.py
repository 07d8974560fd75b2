"""What one batch did to one bucket, counted for the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stream.arrivals import Arrival
    from stream.changes import Change
    from stream.forecast.warning import AtRisk
    from stream.stability import Aside


class Refusal(NamedTuple):
    """A record that the fold could not accept: to be dead-lettered by the caller."""

    arrival: Arrival
    reason: str
    detail: str


@dataclass(slots=True)
class Tally:
    """What one batch did to one bucket, for the metrics.

    Attributes:
        applied: Records that changed state.
        repeated: Records dropped as repeats.
        ignored: Valid records that no rule of the policy reads, or that an erasure or the
            customer forbids.
        waiting: Refunds and cancellations whose order is not known yet.
        woken: Customers judged because time passed.
        brought: Customers that were brought to the newest edition.
        changes: Tier changes, in order.
        refusals: Records refused.
        asides: What judging had to tell besides changes, with the customer's id, in order.
        warnings: Warnings of falls and their withdrawals; complete once the batch is closed.
    """

    applied: int = 0
    repeated: int = 0
    ignored: int = 0
    waiting: int = 0
    woken: int = 0
    brought: int = 0
    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    asides: list[tuple[str, Aside]] = field(default_factory=list)
    warnings: list[AtRisk] = field(default_factory=list)
