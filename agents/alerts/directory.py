"""What alerts need to know of policies and customers, read from the store. Blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.alerting.notices import Facts
from stream.alerting.routing import compile_routes
from stream.customer import restore, unpack
from stream.editions import edition_in_force, scorer_of
from stream.in_force import InForce
from stream.partition import bucket_of
from stream.sentinels import MISSING

if TYPE_CHECKING:
    from schemas.policy import PolicyDocument
    from stream.alerting.routing import Routes
    from stream.customer import Customer
    from stream.editions import Edition
    from stream.plan import Plan
    from stream.store import Store


class Directory:
    """The policy in force with its routes, and who a customer is.

    Attributes:
        routes: Of the policy in force; None where it has none.
        version: Rises with every other policy that comes into force.
    """

    def __init__(self, store: Store, buckets: int, first: Edition) -> None:
        """Read *store*; *first* is in force until a policy is published."""
        self._store = store
        self._buckets = buckets
        self._own = scorer_of(first)
        self._first = first
        self._number = -1
        self.version = 0
        self._take(self._own.plan)

    @property
    def document(self) -> PolicyDocument:
        """The policy in force."""
        return self._plan.document

    def refresh(self) -> None:
        """Look which policy is in force.

        Raises:
            StoreUnavailable: The store does not answer.
        """
        edition = edition_in_force(self._store.heads(range(self._buckets)))
        if edition is not None and edition.number != self._number:
            self._number = edition.number
            self._take(scorer_of(edition).plan)

    def look_up(self, customer_id: str, now_ms: int) -> Facts:
        """Return what is known of a customer at *now_ms*; nothing of one who is not known.

        Raises:
            StoreUnavailable: The store does not answer.
        """
        bucket = bucket_of(customer_id, self._buckets)
        stored = self._store.load_states({bucket: [customer_id]}).get(customer_id)
        if stored is None:
            return Facts()
        found = unpack(stored)
        (head,) = self._store.heads([bucket])
        plan = InForce(head.editions, self._own, self._first).plan_of(found.edition)
        customer = restore(customer_id, found, plan.shape)
        customer.roll(max(now_ms, customer.clock_ms))
        return self._facts(customer, plan)

    def _facts(self, customer: Customer, plan: Plan) -> Facts:
        document = self._plan.document.routes
        if document is None:
            return Facts()

        def reading(name: str | None) -> object:
            measure = next((m for m in plan.measures if m.name == name), None)
            value = None if measure is None else measure.value(customer, customer.clock_ms)
            return None if value == MISSING else value

        def text(name: str | None) -> str | None:
            value = reading(name)
            return None if value is None else str(value)

        amount = reading(document.amount)
        return Facts(
            name=text(document.name),
            owner=text(document.owner),
            territory=text(document.territory),
            amount_minor=amount if isinstance(amount, int) else None,
            tiers={
                grading.name: grade.tier
                for grading, grade in zip(plan.gradings, customer.grades, strict=True)
                if grade.tier is not None
            },
        )

    def _take(self, plan: Plan) -> None:
        self._plan = plan
        self.routes: Routes | None = compile_routes(plan.document)
        self.version += 1
