"""What time alone will do to one stored customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stream.customer import decode
from stream.fold import TerseScorer
from stream.forecast.outlook import outlooks
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from stream.forecast.outlook import Outlook
    from stream.plan import Plan


class Ahead(NamedTuple):
    """What comes next in every grading, as of *as_of_ms*."""

    as_of_ms: int
    outlooks: tuple[Outlook, ...]


def look_ahead(
    customer_id: str, state: bytes, plan: Plan, as_of_ms: int, within_ms: int | None = None
) -> Ahead:
    """Return what comes next for the customer whose stored form is *state*.

    Args:
        customer_id: Whom.
        state: As stored.
        plan: The policy.
        as_of_ms: Let time pass up to this instant first; the customer's clock if that is later.
        within_ms: How far to look; None: as far as anything can be seen.
    """
    scorer = TerseScorer(plan)
    customer = decode(customer_id, state, plan.shape)
    now_ms = max(as_of_ms, customer.clock_ms)
    scorer.wake_before(customer, now_ms + 1)
    customer.roll(now_ms)
    until_ms = NEVER if within_ms is None else now_ms + within_ms
    return Ahead(now_ms, outlooks(scorer, customer, now_ms, until_ms))
