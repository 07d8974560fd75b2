"""Keeps watch over one customer at a time: who is about to fall, and what comes after a change.

Lazily: nothing falls before the customer's next deadline, so as long as that is further off
than the lead, there is nothing to look for. Only then a copy is walked, and only so far that
the instant of the next look is known. What is found depends on the customer's state alone, so
looking more often than needed leaves no trace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from stream.calendar import DAY_MS
from stream.forecast.prevention import Preventions
from stream.forecast.walk import foresee
from stream.forecast.warning import AtRisk, Forecast, Warned, forecast_id
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.policy.forecasts import Forecasts
    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer
    from stream.forecast.warning import Prevention

TOLD_WAKES = 32
"""Most deadlines that are looked at only for the sake of the forecast in a tier change."""

_NOTHING: Mapping[str, Change] = {}


def is_fall(change: Change) -> bool:
    """Say whether a change takes a tier away: to a worse one, or to none."""
    return change.direction == "down" or (change.after is None and change.before is not None)


class Foresight:
    """Warns, withdraws, and forecasts, under one policy. Holds nothing but what follows from it.

    Attributes:
        lead_ms: How long before a fall the warning is due.
    """

    __slots__ = ("_preventions", "_scorer", "_tells", "_watched", "lead_ms")

    def __init__(self, scorer: Scorer, asked: Forecasts) -> None:
        """Look ahead by *scorer*, which gives no reasons and warns nobody."""
        plan = scorer.plan
        self._scorer = scorer
        self._preventions = Preventions(scorer)
        self._tells = asked.in_changes
        self._watched = [
            (position, grading.name)
            for position, grading in enumerate(plan.gradings)
            if plan.at_risk >> position & 1
        ]
        self.lead_ms = asked.lead_days * DAY_MS

    def after(
        self, customer: Customer, now_ms: int, changes: Sequence[Change], *, news: bool
    ) -> Sequence[Change]:
        """Look ahead of *customer*, just judged, and return *changes* with their forecasts.

        Warnings and withdrawals are left in `Customer.untold`.

        Args:
            customer: Judged at *now_ms*; none of its deadlines is behind that.
            now_ms: The instant.
            changes: What the judgement has changed.
            news: More than time has passed.
        """
        through_ms = now_ms + self.lead_ms
        safe = customer.risk_ms > through_ms
        if not (changes or news) and now_ms < customer.look_ms:
            if safe:
                # From here on orders may be counted in passing, which only this allows for.
                customer.look_ms = self._look_ms(customer.risk_ms)
            return changes
        told = [change.grading for change in changes] if self._tells != "nothing" else []
        risk_ms, first = customer.risk_ms, _NOTHING
        if told or not safe:
            found = foresee(
                self._scorer, customer.clone(), told, through_ms=through_ms, more=TOLD_WAKES
            )
            risk_ms, first = found.risk_ms, found.first
        customer.look_ms = self._look_ms(risk_ms)
        if first or customer.warned:
            self._warn(customer, now_ms, first)
        if not told:
            return changes
        return [self._told(customer, change, first.get(change.grading)) for change in changes]

    # -- inside ---------------------------------------------------------------

    def _look_ms(self, risk_ms: int) -> int:
        return NEVER if risk_ms >= NEVER else risk_ms - self.lead_ms

    def _told(self, customer: Customer, change: Change, found: Change | None) -> Change:
        if found is None:
            return change
        prevention = None
        if self._tells == "prevention" and is_fall(found):
            prevention = self._preventions.find(customer, found, change.instant_ms)
        return replace(change, forecast=Forecast(found.after, found.instant_ms, prevention))

    def _warn(self, customer: Customer, now_ms: int, first: Mapping[str, Change]) -> None:
        """Warn of falls within the lead; withdraw warnings of what will not come as foreseen."""
        through_ms = now_ms + self.lead_ms
        for position, name in self._watched:
            found = first.get(name)
            if found is not None and (found.instant_ms > through_ms or not is_fall(found)):
                found = None
            known = customer.warned.get(name) if customer.warned else None
            if known is not None and known.version:
                if found is not None and _same(known, found):
                    continue
                if not _came_true(known, customer.grades[position].tier, now_ms):
                    self._withdraw(customer, name, known, now_ms)
                known.version = 0
            if found is not None:
                self._issue(customer, known or Warned(), found, now_ms)

    def _issue(self, customer: Customer, known: Warned, fall: Change, now_ms: int) -> None:
        known.sequence += 1
        known.version = self._scorer.plan.version
        known.tier, known.expected_tier = fall.before or "", fall.after
        known.expected_ms = fall.instant_ms
        if customer.warned is None:
            customer.warned = {}
        customer.warned[fall.grading] = known
        prevention = self._preventions.find(customer, fall, now_ms)
        customer.untold.append(self._event(customer, fall.grading, known, now_ms, prevention))

    def _withdraw(self, customer: Customer, grading: str, known: Warned, now_ms: int) -> None:
        warning = self._id(customer, grading, known.sequence, known.version)
        known.sequence += 1
        event = self._event(customer, grading, known, now_ms, None)
        customer.untold.append(replace(event, withdraws=warning))

    def _event(
        self,
        customer: Customer,
        grading: str,
        known: Warned,
        now_ms: int,
        prevention: Prevention | None,
    ) -> AtRisk:
        version = self._scorer.plan.version
        return AtRisk(
            id=self._id(customer, grading, known.sequence, version),
            customer_id=customer.customer_id,
            grading=grading,
            sequence=known.sequence,
            tier=known.tier,
            expected_tier=known.expected_tier,
            expected_ms=known.expected_ms,
            issued_ms=now_ms,
            version=version,
            prevention=prevention,
        )

    def _id(self, customer: Customer, grading: str, sequence: int, version: int) -> str:
        name, erased_ms = self._scorer.plan.name, customer.erased_ms
        return forecast_id(customer.customer_id, grading, sequence, name, version, erased_ms)


def _same(known: Warned, fall: Change) -> bool:
    told = known.tier, known.expected_tier, known.expected_ms
    return told == (fall.before, fall.after, fall.instant_ms)


def _came_true(known: Warned, tier: str | None, now_ms: int) -> bool:
    return now_ms >= known.expected_ms and tier == known.expected_tier
