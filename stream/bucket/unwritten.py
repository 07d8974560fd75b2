"""What a batch has changed and not written yet: customers, rows to announce, transitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.customer import encode
from stream.history import encode_transition
from stream.outbox import change_row, differences_row, forecast_row, grace_row, tiers_row
from stream.shadow import differences
from stream.stability import GraceNotice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.bucket.tally import Tally
    from stream.changes import Change
    from stream.customer import Customer
    from stream.forecast.warning import AtRisk
    from stream.in_force import InForce
    from stream.plan import Plan
    from stream.population.standings import Standings


class Unwritten:
    """Gathers what the next commit must hold of a bucket's customers.

    Attributes:
        customers: Whose state is to be written.
        rows: Encoded outbox rows that are known already, in order.
        transitions: Encoded transitions to keep, by customer.
        traces: Trace context, by the id of the event that came with it.
    """

    __slots__ = (
        "_changed",
        "_in_force",
        "_shadowed",
        "_standings",
        "_tally",
        "customers",
        "rows",
        "traces",
        "transitions",
    )

    def __init__(self, in_force: InForce, standings: Standings, tally: Tally) -> None:
        """Start with nothing; *standings* and *tally* are told of customers as they come."""
        self._in_force = in_force
        self._standings = standings
        self._tally = tally
        self._changed: dict[str, None] = {}
        self._shadowed: set[str] = set()
        self.customers: dict[str, Customer] = {}
        self.rows: list[bytes] = []
        self.transitions: dict[str, list[bytes]] = {}
        self.traces: Mapping[str, bytes] = {}

    def touch(self, customer: Customer, plan: Plan | None = None) -> None:
        """See that the customer is written, and take what judging it under *plan* had to tell."""
        self.customers[customer.customer_id] = customer
        if self._in_force.scorer.plan.rankings:
            self._standings.note(customer.customer_id)
        if customer.asides:
            plan = plan or self._in_force.scorer.plan
            self._tally.asides += [(customer.customer_id, aside) for aside in customer.asides]
            self.rows += [
                grace_row(customer, aside, plan)
                for aside in customer.asides
                if isinstance(aside, GraceNotice)
            ]
            customer.asides = []

    def keep(self, customer: Customer) -> None:
        """See that a customer is written of whom only a shadow, or its end, has something new."""
        if customer.customer_id not in self.customers:
            self._shadowed.add(customer.customer_id)
        self.customers[customer.customer_id] = customer
        if customer.clock_ms and self._in_force.scorer.plan.rankings:
            self._standings.note(customer.customer_id)  # or its deadline would be lost

    def tell(
        self, changes: Sequence[Change], plan: Plan | None = None, older: Plan | None = None
    ) -> None:
        """Take note of *changes*, found under *plan*, and of what is to be announced of them."""
        if changes:
            plan = plan or self._in_force.scorer.plan
            self._tally.changes += changes
            self._changed[changes[0].customer_id] = None
            trace_of = self.traces.get
            self.rows += [
                change_row(change, plan, older, trace_of(change.cause.event_id or ""))
                for change in changes
            ]
            if self._in_force.scorer.plan.history_limit:
                told = self.transitions.setdefault(changes[0].customer_id, [])
                told += [encode_transition(change, plan) for change in changes]

    def drop(self, customer_id: str) -> None:
        """Let go of a customer that was erased; rows of it go out all the same."""
        for noted in (self.customers, self._changed, self.transitions):
            noted.pop(customer_id, None)

    @property
    def newest_ms(self) -> int:
        """The furthest that a customer to be written has come; 0 where there is none."""
        return max((customer.clock_ms for customer in self.customers.values()), default=0)

    def states(self) -> dict[str, bytes | None]:
        """Return the customers in their stored form."""
        newest, shape = self._in_force.edition.number, self._in_force.scorer.plan.shape
        plan_of = self._in_force.plan_of
        return {
            key: None
            if key in self._shadowed and not _is_known(c)
            else encode(c, shape if c.edition == newest else plan_of(c.edition).shape)
            for key, c in self.customers.items()
        }

    def all_rows(self) -> list[bytes]:
        """Return the rows with those that tell of where customers stand now, and warnings."""
        plan_of = self._in_force.plan_of
        changed = [self.customers[customer_id] for customer_id in self._changed]
        rows = [*self.rows, *(tiers_row(c, plan_of(c.edition)) for c in changed)]
        if self._in_force.shadowed:
            rows += self._differences()
        return rows + [forecast_row(warning, plan) for warning, plan in self._warnings()]

    def _differences(self) -> Iterator[bytes]:
        """Yield where customers stand elsewhere under their shadows than was told last."""
        for customer in self.customers.values():
            shadow = customer.shadow
            if shadow is None:
                continue
            shadow.customer.asides = []
            plan = self._in_force.plan_of(customer.edition)
            found = differences(customer, plan.shape.names, shadow)
            if found != shadow.told:
                shadow.told = found
                yield differences_row(customer, plan, shadow)

    def _warnings(self) -> Iterator[tuple[AtRisk, Plan]]:
        """Yield the warnings of this batch, which are announced with it, and their policies."""
        if self._in_force.scorer.plan.forecasts is None and self._in_force.swept:
            return
        for customer in self.customers.values():
            if customer.untold:
                plan = self._in_force.plan_of(customer.edition)
                self._tally.warnings += customer.untold
                for warning in customer.untold:
                    yield warning, plan
                customer.untold = []


def _is_known(customer: Customer) -> bool:
    """Say whether there is anything of a customer but what a shadow, now gone, had heard."""
    return bool(customer.clock_ms or customer.consent is not None or customer.shadow is not None)
