"""Which models a topic carries, and which headers. For the documents made from the models."""

from typing import Final, get_args

from schemas.base import Contract
from schemas.cloud_events import CloudEventHeaders
from schemas.controls import ControlEvent
from schemas.customer_tiers import CustomerTiers
from schemas.dead_letters import DeadLetterHeaders
from schemas.erasure_receipts import ErasureReceipt
from schemas.interactions import InteractionEvent
from schemas.orders import OrderEvent
from schemas.profiles import ProfileEvent
from schemas.tier_changes import TierChange
from schemas.tier_differences import TierDifferences
from schemas.tier_forecasts import TierForecast


def _kinds(union: object) -> tuple[type[Contract], ...]:
    """Return the members of an annotated union."""
    members: tuple[type[Contract], ...] = get_args(get_args(union)[0])
    return members


VALUES: Final[dict[str, tuple[type[Contract], ...]]] = {
    "orders": _kinds(OrderEvent),
    "interactions": _kinds(InteractionEvent),
    "profiles": _kinds(ProfileEvent),
    "controls": _kinds(ControlEvent),
    "tier-changes": (TierChange,),
    "customer-tiers": (CustomerTiers,),
    "tier-forecasts": (TierForecast,),
    "tier-differences": (TierDifferences,),
    "dead-letters": (),  # the original bytes
    "erasure-receipts": (ErasureReceipt,),
}
"""By topic: what a value may be."""

HEADERS: Final[dict[str, type[Contract]]] = {
    "tier-changes": CloudEventHeaders,
    "customer-tiers": CloudEventHeaders,
    "tier-forecasts": CloudEventHeaders,
    "tier-differences": CloudEventHeaders,
    "dead-letters": DeadLetterHeaders,
}
"""By topic, where there are any that mean something."""

ABOUT: Final[dict[str, str]] = {
    "orders": "Orders paid, refunded and cancelled.",
    "interactions": "What happens between a customer and the firm that is no order.",
    "profiles": "What a customer is, who it belongs to, what it allows.",
    "controls": "What operators and policy owners tell the running system. Policies, cuts and "
    "clocks go to every partition; the rest is keyed by customer.",
    "tier-changes": "Who moved from which grade to which, when and why; by customer, in order.",
    "customer-tiers": "The current grades of each customer; a null value says that the customer "
    "was erased.",
    "tier-forecasts": "Customers about to fall if nothing happens, and what became of it.",
    "tier-differences": "Customers whom a policy that runs beside the one in force would put "
    "elsewhere; a null value says that both agree, or that none runs any more.",
    "dead-letters": "Records that could not be understood: key and value as they came.",
    "erasure-receipts": "That a customer was erased, without saying who it was.",
}
"""By topic, in a sentence."""
