"""Tags: rules that add and remove, and tags that outlive their rule (seed 003, 客户标签)."""

from __future__ import annotations

from typing import Any

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, bands, happened, paid, policy

T0 = 852_076_800_000
BUSY = {"measure": "visits", "at_least": 2}


def run_of(**rule: Any) -> Run:
    """Return a run with one tag, for customers who visited twice within five days."""
    measures = {
        "visits": {"count": "visit", "window": "5d"},
        "complaints": {"count": "complaint", "window": "1d"},
        "orders": {"count": "orders"},
    }
    tag = {"type": "tag", "add_when": BUSY} | rule
    return Run(policy(measures, {"busy": tag, "loyal": bands("orders", gold=99)}))


def moves(run: Run) -> list[tuple[str | None, int, str]]:
    """Return what became of the tag, when, and by what."""
    return [
        (c.after, (c.instant_ms - T0) // DAY, c.cause.kind)
        for c in run.changes
        if c.grading == "busy"
    ]


def test_a_tag_is_present_while_its_rule_holds() -> None:
    run = run_of()
    assert run.grades()["busy"] == "absent"
    run.apply([happened("visit", 1, T0), happened("visit", 2, T0 + DAY)])
    run.wake(T0 + 30 * DAY)
    assert moves(run) == [("present", 1, "interaction"), ("absent", 5, "time")]
    assert run.changes[-1].before == "present"


def test_a_tag_may_outlive_its_rule_and_expires_by_itself() -> None:
    """The days are counted from the instant at which the rule stopped holding."""
    run = run_of(keep_days=10)
    run.apply([happened("visit", 1, T0), happened("visit", 2, T0 + DAY)])
    run.wake(T0 + 30 * DAY)
    assert moves(run) == [("present", 1, "interaction"), ("absent", 15, "time")]


def test_looking_while_it_is_kept_does_not_prolong_it() -> None:
    run = run_of(keep_days=10)
    run.apply([happened("visit", 1, T0), happened("visit", 2, T0 + DAY)])
    for day in range(6, 15):
        run.wake_at(T0 + day * DAY)
        run.apply([paid(day, T0 + day * DAY + 1)])
        run.reload()
    run.wake(T0 + 30 * DAY)
    assert moves(run) == [("present", 1, "interaction"), ("absent", 15, "time")]


def test_a_rule_that_holds_again_starts_over() -> None:
    run = run_of(keep_days=10)
    run.apply([happened("visit", n, T0 + day * DAY) for n, day in enumerate((0, 1, 8, 9))])
    run.wake(T0 + 60 * DAY)
    assert moves(run) == [("present", 1, "interaction"), ("absent", 8 + 5 + 10, "time")]


def test_a_removing_rule_wins_at_once_and_ends_the_keeping() -> None:
    """A complaint takes the tag away for as long as it counts; then the adding rule decides."""
    run = run_of(keep_days=10, remove_when={"measure": "complaints", "at_least": 1})
    run.apply([happened("visit", 1, T0), happened("visit", 2, T0 + DAY)])
    run.apply([happened("complaint", 1, T0 + 2 * DAY)])
    run.apply([happened("complaint", 2, T0 + 7 * DAY)])
    run.wake(T0 + 60 * DAY)
    assert moves(run) == [
        ("present", 1, "interaction"),
        ("absent", 2, "interaction"),
        ("present", 3, "time"),
        ("absent", 7, "interaction"),
    ]


def test_a_tag_can_be_looked_at_by_other_gradings() -> None:
    """And its own expiry then moves them at the same instant."""
    measures = {"visits": {"count": "visit", "window": "5d"}, "orders": {"count": "orders"}}
    gradings = {
        "care": {
            "type": "conditions",
            "levels": [
                {"level": "call", "when": {"grading": "busy", "is": ["present"]}},
                {"level": "leave"},
            ],
        },
        "busy": {"type": "tag", "add_when": BUSY, "keep_days": 10},
    }
    run = Run(policy(measures, gradings))
    run.apply([happened("visit", 1, T0), happened("visit", 2, T0 + DAY)])
    run.wake(T0 + 60 * DAY)
    care = [(c.after, (c.instant_ms - T0) // DAY) for c in run.changes if c.grading == "care"]
    assert care == [("leave", 0), ("call", 1), ("leave", 15)]
