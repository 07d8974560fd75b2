"""A thread for a store: its calls block, one after the other, and the event loop goes on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.store import Store

T = TypeVar("T")


class StoreThread:
    """The one thread that may call one connection to the store.

    Attributes:
        store: To be called by this thread only.
    """

    def __init__(self, store: Store, name: str) -> None:
        """Start the thread with the first call."""
        self.store = store
        self._thread = ThreadPoolExecutor(1, name)

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Call in the thread, behind what was asked of it before; returns what can be awaited."""
        return asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Wait for the last call."""
        self._thread.shutdown(wait=True)
