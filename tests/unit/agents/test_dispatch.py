"""Delivering from queues: how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from agents.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Empty:
    """A queue in which nothing ever is."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def claim(self, *_: Any) -> list[Any]:
        """Return nothing."""
        self.asked.set()
        return []


async def at_once(call: Callable[[], T]) -> T:
    """Return what *call* returns."""
    return call()


@pytest.mark.parametrize("passes", range(4))
async def test_it_stops_also_when_a_nudge_comes_together_with_the_end(passes: int) -> None:
    """However many passes of the loop lie between the two."""
    queue: Any = Empty()
    outgoing: Any = None
    dispatcher = Dispatcher(queue, outgoing, at_once, 1_000)
    dispatcher.serve("somebody")
    await queue.asked.wait()
    await asyncio.sleep(0)
    dispatcher.nudge("somebody")
    for _ in range(passes):
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await dispatcher.stop()
    assert len(asyncio.all_tasks()) == 1
