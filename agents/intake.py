"""From raw records to decoded arrivals per customer, and refused ones to dead letters."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.letters import BadStreak, letter_of
from agents.ownership import source_name
from schemas.decode import (
    Rejected,
    decode_control,
    decode_interaction,
    decode_order,
    decode_profile,
)
from schemas.records import ClockAdvanced, CustomerErase, IdentityMerged, IdentitySplit
from stream.admission import FUTURE, admit
from stream.arrivals import Payment
from stream.beginnings import beginning
from stream.decisions import DECISIONS
from stream.groups.member_rows import GROUP_MEMBERS, PartTold, decode_member
from stream.partition import bucket_of
from stream.tracing import traceparent_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka.structs import TopicPartition

    from agents.letters import Letter
    from agents.metrics import Metrics
    from agents.ownership import Ownership
    from agents.settings import Settings
    from agents.unwrapped import Record
    from stream.arrivals import Arrival, Event
    from stream.decisions import Decision
    from stream.editions import Begin
    from stream.plan import Plan

    CustomerControl = Decision | CustomerErase | IdentityMerged | IdentitySplit
    Run = tuple[TopicPartition, list[Record]]
    Place = tuple[TopicPartition, int]

OVERSIZED = "oversized"
_CONTROLS = "controls"
_DECODERS: dict[str, Callable[[bytes | None], Event]] = {
    "orders": decode_order,
    "interactions": decode_interaction,
    "profiles": decode_profile,
    GROUP_MEMBERS: decode_member,
}
_OF_CUSTOMERS = (*DECISIONS, CustomerErase, IdentityMerged, IdentitySplit)
_OF_ALL_ORDERS = (CustomerErase, IdentityMerged, PartTold)
"""Events for which everything in the ledger of their customer has to be known."""
_REMEMBERED_CUSTOMERS = 2_000_000
_OFFSETS = 1 << 63


@dataclass(slots=True)
class Batch:
    """One micro-batch, sorted by customer.

    Attributes:
        fresh: Decoded records per partition number and customer, in order, until `Intake.place`.
        arrivals: The same per bucket and customer.
        notices: Whether there are others among them than paid orders.
        audited: Customers of whom some of them ask for all orders, per bucket.
        letters: Dead letters per bucket.
        positions: Next offset to apply per source, past every record looked at.
        foreign: Sources that feed a bucket away from its home, per bucket.
        traces: Trace context that came with records, by the id of the event.
        editions: What begins after this batch: per partition number the offset of the control
            and the edition.
        halts: Topic partitions that must stop before the given offset, and why.
        instants_ms: Record time of each record looked at, in no order.
        records: Records looked at, refused ones included.
        sources: Where they were read; see `place_of`.
        began_ns: When they were, by the wall clock.
    """

    fresh: dict[int, dict[str, list[Arrival]]] = field(default_factory=dict)
    arrivals: dict[int, dict[str, list[Arrival]]] = field(default_factory=dict)
    notices: bool = False
    audited: dict[int, dict[str, None]] = field(default_factory=dict)
    letters: dict[int, list[Letter]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    foreign: dict[int, set[str]] = field(default_factory=dict)
    traces: dict[str, bytes] = field(default_factory=dict)
    editions: dict[int, tuple[int, Begin]] = field(default_factory=dict)
    halts: dict[TopicPartition, tuple[int, str]] = field(default_factory=dict)
    instants_ms: list[int] = field(default_factory=list)
    records: int = 0
    sources: list[TopicPartition] = field(default_factory=list)
    began_ns: int = field(default_factory=time.time_ns)

    def place_of(self, arrival: Arrival) -> Place:
        """Return where an arrival of this batch was read: its origin says so in one integer."""
        source, offset = divmod(arrival.origin, _OFFSETS)
        return self.sources[source], offset

    def origins_from(self, tp: TopicPartition) -> int:
        """Return what the offset of a record read from *tp* is added to, to be its origin."""
        self.sources.append(tp)
        return (len(self.sources) - 1) * _OFFSETS


class Intake:
    """Decodes records and finds their buckets. One per assignment: it remembers bad streaks."""

    def __init__(self, settings: Settings, metrics: Metrics, ownership: Ownership) -> None:
        """Start with a clean record for every partition."""
        self._settings = settings
        self._metrics = metrics
        self._ownership = ownership
        self._plans: dict[int, Plan] = {}
        self._numbers: dict[str, int] = {}
        self._streaks: dict[TopicPartition, BadStreak] = {}
        self.halted: set[TopicPartition] = set()

    def sort(self, runs: Iterable[Run], wall_ms: int, batch: Batch) -> None:
        """Decode records, which come in processing order, and sort them by customer.

        Records that their bucket has applied already (their offset is below its cursor)
        are passed over. Partitions that halted are left alone. Of what a record said *batch* holds
        what the fold needs, and not the record: they are many, and memory that is used again at
        once is still in the processor's caches. Call `place` after the last of them.
        """
        self._plans = {}
        for tp, records in runs:
            if tp in self.halted or tp not in self._ownership.assigned:
                continue
            base = self._ownership.assigned[tp]
            batch.records += len(records)
            self._metrics.records.labels(base).inc(len(records))
            if base == _CONTROLS:
                self._controls(tp, records, batch, wall_ms)
            else:
                self._events(tp, base, records, batch, wall_ms)

    def _events(  # noqa: C901, PLR0912 - for every record: written out on purpose
        self, tp: TopicPartition, base: str, records: list[Record], batch: Batch, wall_ms: int
    ) -> None:
        decode = _DECODERS[base]
        plan = self._plan_of(tp.partition)
        latest_ms = wall_ms + plan.max_future_ms
        limit = self._settings.max_record_bytes
        source = source_name(base, tp.partition)
        replayed = self._ownership.replayed.get(source, 0)
        origins = batch.origins_from(tp)
        fresh = batch.fresh.setdefault(tp.partition, {})
        arrived = batch.instants_ms.append
        good = 0
        for record in records:
            value, record_ms = record.value, record.timestamp
            arrived(record_ms)
            customer_id = None
            try:
                if value is not None and len(value) > limit:
                    raise Rejected(OVERSIZED, f"value: more than {limit} bytes")  # noqa: TRY301
                event = decode(value)
                customer_id = event.customer_id
                if record_ms > latest_ms:
                    raise Rejected(  # noqa: TRY301 - one way out for all of them
                        FUTURE, "record timestamp: too far after the wall clock"
                    )
                arrival = admit(event, record_ms, value, plan, origins + record.offset)  # type: ignore[arg-type]
            except Rejected as bad:
                number = tp.partition if customer_id is None else self._number_of(customer_id)
                self._note_foreign(number, tp.partition, source, batch)
                if record.offset < replayed and self._applied(number, source, record.offset):
                    continue
                self._streak(tp).good(good)
                good = 0
                if not self._refuse(tp, base, record, number, (bad.reason, bad.detail), batch):
                    batch.positions[source] = record.offset
                    break
            else:
                if record.offset < replayed and self._applied(
                    self._number_of(customer_id), source, record.offset
                ):
                    continue
                good += 1
                if record.headers:
                    _note_trace(record, event.event_id, batch)
                own = fresh.get(customer_id)
                if own is None:
                    fresh[customer_id] = [arrival]
                else:
                    own.append(arrival)
                if type(arrival) is not Payment:
                    self._heed(event, batch)
        else:
            self._streak(tp).good(good)
            batch.positions[source] = records[-1].offset + 1

    def place(self, batch: Batch) -> None:
        """Find the bucket of each customer, once all records of the batch have been sorted."""
        partitions = self._ownership.partitions
        for home, fresh in batch.fresh.items():
            for customer_id, own in fresh.items():
                number = self._number_of(customer_id)
                if number % partitions != home:
                    for arrival in own:
                        base = self._ownership.assigned[batch.place_of(arrival)[0]]
                        self._note_foreign(number, home, source_name(base, home), batch)
                customers = batch.arrivals.setdefault(number, {})
                if customer_id in customers:
                    customers[customer_id] += own
                else:
                    customers[customer_id] = own
        batch.fresh = {}

    def _note_foreign(self, number: int, home: int, source: str, batch: Batch) -> None:
        if number % self._ownership.partitions != home:
            self._metrics.foreign.inc()
            batch.foreign.setdefault(number, set()).add(source)

    def _controls(
        self, tp: TopicPartition, records: list[Record], batch: Batch, wall_ms: int
    ) -> None:
        """Take in controls; those that name a customer are arrivals of it like any other."""
        source = source_name(_CONTROLS, tp.partition)
        plan = self._plan_of(tp.partition)
        latest_ms = wall_ms + plan.max_future_ms
        origins = batch.origins_from(tp)
        fresh = batch.fresh.setdefault(tp.partition, {})
        for record in records:
            number = tp.partition
            batch.instants_ms.append(record.timestamp)
            try:
                control = decode_control(record.value)
                begin = beginning(control, record.timestamp, latest_ms, plan)
                if begin is not None:
                    # Each bucket looks by itself whether it knows of it already.
                    batch.editions[tp.partition] = record.offset, begin
                    continue
                decision = control if isinstance(control, _OF_CUSTOMERS) else None
                number = number if decision is None else self._number_of(decision.customer_id)
                if self._applied(number, source, record.offset):
                    continue
                if decision is not None:
                    arrival = _decided(decision, record, origins, latest_ms, plan)
                    _note_trace(record, decision.event_id, batch)
                    fresh.setdefault(decision.customer_id, []).append(arrival)
                    self._heed(decision, batch)
                elif not isinstance(control, ClockAdvanced):
                    self._ownership.buckets[number].tally.ignored += 1
            except Rejected as bad:
                self._note_foreign(number, tp.partition, source, batch)
                if self._applied(number, source, record.offset):
                    continue
                refused = bad.reason, bad.detail
                if not self._refuse(tp, _CONTROLS, record, number, refused, batch):
                    batch.positions[source] = record.offset
                    break
            else:
                self._streak(tp).good(1)
        else:
            batch.positions[source] = records[-1].offset + 1

    def _heed(self, event: Event | CustomerControl, batch: Batch) -> None:
        """Take note of what has to be known before an event that is not a paid order."""
        batch.notices = True
        if isinstance(event, _OF_ALL_ORDERS):
            customer_id = event.customer_id
            batch.audited.setdefault(self._number_of(customer_id), {})[customer_id] = None

    def _plan_of(self, partition: int) -> Plan:
        plan = self._plans.get(partition)
        if plan is None:
            plan = self._plans[partition] = self._ownership.plan_of(partition)
        return plan

    def _refuse(
        self,
        tp: TopicPartition,
        base: str,
        record: Record,
        number: int,
        refused: tuple[str, str],
        batch: Batch,
    ) -> bool:
        """Dead-letter *record*, or halt before it; returns whether to go on."""
        why = self._streak(tp).bad()
        if why is not None:
            self.halted.add(tp)
            batch.halts[tp] = (record.offset, why)
            return False
        reason, detail = refused
        letter = letter_of(record, (base, tp.partition), reason, detail)
        batch.letters.setdefault(number, []).append(letter)
        return True

    def _applied(self, number: int, source: str, offset: int) -> bool:
        bucket = self._ownership.buckets.get(number)
        return bucket is not None and offset < bucket.cursors.get(source, 0)

    def _number_of(self, customer_id: str) -> int:
        number = self._numbers.get(customer_id)
        if number is None:
            if len(self._numbers) >= _REMEMBERED_CUSTOMERS:
                self._numbers.clear()
            number = self._numbers[customer_id] = bucket_of(customer_id, self._settings.buckets)
        return number

    def _streak(self, tp: TopicPartition) -> BadStreak:
        streak = self._streaks.get(tp)
        if streak is None:
            streak = BadStreak(self._settings.bad_run_limit, self._settings.bad_ratio_limit)
            self._streaks[tp] = streak
        return streak


def _note_trace(record: Record, event_id: str, batch: Batch) -> None:
    traceparent = traceparent_of(record.headers)
    if traceparent is not None:
        batch.traces[event_id] = traceparent


def _decided(
    decision: Decision | CustomerErase | IdentityMerged | IdentitySplit,
    record: Record,
    origins: int,
    latest_ms: int,
    plan: Plan,
) -> Arrival:
    """Return a control about a customer as an arrival. Raises `Rejected` if it cannot be."""
    if record.timestamp > latest_ms:
        raise Rejected(FUTURE, "record timestamp: too far after the wall clock")
    return admit(decision, record.timestamp, record.value or b"", plan, origins + record.offset)
