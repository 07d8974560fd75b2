"""A replay through the pure core alone: the live worker's buckets, without Kafka and Redis.

Every bucket goes through `stream.bucket.Bucket` as it does in a worker, and is read back from
the one commit that closes it, so that what comes out went through the stored form as well.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from agents.replay.events_jsonl import CONTROLS, DECODERS
from agents.replay.sections import sections
from schemas.decode import Rejected, decode_control
from schemas.records import IdentityMerged
from stream.admission import admit
from stream.arrivals import Notice
from stream.beginnings import beginning
from stream.bucket import Bucket
from stream.editions import first_edition
from stream.fold import Scorer
from stream.groups.member_rows import decode_member
from stream.in_force import InForce
from stream.outbox import TIER_CHANGES, TIER_FORECASTS, decode_row
from stream.partition import bucket_of
from stream.population.assembly import Assembly
from stream.population.follow import cuts_record
from stream.seen import DedupWindow
from stream.store import BucketHead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agents.replay.log import LogRecord
    from stream.arrivals import Arrival
    from stream.editions import Begin, Edition
    from stream.plan import Plan

CHUNK = 5_000
_EVERYTHING = DedupWindow(age_ms=1 << 62, events=1 << 62)


class Refused(NamedTuple):
    """A record that a worker would have sent to the dead letters, and why."""

    record: LogRecord
    reason: str
    detail: str


@dataclass(slots=True)
class OfflineResult:
    """What a log amounts to.

    Attributes:
        as_of_ms: The instant up to which time has passed for every customer.
        states: Stored form of each customer that at least one record was applied to, by id.
        changes: Values of the records for `tier-changes`, in no particular order.
        forecasts: Values of the records for `tier-forecasts`, in no particular order.
        refused: Records that were not applied because they are wrong.
        records: Records read.
        applied: Records that changed a customer.
        repeated: Records dropped as repeats.
        ignored: Records that no rule of the policy reads.
        plan: The policy in force at the end; states are stored in its shape.
        edition: What began it, and its cuts.
    """

    as_of_ms: int
    plan: Plan
    edition: Edition
    states: dict[str, bytes] = field(default_factory=dict)
    changes: list[bytes] = field(default_factory=list)
    forecasts: list[bytes] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    records: int = 0
    applied: int = 0
    repeated: int = 0
    ignored: int = 0


def replay_offline(
    log: Sequence[LogRecord],
    plan: Plan,
    *,
    as_of_ms: int | None = None,
    buckets: int = 256,
    progress: Callable[[int], None] | None = None,
) -> OfflineResult:
    """Fold *log*, let time pass up to *as_of_ms* for everyone, and return what came of it.

    A policy that the log publishes takes effect at its record's place in the log, for everyone.
    Where cuts follow the population, a census is taken at every instant of the cadence after
    the first record, of all records up to it.

    Deterministic: the same log and plan give the same result. Repeated events are recognised
    however far apart they are, where a worker looks back over a bounded window.

    Args:
        log: At least one record, in the order of their record times; none after *as_of_ms*.
        plan: The policy, until one is published.
        as_of_ms: At least the last record's instant, which is the default.
        buckets: Number of buckets; event ids are compared within one only.
        progress: Told how many records were folded since it was last called.
    """
    as_of_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    run = _Run(plan, buckets)
    for section, until_ms, census in sections(log, plan, as_of_ms):
        for start in range(0, len(section), CHUNK):
            chunk = section[start : start + CHUNK]
            run.fold(chunk)
            if progress is not None:
                progress(len(chunk))
        if census:
            run.take_census(until_ms)
    result = OfflineResult(as_of_ms, run.plan, run.edition, refused=run.refused, records=len(log))
    for bucket in run.buckets.values():
        _close(bucket, result)
    return result


class _Run:
    """The buckets of one replay, opened as customers turn up.

    Attributes:
        plan: In force for the next record.
    """

    def __init__(self, plan: Plan, count: int) -> None:
        self.buckets: dict[int, Bucket] = {}
        self.refused: list[Refused] = []
        self.plan = plan
        self._first = first_edition(plan.document)
        self._scorer = Scorer(plan)
        self._force = InForce(b"", self._scorer, self._first)
        self._assembly = Assembly()
        self._count = count
        self._of: dict[str, Bucket] = {}
        self._merged = False

    @property
    def edition(self) -> Edition:
        """What is in force for the next record."""
        return self._force.edition

    def fold(self, chunk: Sequence[LogRecord]) -> None:
        """Fold records; where customers count for others, one by one, those others at once."""
        start = 0
        for end, record in enumerate(chunk):
            if record.topic == CONTROLS and not record.key:
                self._fold_events(chunk[start:end])
                self._control(record)
                start = end + 1
        self._fold_events(chunk[start:])

    def _control(self, record: LogRecord) -> None:
        try:
            control = decode_control(record.value)
            begin = beginning(control, record.record_ms, record.record_ms, self.plan)
        except Rejected as bad:
            self.refused.append(Refused(record, bad.reason, bad.detail))
            return
        if begin is not None:
            self._begin(begin)

    def _begin(self, begin: Begin) -> None:
        self._force.begin(begin)
        self.plan = self._force.scorer.plan
        for bucket in self.buckets.values():
            bucket.begin(begin)

    def take_census(self, now_ms: int) -> None:
        """Take a census at an instant; all records up to it were folded, and none after it."""
        everyone = self.buckets.values()
        self._assembly.gather(everyone, now_ms)
        census = self._assembly.census(self.plan, self._force.edition.cuts)
        control = decode_control(cuts_record(self.plan, census, now_ms))
        begin = beginning(control, now_ms, now_ms, self.plan)
        if begin is not None:
            self._begin(begin)
        self._assembly.settle(everyone, now_ms)
        self._force.finish()

    def _fold_events(self, chunk: Sequence[LogRecord]) -> None:
        self._merged = self._merged or merges_in(chunk)
        if self.plan.shape.groups or self._merged:
            for record in chunk:
                self._fold([record])
                self._tell_others(record.key.decode())
        else:
            self._fold(chunk)

    def _fold(self, chunk: Sequence[LogRecord]) -> None:
        shares: dict[str, list[Arrival]] = {}
        for record in chunk:
            event = DECODERS[record.topic](record.value)
            try:
                arrival = admit(event, record.record_ms, record.value, self.plan, record)
            except Rejected as bad:
                self.refused.append(Refused(record, bad.reason, bad.detail))
                continue
            shares.setdefault(event.customer_id, []).append(arrival)
        for customer_id, arrivals in shares.items():
            bucket = self._of.get(customer_id) or self._meet(customer_id)
            bucket.apply_to(customer_id, arrivals)

    def _tell_others(self, customer_id: str) -> None:
        """Tell those whom a customer counts for at once what is new about it, and so on upwards."""
        bucket = self._of.get(customer_id)
        untold = deque([] if bucket is None else [bucket])
        while untold:
            for row in map(decode_row, untold.popleft().told_rows()):
                told = decode_member(row.value)
                other = told.customer_id
                bucket = self._of.get(other) or self._meet(other)
                bucket.apply_to(other, [Notice(row.timestamp_ms, told, 0)])
                untold.append(bucket)

    def _meet(self, customer_id: str) -> Bucket:
        number = bucket_of(customer_id, self._count)
        bucket = self.buckets.get(number)
        if bucket is None:
            head = BucketHead(number, 0, 0, {}, [], None, 0, editions=self._force.stored())
            bucket = self.buckets[number] = Bucket(head, self._scorer, _EVERYTHING, self._first)
        bucket.adopt(customer_id, None)
        self._of[customer_id] = bucket
        return bucket


def merges_in(log: Sequence[LogRecord]) -> bool:
    """Say whether ids are merged anywhere in *log*."""
    return any(
        isinstance(decode_control(record.value), IdentityMerged)
        for record in log
        if record.topic == CONTROLS
    )


def _close(bucket: Bucket, result: OfflineResult) -> None:
    for customer_id in bucket.customers:
        bucket.visit(customer_id, result.as_of_ms)
    bucket.finish()
    tally = bucket.tally
    commit = bucket.commit({}, result.as_of_ms)
    for arrival, reason, detail in tally.refusals:
        result.refused.append(Refused(arrival.origin, reason, detail))
    result.applied += tally.applied
    result.repeated += tally.repeated
    result.ignored += tally.ignored
    for row in map(decode_row, commit.outbox):
        if row.topic == TIER_CHANGES and row.value is not None:
            result.changes.append(row.value)
        if row.topic == TIER_FORECASTS and row.value is not None:
            result.forecasts.append(row.value)
    for customer_id, state in commit.states.items():
        if state is not None:
            result.states[customer_id] = state
