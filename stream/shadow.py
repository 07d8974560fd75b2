"""A customer's standing under a policy that runs beside the one in force. Pure.

The same fold judges it from the same records at their instants, on facts of its own: it is what
would have become of the customer had that policy been published when it began to run beside.
What is stored of those facts is only what the policy in force keeps in another way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from stream.changes import POLICY_CHANGED, Cause
from stream.customer import Customer, Grade, reshape, restore_beside, twin_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.customer import StoredShadow
    from stream.editions import ShadowPolicy
    from stream.fold import TerseScorer
    from stream.plan import Plan


class Difference(NamedTuple):
    """One grading in which the two policies put a customer elsewhere.

    Attributes:
        live: Tier under the policy in force; None: not graded, or no such grading.
        shadow: Tier under the one that runs beside, in the same way.
        since_ms: Since when it has been these two tiers.
    """

    live: str | None
    shadow: str | None
    since_ms: int


Differences = dict[str, Difference]
"""By grading; those in which both agree are left out."""

_NOWHERE = Grade()


@dataclass(slots=True)
class Shadow:
    """The second standing of a customer.

    Attributes:
        policy: What it stands under.
        scorer: Of that policy. It gives no reasons and warns nobody.
        customer: The customer as that policy keeps it.
        told: What was announced last of where the two differ.
    """

    policy: ShadowPolicy
    scorer: TerseScorer
    customer: Customer
    told: Differences = field(default_factory=dict)

    def wake(self, upto_ms: int) -> bool:
        """Wake deadlines up to and including an instant; return whether there were any."""
        due = self.customer.due_ms <= upto_ms
        if due:
            self.scorer.wake_before(self.customer, upto_ms + 1)
        return due


def beginning_with(customer_id: str, policy: ShadowPolicy, scorer: TerseScorer) -> Shadow:
    """Return the second standing of a customer to whom nothing has happened yet."""
    return Shadow(policy, scorer, Customer(customer_id, scorer.plan.shape, policy.number))


def split_off(customer: Customer, policy: ShadowPolicy, scorer: TerseScorer, older: Plan) -> Shadow:
    """Return the second standing of *customer* at the instant at which *policy* begins.

    Every deadline before it has been woken under *older*, the plan in force. As when a policy
    takes effect: it is kept as the new one says, and judged by everything.
    """
    twin, plan = twin_of(customer), scorer.plan
    twin.edition = policy.number
    twin.roll(max(policy.instant_ms, twin.clock_ms))
    reshape(twin, older.shape, plan.shape, plan.attributes)
    scorer.renew(twin, policy.instant_ms, Cause(POLICY_CHANGED, policy.event_id), older)
    return Shadow(policy, scorer, twin)


def restored(
    customer: Customer, found: StoredShadow, policy: ShadowPolicy, scorer: TerseScorer, live: Plan
) -> Shadow:
    """Rebuild the second standing of *customer* from what was stored; *live* is in force."""
    shadow = Shadow(policy, scorer, restore_beside(customer, found, scorer.plan.shape))
    # Every commit announces what it changes, so this was announced last.
    shadow.told = differences(customer, live.shape.names, shadow)
    return shadow


def take_over(customer: Customer, shadow: Shadow, instant_ms: int) -> None:
    """Let a customer be kept as its shadow is, whose policy takes effect at an instant.

    The deadlines of both before that have been woken, and *customer* was brought to the new
    policy's shape. It still stands where it stood.
    """
    other = shadow.customer
    shadow.scorer.wake_before(other, instant_ms)
    now_ms = max(instant_ms, customer.clock_ms, other.clock_ms)
    other.roll(now_ms)
    customer.clock_ms = max(customer.clock_ms, other.clock_ms)
    customer.kinds, customer.orders = other.kinds, other.orders
    customer.attributes, customer.attributes_ms = other.attributes, other.attributes_ms
    customer.pending = other.pending


def differences(customer: Customer, names: Sequence[str], shadow: Shadow) -> Differences:
    """Return where *customer* stands elsewhere under its shadow; *names* of its own gradings."""
    live = dict(zip(names, customer.grades, strict=True))
    other = dict(zip(shadow.scorer.plan.shape.names, shadow.customer.grades, strict=True))
    found: Differences = {}
    for name in dict.fromkeys([*live, *other]):
        here, there = live.get(name, _NOWHERE), other.get(name, _NOWHERE)
        if here.tier != there.tier:
            since_ms = max(shadow.policy.instant_ms, here.since_ms, there.since_ms)
            found[name] = Difference(here.tier, there.tier, since_ms)
    return found
