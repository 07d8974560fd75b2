"""What comes next in every grading of one customer, and what would prevent it; for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream.forecast.foresight import is_fall
from stream.forecast.prevention import Preventions
from stream.forecast.walk import foresee
from stream.forecast.warning import Forecast
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from stream.customer import Customer
    from stream.fold import Scorer

MOST_WAKES = 2_000
"""Most deadlines looked at: years, even where a measure counts every day."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """One grading of one customer.

    Attributes:
        tier: Now; None while not graded.
        forecast: The next change if nothing happens; None where none is in sight.
        falls: Whether it takes the tier away: for a worse one, or for none.
        not_before_ms: Without a forecast: the tier does not change before this instant; None:
            time alone does not change it any more.
    """

    grading: str
    tier: str | None
    forecast: Forecast | None
    falls: bool
    not_before_ms: int | None


def outlooks(
    scorer: Scorer, customer: Customer, now_ms: int, until_ms: int = NEVER
) -> tuple[Outlook, ...]:
    """Return the outlook of every grading, in the order of evaluation.

    Args:
        scorer: Gives no reasons and warns nobody (see `stream.fold.TerseScorer`).
        customer: Woken up to *now_ms*; is the same afterwards.
        now_ms: The instant.
        until_ms: How far to look ahead.
    """
    plan = scorer.plan
    names = plan.shape.names
    found = foresee(scorer, customer.clone(), names, until_ms=until_ms, more=MOST_WAKES)
    preventions = Preventions(scorer)
    made = []
    for name, grade in zip(names, customer.grades, strict=True):
        change = found.first.get(name)
        if change is None:
            unseen_ms = None if found.unseen_ms >= NEVER else found.unseen_ms
            made.append(Outlook(name, grade.tier, None, falls=False, not_before_ms=unseen_ms))
            continue
        falls = is_fall(change)
        prevention = preventions.find(customer, change, now_ms) if falls else None
        forecast = Forecast(change.after, change.instant_ms, prevention)
        made.append(Outlook(name, grade.tier, forecast, falls=falls, not_before_ms=None))
    return tuple(made)
