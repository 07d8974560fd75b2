"""What a simulation counts: sums that are the same however the customers are dealt out."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream.simulation.difference import Difference

OLD, NEW = 0, 1
"""Positions of what is counted under each of the two policies."""

Flow = tuple[str | None, str | None]
"""Tier under the old policy, tier under the new one; None: not graded."""

Item = TypeVar("Item", bound=tuple[object, ...])


@dataclass(slots=True)
class Amount:
    """Customers and their revenue in minor units."""

    customers: int = 0
    revenue_minor: int = 0

    def add(self, customers: int, revenue_minor: int) -> None:
        """Add to both."""
        self.customers += customers
        self.revenue_minor += revenue_minor


class Mover(NamedTuple):
    """A customer who ends in another tier; the order of these is the order of a ranking.

    Attributes:
        rank: Revenue negated, so that the largest comes first.
        customer_id: Who.
        old: Tier under the old policy, None: not graded.
        new: Tier under the new one.
        direction: See `stream.simulation.pairs.direction_of`.
        owner: Account manager, "" where the log names none.
        reasons: Why.
    """

    rank: int
    customer_id: str
    old: str | None
    new: str | None
    direction: str
    owner: str
    reasons: tuple[Difference, ...]

    @property
    def revenue_minor(self) -> int:
        """Revenue in minor units."""
        return -self.rank


class Flapper(NamedTuple):
    """A customer whose tier goes back and forth.

    Attributes:
        rank: Number of times negated, so that the largest comes first.
        customer_id: Who.
        changes: Changes of tier in all, the first grade not counted.
    """

    rank: int
    customer_id: str
    changes: int

    @property
    def turns(self) -> int:
        """How often."""
        return -self.rank


class Top(Generic[Item]):
    """The first few of any number of items, by rank and then by customer id."""

    def __init__(self, limit: int) -> None:
        """Keep at most *limit* items."""
        self.limit = limit
        self.items: list[Item] = []

    def admits(self, rank: int, customer_id: str) -> bool:
        """Say whether an item would be kept."""
        return len(self.items) < self.limit or (
            self.limit > 0 and (rank, customer_id) < self.items[-1][:2]
        )

    def add(self, item: Item) -> None:
        """Take an item in, and drop the last one where there are too many."""
        insort(self.items, item, key=_place)
        del self.items[self.limit :]

    def merge(self, other: Top[Item]) -> None:
        """Take in all of *other*."""
        for item in other.items:
            self.add(item)


def _place(item: tuple[object, ...]) -> tuple[int, str]:
    rank, customer_id = item[:2]
    return rank, customer_id  # type: ignore[return-value]


@dataclass(slots=True)
class GradingTally:
    """One grading under both policies.

    Attributes:
        flows: Customers by where they end under each policy.
        owners: The same per account manager.
        weeks: Per policy, changes per week (see `stream.simulation.stability`).
        flapping: Per policy, customers who went back and forth too often.
        flappers: Per policy, those who did most.
        movers: Those who end in another tier, most revenue first.
    """

    flows: dict[Flow, Amount]
    owners: dict[str, dict[Flow, Amount]]
    weeks: tuple[Counter[int], Counter[int]]
    flapping: list[int]
    flappers: tuple[Top[Flapper], Top[Flapper]]
    movers: Top[Mover]

    @classmethod
    def empty(cls, shown: int) -> GradingTally:
        """Return one that counted nothing yet and will name *shown* customers of a kind."""
        return cls({}, {}, (Counter(), Counter()), [0, 0], (Top(shown), Top(shown)), Top(shown))

    def merge(self, other: GradingTally) -> None:
        """Add what *other* counted, of other customers."""
        _add_flows(self.flows, other.flows)
        for owner, flows in other.owners.items():
            _add_flows(self.owners.setdefault(owner, {}), flows)
        for side in (OLD, NEW):
            self.weeks[side].update(other.weeks[side])
            self.flapping[side] += other.flapping[side]
            self.flappers[side].merge(other.flappers[side])
        self.movers.merge(other.movers)


def _add_flows(into: dict[Flow, Amount], more: dict[Flow, Amount]) -> None:
    for flow, amount in more.items():
        into.setdefault(flow, Amount()).add(amount.customers, amount.revenue_minor)


@dataclass(slots=True)
class Tally:
    """Everything counted over some of the customers.

    Attributes:
        gradings: Per grading that both policies have.
        customers: Customers of whom either policy knows anything, and their revenue.
        changes: Per policy, tier changes in all gradings, first grades and all.
        refused: Per policy, records not applied because they are wrong, by reason.
    """

    gradings: dict[str, GradingTally]
    customers: Amount = field(default_factory=Amount)
    changes: list[int] = field(default_factory=lambda: [0, 0])
    refused: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )

    @classmethod
    def empty(cls, gradings: Iterable[str], shown: int) -> Tally:
        """Return one that counted nothing yet."""
        return cls({name: GradingTally.empty(shown) for name in gradings})

    def merge(self, other: Tally) -> None:
        """Add what *other* counted, of other customers and the same gradings."""
        for name, tally in self.gradings.items():
            tally.merge(other.gradings[name])
        self.customers.add(other.customers.customers, other.customers.revenue_minor)
        for side in (OLD, NEW):
            self.changes[side] += other.changes[side]
            self.refused[side].update(other.refused[side])
