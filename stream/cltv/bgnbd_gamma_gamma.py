"""BG/NBD for how often, Gamma-Gamma for how much: the value of the purchases to come."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stream.cltv.bgnbd import PurchaseModel
    from stream.cltv.gamma_gamma import SpendModel
    from stream.cltv.purchases import Purchases

MONTH_DAYS: Final = 30
YEAR_DAYS: Final = 365
FURTHEST_DAYS: Final = 36_500
_REMEMBERED: Final = 100_000
_STEPS: Final = 60
_CLOSE: Final = 1e-12
_SAFETY: Final = 1e-9
_FAR: Final = 100.0


@dataclass(frozen=True, slots=True)
class BgNbdGammaGamma:
    """The two models and what their product is multiplied by.

    Attributes:
        purchases: How often.
        spend: How much, in major units.
        unit_days: Days in the unit of time of `purchases`: 1 or 7.
        horizon_days: How far ahead purchases are counted.
        yearly_discount: What money loses in 365 days: 0.1 for 10 %.
        margin: Share of revenue that stays: the cost of sales and marketing of the seed.
        minor_per_major: 100 for cents.
    """

    purchases: PurchaseModel
    spend: SpendModel
    unit_days: int
    horizon_days: int
    yearly_discount: float
    margin: float
    minor_per_major: int
    _known: dict[tuple[int, int], float] = field(default_factory=dict, compare=False)

    def value(self, seen: Purchases) -> float:
        """Return the value of the purchases to come, in minor units; never negative.

        Never rises while a customer is silent: neither the chance of being alive nor the rate
        of someone who is does.
        """
        return self._alive(seen) * self._ahead(seen) * self._worth(seen)

    def held_days(self, seen: Purchases, least: float) -> int:
        """Return how many days more of silence surely leave the value above *least* > 0.

        Too few rather than too many, at most `FURTHEST_DAYS`. Costs no series: while the age
        grows from A = alpha + T to A y, the chance of being alive is known exactly,
        ``1 / (1 + odds y^(r+x))``, and the purchases of someone alive fall no faster than
        ``1 / y``. Newton's method on the logarithm of the product, which is convex, comes
        down to the answer from above in a few steps.
        """
        model = self.purchases
        power = model.r + seen.repeats
        age = model.alpha + (seen.active_days + seen.silent_days) / self.unit_days
        top = self._ahead(seen) * self._worth(seen)
        if top <= least:
            return 0
        room = grown = math.log(top / least)
        if seen.repeats:
            active = model.alpha + seen.active_days / self.unit_days
            odds = power * math.log(age / active) + math.log(model.a / (model.b + seen.repeats - 1))
            for _ in range(_STEPS):
                leaves = odds + power * grown
                share = math.exp(-abs(leaves))
                over = grown + max(leaves, 0.0) + math.log1p(share) - room
                step = over / (1 + power * (1 if leaves > 0 else share) / (1 + share))
                grown -= step
                if step < _CLOSE:
                    break
        if grown <= 0:
            return 0
        days = age * math.expm1(min(grown, _FAR)) * self.unit_days
        return min(int(days * (1 - _SAFETY)), FURTHEST_DAYS)

    def _alive(self, seen: Purchases) -> float:
        active = seen.active_days / self.unit_days
        return self.purchases.alive(
            seen.repeats, active, active + seen.silent_days / self.unit_days
        )

    def _worth(self, seen: Purchases) -> float:
        spent = seen.repeat_minor / self.minor_per_major
        mean = self.spend.expected(seen.repeats, spent) if seen.repeats else self.spend.mean
        return mean * self.margin * self.minor_per_major

    def _ahead(self, seen: Purchases) -> float:
        """Return the purchases expected of someone alive, discounted.

        A pure function of the repeat purchases and the age in days, which customers share:
        remembered.
        """
        key = seen.repeats, seen.active_days + seen.silent_days
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._discounted(*key)
        return known

    def _discounted(self, repeats: int, age_days: int) -> float:
        """Discount the purchases of every 30 days from the middle of those days."""
        age = age_days / self.unit_days
        if not self.yearly_discount:
            return self.purchases.while_alive(repeats, age, self.horizon_days / self.unit_days)
        total = before = 0.0
        for start in range(0, self.horizon_days, MONTH_DAYS):
            end = min(start + MONTH_DAYS, self.horizon_days)
            upto = self.purchases.while_alive(repeats, age, end / self.unit_days)
            years = (start + end) / 2 / YEAR_DAYS
            total += (upto - before) * (1 + self.yearly_discount) ** -years
            before = upto
        return total
