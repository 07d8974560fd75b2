"""Changes as they are published: ids, directions, reasons, scores."""

from __future__ import annotations

from schemas.tier_changes import TierChange
from stream.changes import change_id
from stream.payloads import change_payload
from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, bands, happened, paid, policy

T0 = 852_076_800_000


def published(run: Run) -> list[dict[str, object]]:
    """Return the changes as they would be published; each one must satisfy the contract."""
    plan = run.plan
    found = [change_payload(c, plan.measures, plan.name, plan.version) for c in run.changes]
    for payload in found:
        TierChange.model_validate(payload)
    return found


def test_a_downgrade_by_time_says_what_fell_across_which_level() -> None:
    plan = policy(
        {"revenue_9d": {"sum": "revenue", "window": "9d"}}, {"value": bands("revenue_9d", gold=2)}
    )
    run = Run(plan)
    run.apply([paid(1, T0, 150), paid(2, T0 + DAY, 60)])
    run.wake(T0 + 30 * DAY)
    first, up, down = published(run)
    assert first["direction"] == "first"
    assert (up["direction"], up["cause"]) == ("up", {"kind": "order", "event_id": "p2"})
    assert up["reasons"] == [
        {
            "measure": "revenue_9d",
            "unit": "money",
            "before": 150,
            "after": 210,
            "boundary": 200,
            "crossed": "above",
        }
    ]
    assert (down["direction"], down["from"], down["to"]) == ("down", "gold", "floor")
    assert down["cause"] == {"kind": "time", "event_id": None}
    assert down["instant"] == "1997-01-10T00:00:00.000Z"
    assert down["reasons"] == [
        {
            "measure": "revenue_9d",
            "unit": "money",
            "before": 210,
            "after": 60,
            "boundary": 200,
            "crossed": "below",
        }
    ]
    assert down["score"] is None


def test_a_grading_that_was_looked_at_is_a_reason_too() -> None:
    plan = policy(
        {"orders": {"count": "orders"}},
        {
            "care": {
                "type": "conditions",
                "levels": [
                    {"level": "call", "when": {"grading": "value", "is": ["gold"]}},
                    {"level": "leave"},
                ],
            },
            "value": bands("orders", gold=2),
        },
    )
    run = Run(plan)
    run.apply([paid(1, T0), paid(2, T0)])
    care = [payload for payload in published(run) if payload["grading"] == "care"][-1]
    assert care["reasons"] == [
        {
            "measure": "value",
            "unit": "tier",
            "before": "floor",
            "after": "gold",
            "boundary": None,
            "crossed": None,
        }
    ]


def test_an_unknown_reading_is_null_not_a_number() -> None:
    plan = policy({"age": {"days_since": "visit"}}, {"g": bands("age", old=7)})
    run = Run(plan)
    run.apply([happened("visit", 1, T0)])
    [first] = published(run)
    assert first["reasons"] == [
        {
            "measure": "age",
            "unit": "days",
            "before": None,
            "after": 0,
            "boundary": None,
            "crossed": None,
        }
    ]


def test_ids_are_deterministic_and_tell_everything_apart() -> None:
    one = change_id("c", "g", 1, "p", 1)
    assert one == change_id("c", "g", 1, "p", 1)
    others = [("cg", "", 1, "p", 1), ("c", "g", 2, "p", 1), ("c", "g", 1, "p", 2)]
    assert len({one, *(change_id(*other) for other in others)}) == 4
    assert len(one) == 32
