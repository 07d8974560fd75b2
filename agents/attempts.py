"""One attempt to reach somebody outside, in a thread that may hang without harm."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from agents.dispatch import UndeliveredError

if TYPE_CHECKING:
    from collections.abc import Callable


class Attempts:
    """Runs what blocks with a time-out, one attempt at a time for each target."""

    def __init__(self, timeout_s: float) -> None:
        """Give each attempt *timeout_s*."""
        self._timeout_s = timeout_s
        self._ended: dict[str, threading.Event] = {}

    async def run(self, target: str, work: Callable[[], str]) -> None:
        """Run *work*, which returns why it failed, or "".

        Raises:
            UndeliveredError: It failed, took too long, or the one before still hangs.
        """
        before = self._ended.get(target)
        if before is not None and not before.is_set():
            raise UndeliveredError("the attempt before it still hangs")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()
        # Not whether its thread lives: one that has answered may take its time to go.
        ended = self._ended[target] = threading.Event()
        # Not a pool's thread: the end of the process would wait for one of those.
        threading.Thread(
            target=_answer, args=(loop, answer, ended, work), name=f"to-{target}", daemon=True
        ).start()
        try:
            # Not `asyncio.wait_for`: in Python 3.11 it swallows a cancellation that comes with
            # the answer.
            async with asyncio.timeout(self._timeout_s):
                why = await answer
        except TimeoutError:
            raise UndeliveredError(f"no answer within {self._timeout_s:g} s") from None
        if why:
            raise UndeliveredError(why)


def _answer(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[str],
    ended: threading.Event,
    work: Callable[[], str],
) -> None:
    try:
        why = work()
    except Exception as exc:  # noqa: BLE001 - a fault in there must not end the thread unheard
        why = f"it failed with {type(exc).__name__}"
    ended.set()

    def tell() -> None:
        if not answer.done():
            answer.set_result(why)

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more
