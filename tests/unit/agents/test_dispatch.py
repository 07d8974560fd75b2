"""Delivering from queues: how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, cast

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


class AtOnce:
    """Stands for the queue's thread: what is asked of it is done before anything else happens."""

    def __init__(self, store: Empty) -> None:
        self.store = store

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Return what *call* returns, as something that can be awaited."""
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(call())
        return answer


@pytest.mark.parametrize("passes", range(4))
async def test_it_stops_also_when_a_nudge_comes_together_with_the_end(passes: int) -> None:
    """However many passes of the loop lie between the two."""
    queue, outgoing = Empty(), None
    thread: Any = AtOnce(queue)
    dispatcher = Dispatcher(thread, cast("Any", outgoing), 1_000)
    dispatcher.serve("somebody")
    await queue.asked.wait()
    await asyncio.sleep(0)
    dispatcher.nudge("somebody")
    for _ in range(passes):
        await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await dispatcher.stop()
    assert len(asyncio.all_tasks()) == 1
