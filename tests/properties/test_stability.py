"""Rules on stability against a walk through the days, and what may be said of any history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from stream.calendar import format_instant
from tests.properties.driver import Run, plan_of
from tests.properties.policies import stability
from tests.properties.profiles import tries

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400_000
T0 = 852_076_800_000
LAST = 70
TIERS = ("top", "high", "low", "floor")
ENTER = {"top": 30, "high": 20, "low": 10}
KEEP = {"top": 26, "high": 18, "low": 10}

levels = st.dictionaries(st.integers(0, 40), st.integers(0, 35), min_size=1, max_size=20)
"""Day -> what is measured from that day on."""


def run_of(rules: Mapping[str, Any] | None) -> Run:
    """Return a customer under a ladder with separate enter and exit levels, and *rules*."""
    tiers = [{"tier": t, "enter": ENTER[t], "exit": KEEP[t]} for t in TIERS[:-1]]
    grading: dict[str, Any] = {
        "type": "bands",
        "measure": "level",
        "tiers": [*tiers, {"tier": TIERS[-1]}],
    }
    if rules is not None:
        grading["stability"] = rules
    document = {
        "policy": "steady",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": {"level": {"attribute": "level", "type": "number"}},
        "gradings": {"g": grading},
    }
    return Run(plan_of(json.dumps(document)))


def events(history: Mapping[int, int]) -> list[dict[str, Any]]:
    """Return the event of each day on which the level is set."""
    return [
        {
            "kind": "profile.changed",
            "event_id": f"e{day}",
            "at_ms": T0 + day * DAY,
            "record_ms": T0 + day * DAY,
            "attributes": {"level": history[day]},
        }
        for day in sorted(history)
    ]


def outcome(run: Run) -> list[tuple[int, str | None]]:
    """Return day and new tier of every change."""
    return [((c.instant_ms - T0) // DAY, c.after) for c in run.changes]


def earned(level: int, standing: str) -> int:
    """Return the position of the tier that *level* earns for someone at *standing*."""
    for position, tier in enumerate(TIERS[:-1]):
        if level >= (KEEP if tier == standing else ENTER)[tier]:
            return position
    return len(TIERS) - 1


def walked(history: Mapping[int, int], rules: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Walk day by day with pencil and paper: the rules as `docs/semantics.md` says them."""
    found: list[tuple[int, str]] = []
    standing = level = below_since = fell = None
    changed = 0
    for day in range(LAST + 1):
        if day in history:
            level = history[day]
        if level is None:
            continue
        if standing is None:
            standing, changed = earned(level, ""), day
            found.append((day, TIERS[standing]))
        wanted = earned(level, TIERS[standing])
        if wanted <= standing:
            below_since = None
        elif below_since is None:
            below_since = day
        if wanted < standing and (fell is None or day >= fell + rules["cool_down_days"]):
            standing, changed = wanted, day
            found.append((day, TIERS[standing]))
        elif (
            below_since is not None
            and day >= below_since + rules["grace_days"]
            and day >= changed + rules["minimum_hold_days"]
        ):
            standing = standing + 1 if rules["one_step"] else wanted
            changed = fell = day
            found.append((day, TIERS[standing]))
            below_since = day if earned(level, TIERS[standing]) > standing else None
    return found


@given(levels, stability())
@tries(150)
def test_a_history_is_that_of_a_walk_through_the_days(
    history: dict[int, int], rules: dict[str, Any]
) -> None:
    run = run_of(rules)
    run.apply(events(history))
    run.wake(T0 + LAST * DAY)
    assert outcome(run) == walked(history, rules)


@given(levels, stability(), st.lists(st.integers(0, LAST * DAY), max_size=25), st.booleans())
@tries(100)
def test_looking_at_any_instant_leaves_no_trace(
    history: dict[int, int],
    rules: dict[str, Any],
    looks: list[int],
    restart: bool,  # noqa: FBT001 - drawn
) -> None:
    """Changes, notices and counts are the same bytes, whoever looked when, restarted or not."""
    run, watched = run_of(rules), run_of(rules)
    run.apply(events(history))
    run.wake(T0 + LAST * DAY)
    steps = [(event["record_ms"], event) for event in events(history)]
    steps += [(T0 + look, {}) for look in looks if T0 + look not in dict(steps)]
    for at_ms, event in sorted(steps, key=lambda step: step[0]):
        if event:
            watched.apply([event])
        elif watched.customer.clock_ms:
            watched.wake_at(at_ms)
        if restart:
            watched.reload()
    watched.wake(T0 + LAST * DAY)
    assert watched.payloads() == run.payloads()
    assert notices(watched) == notices(run)
    assert [grade.held for grade in watched.customer.grades] == [
        grade.held for grade in run.customer.grades
    ]


def notices(run: Run) -> list[dict[str, Any]]:
    """Return what was told on tier-forecasts."""
    return [json.loads(row.value or b"") for row in run.rows if row.topic == "tier-forecasts"]


@given(levels, stability())
@tries(100)
def test_every_grace_that_began_ends_once_or_in_the_downgrade(
    history: dict[int, int], rules: dict[str, Any]
) -> None:
    """And no id is used twice."""
    run = run_of(rules)
    run.apply(events(history))
    run.wake(T0 + 2 * LAST * DAY)
    falls = {format_instant(c.instant_ms) for c in run.changes if c.direction == "down"}
    told = notices(run)
    assert len({notice["id"] for notice in told}) == len(told)
    began = [n for n in told if n["status"] == "grace_started"]
    ended = {n["since"] for n in told if n["status"] == "grace_ended"}
    for notice in began:
        assert (notice["since"] in ended) != (notice["expected_at"] in falls)


@given(levels, st.sampled_from(["minimum_hold_days", "grace_days"]), st.integers(1, 9))
@tries(100)
def test_a_hold_or_a_grace_never_makes_more_changes(
    history: dict[int, int], rule: str, days: int
) -> None:
    """Of the same log; single steps may make more of them, each a smaller one."""
    without, calm = run_of(None), run_of({rule: days})
    for run in (without, calm):
        run.apply(events(history))
        run.wake(T0 + LAST * DAY)
    assert len(calm.changes) <= len(without.changes)


def test_a_customer_at_an_edge_flaps_less() -> None:
    """Up and down every second day for a month: 31 changes, then 7, then one."""
    flapping = {day: 30 if day % 2 == 0 else 10 for day in range(31)}
    counts = []
    for rules in (None, {"minimum_hold_days": 7}, {"grace_days": 7}):
        run = run_of(rules)
        run.apply(events(flapping))
        counts.append(len(run.changes))
    assert counts == [31, 7, 1]
