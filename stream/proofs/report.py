"""Everything that can be proved of one policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from stream.plan import compile_policy
from stream.proofs.case import case_of
from stream.proofs.constant_tests import test_remarks
from stream.proofs.ladders import ladder_remarks
from stream.proofs.orders import is_ladder, order_remarks, verdicts_of
from stream.proofs.ranges import range_remarks, tables
from stream.proofs.reach import Explorer
from stream.proofs.unreached import reach_remarks
from stream.proofs.unused import unused_remarks

if TYPE_CHECKING:
    from schemas.policy import PolicyDocument
    from schemas.policy.findings import Remark
    from stream.plan import Plan
    from stream.proofs.histories import Example
    from stream.proofs.monotone import Verdict
    from stream.proofs.reach import Reach

Orders = Literal["proved", "lowered", "open", "unordered"]
"""Whether more orders never lower a tier: proved; an example says no; not known; no better tier."""

_SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Proven:
    """What was found out about one grading.

    Attributes:
        name: Of the grading.
        tiers: How many it names.
        reached: How many of them are proved to be reachable.
        never: How many are proved not to be.
        orders: What is known of "more orders never lower the tier".
        witnesses: By tier, readings that reach it, in the words of the policy.
    """

    name: str
    tiers: int
    reached: int
    never: int
    orders: Orders
    witnesses: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Report:
    """What the proofs say of a policy.

    Attributes:
        remarks: Errors first, then warnings, then notes; each in the order of the file.
        gradings: In the order in which they are evaluated.
        tables: How many tables of ranges there are; with no error among the remarks, every value
            falls in exactly one range of each.
        plan: What the policy compiles to.
        reached: Per grading, the witnesses as readings.
        verdicts: Per grading, what is proved of more orders.
        examples: By position of the grading, a customer whom one more order lowers.
    """

    remarks: tuple[Remark, ...]
    gradings: tuple[Proven, ...]
    tables: int
    plan: Plan
    reached: tuple[Reach, ...]
    verdicts: tuple[Verdict, ...]
    examples: dict[int, Example]


def prove(document: PolicyDocument) -> Report:
    """Return everything that can be proved of a checked policy. Takes seconds at most."""
    plan = compile_policy(document)
    case = case_of(document, plan)
    explorer = Explorer(plan, case.traits)
    reached = explorer.explore()
    verdicts, examples = verdicts_of(case)
    remarks = [
        *range_remarks(case),
        *test_remarks(case),
        *reach_remarks(case, explorer),
        *ladder_remarks(case),
        *order_remarks(case, verdicts, examples),
        *unused_remarks(case),
    ]
    gradings = []
    for reach in reached:
        grading = plan.gradings[reach.position]
        orders: Orders = "open"
        if not is_ladder(case, reach.position):
            orders = "unordered"
        elif verdicts[reach.position].proved:
            orders = "proved"
        elif reach.position in examples:
            orders = "lowered"
        witnesses = {
            tier: {
                plan.measures[m].name: case.words.value(m, reach.found[tier].values[m])
                for m in reach.measures
            }
            for tier in grading.tiers
            if tier in reach.found
        }
        gradings.append(
            Proven(
                grading.name,
                len(grading.tiers),
                len(reach.found),
                len(reach.never),
                orders,
                witnesses,
            )
        )
    return Report(
        remarks=tuple(sorted(remarks, key=lambda remark: _SEVERITIES.index(remark.severity))),
        gradings=tuple(gradings),
        tables=sum(1 for _ in tables(case)),
        plan=plan,
        reached=tuple(reached),
        verdicts=tuple(verdicts),
        examples=examples,
    )
