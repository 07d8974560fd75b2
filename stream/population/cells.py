"""What the 125 RFM cells are worth: customers, revenue, response, and who is worth contacting.

Source: seed 002 (the case of the direct mailer: break-even response = cost of a contact over
net profit of a sale; cells at or above it are worth the contact).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy.gradings.rfm import CELLS
from stream.customer import Grade
from stream.gradings.base import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stream.customer import Value
    from stream.plan import Plan


class Member(NamedTuple):
    """A customer in a cell.

    Attributes:
        customer_id: Who.
        cell: Code such as ``"543"``; None while not graded.
        revenue_minor: Paid less refunded, over the whole life up to the instant asked about.
    """

    customer_id: str
    cell: str | None
    revenue_minor: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell at an instant, and what its customers of an earlier instant did until then.

    Attributes:
        code: Three digits, R, F, M, from 1 (worst) to 5.
        customers: Who stand in it now.
        revenue_minor: Their revenue.
        share: That revenue as a share of everyone's above 0; 0 where there is none.
        asked: Customers who stood in it at the earlier instant.
        responded: Those of them who have ordered since.
        in_test_group: Customers now in it who belong to the test group.
    """

    code: str
    customers: int
    revenue_minor: int
    share: Fraction
    asked: int
    responded: int
    in_test_group: int

    @property
    def response(self) -> Fraction | None:
        """Share of those who stood in it who ordered; None where nobody did stand in it."""
        return Fraction(self.responded, self.asked) if self.asked else None

    def is_worth_contacting(self, needed: Fraction) -> bool | None:
        """Say whether its response reaches *needed*; None where there is no response."""
        return None if self.response is None else self.response >= needed


def break_even(cost: Fraction, profit: Fraction) -> Fraction:
    """Return the least response at which a contact pays: its *cost* over the *profit* of a sale.

    >>> float(round(break_even(Fraction("0.62"), Fraction(35)) * 100, 2))
    1.77
    """
    return cost / profit


def grades(
    plan: Plan, grading: str, rows: Iterable[Sequence[Value]], now_ms: int
) -> Iterator[str | None]:
    """Yield the tier of each customer in a grading that looks at measures only.

    Args:
        plan: The policy.
        grading: Name of a grading without hysteresis that refers to no other.
        rows: For each customer, its measures in the order of the policy.
        now_ms: When they were read.
    """
    position = [one.name for one in plan.gradings].index(grading)
    judge, evidence = plan.gradings[position], plan.evidence[position]
    tiers: list[str | None] = [None] * len(plan.gradings)
    for row in rows:
        if evidence is not None and row[evidence[0]] < evidence[1]:  # type: ignore[operator]
            yield None
        else:
            yield judge.tier(Reading(now_ms, row, tiers), Grade())


def tabulate(
    members: Iterable[Member],
    earlier: Iterable[Member],
    responders: frozenset[str],
    chosen: frozenset[str],
) -> list[Cell]:
    """Return all 125 cells, "555" first.

    Args:
        members: Every customer now.
        earlier: Every customer at the earlier instant.
        responders: Who have ordered after it, up to now.
        chosen: Who are in the test group.
    """
    now, then = _by_cell(members), _by_cell(earlier)
    total = sum(max(m.revenue_minor, 0) for inside in now.values() for m in inside)
    cells = []
    for code in CELLS:
        inside, before = now[code], then[code]
        earning = sum(max(m.revenue_minor, 0) for m in inside)
        cells.append(
            Cell(
                code=code,
                customers=len(inside),
                revenue_minor=sum(m.revenue_minor for m in inside),
                share=Fraction(earning, total) if total else Fraction(0),
                asked=len(before),
                responded=sum(m.customer_id in responders for m in before),
                in_test_group=sum(m.customer_id in chosen for m in inside),
            )
        )
    return cells


def _by_cell(members: Iterable[Member]) -> defaultdict[str | None, list[Member]]:
    cells: defaultdict[str | None, list[Member]] = defaultdict(list)
    for member in members:
        cells[member.cell].append(member)
    return cells
