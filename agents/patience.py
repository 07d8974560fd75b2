"""Asking a broker that has nothing no more often than is of use.

Kafka holds a fetch that finds nothing until something comes or the client's time is over. The
embedded broker (noida-db 0.2.3) answers it at once, and aiokafka then asks again at once: some four
thousand times a second, for which each consumer takes most of a processor.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer.fetcher import Fetcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PAUSE_S: Final = 0.01
# aiokafka is pinned exactly, and there is no other way in.
_ask: Callable[..., Awaitable[bool]] = Fetcher._proc_fetch_request  # noqa: SLF001


@wraps(_ask)
async def _ask_patiently(self: Fetcher, *arguments: Any) -> bool:  # noqa: ANN401
    """Fetch once; where nothing came and the broker did not wait for it, wait a little here."""
    began_s = time.monotonic()
    found = await _ask(self, *arguments)
    left_s = began_s + PAUSE_S - time.monotonic()
    task = asyncio.current_task()
    # A cancellation looks like an answer without records here, and whoever cancels waits for the
    # end: not a moment longer than need be, as aiokafka may miss its own end meanwhile.
    ended = task is not None and task.cancelling()
    if not found and left_s > 0 and not ended:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(left_s)
    return found


def be_patient() -> None:
    """Let every consumer of this process, Faust's too, ask like that."""
    Fetcher._proc_fetch_request = _ask_patiently  # type: ignore[method-assign]  # noqa: SLF001
