"""A bucket that a worker owns: applies records and time to its customers, closes batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.bucket.applying import apply_some
from stream.bucket.beside import taken_back
from stream.bucket.due_index import DueIndex
from stream.bucket.known_orders import KnownOrders, oldest_period
from stream.bucket.tally import Tally
from stream.bucket.unwritten import Unwritten
from stream.customer import Customer, unpack
from stream.editions import FIRST
from stream.erasure import Erasures
from stream.groups.kinship import Kinship
from stream.identity.merging import Merging
from stream.in_force import InForce
from stream.population.standings import Standings
from stream.seen import DedupWindow, Seen
from stream.store import ABSENT, BucketCommit, BucketHead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.arrivals import Arrival
    from stream.editions import Begin, Edition
    from stream.fold import Scorer
    from stream.population.standings import Ranks


class Bucket:
    """A bucket that this worker owns: cached customers and what the next commit must hold.

    Attributes:
        number: Of the bucket.
        in_force: Its editions, the newest of which records are applied under.
        version: Version in the store that the cache stands on, counting commits handed out.
        cursors: Next offset to apply, by source.
        epochs: This writer's epochs, by source.
        customers: Cached customers by id.
        clock_ms: Largest watermark committed.
        orders: Those that the batch pays or refers to.
        kinship: Members and parents that the batch has touched.
        merging: Ids of one customer that the batch has touched.
        standings: What its customers read in the rankings.
        due: What the store knows of their deadlines.
        scorer: That of the newest edition.
        grouping: Whether its policy groups customers.
        tally: What the batch did, for the metrics.
        unwritten: Customers that it has touched, and what is to be announced of them.
        seen: Which events were applied before.
        checksums: Of those, by event id.
        erasures: Customers that were erased.
        erased: Those that the batch has erased.
    """

    __slots__ = (
        "_gone_ranks",
        "checksums",
        "clock_ms",
        "cursors",
        "customers",
        "due",
        "epochs",
        "erased",
        "erasures",
        "grouping",
        "in_force",
        "kinship",
        "merging",
        "number",
        "orders",
        "scorer",
        "seen",
        "standings",
        "tally",
        "unwritten",
        "version",
    )

    def __init__(
        self, head: BucketHead, scorer: Scorer, window: DedupWindow, first: Edition = FIRST
    ) -> None:
        """Start from what the store says of the bucket; *scorer* is of the *first* edition."""
        self.number = head.bucket
        self.version = head.version
        self.cursors = dict(head.cursors)
        self.epochs: dict[str, int] = {}
        self.clock_ms = head.clock_ms
        self.due = DueIndex()
        self.customers: dict[str, Customer] = {}
        self.in_force = InForce(head.editions, scorer, first)
        self.scorer = self.in_force.scorer
        self.tally = Tally()
        self.kinship = Kinship(self.scorer)
        self.merging = Merging(self.scorer)
        self.standings = Standings()
        self.grouping = self.scorer.plan.shape.groups
        self.seen = Seen(window, head.marks)
        self.checksums = self.seen.checksums
        self.unwritten = Unwritten(self.in_force, self.standings, self.tally)
        self.orders = KnownOrders()
        self._gone_ranks: list[str] = []
        self.erasures = Erasures(head.erasures)
        self.erased: dict[str, None] = {}

    # -- what the store knows -------------------------------------------------

    def adopt(self, customer_id: str, stored: bytes | None) -> Customer:
        """Cache a customer from its stored state; None where there is none."""
        if stored is None:
            number = self.in_force.edition.number
            customer = Customer(customer_id, self.scorer.plan.shape, number)
            customer.shadow = self.in_force.shadow_of_unknown(customer_id)
        else:
            customer = self.in_force.restore(customer_id, unpack(stored))
        erased = self.erasures.of(customer_id)
        if erased is not None:
            customer.erased_ms = erased.at_ms
            if stored is None and customer.kin is not None:
                customer.kin.moves = erased.moves
        self.customers[customer_id] = customer
        return customer

    def know_orders(self, entries: Mapping[str, bytes]) -> None:
        """Add ledger entries, by ledger key, that this batch may refer to."""
        self.orders.know(entries)

    def know_ledger(self, customer_id: str, places: Sequence[tuple[int, str]]) -> None:
        """Say where all ledger entries of a customer are that this batch may erase."""
        self.orders.know_places(customer_id, places)

    # -- the batch ------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether there is anything to commit beyond positions."""
        return bool(
            self.unwritten.customers
            or self.erased
            or self.standings
            or self.tally.refusals
            or self.in_force.changed
            or self.kinship.has_news
            or self.merging.has_news
        )

    def follow(self, traces: Mapping[str, bytes]) -> None:
        """Pass the trace context of events, by their ids, on with the changes of this batch."""
        self.unwritten.traces = traces

    def apply_to(self, customer_id: str, arrivals: Sequence[Arrival]) -> None:
        """Apply one customer's records in order.

        The customer must have been adopted, every order that a refund refers to made known,
        and all orders of one that is to be erased, merged, or told of by another of its ids.
        """
        while arrivals:
            arrivals = apply_some(self, customer_id, arrivals)

    def wake(self, customer_id: str, upto_ms: int) -> None:
        """Wake a cached customer's deadlines up to and including *upto_ms*."""
        known, rankings = self.customers[customer_id], self.scorer.plan.rankings
        if (
            known.deadline_ms > upto_ms
            and not (rankings and self.standings.is_due(known, upto_ms))
            and (known.shadow is None or known.shadow.customer.due_ms > upto_ms)
        ):
            return
        customer = self.brought(customer_id)
        if customer.shadow is not None and customer.shadow.wake(upto_ms):
            self.unwritten.keep(customer)
        if customer.deadline_ms <= upto_ms:
            self.unwritten.tell(self.scorer.wake_before(customer, upto_ms + 1))
            self.tally.woken += 1
            self.unwritten.touch(customer)
        if rankings:
            self.standings.note(customer_id, upto_ms)

    # -- editions -------------------------------------------------------------

    def begin(self, begin: Begin) -> None:
        """Let a new edition be in force for what comes after this, at this point of the log."""
        known = self.scorer.plan.rankings
        self.in_force.begin(begin)
        self.scorer = self.in_force.scorer
        kept = {ranking.name for ranking in self.scorer.plan.rankings}
        self._gone_ranks += [one.name for one in known if one.name not in kept]
        self.kinship.score_with(self.scorer)
        self.merging.score_with(self.scorer)
        self.grouping = self.scorer.plan.shape.groups

    def visit(self, customer_id: str, upto_ms: int) -> None:
        """Bring a cached customer to the newest edition, then wake it like `wake`."""
        self.brought(customer_id)
        self.wake(customer_id, upto_ms)

    def finish(self) -> None:
        """Take note that everyone who has to be was visited since the newest edition began."""
        newest = self.in_force.edition.number
        # Who is here but was never stored may stand under an edition that is now forgotten.
        self.customers = {key: c for key, c in self.customers.items() if c.edition == newest}
        self.in_force.finish()

    def told_rows(self) -> list[bytes]:
        """Return the outbox rows that customers tell each other, and start over."""
        return self.kinship.rows() + self.merging.rows()

    def tell_ranks(self) -> Ranks:
        """Return the ranked readings that have changed since they were last told."""
        return self.standings.tell(self.customers, self.scorer.plan, self.in_force.plan_of)

    def commit(
        self, positions: Mapping[str, int], clock_ms: int | None, letters: Sequence[bytes] = ()
    ) -> BucketCommit:
        """Close the batch: return what must be written, and start the next one on top of it.

        Args:
            positions: Next offset to apply, per source that this batch has read.
            clock_ms: Watermark that holds once this is written; None if unknown. While a sweep
                goes on there may be deadlines before it that only a visit finds out.
            letters: Encoded dead-letter rows to announce with it.
        """
        unwritten = self.unwritten
        rows = unwritten.all_rows()
        erasures, receipts = self.erasures.seal()
        rows += self.told_rows()
        rows += receipts
        newest_ms = unwritten.newest_ms
        marks, drop_marks = self.seen.seal(newest_ms)
        looked = dict.fromkeys([*unwritten.customers, *self.standings.untold])
        ranks = self.tell_ranks()
        ledger = self.orders.seal(newest_ms, self.scorer.plan.refund_ms)
        commit = BucketCommit(
            bucket=self.number,
            version=self.version,
            epochs=dict(self.epochs),
            cursors={s: (self.cursors.get(s, ABSENT), p) for s, p in positions.items()},
            states=unwritten.states(),
            due=self.due.moved(map(self.customers.__getitem__, looked)),
            fresh_orders=ledger.fresh,
            orders=ledger.changed,
            drop_periods=ledger.drop_periods,
            marks=marks,
            drop_marks=drop_marks,
            outbox=[*rows, *letters],
            clock_ms=clock_ms,
            editions=self.in_force.stored() if self.in_force.changed else None,
            history=unwritten.transitions,
            history_limit=self.scorer.plan.history_limit,
            ranks=ranks,
            drop_ranks=self._gone_ranks,
            erased=list(self.erased),
            gone_orders=ledger.gone,
            erasures=erasures,
        )
        for customer_id in self.erased.keys() - unwritten.customers.keys():
            del self.customers[customer_id]
        self.in_force.changed = False
        self.cursors.update(positions)
        self.version += 1
        if clock_ms is not None:
            self.clock_ms = clock_ms
        self.tally = Tally()
        self.unwritten = Unwritten(self.in_force, self.standings, self.tally)
        self._gone_ranks, self.erased = [], {}
        return commit

    # -- inside ---------------------------------------------------------------

    def brought(self, customer_id: str) -> Customer:
        """Return a cached customer, brought to the newest edition."""
        customer = self.customers[customer_id]
        if customer.edition != self.in_force.edition.number:
            if not customer.clock_ms:
                return self._adopt_anew(customer)
            before = customer.shadow
            for changes, plan, older in self.in_force.bring(customer):
                self.unwritten.tell(changes, plan, older)
                self.unwritten.touch(customer, plan)
            at_ms = self.in_force.edition.instant_ms
            self.unwritten.rows += taken_back(customer, before, at_ms)
            self.tally.brought += 1
        return customer

    def _adopt_anew(self, customer: Customer) -> Customer:
        """Begin under the newest edition with a customer to whom nothing has happened yet."""
        anew = self.adopt(customer.customer_id, None)
        if customer.consent is not None:
            anew.consent = customer.consent
            self.unwritten.touch(anew)
            if anew.shadow is not None:
                anew.shadow.customer.consent = customer.consent
        before = customer.shadow
        if before is not None:
            if anew.shadow is not None and anew.shadow.policy.number == before.policy.number:
                anew.shadow = before
            at_ms = self.in_force.edition.instant_ms
            self.unwritten.rows += taken_back(anew, before, at_ms)
            self.unwritten.keep(anew)
        return anew

    def oldest_period(self, now_ms: int) -> int:
        """Return the oldest ledger period that a refund at *now_ms* may still refer to."""
        return oldest_period(now_ms, self.scorer.plan.refund_ms)
