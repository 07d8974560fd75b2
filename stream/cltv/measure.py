"""The measure of lifetime value: rounding, influence, and when silence alone lowers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from stream.calendar import DAY_MS
from stream.cltv.bgnbd import PurchaseModel
from stream.cltv.bgnbd_gamma_gamma import BgNbdGammaGamma
from stream.cltv.gamma_gamma import SpendModel
from stream.cltv.purchases import Purchases, purchases_of
from stream.customer import ORDERS
from stream.measures import Measure
from stream.sentinels import MISSING, NEVER

if TYPE_CHECKING:
    from schemas.policy.cltv import CltvMeasure
    from stream.customer import Customer

REFERRAL: Final = "referral"
# How often a deadline is brought nearer before the customer is simply looked at again then.
_APPROACHES = 12


class ValueModel(Protocol):
    """What a model of lifetime value must be able to say."""

    def value(self, seen: Purchases) -> float:
        """Return the value in minor units; at least 0, and never more after more silence."""

    def held_days(self, seen: Purchases, least: float) -> int:
        """Return for how many days more of silence the value surely stays above *least* > 0.

        Too few rather than too many, and at little cost.
        """


class LifetimeValue(Measure):
    """What a customer is expected to bring in yet, by a model of their purchases so far.

    The reading changes with orders (and referrals, where they count), and by time alone only
    when another 24 hours have passed since the newest order; it then never rises.
    """

    # After an order the value may fall sooner than was foreseen without it: a day later at
    # the earliest.
    echo_ms = DAY_MS

    def __init__(self, name: str, model: ValueModel, referral_uplift: float) -> None:
        """Read *model*; every referral adds *referral_uplift* (0.05 for 5 %) of the value."""
        super().__init__(name, "money", ORDERS)
        self._model = model
        self._uplift = referral_uplift
        if referral_uplift:
            self.also = (REFERRAL,)

    def value(self, customer: Customer, now_ms: int) -> int:
        """Return the value in minor units, half to even; `MISSING` without a surviving order."""
        seen = purchases_of(customer.orders, now_ms)
        if seen is None:
            return MISSING
        return round(self._model.value(seen) * self._influence(customer))

    def due_ms(self, customer: Customer, now_ms: int, low: int, high: int) -> int:
        """Return when the reading may first fall below *low* if the customer stays silent.

        Steps from bound to bound: the reading holds for as long as the model vouches for it;
        if it still does on the day after, the model is asked anew from there. Where it no
        longer does, that day is exact.
        """
        del high
        seen = purchases_of(customer.orders, now_ms)
        if seen is None or low <= 0:
            return NEVER
        influence, model = self._influence(customer), self._model
        least = (low - 0.5) / influence
        for _ in range(_APPROACHES):
            silent_days = seen.silent_days + model.held_days(seen, least) + 1
            seen = seen._replace(silent_days=silent_days)
            if round(model.value(seen) * influence) < low:
                break
        return customer.orders.last_ms() + seen.silent_days * DAY_MS

    def _influence(self, customer: Customer) -> float:
        if not self._uplift:
            return 1.0
        return 1 + self._uplift * customer.kinds[REFERRAL].totals.count


def compile_cltv(name: str, document: CltvMeasure, exponent: int) -> LifetimeValue:
    """Return the measure that *document* describes; *exponent* is the currency's."""
    often, much = document.purchases, document.spend
    model = BgNbdGammaGamma(
        purchases=PurchaseModel(float(often.r), float(often.alpha), float(often.a), float(often.b)),
        spend=SpendModel(float(much.p), float(much.q), float(much.gamma)),
        unit_days=often.unit_days,
        horizon_days=document.horizon,
        yearly_discount=float(document.yearly_discount or 0),
        margin=1.0 if document.margin is None else float(document.margin),
        minor_per_major=10**exponent,
    )
    return LifetimeValue(name, model, float(document.referral_uplift or 0))
