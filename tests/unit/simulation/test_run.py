"""A simulation of a history that can be worked out by hand, and the same with more processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agents.replay.offline import replay_offline
from agents.report.payload import payload
from agents.simulation.run import Simulated, simulate
from stream.customer import decode
from stream.plan import compile_policy
from stream.simulation.tally import NEW, OLD, Amount
from tests.unit.simulation import histories
from tests.unit.simulation.histories import history, job

if TYPE_CHECKING:
    from stream.simulation.comparison import Comparison


def value(found: Simulated) -> Comparison:
    return next(c for c in found.comparisons if c.name == "value")


def test_the_matrix_is_what_a_person_would_work_out() -> None:
    """ann: 115.00 is gold no longer; eve has 175.00 and bob 130.00; dan was never applied."""
    found = simulate(history(), job())
    assert value(found).tally.flows == {
        ("gold", "silver"): Amount(1, 11_500),
        ("gold", "gold"): Amount(2, 13_000 + 17_500),
        ("bronze", "bronze"): Amount(1, 2_000),
    }
    assert value(found).moved() == {"down": Amount(1, 11_500)}
    assert found.tally.customers == Amount(4, 44_000)


def test_a_mover_is_named_with_the_levels_that_made_the_difference() -> None:
    found = simulate(history(), job())
    (mover,) = value(found).tally.movers.items
    assert (mover.customer_id, mover.old, mover.new, mover.owner) == (
        "ann",
        "gold",
        "silver",
        "Mia",
    )
    (reason,) = mover.reasons
    assert (reason.name, reason.old, reason.new) == ("revenue_30d", 11_500, 11_500)
    assert (reason.old_range, reason.new_range) == ((10_000, None), (11_000, 12_000))


def test_time_goes_on_to_the_end_and_changes_are_counted_by_week() -> None:
    """On day 40 all have left the 30 days but eve's last 60.00, which is silver."""
    found = simulate(history(), job(days=40))
    assert value(found).tally.flows == {
        ("silver", "silver"): Amount(1, 17_500),
        ("bronze", "bronze"): Amount(3, 26_500),
    }
    # Old: eve up on day 1 (week 0), down on day 30 (week 4); ann and bob down on day 31.
    assert sorted(value(found).tally.weeks[OLD].values()) == [1, 3]
    # New: eve up on day 20 (week 2); then the same falls, ann's from silver.
    assert sorted(value(found).tally.weeks[NEW].values()) == [1, 3]


def test_revenue_is_that_of_the_last_days_only() -> None:
    found = simulate(history(), job(revenue_days=5))
    assert found.tally.customers == Amount(4, 6_000)


def test_who_goes_back_and_forth_too_often_is_counted_and_named() -> None:
    found = simulate(history(), job(days=60, flapping_over=0))
    tally = value(found).tally
    assert tally.flapping == [1, 1]  # eve rises and falls
    assert [(f.customer_id, f.turns) for f in tally.flappers[OLD].items] == [("eve", 1)]


def test_the_owner_is_the_one_named_last_before_the_end() -> None:
    found = simulate(history(), job())
    owners = value(found).tally.owners
    assert owners == {
        "Mia": {("gold", "silver"): Amount(1, 11_500), ("gold", "gold"): Amount(1, 13_000)}
    }


@pytest.mark.parametrize("text", [histories.OLD, histories.NEW])
def test_a_policy_against_itself_moves_nobody_and_agrees_with_a_replay(text: str) -> None:
    log, job_ = history(), job(days=33, old=text, new=text)
    found = simulate(log, job_)
    plan = compile_policy(job_.old)
    replayed = replay_offline(log, plan, as_of_ms=job_.rules.as_of_ms)
    assert found.tally.changes == [len(replayed.changes)] * 2
    for comparison in found.comparisons:
        assert not comparison.moving().customers
        assert comparison.tally.weeks[OLD] == comparison.tally.weeks[NEW]
        position = plan.shape.names.index(comparison.name)
        tiers = [
            decode(customer, state, plan.shape).grades[position].tier
            for customer, state in replayed.states.items()
        ]
        held = {tier: amount.customers for tier, amount in comparison.held(NEW).items()}
        assert held == {tier: tiers.count(tier) for tier in held}


def test_more_processes_change_nothing_but_the_time_it_takes() -> None:
    alone, together = (simulate(history(), job(), processes=n) for n in (1, 2))
    assert together.processes == 2
    assert payload(alone, alone.comparisons) == payload(together, together.comparisons)


def test_refused_records_are_counted_under_the_policy_that_refuses_them() -> None:
    new = histories.NEW.replace("currency: USD", "currency: EUR")
    found = simulate(history(), job(new=new))
    assert [dict(refused) for refused in found.tally.refused] == [{}, {"unknown_currency": 6}]
    assert value(found).moved().keys() == {"ungraded"}


def test_progress_adds_up_to_the_records_of_the_log() -> None:
    steps: list[int] = []
    simulate(history(), job(), progress=steps.append)
    assert sum(steps) == len(history())
