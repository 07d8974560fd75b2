"""Compares two policies customer by customer, and tells what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stream.simulation.difference import View, differences
from stream.simulation.pairs import STAYED, direction_of, pair_gradings, tiers_in_order
from stream.simulation.stability import FIRST, turns_back, week_of
from stream.simulation.tally import NEW, OLD, Amount, Flapper, Mover, Tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.changes import Change
    from stream.customer import Customer
    from stream.gradings.base import Grading
    from stream.plan import Plan
    from stream.simulation.pairs import Pair, Pairing
    from stream.simulation.tally import Flow, GradingTally

Tier = str | None


class Rules(NamedTuple):
    """How a simulation is read.

    Attributes:
        as_of_ms: The instant at which it ends.
        shown: How many customers are named in each list.
        flapping_over: More changes back and forth than this are too many.
        revenue_days: Revenue is that of the last so many days.
    """

    as_of_ms: int
    shown: int = 20
    flapping_over: int = 3
    revenue_days: int = 365


class Outcome(NamedTuple):
    """One customer under one policy: the state at the end, and every change until then."""

    customer: Customer
    changes: Sequence[Change]


class Comparer:
    """Two compiled policies side by side. Holds no customer."""

    def __init__(self, old: Plan, new: Plan, rules: Rules) -> None:
        """Compare *new* with *old*."""
        self.plans = old, new
        self.rules = rules
        self.pairing: Pairing = pair_gradings(old, new)

    def empty(self) -> Tally:
        """Return a tally that counted nobody."""
        return Tally.empty((pair.name for pair in self.pairing.pairs), self.rules.shown)

    def count(
        self, tally: Tally, outcomes: tuple[Outcome, Outcome], owner: str, revenue_minor: int
    ) -> None:
        """Add one customer to *tally*.

        Args:
            tally: Changed in place.
            outcomes: Under the old policy and under the new one.
            owner: Account manager, "" where the log names none.
            revenue_minor: Revenue over the last days (see `Rules`).
        """
        tally.customers.add(1, revenue_minor)
        for side in (OLD, NEW):
            tally.changes[side] += len(outcomes[side].changes)
        changes = [_by_grading(outcome.changes) for outcome in outcomes]
        for pair in self.pairing.pairs:
            counted = tally.gradings[pair.name]
            for side in (OLD, NEW):
                self._steadiness(counted, side, changes[side].get(pair.name, ()))
            self._flow(counted, pair, outcomes, owner, revenue_minor)

    def _flow(
        self,
        counted: GradingTally,
        pair: Pair,
        outcomes: tuple[Outcome, Outcome],
        owner: str,
        revenue_minor: int,
    ) -> None:
        customers = [outcome.customer for outcome in outcomes]
        flow = customers[OLD].grades[pair.old].tier, customers[NEW].grades[pair.new].tier
        counted.flows.setdefault(flow, Amount()).add(1, revenue_minor)
        if owner:
            flows = counted.owners.setdefault(owner, {})
            flows.setdefault(flow, Amount()).add(1, revenue_minor)
        rank, customer_id = -revenue_minor, customers[NEW].customer_id
        if flow[0] == flow[1] or not counted.movers.admits(rank, customer_id):
            return
        now_ms = self.rules.as_of_ms
        old = View(self.plans[OLD], pair.old, customers[OLD], now_ms)
        new = View(self.plans[NEW], pair.new, customers[NEW], now_ms)
        direction = direction_of(old.grading, new.grading, *flow)
        reasons = differences(old, new)
        counted.movers.add(Mover(rank, customer_id, *flow, direction, owner, reasons))

    def _steadiness(self, counted: GradingTally, side: int, changes: Sequence[Change]) -> None:
        moves = 0
        for change in changes:
            if change.direction != FIRST:
                counted.weeks[side][week_of(change.instant_ms)] += 1
                moves += 1
        if moves <= self.rules.flapping_over:
            return  # there cannot be more turns than moves
        turns = turns_back(changes)
        if turns > self.rules.flapping_over:
            customer_id = changes[0].customer_id
            counted.flapping[side] += 1
            if counted.flappers[side].admits(-turns, customer_id):
                counted.flappers[side].add(Flapper(-turns, customer_id, moves))


def _by_grading(changes: Sequence[Change]) -> Mapping[str, Sequence[Change]]:
    listed: dict[str, list[Change]] = {}
    for change in changes:
        listed.setdefault(change.grading, []).append(change)
    return listed


@dataclass(frozen=True, slots=True)
class Comparison:
    """One grading under two policies, told.

    Attributes:
        name: Of the grading.
        old_tiers: Tiers of the old policy, best first, None (not graded) last if anyone is.
        new_tiers: The same of the new one.
        directions: Which way each flow goes (see `stream.simulation.pairs`).
        tally: What was counted.
    """

    name: str
    old_tiers: tuple[Tier, ...]
    new_tiers: tuple[Tier, ...]
    directions: Mapping[Flow, str]
    tally: GradingTally

    def cell(self, old: Tier, new: Tier) -> Amount:
        """Return who has *old* under the old policy and *new* under the new one."""
        return self.tally.flows.get((old, new)) or Amount()

    def tiers(self, side: int) -> tuple[Tier, ...]:
        """Return the tiers of one of the policies."""
        return (self.old_tiers, self.new_tiers)[side]

    def held(self, side: int, flows: Mapping[Flow, Amount] | None = None) -> dict[Tier, Amount]:
        """Return who stands in each tier under one policy, of all or of some *flows*."""
        held = {tier: Amount() for tier in self.tiers(side)}
        for flow, amount in (self.tally.flows if flows is None else flows).items():
            held[flow[side]].add(amount.customers, amount.revenue_minor)
        return held

    def moved(self, flows: Mapping[Flow, Amount] | None = None) -> dict[str, Amount]:
        """Return who moves which way, of all or of some *flows*; who stays is left out."""
        moved: dict[str, Amount] = {}
        for flow, amount in (self.tally.flows if flows is None else flows).items():
            direction = self.directions[flow]
            if direction != STAYED:
                total = moved.setdefault(direction, Amount())
                total.add(amount.customers, amount.revenue_minor)
        return moved

    def moving(self) -> Amount:
        """Return all who end in another tier."""
        total = Amount()
        for amount in self.moved().values():
            total.add(amount.customers, amount.revenue_minor)
        return total


def compared(comparer: Comparer, tally: Tally) -> list[Comparison]:
    """Return each grading that both policies have, in the order of the new one."""
    old, new = comparer.plans
    return [
        _told(pair.name, old.gradings[pair.old], new.gradings[pair.new], tally.gradings[pair.name])
        for pair in comparer.pairing.pairs
    ]


def _told(name: str, old: Grading, new: Grading, tally: GradingTally) -> Comparison:
    return Comparison(
        name,
        tiers_in_order(old.tiers, {flow[OLD] for flow in tally.flows}),
        tiers_in_order(new.tiers, {flow[NEW] for flow in tally.flows}),
        {flow: direction_of(old, new, *flow) for flow in tally.flows},
        tally,
    )
