"""One micro-batch through the buckets: load what is missing, apply, and close into commits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from agents.closing import Closed
from agents.letters import letter_of
from agents.ownership import source_name
from agents.settings import INPUTS
from schemas.records import OrderCancelled, OrderRefunded
from stream.arrivals import Payment
from stream.calendar import format_instant
from stream.groups.member_rows import PartTold
from stream.ledger import ledger_key, period_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from agents.intake import Batch, Place
    from agents.letters import Letter
    from agents.ownership import Ownership
    from agents.settings import Settings
    from agents.unwrapped import Record
    from stream.arrivals import Arrival
    from stream.bucket import Bucket
    from stream.editions import Begin
    from stream.store import Store

    Due = Mapping[int, list[tuple[str, int]]]
    Visits = Mapping[int, Sequence[str]]


class Watermarks(Protocol):
    """How far time has come: what `agents.reading.Reading` knows of it."""

    def numbers(self) -> Iterable[int]:
        """Return the partition numbers that are read."""

    def watermark_ms(self, number: int) -> int | None:
        """Return the instant up to which everything of a partition number was processed."""


class Wanted(NamedTuple):
    """What the cache lacks, by bucket.

    Attributes:
        customers: Whose state to load.
        orders: Places in the ledger to look into.
        ledgers: Customers of whom everything in the ledger is asked for.
    """

    customers: dict[int, list[str]]
    orders: dict[int, list[tuple[int, str]]]
    ledgers: dict[int, list[str]]


log = structlog.get_logger(__name__)

_FOREIGN_BEHIND = 20_000


class Folding:
    """Brings batches into the buckets that this worker owns.

    `wanted`, `apply` and the closing methods do no I/O; `load` blocks and belongs into
    the store's thread.
    """

    def __init__(self, settings: Settings, store: Store, ownership: Ownership) -> None:
        """Fold into the buckets of *ownership*."""
        self._settings = settings
        self._store = store
        self._ownership = ownership

    # -- loading --------------------------------------------------------------

    def foreign(self, batch: Batch) -> list[tuple[int, str]]:
        """Return the buckets that a source of this batch feeds for the first time."""
        return [
            (bucket, source)
            for bucket, sources in batch.foreign.items()
            for source in sources
            if not self._ownership.is_open(bucket, source)
        ]

    def drop_applied(self, batch: Batch) -> None:
        """Pass over records that foreign buckets, opened only now, have applied already."""
        for number, sources in batch.foreign.items():
            cursors = self._ownership.buckets[number].cursors
            applied: dict[tuple[str, int], int] = {}
            for source in sources:
                base, partition = source.rsplit("/", 1)
                applied[self._settings.topic(base), int(partition)] = cursors.get(source, 0)
            by_customer = batch.arrivals.get(number, {})
            for customer_id, arrivals in by_customer.items():
                by_customer[customer_id] = [
                    arrival
                    for arrival in arrivals
                    for tp, offset in [batch.place_of(arrival)]
                    if offset >= applied.get(tp, 0)
                ]

    def wanted(self, batch: Batch, due: Due, visits: Visits, *, careful: bool) -> Wanted:
        """Return the customers, and the places in the ledger, that the cache lacks.

        Orders are taken as new unless *careful*; the commit finds out if one is not.
        """
        missing: dict[int, set[str]] = {}
        orders: dict[int, list[tuple[int, str]]] = {}
        buckets = self._ownership.buckets
        for number, by_customer in batch.arrivals.items():
            bucket = buckets[number]
            # Not as a difference of the two: that takes the time of looking at everyone cached.
            absent = {c for c in by_customer if c not in bucket.customers}
            if absent:
                missing[number] = absent
            if careful or batch.notices:
                places = [
                    place
                    for customer_id, arrivals in by_customer.items()
                    for arrival in arrivals
                    if careful or type(arrival) is not Payment
                    for place in _ledger_places(customer_id, arrival, bucket)
                ]
                if places:
                    orders[number] = places
        for number, woken in due.items():
            absent = {c for c, _ in woken if c not in buckets[number].customers}
            if absent:
                missing.setdefault(number, set()).update(absent)
        for number, visited in self.uncached(visits).items():
            missing.setdefault(number, set()).update(visited)
        customers = {number: sorted(ids) for number, ids in missing.items()}
        ledgers = {
            number: [c for c in audited if _asks_for_ledger(buckets[number], c, batch)]
            for number, audited in batch.audited.items()
        }
        return Wanted(customers, orders, ledgers)

    def load(self, wanted: Wanted) -> Callable[[], None]:
        """Ask the store, and return what puts its answers into the buckets."""
        missing, orders, ledgers = wanted
        states = self._store.load_states(missing) if missing else {}
        entries = self._store.load_orders(orders) if orders else {}
        owned = {
            (number, customer_id): self._store.scan_orders(number, ledger_key(customer_id, ""))
            for number, customers in ledgers.items()
            for customer_id in customers
        }
        audited: dict[int, list[tuple[int, str]]] = {}
        for (number, _), owns in owned.items():
            audited.setdefault(number, []).extend(owns)
        found_owned = self._store.load_orders(audited) if audited else {}

        def adopt() -> None:
            buckets = self._ownership.buckets
            for number, customers in missing.items():
                for customer_id in customers:
                    buckets[number].adopt(customer_id, states.get(customer_id))
            for number, places in orders.items():
                found = {place[1]: entries[place] for place in places if place in entries}
                buckets[number].know_orders(found)
            for (number, customer_id), owns in owned.items():
                found = {place[1]: found_owned[place] for place in owns if place in found_owned}
                buckets[number].know_orders(found)
                buckets[number].know_ledger(customer_id, owns)

        return adopt

    # -- folding --------------------------------------------------------------

    def apply(self, batch: Batch, due: Due, visits: Visits, reading: Watermarks) -> None:
        """Apply the batch, then fire the deadlines and visit whom a sweep has come to.

        All of it into cached customers. Last the edition begins that ends the batch.
        """
        partitions = self._ownership.partitions
        for number, by_customer in batch.arrivals.items():
            bucket = self._ownership.buckets[number]
            watermark_ms = reading.watermark_ms(number % partitions) or 0
            bucket.follow(batch.traces)
            for customer_id, arrivals in by_customer.items():
                bucket.apply_to(customer_id, arrivals)
                # What is due already is not in the store's index yet.
                bucket.wake(customer_id, watermark_ms)
        for number, due_customers in due.items():
            bucket = self._ownership.buckets[number]
            watermark_ms = reading.watermark_ms(number % partitions) or 0
            for customer_id, _ in due_customers:
                bucket.wake(customer_id, watermark_ms)
        for number, customers in visits.items():
            bucket = self._ownership.buckets[number]
            watermark_ms = reading.watermark_ms(number % partitions) or 0
            for customer_id in customers:
                bucket.visit(customer_id, watermark_ms)
        for partition, (offset, begin) in batch.editions.items():
            self._begin(partition, offset, begin)

    def _begin(self, partition: int, offset: int, begin: Begin) -> None:
        source = source_name("controls", partition)
        home = [self._ownership.buckets[number] for number in self._ownership.home(partition)]
        behind = [bucket for bucket in home if bucket.cursors.get(source, 0) <= offset]
        for bucket in behind:
            bucket.begin(begin)
        if behind:
            edition, plan = behind[0].in_force.edition, behind[0].scorer.plan
            log.info(
                "edition_began",
                partition=partition,
                buckets=len(behind),
                number=edition.number,
                cause=edition.cause,
                policy=plan.name,
                version=plan.version,
                instant=format_instant(edition.instant_ms),
            )

    def uncached(self, visits: Visits) -> Visits:
        """Return those of *visits* that are not in the cache."""
        buckets = self._ownership.buckets
        return {
            number: [c for c in customers if c not in buckets[number].customers]
            for number, customers in visits.items()
        }

    def forget(self, visits: Visits) -> None:
        """Let go of customers that only a sweep has asked for, once they were committed."""
        for number, customers in visits.items():
            cached = self._ownership.buckets[number].customers
            for customer_id in customers:
                cached.pop(customer_id, None)

    # -- closing --------------------------------------------------------------

    def refused(self, batch: Batch) -> list[Place]:
        """Return where those of the batch were read that turned out to be of no use when applied.

        They are to go to the dead letters as they are, so somebody has to look at them again.
        """
        tallies = [self._ownership.buckets[number].tally for number in batch.arrivals]
        return [batch.place_of(r.arrival) for tally in tallies for r in tally.refusals]

    def close(
        self, batch: Batch, reading: Watermarks, refused: Mapping[Place, Record], *, swept: bool
    ) -> list[Closed]:
        """Return the commits of every bucket that the batch has changed.

        Foreign buckets come first: the cursors of home buckets tell where reading resumes,
        so they must never be ahead of what foreign ones hold. *refused* has the records at the
        places that `refused` has named. *swept*: every deadline up to the watermarks has been
        fired, so that buckets' clocks may advance to them.
        """
        buckets = self._ownership.buckets
        dirty = {number for number, bucket in buckets.items() if bucket.is_dirty}
        touched = dirty | batch.letters.keys()
        order = sorted(touched, key=lambda number: (number not in batch.foreign, number))
        return [
            self._close(buckets[number], batch, reading, refused, swept=swept) for number in order
        ]

    def flush(
        self, done: Mapping[str, int], skipped: Iterable[int], reading: Watermarks, *, swept: bool
    ) -> list[Closed]:
        """Return commits that only move the cursors (and clock) of quiet buckets on.

        Args:
            done: Offsets per source below which everything has been written.
            skipped: Buckets that are committed anyway.
            reading: Gives the watermarks.
            swept: Every deadline up to them has been fired.
        """
        others = set(skipped)
        commits = []
        for number in reading.numbers():
            clock_ms = reading.watermark_ms(number) if swept else None
            positions = {s: p for s, p in done.items() if s.endswith(f"/{number}")}
            for home in self._ownership.home(number):
                bucket = self._ownership.buckets[home]
                behind = {s: p for s, p in positions.items() if bucket.cursors.get(s, -1) < p}
                later = clock_ms is not None and clock_ms > (bucket.clock_ms or 0)
                moves = behind or (later and self._settings.clock == "stream")
                if moves and home not in others:
                    commits.append(self._commit(bucket, behind, clock_ms))
        for number, bucket in self._ownership.buckets.items():
            # A foreign bucket that is fed no more would let its source be read again from there
            # on. Seldom: each such commit makes the bucket's own worker start over.
            feeding = {s: done[s] for s in bucket.epochs if s in done}
            behind = {
                s: p for s, p in feeding.items() if p - bucket.cursors.get(s, 0) >= _FOREIGN_BEHIND
            }
            if behind and number not in others:
                commits.append(self._commit(bucket, behind, None))
        return commits

    def _close(
        self,
        bucket: Bucket,
        batch: Batch,
        reading: Watermarks,
        refused: Mapping[Place, Record],
        *,
        swept: bool,
    ) -> Closed:
        letters = list(batch.letters.get(bucket.number, ()))
        for arrival, reason, detail in bucket.tally.refusals:
            tp, offset = batch.place_of(arrival)
            base, record = self._base(tp.topic), refused[tp, offset]
            letters.append(letter_of(record, (base, tp.partition), reason, detail))
        number = bucket.number % self._ownership.partitions
        foreign = batch.foreign.get(bucket.number, ())
        positions = {
            source: position
            for source, position in batch.positions.items()
            if source.endswith(f"/{number}") or source in foreign
        }
        clock_ms = reading.watermark_ms(number) if swept else None
        return self._commit(bucket, positions, clock_ms, letters)

    def _commit(
        self,
        bucket: Bucket,
        positions: Mapping[str, int],
        clock_ms: int | None,
        letters: Sequence[Letter] = (),
    ) -> Closed:
        tally = bucket.tally
        rows = [letter.row for letter in letters]
        return Closed(bucket.commit(positions, clock_ms, rows), tally, letters)

    def _base(self, topic: str) -> str:
        return next(base for base in INPUTS if self._settings.topic(base) == topic)


def _asks_for_ledger(bucket: Bucket, customer_id: str, batch: Batch) -> bool:
    """Say whether all orders of a customer have to be loaded: one with parts holds them itself."""
    known = bucket.customers.get(customer_id)
    if known is None or known.identity is None or not known.identity.members:
        return True
    arrivals = batch.arrivals.get(bucket.number, {}).get(customer_id, ())
    return any(not isinstance(getattr(a, "event", None), PartTold) for a in arrivals)


def _ledger_places(customer_id: str, arrival: Arrival, bucket: Bucket) -> list[tuple[int, str]]:
    """Return where the ledger may hold the order that *arrival* speaks of."""
    if isinstance(arrival, Payment):
        return [(period_of(arrival.entry.at_ms), ledger_key(customer_id, arrival.order_id))]
    event = arrival.event
    if not isinstance(event, (OrderRefunded, OrderCancelled)):
        return []
    key = ledger_key(customer_id, event.order_id)
    newest = period_of(max(arrival.record_ms, event.occurred_ms)) + 1
    oldest = min(bucket.oldest_period(arrival.record_ms), newest)
    return [(period, key) for period in range(oldest, newest + 1)]
