"""Stream time that was promised before a worker came is known to it all the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aiokafka.structs import TopicPartition

from agents.promises import promised_before
from stream.calendar import DAY_MS, format_instant

if TYPE_CHECKING:
    from tests.integration.system import System

FIRST_MS = 850_000_000_000


def promise(number: int, at_ms: int) -> tuple[bytes, int]:
    event = {
        "kind": "clock.advanced",
        "event_id": f"p{number}",
        "occurred_at": format_instant(at_ms),
    }
    return json.dumps(event).encode(), FIRST_MS


async def test_the_latest_promise_before_a_position_counts_and_those_after_it_do_not(
    system: System,
) -> None:
    """Per partition; nonsense in between is passed over, and a partition of none has none."""
    days = [promise(number, FIRST_MS + number * DAY_MS) for number in (1, 3, 2, 5)]
    await system.send("controls", [days[0], (b"{", FIRST_MS), *days[1:]], lambda _: 1)
    topic = system.settings.topic("controls")
    ours, other = TopicPartition(topic, 1), TopicPartition(topic, 2)
    assert await promised_before(system.settings, {ours: 4, other: 7}) == {
        ours: FIRST_MS + 3 * DAY_MS
    }
    assert await promised_before(system.settings, {ours: 1}) == {ours: FIRST_MS + DAY_MS}
    assert await promised_before(system.settings, {ours: 9}) == {ours: FIRST_MS + 5 * DAY_MS}
