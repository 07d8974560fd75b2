"""A thread for what blocks: its calls come one after the other, and the event loop goes on."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Store_co = TypeVar("Store_co", covariant=True)


class StoreThread(Generic[Store_co]):
    """The one thread that may call one connection to a store, or to queues on it.

    Attributes:
        store: To be called by this thread only.
    """

    def __init__(self, store: Store_co, name: str) -> None:
        """Start the thread with the first call."""
        self.store = store
        self._thread = ThreadPoolExecutor(1, name)

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Call in the thread, behind what was asked of it before; returns what can be awaited."""
        return asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Wait for the last call."""
        self._thread.shutdown(wait=True)
