"""Bad input: each bad record in the dead letters once, good ones unaffected, floods halted."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.dead_letters import MAX_VALUE_BYTES, DeadLetterHeaders
from tests.integration.kafka import admin
from tests.integration.system import DAY_MS, System, event, order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

TEN_MB = 10_000_000
END_OF_TIME_MS = 2**62


def now_ms() -> int:
    """Return the wall clock."""
    return time.time_ns() // 1_000_000


def headers_of(letter: ConsumerRecord[bytes, bytes]) -> DeadLetterHeaders:
    """Check a dead letter's headers against the contract and return them."""
    names = [name for name, _ in letter.headers]
    assert len(set(names)) == len(names)
    return DeadLetterHeaders.model_validate({n: value.decode() for n, value in letter.headers})


async def letters(system: System, count: int) -> list[ConsumerRecord[bytes, bytes]]:
    """Return the dead letters once there are *count*, and nothing is waiting to be announced."""

    async def enough() -> list[ConsumerRecord[bytes, bytes]]:
        found = await system.read("dead-letters")
        return found if len(found) >= count else []

    await wait_for_async(enough, f"{count} dead letters", 60)
    await wait_for_async(lambda: system.waiting_rows() == 0, "an empty outbox", 30)
    return await system.read("dead-letters")


def text(number: int, at_ms: int, amount: str) -> bytes:
    """Return an order whose amount is not what JSON or the contract allows."""
    value, _ = order(number, "ann", at_ms)
    return json.dumps(value).replace("1000", amount).encode()


async def raise_limit(system: System) -> None:
    """Let the topic take records of more than ten megabytes, and of any time."""
    name = system.settings.topic("orders")
    limits = {
        "max.message.bytes": "16000000",
        "message.timestamp.after.max.ms": str(2**62),  # brokers before 3.6 know no limit
        "retention.ms": "-1",
    }
    async with admin(system.kafka) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, limits)])


async def test_each_bad_record_is_in_the_dead_letters_once_and_good_ones_are_unaffected(
    system: System,
) -> None:
    """Every kind of bad record, with complete headers; and the same after a restart."""
    at_ms = now_ms() - 60_000
    far = at_ms + 73 * 365 * DAY_MS
    conflicting, _ = order(1, "ann", at_ms, 2000)
    bad: list[tuple[str, Any, int]] = [
        ("not_json", b"{not json", at_ms),
        ("not_json", b"\xff\xfe", at_ms),
        ("not_json", text(50, at_ms, "NaN"), at_ms),
        ("wrong_schema", b"[]", at_ms),
        ("wrong_schema", b'{"event_id": "x1"}', at_ms),
        ("wrong_schema", text(51, at_ms, "10.5"), at_ms),
        ("wrong_schema", text(52, at_ms, '"NaN"'), at_ms),
        ("unknown_currency", {**order(53, "ann", at_ms)[0], "currency": "XAU"}, at_ms),
        ("null_value", None, at_ms),
        ("future", order(54, "ann", far)[0], at_ms),
        ("future", order(55, "ann", at_ms)[0], far),
        ("conflict", conflicting, at_ms + 1),
        ("conflict", {**order(56, "ann", at_ms)[0], "order_id": "o1"}, at_ms + 1),
        ("oversized", b'{"pad": "' + b"x" * TEN_MB + b'"}', at_ms),
        ("not_json", b"{from the end of time", END_OF_TIME_MS),
    ]
    await raise_limit(system)
    sent = await system.send("orders", [order(1, "ann", at_ms), order(2, "bob", at_ms)])
    for number, (_, value, record_ms) in enumerate(bad):
        sent += await system.send("orders", [(value, record_ms), order(100 + number, "cid", at_ms)])
    sent += await system.send("orders", [order(1, "ann", at_ms)])  # repeated: not bad
    worker = await system.started()
    found = await letters(system, len(bad))
    await wait_for_async(lambda: system.applied() == len(sent), "all records applied", 30)

    told = sorted(headers_of(letter).reason for letter in found)
    assert told == sorted(reason for reason, _, _ in bad)
    bad_places = {sent[2 + 2 * i] for i in range(len(bad))}
    for letter in found:
        headers = headers_of(letter)
        place = int(headers.source_partition), int(headers.source_offset)
        assert place in bad_places
        bad_places.remove(place)
        assert headers.source_topic == "orders"
        size = int(headers.original_size_bytes)
        assert size == len(letter.value or b"") or (
            size > TEN_MB and len(letter.value or b"") == MAX_VALUE_BYTES
        )
    assert bad_places == set()
    counts = {c: one.orders.totals.count for c, one in system.customers().items()}
    assert counts == {"ann": 1, "bob": 1, "cid": len(bad)}
    await worker.counts("tierstream_dead_letters_total", len(bad))
    await worker.counts("tierstream_events_applied_total", 2 + len(bad))
    await worker.counts("tierstream_events_repeated_total", 1)

    assert worker.stop() == 0
    again = await system.started()
    (place,) = await system.send("orders", [order(900, "bob", now_ms())])
    await wait_for_async(lambda: system.applied() == len(sent) + 1, "one more", 30)
    assert len(await system.read("dead-letters")) == len(bad), place
    assert again.metric("tierstream_dead_letters_total") == 0


async def test_what_a_refused_commit_held_is_counted_once(system: System) -> None:
    """An order number used again is noticed by the store: the batch is folded a second time."""
    at_ms = now_ms() - 60_000
    first = order(1, "ann", at_ms)
    sent = await system.send("orders", [first])
    worker = await system.started()
    await worker.counts("tierstream_events_applied_total", 1)
    assert worker.stop() == 0
    again = {**order(2, "ann", at_ms)[0], "order_id": "o1"}
    sent += await system.send("orders", [order(3, "ann", at_ms), (again, at_ms), first])
    worker = await system.started()
    await wait_for_async(lambda: system.applied() == len(sent), "all records applied", 30)
    await worker.counts("tierstream_events_applied_total", 1)
    await worker.counts("tierstream_events_repeated_total", 1)
    await worker.counts("tierstream_dead_letters_total", 1)
    assert worker.metric("tierstream_rewinds_total") >= 1


async def test_bad_records_of_the_other_topics_are_refused_as_well(system: System) -> None:
    """Interactions, profiles and controls have contracts of their own."""
    at_ms = now_ms() - 60_000
    await system.send("interactions", [event("dancing", "i1", "ann", at_ms), (b"x", at_ms)])
    await system.send("profiles", [event("profile.changed", "p1", "ann", at_ms, attributes=7)])
    await system.send("controls", [event("policy.unpublished", "k1", "ann", at_ms)])
    await system.started()
    found = [headers_of(letter) for letter in await letters(system, 4)]
    assert sorted((h.source_topic, h.reason) for h in found) == [
        ("controls", "wrong_schema"),
        ("interactions", "not_json"),
        ("interactions", "wrong_schema"),
        ("profiles", "wrong_schema"),
    ]


async def test_an_input_that_is_all_bad_halts_its_partition_until_a_person_releases_it(
    system: System,
) -> None:
    """The limit's worth of letters, not one a record; others go on; a restart changes nothing."""
    limit, flood = 20, 500
    at_ms = now_ms() - 60_000
    sent = await system.send("orders", [(b"{poison", at_ms)] * flood)
    (partition,) = {number for number, _ in sent}
    source = f"orders/{partition}"
    worker = await system.started(bad_run_limit=str(limit))
    await wait_for_async(lambda: source in system.store.halts(), "the halt", 30)
    assert f"offset {limit}: {limit} bad records in a row" in system.store.halts()[source]
    assert len(await letters(system, limit)) == limit
    assert worker.metric("tierstream_partitions_halted") == 1

    # The other partitions, and the other topics of this one, are served as before.
    others = [f"c{number}" for number in range(40)]
    done = await system.send("orders", [order(n, c, at_ms) for n, c in enumerate(others)])
    served = {c for c, (number, _) in zip(others, done, strict=True) if number != partition}
    await wait_for_async(lambda: set(system.customers()) == served, "the others", 30)
    stuck = next(c for c in others if c not in served)
    await system.send("interactions", [event("complaint", "i1", stuck, at_ms)])
    await wait_for_async(lambda: stuck in system.customers(), "the halted customer's complaint", 30)

    # A restart does not drain it.
    assert worker.stop() == 0
    worker = await system.started(bad_run_limit=str(limit))
    await worker.counts("tierstream_partitions_halted", 1)
    assert len(await system.read("dead-letters")) == limit
    assert system.store.heads([partition])[0].cursors[source] == limit

    # Released, it goes on where it stopped, and stops again at the next flood.
    system.store.release(source)
    await wait_for_async(lambda: len_letters(system, 2 * limit), "the next letters", 30)
    await wait_for_async(lambda: source in system.store.halts(), "the next halt", 30)
    assert len(await letters(system, 2 * limit)) == 2 * limit
    places = {headers_of(x).source_offset for x in await system.read("dead-letters")}
    assert places == {str(offset) for offset in range(2 * limit)}


async def len_letters(system: System, count: int) -> bool:
    """Whether there are *count* dead letters."""
    return len(await system.read("dead-letters")) >= count


async def test_a_released_partition_catches_up_when_what_follows_is_good(system: System) -> None:
    """Fifty bad records, halted after twenty; with a higher limit all good ones are applied."""
    at_ms = now_ms() - 60_000
    sent = await system.send("orders", [(b"{poison", at_ms)] * 50)
    (partition,) = {number for number, _ in sent}
    ours = [c for c in map("c{}".format, range(200)) if system.place(c) == partition]
    await system.send("orders", [order(n, c, at_ms) for n, c in enumerate(ours)])
    worker = await system.started(bad_run_limit="20")
    await wait_for_async(system.store.halts, "the halt", 30)
    assert system.customers() == {}
    assert worker.stop() == 0
    await system.started(bad_run_limit="100")
    system.store.release(f"orders/{partition}")
    await wait_for_async(lambda: set(system.customers()) == set(ours), "all applied", 30)
    assert len(await letters(system, 50)) == 50
    assert system.store.halts() == {}
