"""One bucket's share of a micro-batch: records and due customers in, one commit out. Pure.

The store's answers go in as arguments (`Bucket.adopt`, `Bucket.know_orders`), what must be
written comes out as a `BucketCommit`. Nothing here reads a clock or does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.records import (
    IdentityLinked,
    Interaction,
    OrderCancelled,
    OrderRefunded,
    ProfileChanged,
)
from schemas.vocabulary import STAGES
from stream.arrivals import Payment
from stream.customer import Customer, decode, encode
from stream.decisions import DECISIONS, decide
from stream.groups.kinship import Kinship
from stream.groups.member_rows import MemberTold
from stream.history import encode_transition
from stream.ledger import (
    OrderEntry,
    decode_entry,
    encode_entry,
    ledger_key,
    period_of,
)
from stream.outbox import change_row, forecast_row, grace_row, tiers_row
from stream.seen import DedupWindow, Seen
from stream.sentinels import NEVER
from stream.stability import GraceNotice
from stream.store import ABSENT, BucketCommit, BucketHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.arrivals import Arrival, OtherEvent
    from stream.changes import Change
    from stream.fold import Scorer
    from stream.forecast.warning import AtRisk
    from stream.plan import Plan
    from stream.stability import Aside


class Refusal(NamedTuple):
    """A record that the fold could not accept: to be dead-lettered by the caller."""

    arrival: Arrival
    reason: str
    detail: str


@dataclass(slots=True)
class Tally:
    """What one batch did to one bucket, for the metrics.

    Attributes:
        applied: Records that changed state.
        repeated: Records dropped as repeats.
        ignored: Valid records that no rule of the policy reads.
        waiting: Refunds and cancellations whose order is not known yet.
        woken: Customers judged because time passed.
        changes: Tier changes, in order.
        refusals: Records refused.
        asides: What judging had to tell besides changes, with the customer's id, in order.
    """

    applied: int = 0
    repeated: int = 0
    ignored: int = 0
    waiting: int = 0
    woken: int = 0
    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    asides: list[tuple[str, Aside]] = field(default_factory=list)


class Bucket:
    """A bucket that this worker owns: cached customers and what the next commit must hold.

    Attributes:
        number: Of the bucket.
        version: Version in the store that the cache stands on, counting commits handed out.
        cursors: Next offset to apply, by source.
        epochs: This writer's epochs, by source.
        customers: Cached customers by id.
        clock_ms: Largest watermark committed.
        kinship: Members and parents that the batch has touched.
    """

    __slots__ = (
        "_checksums",
        "_fresh",
        "_grouping",
        "_known",
        "_lowest_period",
        "_seen",
        "_touched",
        "_updated",
        "clock_ms",
        "cursors",
        "customers",
        "epochs",
        "kinship",
        "number",
        "scorer",
        "tally",
        "version",
    )

    def __init__(self, head: BucketHead, scorer: Scorer, window: DedupWindow) -> None:
        """Start from what the store says of the bucket."""
        self.number = head.bucket
        self.version = head.version
        self.cursors = dict(head.cursors)
        self.epochs: dict[str, int] = {}
        self.clock_ms = head.clock_ms
        self.customers: dict[str, Customer] = {}
        self.scorer = scorer
        self.tally = Tally()
        self.kinship = Kinship(scorer)
        self._grouping = scorer.plan.shape.groups
        self._seen = Seen(window, head.marks)
        self._checksums = self._seen.checksums
        self._touched: dict[str, Customer] = {}
        self._known: dict[str, OrderEntry] = {}
        self._fresh: dict[str, OrderEntry] = {}
        self._updated: dict[str, OrderEntry] = {}
        self._lowest_period: int | None = None

    # -- what the store knows -------------------------------------------------

    def adopt(self, customer_id: str, stored: bytes | None) -> Customer:
        """Cache a customer from its stored state; None where there is none."""
        shape = self.scorer.plan.shape
        if stored is None:
            customer = Customer(customer_id, shape)
        else:
            customer = decode(customer_id, stored, shape)
        self.customers[customer_id] = customer
        return customer

    def know_orders(self, entries: Mapping[str, bytes]) -> None:
        """Add ledger entries, by ledger key, that this batch may refer to."""
        for key, stored in entries.items():
            self._known[key] = decode_entry(stored)

    # -- the batch ------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether there is anything to commit beyond positions."""
        return bool(self._touched or self.tally.refusals)

    def apply_to(  # noqa: C901 - for every record: written out on purpose
        self, customer_id: str, arrivals: Sequence[Arrival]
    ) -> None:
        """Apply one customer's records in order.

        The customer must have been adopted, and every order that a refund refers to made
        known.
        """
        customer = self.customers[customer_id]
        tally, checksums, fresh, known = self.tally, self._checksums, self._fresh, self._known
        pay = self.scorer.pay
        prefix = ledger_key(customer_id, "")
        payments: list[Payment] = []
        passed_over = 0
        for arrival in arrivals:
            if isinstance(arrival, Payment):
                event_id, entry = arrival.event_id, arrival.entry
                checksum = entry.checksum
                if event_id in checksums:
                    self._meet_again(arrival, checksums[event_id] == checksum, "event_id")
                    passed_over += 1
                    continue
                key = prefix + arrival.order_id
                if key in fresh or key in known:
                    paid = fresh.get(key) or known[key]
                    self._meet_again(arrival, paid.checksum == checksum, "order_id")
                    passed_over += 1
                    continue
                fresh[key] = entry
                payments.append(arrival)
            else:
                event_id, checksum = arrival.event.event_id, arrival.checksum
                if event_id in checksums:
                    self._meet_again(arrival, checksums[event_id] == checksum, "event_id")
                    passed_over += 1
                    continue
                if payments:
                    tally.changes += pay(customer, payments)
                    payments = []
                if type(arrival.event) is MemberTold:
                    passed_over += 1
                    self._learn(customer, arrival.record_ms, arrival.event)
                    continue
                changes = self._other(customer, arrival.record_ms, arrival.event)
                if changes is None:
                    tally.ignored += 1
                    passed_over += 1
                    continue
                tally.changes += changes
            checksums[event_id] = checksum
        if payments:
            tally.changes += pay(customer, payments)
        if passed_over < len(arrivals):
            tally.applied += len(arrivals) - passed_over
            self._touch(customer)
            if self._grouping and customer.kin is not None:
                newest = next(reversed(checksums))  # remembered last
                self.kinship.note(customer, customer.kin, len(arrivals) - passed_over, newest)

    def wake(self, customer_id: str, upto_ms: int) -> None:
        """Wake a cached customer's deadlines up to and including *upto_ms*."""
        customer = self.customers[customer_id]
        if customer.deadline_ms > upto_ms:
            return
        self.tally.changes += self.scorer.wake_before(customer, upto_ms + 1)
        self.tally.woken += 1
        self._touch(customer)

    def commit(
        self, positions: Mapping[str, int], clock_ms: int | None, letters: Sequence[bytes] = ()
    ) -> BucketCommit:
        """Close the batch: return what must be written, and start the next one on top of it.

        Args:
            positions: Next offset to apply, per source that this batch has read.
            clock_ms: Watermark that holds once this is written; None if unknown.
            letters: Encoded dead-letter rows to announce with it.
        """
        plan = self.scorer.plan
        tally = self.tally
        rows = [change_row(change, plan) for change in tally.changes]
        changed = dict.fromkeys(change.customer_id for change in tally.changes)
        rows += [tiers_row(self.customers[customer_id], plan) for customer_id in changed]
        rows += [
            grace_row(customer_id, aside, plan)
            for customer_id, aside in tally.asides
            if isinstance(aside, GraceNotice)
        ]
        if plan.forecasts is not None:
            rows += [forecast_row(warning, plan) for warning in self._told()]
        rows += self.kinship.rows()
        newest_ms = max((c.clock_ms for c in self._touched.values()), default=0)
        marks, drop_marks = self._seen.seal(newest_ms)
        shape = plan.shape
        commit = BucketCommit(
            bucket=self.number,
            version=self.version,
            epochs=dict(self.epochs),
            cursors={s: (self.cursors.get(s, ABSENT), p) for s, p in positions.items()},
            states={key: encode(c, shape) for key, c in self._touched.items()},
            due={
                k: None if (deadline_ms := c.deadline_ms) >= NEVER else deadline_ms
                for k, c in self._touched.items()
            },
            fresh_orders=_by_period(self._fresh),
            orders=_by_period(self._updated),
            drop_periods=self._old_periods(newest_ms),
            marks=marks,
            drop_marks=drop_marks,
            outbox=[*rows, *letters],
            clock_ms=clock_ms,
            history=_history(tally.changes, plan) if plan.history_limit else {},
            history_limit=plan.history_limit,
        )
        self.cursors.update(positions)
        self.version += 1
        if clock_ms is not None:
            self.clock_ms = clock_ms
        self.tally = Tally()
        self._touched = {}
        self._known, self._fresh, self._updated = {}, {}, {}
        return commit

    # -- inside ---------------------------------------------------------------

    def _touch(self, customer: Customer) -> None:
        """See that the customer is written, and take what judging it had to tell."""
        self._touched[customer.customer_id] = customer
        if customer.asides:
            self.tally.asides += [(customer.customer_id, aside) for aside in customer.asides]
            customer.asides = []

    def _told(self) -> Iterator[AtRisk]:
        """Yield the warnings of this batch, which are announced with it."""
        for customer in self._touched.values():
            if customer.untold:
                yield from customer.untold
                customer.untold = []

    def _other(
        self, customer: Customer, record_ms: int, event: OtherEvent
    ) -> Sequence[Change] | None:
        """Apply anything but a paid order; None where no rule of the policy reads it."""
        scorer, event_id = self.scorer, event.event_id
        if isinstance(event, (OrderRefunded, OrderCancelled)):
            return self._refund(customer, record_ms, event)
        if isinstance(event, Interaction) and event.kind in scorer.plan.shape.spans:
            details = event.details
            value = details.score if details.score is not None else details.days
            if details.stage is not None:
                value = STAGES.index(details.stage)
            return scorer.interact(
                customer, record_ms, event_id, event.kind, event.occurred_ms, value or 0
            )
        if isinstance(event, ProfileChanged) and not scorer.plan.attributes.isdisjoint(
            event.attributes
        ):
            return scorer.describe(customer, record_ms, event_id, event.attributes)
        if isinstance(event, DECISIONS):
            return decide(scorer, customer, record_ms, event)
        if isinstance(event, IdentityLinked) and self._grouping and customer.kin is not None:
            return self.kinship.link(customer, customer.kin, record_ms, event)
        return None

    def _learn(self, customer: Customer, record_ms: int, told: MemberTold) -> None:
        """Apply what a member tells, which is neither de-duplicated nor an event of its own."""
        changes = None
        if self._grouping and customer.kin is not None:
            changes = self.kinship.learn(customer, customer.kin, record_ms, told)
        if changes is None:
            self.tally.ignored += 1
            return
        self.tally.changes += changes
        self.tally.applied += 1
        self._touch(customer)

    def _refund(
        self, customer: Customer, record_ms: int, event: OrderRefunded | OrderCancelled
    ) -> Sequence[Change]:
        amount_minor = None
        if isinstance(event, OrderRefunded):
            convert = self.scorer.plan.converter.convert
            amount_minor = convert(event.amount_minor, event.currency)
        key = ledger_key(event.customer_id, event.order_id)
        entry = self._fresh.get(key)
        if entry is None:
            entry = self._known.get(key)
            if entry is not None:
                self._updated[key] = entry
        if entry is None:
            self.tally.waiting += 1
        return self.scorer.refund(
            customer, record_ms, event.event_id, event.order_id, amount_minor, entry
        )

    def _meet_again(self, arrival: Arrival, same: bool, taken: str) -> None:  # noqa: FBT001
        if same:
            self.tally.repeated += 1
        else:
            detail = f"{taken}: was taken already by another record"
            self.tally.refusals.append(Refusal(arrival, "conflict", detail))

    def _old_periods(self, now_ms: int) -> list[int]:
        """Return the ledger periods that fell out of reach since the last commit."""
        if not now_ms:
            return []
        lowest = self.oldest_period(now_ms)
        known = self._lowest_period
        if known is not None and lowest <= known:
            return []
        self._lowest_period = lowest
        first = lowest - 12 if known is None else known
        fresh = {period_of(e.at_ms) for e in [*self._fresh.values(), *self._updated.values()]}
        return [period for period in range(max(first, 0), lowest) if period not in fresh]

    def oldest_period(self, now_ms: int) -> int:
        """Return the oldest ledger period that a refund may still refer to.

        One more is kept: *now_ms* is that of the customer furthest ahead, and what a refund
        finds must not depend on the others of its bucket.
        """
        return period_of(now_ms - self.scorer.plan.refund_ms) - 1


def _history(changes: Sequence[Change], plan: Plan) -> dict[str, list[bytes]]:
    by_customer: dict[str, list[bytes]] = {}
    for change in changes:
        by_customer.setdefault(change.customer_id, []).append(encode_transition(change, plan))
    return by_customer


def _by_period(entries: Mapping[str, OrderEntry]) -> dict[int, dict[str, bytes]]:
    if not entries:
        return {}
    instants = [entry.at_ms for entry in entries.values()]
    first, last = period_of(min(instants)), period_of(max(instants))
    if first == last:  # nearly always
        return {first: dict(zip(entries, map(encode_entry, entries.values()), strict=True))}
    periods: dict[int, dict[str, bytes]] = {}
    for key, entry in entries.items():
        periods.setdefault(period_of(entry.at_ms), {})[key] = encode_entry(entry)
    return periods
