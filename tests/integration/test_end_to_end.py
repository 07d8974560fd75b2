"""From a Kafka record to a published tier change, through real worker processes."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from schemas.customer_tiers import CustomerTiers
from schemas.tier_changes import TierChange
from stream.calendar import format_instant
from tests.integration.system import DAY_MS, System, check_chains, check_states, event, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from tests.integration.system import Worker

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


def steps(changes: list[dict[str, Any]], customer_id: str) -> list[tuple[Any, ...]]:
    """Return one customer's changes as (grading, from, to, cause)."""
    return [
        (change["grading"], change["from"], change["to"], change["cause"]["kind"])
        for change in changes
        if change["customer_id"] == customer_id
    ]


async def test_orders_refunds_interactions_and_profiles_come_out_as_tier_changes(
    system: System,
) -> None:
    """Each cause moves the grade it should; all records satisfy their published contracts."""
    at_ms = now_ms() - 60_000
    await system.started()
    await system.send("orders", [order(1, "ann", at_ms, 40_000), order(2, "ben", at_ms, 100)])
    changes = await system.published(6)
    assert steps(changes, "ann") == [
        ("value", None, "gold", "order"),
        ("rhythm", None, "seldom", "order"),
        ("care", None, "standard", "order"),
    ]
    await system.send("interactions", [event("complaint", "i1", "ann", at_ms + 1)])
    changes = await system.published(7)
    assert steps(changes, "ann")[3:] == [("care", "standard", "rescue", "interaction")]

    refund = event(
        "order.refunded", "r1", "ann", at_ms + 2, order_id="o1", amount_minor=25_000, currency="USD"
    )
    await system.send("orders", [refund])
    changes = await system.published(9)
    assert steps(changes, "ann")[4:] == [
        ("value", "gold", "silver", "refund"),
        ("care", "rescue", "standard", "refund"),
    ]
    steel = event("profile.changed", "p1", "ben", at_ms + 3, attributes={"industry": "steel"})
    await system.send("profiles", [steel])
    changes = await system.published(10)
    assert steps(changes, "ben")[3:] == [("care", "standard", "industrial", "profile")]

    for record in await system.read("tier-changes"):
        change = TierChange.model_validate_json(record.value or b"")
        headers = dict(record.headers)
        assert headers["ce_id"] == change.id.encode()
        assert headers["ce_type"] == b"tierstream.tier.changed.v1"
        assert record.key == change.customer_id.encode()
        assert record.partition == system.place(change.customer_id)
    latest = {record.key: record.value or b"" for record in await system.read("customer-tiers")}
    ann = CustomerTiers.model_validate_json(latest[b"ann"])
    assert ann.grades == {"value": "silver", "rhythm": "seldom", "care": "standard"}
    check_states(system.plan, system.customers(), check_chains(changes))


async def test_a_customer_without_events_is_downgraded_at_the_due_instant(system: System) -> None:
    """Nothing happens to the customer any more: the window's end alone moves the grade."""
    await system.started()
    due_ms = now_ms() + 4_000
    past_ms = due_ms - 30 * DAY_MS
    await system.send("orders", [order(n, f"c{n}", past_ms + n, 40_000) for n in range(20)])
    changes = await system.published(20 * 3 + 20)
    seen_ms = now_ms()
    downgrades = {c["customer_id"]: c for c in changes if c["from"] == "gold"}
    assert len(downgrades) == 20
    for number in range(20):
        change = downgrades[f"c{number}"]
        assert (change["to"], change["direction"]) == ("basic", "down")
        assert change["cause"] == {"kind": "time", "event_id": None}
        assert change["instant"] == format_instant(due_ms + number)
    assert seen_ms >= due_ms
    check_states(system.plan, system.customers(), check_chains(changes))


async def test_the_pages_say_how_the_worker_is(system: System) -> None:
    """Alive at once, ready with partitions, metrics in Prometheus's format."""
    worker = system.start()
    await wait_for_async(lambda: worker.get("/healthz")[0] == 200, "an answer", 60)
    await wait_for_async(worker.ready, "readiness", 60)
    await system.send("orders", [order(1, "ann", now_ms(), 40_000)])
    await system.published(3)
    await worker.counts("tierstream_events_applied_total", 1)
    await worker.counts("tierstream_tier_changes_total", 3)
    await worker.counts("tierstream_published_records_total", 4)
    assert worker.metric("tierstream_owned_buckets") == system.settings.buckets
    assert worker.metric("tierstream_store_up") == 2  # for scoring, and for the relay
    await worker.counts("tierstream_input_lag_records", 0)


async def test_two_workers_share_the_load_and_a_leaver_hands_over(system: System) -> None:
    """Both own buckets, both apply; when one leaves in order the other goes on with all of them."""
    first = await system.started()
    second = await system.started()

    def shared() -> bool:
        owned = [worker.metric("tierstream_owned_buckets") for worker in (first, second)]
        return sum(owned) == system.settings.buckets and min(owned) > 0

    await wait_for_async(shared, "a share each", 60)
    at_ms = now_ms() - 600_000
    sent = [order(n, f"c{n % 100}", at_ms + n) for n in range(1_000)]
    await system.send("orders", sent)
    await wait_for_async(lambda: system.orders() == 1_000, "all orders", 60)
    await wait_for_async(lambda: applied_by(first) + applied_by(second) == 1_000, "the count", 30)
    assert min(applied_by(first), applied_by(second)) > 0

    assert first.stop() == 0
    await wait_for_async(
        lambda: second.metric("tierstream_owned_buckets") == system.settings.buckets, "all", 60
    )
    await system.send("orders", [order(n, f"c{n % 100}", at_ms + n) for n in range(1_000, 1_200)])
    await wait_for_async(lambda: system.orders() == 1_200, "the rest", 60)
    await wait_for_async(lambda: system.waiting_rows() == 0, "an empty outbox", 60)
    changes = await system.changes()
    check_states(system.plan, system.customers(), check_chains(changes))


def applied_by(worker: Worker) -> float:
    """Return how many events a worker has applied."""
    return worker.metric("tierstream_events_applied_total")


async def test_scoring_and_delivery_may_be_processes_of_their_own(system: System) -> None:
    """Without a relay the changes wait; with one they come out."""
    scoring = await system.started("scoring")
    at_ms = now_ms() - 60_000
    await system.send("orders", [order(n, f"c{n}", at_ms + n, 40_000) for n in range(50)])
    await wait_for_async(lambda: system.orders() == 50, "all orders", 60)
    assert await system.changes() == []
    assert system.waiting_rows() == 50 * 4
    delivery = await system.started("delivery")
    changes = await system.published(150)
    check_states(system.plan, system.customers(), check_chains(changes))
    assert scoring.metric("tierstream_published_records_total") == 0
    await delivery.counts("tierstream_published_records_total", 200)
    assert delivery.metric("tierstream_owned_buckets") == 0


async def test_a_restarted_worker_goes_on_from_the_cursors_and_announces_nothing_again(
    system: System,
) -> None:
    """Stopped in order and started again: old records are not applied, old changes not repeated."""
    at_ms = now_ms() - 60_000
    worker = await system.started()
    await system.send("orders", [order(n, f"c{n}", at_ms + n, 40_000) for n in range(30)])
    before = await system.published(90)
    assert worker.stop() == 0
    worker = await system.started()
    await system.send("orders", [order(100, "c1", at_ms + 200, 100)])
    await wait_for_async(lambda: system.orders() == 31, "the new order", 60)
    await wait_for_async(lambda: system.waiting_rows() == 0, "an empty outbox", 60)
    again = await system.changes()
    assert sorted(c["id"] for c in again) == sorted(c["id"] for c in before)
    await worker.counts("tierstream_events_applied_total", 1)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_producer_with_another_partitioner_changes_no_result(
    system: System, workers: int
) -> None:
    """Records on any partition, several workers feeding one bucket: still every order once."""
    chance = random.Random(7)
    at_ms = now_ms() - 600_000
    running = [await system.started() for _ in range(workers)]
    events = 600
    for first in range(0, events, 100):
        sent = [order(n, f"c{n % 60}", at_ms + n) for n in range(first, first + 100)]
        await system.send("orders", sent, lambda _: chance.randrange(system.partitions))
    await wait_for_async(lambda: system.orders() == events, "all orders", 90)
    await wait_for_async(lambda: system.waiting_rows() == 0, "an empty outbox", 60)
    assert {c: one.orders.totals.count for c, one in system.customers().items()} == {
        f"c{n}": events // 60 for n in range(60)
    }
    changes = await system.changes()
    check_states(system.plan, system.customers(), without_order(changes))
    assert sum(worker.metric("tierstream_foreign_records_total") for worker in running) > 0

    # After a restart nothing is applied, refused or announced again.
    for worker in running:
        assert worker.stop() == 0
    again = await system.started()
    await system.send("orders", [order(events, "c0", now_ms())], lambda _: 0)
    await wait_for_async(lambda: system.orders() == events + 1, "one more", 60)
    await again.counts("tierstream_events_applied_total", 1)
    assert await system.read("dead-letters") == []


def without_order(changes: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, Any]]:
    """Check the chains of changes that may have come through several partitions' relays."""
    return check_chains(sorted(changes, key=lambda change: change["sequence"]))
