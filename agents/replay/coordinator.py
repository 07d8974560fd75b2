"""Taking the censuses of a replay: the workers are let catch up, then told the cuts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.census import WRITER, count
from agents.publishing import announce
from agents.replay.export_live import Wanted, settle
from stream.editions import edition_in_force, scorer_of
from stream.population.follow import cuts_record

if TYPE_CHECKING:
    from agents.settings import Settings
    from stream.plan import Plan
    from stream.store import Store

WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Coordinator:
    """Takes censuses of the running system on the stream clock.

    Attributes:
        settings: Where everything is.
        store: Where the workers keep the ranks; only read.
        plan: The policy that the workers were started with.
        within_s: Longest wait for them at one census.
    """

    settings: Settings
    store: Store
    plan: Plan
    within_s: float = WITHIN_S

    async def take(self, now_ms: int) -> None:
        """Take a census at an instant up to which time was promised, and announce the cuts.

        Everyone's readings are then those of that instant. Nothing is taken where time has
        gone on already, as when a log is sent again.

        Raises:
            ExportError: The workers did not catch up in time.
            StoreError: The store does not answer.
            aiokafka.errors.KafkaError: The broker does not answer.
        """
        wanted = Wanted(now_ms, self.within_s)
        await settle(self.settings, self.store, wanted, told=self.plan.shape.groups)
        control = await asyncio.to_thread(self._control, now_ms)
        if control is not None:
            await announce(self.settings, control, now_ms, WRITER)

    def _control(self, now_ms: int) -> bytes | None:
        buckets = range(self.settings.buckets)
        heads = self.store.heads(buckets)
        if any(head.clock_ms is not None and head.clock_ms > now_ms for head in heads):
            return None
        edition = edition_in_force(heads)
        plan = self.plan if edition is None else scorer_of(edition).plan
        cuts = {} if edition is None else edition.cuts
        return cuts_record(plan, count(self.store, len(buckets), plan, cuts), now_ms)
