"""A census of a policy's rankings: where its cuts lie now, and how far they may move at once."""

from __future__ import annotations

import json
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from stream.calendar import format_instant
from stream.population.cuts import top_share_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from schemas.policy.relative import Population, RelativeCut
    from stream.plan import Plan
    from stream.population.ordered import Ordered
    from stream.population.rankings import Ranking

Cuts = dict[str, tuple[int, ...]]
"""Levels by name of the cut, ascending, in the unit of the measure."""


class Census(NamedTuple):
    """What a census has found.

    Attributes:
        cuts: Every cut that follows the population, moved or not.
        customers: How many customers each was found from.
    """

    cuts: Cuts
    customers: dict[str, int]


def take_census(
    plan: Plan,
    before: Mapping[str, tuple[int, ...]],
    ordered: Callable[[Ranking], Ordered],
) -> Census:
    """Return the cuts that hold from now on.

    Args:
        plan: The policy in force.
        before: The cuts in force; those of other policies are not looked at.
        ordered: Gives the readings of a ranking. Where there is nobody, a cut stays as it is.
    """
    found = Census({}, {})
    population = plan.document.population
    for ranking in plan.rankings:
        order = ordered(ranking)
        for name, cut in ranking.cuts.items():
            old = before.get(name)
            found.customers[name] = order.count
            if order.count:
                levels = levels_of(cut, order)
                if old is not None and population is not None:
                    levels = follow(old, levels, population, order)
                found.cuts[name] = levels
            elif old is not None:
                found.cuts[name] = old
    return found


def cuts_record(plan: Plan, census: Census, instant_ms: int) -> bytes:
    """Return the control that tells of a census, for every partition of `controls` the same.

    Its id follows from the policy and the census instant, whoever takes the census.
    """
    return json.dumps(
        {
            "schema_version": 1,
            "event_id": f"cuts:{plan.name}:{plan.version}:{instant_ms}",
            "occurred_at": format_instant(instant_ms),
            "kind": "population.cuts",
            "policy": plan.name,
            "version": plan.version,
            "cuts": census.cuts,
            "customers": census.customers,
        },
        separators=(",", ":"),
    ).encode()


def levels_of(cut: RelativeCut, order: Ordered) -> tuple[int, ...]:
    """Return where the levels of a cut lie among at least one reading, ascending."""
    if cut.statistic == "mean":
        return (ceil(order.mean()),)
    if cut.statistic == "shares":
        return tuple(reversed(order.bringing(cut.shares)))
    if cut.statistic == "tops":
        counts = [
            top if isinstance(top, int) else top_share_count(order.count, top) for top in cut.tops
        ]
        return tuple(order.at(max(order.count - count, 0)) for count in reversed(counts))
    return tuple(ceil(order.quantile(share)) for share in cut.quantiles)


def follow(
    old: tuple[int, ...], new: tuple[int, ...], population: Population, order: Ordered
) -> tuple[int, ...]:
    """Return how far a cut moves from its *old* levels towards the *new* ones.

    Not at all inside the dead band. Else every level as far as the cap lets it: levels that
    ascend still do, as a level further up may move at least as far up, and no further down.
    """
    band = population.dead_band
    if band is not None and not any(
        abs(there - here) > band * abs(here) for here, there in zip(old, new, strict=True)
    ):
        return old
    cap = population.most_moved
    if cap is None:
        return new
    most = int(cap * order.count)
    return tuple(_capped(here, there, most, order) for here, there in zip(old, new, strict=True))


def _capped(here: int, there: int, most: int, order: Ordered) -> int:
    """Return the level furthest from *here* towards *there* that passes at most *most* readings.

    Equal readings are passed together; where the nearest ones are more than that, they are
    passed nevertheless, as the level would otherwise stay for good.
    """
    passed = order.below(here)
    if there > here:
        if passed >= order.count:
            return there
        nearest = order.at(passed) + 1
        reach = order.at(passed + most) if passed + most < order.count else there
        return min(there, max(nearest, reach))
    if there < here:
        if not passed:
            return there
        nearest = order.at(passed - 1)
        # Above all readings equal to the first one too many.
        reach = order.at(passed - most - 1) + 1 if passed > most else there
        return max(there, min(nearest, reach))
    return here
