"""A simulation as one JSON document. Money in minor units of the new policy's currency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.report.words import reason_texts, unmatched
from stream.calendar import format_instant
from stream.simulation.stability import week_start_ms
from stream.simulation.tally import NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agents.simulation.run import Simulated
    from stream.simulation.comparison import Comparison
    from stream.simulation.tally import Amount, Flow, Mover

_SIDES = (("old", OLD), ("new", NEW))
_DATE = 10


def payload(simulated: Simulated, comparisons: Iterable[Comparison]) -> dict[str, object]:
    """Return everything that was found, of *comparisons* only."""
    job, tally = simulated.job, simulated.tally
    return {
        "old": {"policy": job.old.policy, "version": job.old.version},
        "new": {"policy": job.new.policy, "version": job.new.version},
        "from": format_instant(simulated.from_ms),
        "as_of": format_instant(job.rules.as_of_ms),
        "records": simulated.records,
        "customers": tally.customers.customers,
        "currency": job.new.currency,
        "revenue_days": job.rules.revenue_days,
        "revenue_minor": tally.customers.revenue_minor,
        "flapping_over": job.rules.flapping_over,
        "notes": unmatched(simulated),
        "gradings": {c.name: _grading(c, job.new.currency) for c in comparisons},
    }


def _grading(comparison: Comparison, currency: str) -> dict[str, object]:
    tally = comparison.tally
    return {
        "matrix": _flows(comparison, tally.flows),
        "tiers": {side: _amounts(comparison.held(index)) for side, index in _SIDES},
        "moved": _amounts(comparison.moved()),
        "changes_per_week": {side: _weeks(tally.weeks[index]) for side, index in _SIDES},
        "flapping": {
            side: {
                "customers": tally.flapping[index],
                "most": [
                    {"customer_id": f.customer_id, "back_and_forth": f.turns, "changes": f.changes}
                    for f in tally.flappers[index].items
                ],
            }
            for side, index in _SIDES
        },
        "owners": {
            owner: {
                "old": _amounts(comparison.held(OLD, flows)),
                "new": _amounts(comparison.held(NEW, flows)),
                "moved": _amounts(comparison.moved(flows)),
            }
            for owner, flows in sorted(tally.owners.items())
        },
        "movers": [_mover(mover, currency) for mover in tally.movers.items],
    }


def _flows(comparison: Comparison, flows: Mapping[Flow, Amount]) -> list[dict[str, object]]:
    order = [comparison.old_tiers.index, comparison.new_tiers.index]
    listed = sorted(flows, key=lambda flow: (order[OLD](flow[OLD]), order[NEW](flow[NEW])))
    return [
        {
            "old": flow[OLD],
            "new": flow[NEW],
            "direction": comparison.directions[flow],
            **_amount(flows[flow]),
        }
        for flow in listed
    ]


def _amounts(amounts: Mapping[str, Amount] | Mapping[str | None, Amount]) -> dict[str, object]:
    return {"(not graded)" if k is None else k: _amount(v) for k, v in amounts.items()}


def _amount(amount: Amount) -> dict[str, int]:
    return {"customers": amount.customers, "revenue_minor": amount.revenue_minor}


def _weeks(weeks: Mapping[int, int]) -> dict[str, int]:
    return {format_instant(week_start_ms(w))[:_DATE]: weeks[w] for w in sorted(weeks)}


def _mover(mover: Mover, currency: str) -> dict[str, object]:
    return {
        "customer_id": mover.customer_id,
        "old": mover.old,
        "new": mover.new,
        "direction": mover.direction,
        "owner": mover.owner or None,
        "revenue_minor": mover.revenue_minor,
        "reasons": reason_texts(mover.reasons, currency),
    }
