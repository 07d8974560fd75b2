"""Bands and ladders: the pyramid, separate enter and exit levels, minimum evidence."""

from __future__ import annotations

from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, bands, happened, paid, policy

T0 = 852_076_800_000


def ladder(*told: int | None) -> list[str | None]:
    """Return the tier after each level is told, with exit levels below the enter levels."""
    pyramid = {
        "type": "bands",
        "measure": "level",
        "tiers": [
            {"tier": "platinum", "enter": 1_000, "exit": 800},
            {"tier": "gold", "enter": 300, "exit": 300},
            {"tier": "iron", "enter": 100, "exit": 50},
            {"tier": "lead"},
        ],
    }
    run = Run(policy({"level": {"attribute": "level", "type": "number"}}, {"value": pyramid}))
    seen = []
    for number, level in enumerate(told):
        told_event = happened("profile.changed", number, T0 + number, attributes={"level": level})
        run.apply([told_event])
        seen.append(run.grades()["value"])
    return seen


def test_the_four_tiers_of_the_pyramid() -> None:
    """Platinum, gold, iron and lead (seed 000); a level belongs to the tier it reaches."""
    assert ladder(1_000) == ["platinum"]
    assert ladder(999) == ladder(300) == ["gold"]
    assert ladder(299) == ladder(100) == ["iron"]
    assert ladder(99) == ladder(-5) == ["lead"]


def test_nobody_flaps_between_the_exit_and_the_enter_level() -> None:
    assert ladder(1_000, 999, 800, 999, 800) == ["platinum"] * 5
    assert ladder(1_000, 799, 999, 1_000) == ["platinum", "gold", "gold", "platinum"]


def test_a_fall_through_several_tiers_is_one_change_to_where_the_enter_levels_say() -> None:
    """From platinum to 60: iron is kept from 50 up, but reached from 100 up only."""
    assert ladder(1_000, 60) == ["platinum", "lead"]
    assert ladder(100, 60, 50, 49) == ["iron", "iron", "iron", "lead"]


def test_a_measure_without_a_reading_stands_at_the_floor() -> None:
    assert ladder(1_000, None) == ["platinum", "lead"]


def test_too_little_evidence_is_not_yet_graded() -> None:
    """Neither the lowest tier nor the last one; once enough is known it is a first grade."""
    rule = bands("value", gold=1) | {"minimum_evidence": {"measure": "orders", "at_least": 2}}
    plan = policy(
        {"value": {"sum": "revenue"}, "orders": {"count": "orders", "window": "5d"}},
        {"value": rule},
    )
    run = Run(plan)
    run.apply([paid(1, T0)])
    assert run.grades() == {"value": None}
    run.apply([paid(2, T0 + DAY)])
    assert run.grades() == {"value": "gold"}
    run.wake(T0 + 5 * DAY)
    assert run.grades() == {"value": None}
    run.apply([paid(3, T0 + 5 * DAY), paid(4, T0 + 5 * DAY)])
    assert [(c.before, c.after, c.direction, c.sequence) for c in run.changes] == [
        (None, "gold", "first", 1),
        ("gold", None, "lateral", 2),
        (None, "gold", "first", 3),
    ]
