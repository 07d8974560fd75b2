"""How much waits to be announced: deadlines and sweeps hold back, so that live changes need not."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from agents.pacing import Restraint

if TYPE_CHECKING:
    from agents.ownership import Ownership
    from agents.settings import Settings
    from agents.store_thread import StoreThread
    from stream.store import Store


class Backlog:
    """Says how many rows more may be put into the outboxes of the buckets that are worked on.

    A bucket's rows come out in order: behind a hundred thousand of one second's deadlines a live
    change would wait until all of those are out. On the stream clock nobody waits for anything.
    """

    def __init__(
        self, settings: Settings, thread: StoreThread[Store], ownership: Ownership
    ) -> None:
        """Ask through *thread* about the buckets of *ownership*."""
        self._settings = settings
        self._thread = thread
        self._ownership = ownership
        self._restraint = Restraint()

    async def room(self, coming: int, *, live: bool) -> int:
        """Return how many rows more there is room for; *coming* ones are on their way already.

        Less with *live* records, whose rows come after them.
        """
        if self._settings.clock != "wall":
            return self._restraint.most
        ask = partial(self._thread.store.outbox_depth, list(self._ownership.buckets))
        waiting = sum((await self._thread.run(ask)).values())
        return self._restraint.room(waiting + coming, time.monotonic(), live=live)
