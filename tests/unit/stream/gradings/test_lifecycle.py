"""Lifecycle (G12): prospect, new, active, growing, declining, dormant, lost, won back."""

from __future__ import annotations

from typing import Any

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, cancelled, happened, paid, policy

T0 = 852_076_800_000
MEASURES = {
    "silence": {"days_since": "last_order"},
    "tenure": {"days_since": "first_order"},
    "growth": {"growth": "revenue", "window": "60d"},
    "ended": {"longest_gap": "orders", "window": "45d"},
    "visits": {"count": "visit"},
}
LIFECYCLE = {
    "type": "lifecycle",
    "recency": {"measure": "silence", "dormant_from": 100, "lost_from": 200},
    "tenure": {"measure": "tenure", "new_below": 30},
    "trend": {"measure": "growth", "growing_from": "20%", "declining_below": "-20%"},
    "won_back": "ended",
}


def run_of(**changed: Any) -> Run:
    return Run(policy(MEASURES, {"life": LIFECYCLE | changed, "seen": seen()}))


def seen() -> dict[str, Any]:
    """Return a grading that makes visits count, so that customers without orders are judged."""
    return {
        "type": "bands",
        "measure": "visits",
        "tiers": [{"tier": "seen", "enter": 1}, {"tier": "never"}],
    }


def life(run: Run) -> list[tuple[str | None, int, str]]:
    """Return each stage entered, on which day, and by what."""
    return [
        (c.after, (c.instant_ms - T0) // DAY, c.cause.kind)
        for c in run.changes
        if c.grading == "life"
    ]


def test_a_whole_life() -> None:
    """From the first visit over silence and loss to the order that wins back, and past it."""
    run = run_of()
    run.apply([happened("visit", 1, T0)])
    run.apply([paid(1, T0 + 10 * DAY)])
    run.wake(T0 + 500 * DAY - 1)
    run.apply([paid(2, T0 + 500 * DAY), paid(3, T0 + 510 * DAY)])
    run.wake(T0 + 1000 * DAY)
    assert life(run) == [
        ("prospect", 0, "interaction"),
        ("new", 10, "order"),
        ("active", 40, "time"),
        ("declining", 70, "time"),
        ("dormant", 110, "time"),
        ("lost", 210, "time"),
        ("won_back", 500, "order"),
        ("active", 545, "time"),
        ("declining", 570, "time"),
        ("dormant", 610, "time"),
        ("lost", 710, "time"),
    ]


def test_a_silence_that_was_only_dormant_wins_nobody_back() -> None:
    run = run_of()
    run.apply([paid(1, T0), paid(2, T0 + 199 * DAY)])
    assert run.grades()["life"] == "active"
    again = run_of()
    again.apply([paid(1, T0), paid(2, T0 + 200 * DAY)])
    assert again.grades()["life"] == "won_back"


def test_nobody_need_have_seen_the_customer_lost() -> None:
    """Woken daily, or told everything at the end in the wrong order: the same stage."""
    orders = [paid(1, T0), paid(2, T0 + 300 * DAY), paid(3, T0 + 301 * DAY)]
    punctual, late = run_of(), run_of()
    for order in orders:
        punctual.apply([order])
    for day in range(302, 310):
        punctual.wake_at(T0 + day * DAY)
    late.apply([order | {"record_ms": T0 + 309 * DAY} for order in reversed(orders)])
    assert punctual.grades() == late.grades()
    assert late.grades()["life"] == "won_back"


def test_growing_and_declining_against_the_window_before() -> None:
    run = run_of(won_back=None)
    run.apply([paid(1, T0, 100), paid(2, T0 + 60 * DAY, 119)])
    assert run.grades()["life"] == "active"
    run.apply([paid(3, T0 + 61 * DAY, 1)])
    assert run.grades()["life"] == "growing"
    run.apply([paid(4, T0 + 130 * DAY, 10)])
    assert run.grades()["life"] == "declining"


def test_a_customer_whose_only_order_was_cancelled_is_a_prospect() -> None:
    run = run_of()
    run.apply([paid(1, T0)])
    run.apply([cancelled(1, T0 + DAY)])
    assert run.grades()["life"] == "prospect"


def test_without_a_trend_nobody_grows_or_declines() -> None:
    """What is left out is not among the grades either."""
    run = run_of(trend=None, won_back=None)
    run.apply([paid(1, T0, 1), paid(2, T0 + 70 * DAY, 1_000)])
    assert run.grades()["life"] == "active"
    (grading,) = (g for g in run.plan.gradings if g.name == "life")
    assert grading.tiers == ("active", "new", "dormant", "lost", "prospect")
