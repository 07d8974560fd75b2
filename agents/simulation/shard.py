"""Some of the buckets of a log under two policies: what one process works through.

Records go through `stream.bucket.Bucket` as they do in a worker, a bucket at a time and without
commits: nothing is encoded, and a bucket is forgotten once it is counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from agents.replay.events_jsonl import DECODERS
from schemas.decode import Rejected
from schemas.records import IdentityMerged, IdentitySplit, ProfileChanged
from stream.admission import admit
from stream.bucket import Bucket
from stream.fold import TerseScorer
from stream.plan import compile_policy
from stream.seen import DedupWindow
from stream.simulation.comparison import Comparer, Outcome
from stream.simulation.revenue import observing_revenue
from stream.simulation.tally import NEW, OLD
from stream.store import BucketHead

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from agents.replay.log import LogRecord
    from schemas.policy import PolicyDocument
    from stream.arrivals import Event
    from stream.simulation.comparison import Rules
    from stream.simulation.tally import Tally

    Cuts = Mapping[str, tuple[int, ...]]

OWNER = "owner"
"""Profile attribute that names a customer's account manager."""

_EVERYTHING = DedupWindow(age_ms=1 << 62, events=1 << 62)


class Job(NamedTuple):
    """What is simulated.

    Attributes:
        old: The policy that is compared with.
        new: The policy that would replace it.
        rules: How the outcome is read.
        cuts: What the population sets under each, where the policy does not freeze it.
    """

    old: PolicyDocument
    new: PolicyDocument
    rules: Rules
    cuts: tuple[Cuts, Cuts] = ({}, {})

    def comparer(self) -> Comparer:
        """Compile both policies."""
        old, new = (
            compile_policy(document, cuts)
            for document, cuts in zip((self.old, self.new), self.cuts, strict=True)
        )
        return Comparer(old, new, self.rules)


class Desk:
    """Works through buckets, one after the other."""

    def __init__(self, job: Job) -> None:
        """Compile the policies of *job*."""
        self.comparer = job.comparer()
        self._rules = job.rules
        seen = [observing_revenue(plan, job.rules.revenue_days) for plan in self.comparer.plans]
        self._scorers = [TerseScorer(observed.plan) for observed in seen]
        self._revenue = seen[NEW].revenue

    def simulate(self, buckets: Sequence[tuple[int, Sequence[LogRecord]]]) -> Tally:
        """Return the count over all customers of *buckets*, given as number and records."""
        tally = self.comparer.empty()
        for number, records in buckets:
            self._bucket(tally, number, records)
        return tally

    def _bucket(self, tally: Tally, number: int, records: Sequence[LogRecord]) -> None:
        by_customer: dict[str, list[tuple[LogRecord, Event]]] = {}
        for record in records:
            event = DECODERS[record.topic](record.value)
            if isinstance(event, (IdentityMerged, IdentitySplit)):
                continue  # what ids have together lies in two buckets
            by_customer.setdefault(event.customer_id, []).append((record, event))
        sides = [
            Bucket(BucketHead(number, 0, 0, {}, [], None, 0), scorer, _EVERYTHING)
            for scorer in self._scorers
        ]
        for customer_id, events in by_customer.items():
            found = [
                self._fold(bucket, customer_id, events, tally.refused[side])
                for side, bucket in enumerate(sides)
            ]
            if any(found):
                outcomes = [self._outcome(bucket, customer_id) for bucket in sides]
                revenue = self._revenue_of(outcomes[NEW])
                self.comparer.count(tally, (outcomes[OLD], outcomes[NEW]), _owner(events), revenue)

    def _fold(
        self,
        bucket: Bucket,
        customer_id: str,
        events: Sequence[tuple[LogRecord, Event]],
        refused: Counter[str],
    ) -> bool:
        """Apply one customer's records and let time pass; return whether any counted."""
        plan = bucket.scorer.plan
        arrivals = []
        for record, event in events:
            try:
                arrivals.append(admit(event, record.record_ms, record.value, plan))
            except Rejected as bad:
                refused[bad.reason] += 1
        bucket.adopt(customer_id, None)
        tally = bucket.tally
        before = tally.applied
        bucket.apply_to(customer_id, arrivals)
        bucket.wake(customer_id, self._rules.as_of_ms)
        refused.update(refusal.reason for refusal in tally.refusals)
        tally.refusals.clear()
        return tally.applied > before

    def _outcome(self, bucket: Bucket, customer_id: str) -> Outcome:
        changes, bucket.tally.changes = bucket.tally.changes, []
        return Outcome(bucket.customers[customer_id], changes)

    def _revenue_of(self, outcome: Outcome) -> int:
        customer, now_ms = outcome.customer, self._rules.as_of_ms
        customer.roll(now_ms)
        revenue = self._revenue.value(customer, now_ms)
        return revenue if isinstance(revenue, int) else 0


def _owner(events: Sequence[tuple[LogRecord, Event]]) -> str:
    """Return the account manager that the log names last, "" where there is none."""
    owner: object = None
    for _, event in events:
        if isinstance(event, ProfileChanged) and OWNER in event.attributes:
            owner = event.attributes[OWNER]
    return "" if owner is None else str(owner)
