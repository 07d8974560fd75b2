"""A consumer that waits for records asks for them no more often than is of use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from agents.kafka import consumer
from agents.patience import PAUSE_S
from tests.integration.system import order

if TYPE_CHECKING:
    import pytest

    from tests.integration.system import System


async def test_a_topic_without_news_is_asked_a_hundred_times_a_second_at_most(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the broker answers at once that it has nothing; what comes then is found."""
    fetches = 0
    send: Any = AIOKafkaClient.send

    async def counted(self: AIOKafkaClient, node: Any, request: Any, **more: Any) -> Any:
        nonlocal fetches
        fetches += isinstance(request, FetchRequest)
        return await send(self, node, request, **more)

    monkeypatch.setattr(AIOKafkaClient, "send", counted)
    reader = consumer(system.settings)
    await reader.start()
    try:
        reader.subscribe([system.settings.topic("orders")])
        await reader.getmany(timeout_ms=200)
        before, began_s = fetches, time.monotonic()
        assert not await reader.getmany(timeout_ms=1_000)
        assert 0 < fetches - before <= (time.monotonic() - began_s) / PAUSE_S + 2
        await system.send("orders", [order(1, "c1", 1_700_000_000_000)])
        assert sum(map(len, (await reader.getmany(timeout_ms=60_000)).values())) == 1
    finally:
        await reader.stop()
