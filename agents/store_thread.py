"""A thread for what blocks: its calls come one after the other, and the event loop goes on.

It also says when the store stops answering and when it answers again: once each, however often
somebody tries.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Generic, TypeVar

import structlog

from stream.store import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Store_co = TypeVar("Store_co", covariant=True)

log = structlog.get_logger(__name__)


class StoreThread(Generic[Store_co]):
    """The one thread that may call one connection to a store, or to queues on it.

    Attributes:
        store: To be called by this thread only.
    """

    def __init__(self, store: Store_co, name: str) -> None:
        """Start the thread with the first call."""
        self.store = store
        self._name = name
        self._thread = ThreadPoolExecutor(1, name)
        self._is_away = False

    def run(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Call in the thread, behind what was asked of it before; returns what can be awaited."""
        return asyncio.get_running_loop().run_in_executor(self._thread, self._call, call)

    def close(self) -> None:
        """Wait for the last call."""
        self._thread.shutdown(wait=True)

    def _call(self, call: Callable[[], T]) -> T:
        try:
            answer = call()
        except StoreUnavailable as exc:
            if not self._is_away:
                log.warning("store_unavailable", part=self._name, error=str(exc))
            self._is_away = True
            raise
        if self._is_away:
            log.info("store_answers", part=self._name)
        self._is_away = False
        return answer
