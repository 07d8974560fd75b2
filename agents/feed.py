"""A Faust agent on `tier-changes`: checks the chain rule on what consumers really see."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
import structlog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents.metrics import Metrics

log = structlog.get_logger(__name__)
_REMEMBERED = 200_000


class _Change(msgspec.Struct, rename={"before": "from", "after": "to"}):
    customer_id: str
    grading: str
    before: str | None
    after: str | None
    sequence: int
    instant: datetime


class ChangeFeed:
    """Follows published changes: per customer and grading 1, 2, 3 …, each from the last to.

    A later 1 begins a new chain: the customer was erased in between.

    Remembers a bounded number of chains; a chain not seen before starts anywhere.
    """

    def __init__(self, metrics: Metrics) -> None:
        """Report to *metrics*."""
        self._metrics = metrics
        self._chains: OrderedDict[tuple[str, str], _Change] = OrderedDict()
        self._decoder = msgspec.json.Decoder(_Change)

    async def follow(self, stream: AsyncIterator[bytes]) -> None:
        """Take changes as they come. Never raises: Faust would count the record as done."""
        async for value in stream:
            self.note(value)

    def note(self, value: bytes) -> None:
        """Check one published change."""
        try:
            change = self._decoder.decode(value)
        except msgspec.MsgspecError:
            self._metrics.feed.labels("unreadable").inc()
            return
        key = (change.customer_id, change.grading)
        known = self._chains.pop(key, None)
        if known is not None and change.sequence == 1 and change.instant > known.instant:
            known = None
        if known is not None and change.sequence <= known.sequence:
            # Faust reads aborted transactions too; their rows come again.
            self._metrics.feed.labels("repeated").inc()
            self._chains[key] = known
            return
        fits = known is None or (
            change.sequence == known.sequence + 1 and change.before == known.after
        )
        self._metrics.feed.labels("ok" if fits else "gap").inc()
        if not fits:
            log.error("chain_broken", grading=change.grading, sequence=change.sequence)
        self._chains[key] = change
        if len(self._chains) > _REMEMBERED:
            self._chains.popitem(last=False)
        self._metrics.end_to_end.observe(max(0.0, time.time() - change.instant.timestamp()))
