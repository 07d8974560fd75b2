"""A bucket that a worker owns: applies records and time to its customers, closes batches."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from schemas.records import ConsentChanged, CustomerErase, IdentityMerged, IdentitySplit
from stream.arrivals import Payment
from stream.bucket.beside import heed_beside, mark_of, obey_beside, pay_beside, taken_back
from stream.bucket.due_index import DueIndex
from stream.bucket.events import apply_event
from stream.bucket.known_orders import KnownOrders, oldest_period
from stream.bucket.screening import allowed, of_this_life
from stream.bucket.tally import Refusal, Tally
from stream.bucket.unwritten import Unwritten
from stream.changes import POLICY_CHANGED, PROFILE, Cause
from stream.customer import Customer, Grade, unpack
from stream.editions import FIRST
from stream.erasure import Erasures, Removal, receipt_id
from stream.groups.kinship import Kinship
from stream.groups.member_rows import MemberTold, ParentGone, PartTold
from stream.identity.merging import Merging, objection
from stream.in_force import InForce
from stream.ledger import ledger_key
from stream.outbox import TIER_DIFFERENCES, forecast_row, tombstone_row
from stream.population.standings import Standings
from stream.refill import same_facts, take_facts
from stream.seen import DedupWindow, Seen
from stream.store import ABSENT, BucketCommit, BucketHead

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stream.arrivals import Arrival
    from stream.changes import Change
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
    """

    __slots__ = (
        "_checksums",
        "_erased",
        "_erasures",
        "_gone_ranks",
        "_grouping",
        "_seen",
        "_unwritten",
        "clock_ms",
        "cursors",
        "customers",
        "due",
        "epochs",
        "in_force",
        "kinship",
        "merging",
        "number",
        "orders",
        "scorer",
        "standings",
        "tally",
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
        self._grouping = self.scorer.plan.shape.groups
        self._seen = Seen(window, head.marks)
        self._checksums = self._seen.checksums
        self._unwritten = Unwritten(self.in_force, self.standings, self.tally)
        self.orders = KnownOrders()
        self._gone_ranks: list[str] = []
        self._erasures = Erasures(head.erasures)
        self._erased: dict[str, None] = {}

    # -- what the store knows -------------------------------------------------

    def adopt(self, customer_id: str, stored: bytes | None) -> Customer:
        """Cache a customer from its stored state; None where there is none."""
        if stored is None:
            number = self.in_force.edition.number
            customer = Customer(customer_id, self.scorer.plan.shape, number)
            customer.shadow = self.in_force.shadow_of_unknown(customer_id)
        else:
            customer = self.in_force.restore(customer_id, unpack(stored))
        erased = self._erasures.of(customer_id)
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
            self._unwritten.customers
            or self._erased
            or self.standings
            or self.tally.refusals
            or self.in_force.changed
            or self.kinship.has_news
            or self.merging.has_news
        )

    def follow(self, traces: Mapping[str, bytes]) -> None:
        """Pass the trace context of events, by their ids, on with the changes of this batch."""
        self._unwritten.traces = traces

    def apply_to(self, customer_id: str, arrivals: Sequence[Arrival]) -> None:
        """Apply one customer's records in order.

        The customer must have been adopted, every order that a refund refers to made known,
        and all orders of one that is to be erased, merged, or told of by another of its ids.
        """
        while arrivals:
            arrivals = self._apply(customer_id, arrivals)

    def _apply(  # noqa: C901, PLR0912, PLR0915 - for every record: written out on purpose
        self, customer_id: str, arrivals: Sequence[Arrival]
    ) -> Sequence[Arrival]:
        """Apply records up to one after which they may mean something else; return the rest."""
        customer = self._brought(customer_id)
        if customer.erased_ms is not None:
            arrivals = self._of_this_life(customer, customer.erased_ms, arrivals)
        if customer.consent is not None:
            arrivals = self._passed(arrivals, allowed(arrivals, customer.consent))
        tally, checksums = self.tally, self._checksums
        fresh, known = self.orders.fresh, self.orders.stored
        pay, tell = self._pay if customer.shadow else self.scorer.pay, self._unwritten.tell
        prefix = ledger_key(customer_id, "")
        payments: list[Payment] = []
        passed_over = beside = 0
        erasing: tuple[int, CustomerErase] | None = None
        left = iter(arrivals)
        for arrival in left:
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
                if isinstance(arrival.event, CustomerErase):
                    erasing = arrival.record_ms, arrival.event
                    break
                event_id, checksum = arrival.event.event_id, arrival.checksum
                if event_id in checksums:
                    self._meet_again(arrival, checksums[event_id] == checksum, "event_id")
                    passed_over += 1
                    if isinstance(arrival.event, ConsentChanged):
                        break  # only what comes before it was looked through
                    continue
                if payments:
                    tell(pay(customer, payments))
                    payments = []
                if isinstance(arrival.event, (MemberTold, ParentGone, PartTold)):
                    passed_over += 1
                    self._learn(customer, arrival.record_ms, arrival.event)
                    continue
                if isinstance(arrival.event, (IdentityMerged, IdentitySplit)):
                    why = objection(customer, arrival.event)
                    if why is not None:
                        tally.refusals.append(Refusal(arrival, "conflict", why))
                        passed_over += 1
                        continue
                    tell(self._move(customer, arrival.record_ms, arrival.event))
                    checksums[event_id] = checksum
                    continue
                if isinstance(arrival.event, ConsentChanged):
                    tell(self._consent(customer, arrival.record_ms, arrival.event))
                    checksums[event_id] = checksum
                    break
                shadow = customer.shadow
                heeded = shadow is not None and heed_beside(self, shadow, arrival, checksums)
                changes = apply_event(self, customer, arrival.record_ms, arrival.event)
                if changes is None:
                    tally.ignored += 1
                    passed_over += 1
                    if heeded:
                        checksums[mark_of(event_id)] = checksum
                        beside += 1
                    continue
                tell(changes)
            checksums[event_id] = checksum
        if payments:
            tell(pay(customer, payments))
        rest = list(left)
        applied = len(arrivals) - len(rest) - passed_over - (erasing is not None)
        if beside:
            self._unwritten.keep(customer)
        if applied or beside:
            self._seen.own(customer_id, applied + beside)
        if applied:
            tally.applied += applied
            self._unwritten.touch(customer)
            if self._grouping and customer.kin is not None:
                newest = next(reversed(checksums))  # remembered last
                self.kinship.note(customer, customer.kin, applied, newest)
            if customer.identity is not None:
                self.merging.note(customer, applied)
        if erasing is not None:
            self._erase(customer, *erasing)
        return rest

    def wake(self, customer_id: str, upto_ms: int) -> None:
        """Wake a cached customer's deadlines up to and including *upto_ms*."""
        known, rankings = self.customers[customer_id], self.scorer.plan.rankings
        if (
            known.deadline_ms > upto_ms
            and not (rankings and self.standings.is_due(known, upto_ms))
            and (known.shadow is None or known.shadow.customer.due_ms > upto_ms)
        ):
            return
        customer = self._brought(customer_id)
        if customer.shadow is not None and customer.shadow.wake(upto_ms):
            self._unwritten.keep(customer)
        if customer.deadline_ms <= upto_ms:
            self._unwritten.tell(self.scorer.wake_before(customer, upto_ms + 1))
            self.tally.woken += 1
            self._unwritten.touch(customer)
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
        self._grouping = self.scorer.plan.shape.groups

    def visit(self, customer_id: str, upto_ms: int) -> None:
        """Bring a cached customer to the newest edition, then wake it like `wake`."""
        self._brought(customer_id)
        self.wake(customer_id, upto_ms)

    def finish(self) -> None:
        """Take note that everyone who has to be was visited since the newest edition began."""
        newest = self.in_force.edition.number
        # Who is here but was never stored may stand under an edition that is now forgotten.
        self.customers = {key: c for key, c in self.customers.items() if c.edition == newest}
        self.in_force.finish()

    def refill(self, customer_id: str, facts: Customer, instant_ms: int) -> bool:
        """Give a cached customer *facts* that were kept longer, and judge it by them.

        The cause is the policy in force, for whose windows they are. Returns whether any was news.
        """
        customer = self._brought(customer_id)
        now_ms = max(instant_ms, customer.clock_ms, facts.clock_ms)
        if same_facts(customer.clone(), facts, now_ms):
            return False
        cause = Cause(POLICY_CHANGED, self.in_force.edition.event_id)
        take = partial(take_facts, customer, facts)
        self._unwritten.tell(self.scorer.gather(customer, now_ms, cause, PROFILE, take))
        self._unwritten.touch(customer)
        return True

    def told_rows(self) -> list[bytes]:
        """Return the outbox rows that customers tell each other, and start over."""
        return self.kinship.rows() + self.merging.rows()

    def stand(
        self, customer_id: str, stands: Mapping[str, tuple[int, str | None]], instant_ms: int
    ) -> None:
        """Let a cached customer stand where it was said to, and judge it from there.

        *stands* has the sequence of the last change and the tier since, by grading; of gradings
        that the policy does not have too: what comes back goes on with its sequence.
        """
        customer = self._brought(customer_id)
        grades = dict(zip(self.scorer.plan.shape.names, customer.grades, strict=True))
        for name, (sequence, tier) in stands.items():
            grade = grades.get(name) or customer.retired.setdefault(name, Grade())
            grade.sequence, grade.tier = sequence, tier
        customer.packed_grades = None
        cause = Cause(POLICY_CHANGED, self.in_force.edition.event_id)
        now_ms = max(instant_ms, customer.clock_ms)
        self._unwritten.tell(self.scorer.gather(customer, now_ms, cause, PROFILE, _nothing))
        self._unwritten.touch(customer)

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
        unwritten = self._unwritten
        rows = unwritten.all_rows()
        erasures, receipts = self._erasures.seal()
        rows += self.told_rows()
        rows += receipts
        newest_ms = unwritten.newest_ms
        marks, drop_marks = self._seen.seal(newest_ms)
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
            erased=list(self._erased),
            gone_orders=ledger.gone,
            erasures=erasures,
        )
        for customer_id in self._erased.keys() - unwritten.customers.keys():
            del self.customers[customer_id]
        self.in_force.changed = False
        self.cursors.update(positions)
        self.version += 1
        if clock_ms is not None:
            self.clock_ms = clock_ms
        self.tally = Tally()
        self._unwritten = Unwritten(self.in_force, self.standings, self.tally)
        self._gone_ranks, self._erased = [], {}
        return commit

    # -- inside ---------------------------------------------------------------

    def _brought(self, customer_id: str) -> Customer:
        """Return a cached customer, brought to the newest edition."""
        customer = self.customers[customer_id]
        if customer.edition != self.in_force.edition.number:
            if not customer.clock_ms:
                return self._adopt_anew(customer)
            before = customer.shadow
            for changes, plan, older in self.in_force.bring(customer):
                self._unwritten.tell(changes, plan, older)
                self._unwritten.touch(customer, plan)
            at_ms = self.in_force.edition.instant_ms
            self._unwritten.rows += taken_back(customer, before, at_ms)
            self.tally.brought += 1
        return customer

    def _adopt_anew(self, customer: Customer) -> Customer:
        """Begin under the newest edition with a customer to whom nothing has happened yet."""
        anew = self.adopt(customer.customer_id, None)
        if customer.consent is not None:
            anew.consent = customer.consent
            self._unwritten.touch(anew)
            if anew.shadow is not None:
                anew.shadow.customer.consent = customer.consent
        before = customer.shadow
        if before is not None:
            if anew.shadow is not None and anew.shadow.policy.number == before.policy.number:
                anew.shadow = before
            at_ms = self.in_force.edition.instant_ms
            self._unwritten.rows += taken_back(anew, before, at_ms)
            self._unwritten.keep(anew)
        return anew

    def _of_this_life(
        self, customer: Customer, erased_ms: int, arrivals: Sequence[Arrival]
    ) -> Sequence[Arrival]:
        """Pass over what was told or happened before the customer was erased."""

        def refuses(told: MemberTold | PartTold) -> bool:
            if isinstance(told, PartTold):
                return self.merging.refuses(customer, told, erased_ms)
            return self.kinship.refuses(customer, told, erased_ms)

        return self._passed(arrivals, of_this_life(arrivals, erased_ms, refuses))

    def _passed(self, arrivals: Sequence[Arrival], kept: Sequence[Arrival]) -> Sequence[Arrival]:
        """Count what was passed over of *arrivals*; return what was *kept*."""
        self.tally.ignored += len(arrivals) - len(kept)
        return kept

    def _erase(self, customer: Customer, record_ms: int, event: CustomerErase) -> None:
        """Carry a request out: nothing of the customer is left, and a new life may begin."""
        customer_id = customer.customer_id
        before = self._erasures.of(customer_id)
        if before is not None and before.receipt == receipt_id(event):
            self.tally.repeated += 1
            return
        moves, members, parent = 0 if before is None else before.moves, 0, False
        if customer.identity is not None:
            moves = max(moves, customer.identity.moves + 1)
            self.merging.erase(customer, record_ms, event)
        if customer.kin is not None:
            moves = max(moves, customer.kin.moves + 1)
            members, parent = self.kinship.erase(
                customer, customer.kin, record_ms, receipt_id(event)
            )
        known = customer_id in self._unwritten.customers or customer.clock_ms > 0
        removal = Removal(
            state=known,
            orders=self.orders.drop(customer_id),
            event_ids=self._seen.forget(customer_id),
            members=members,
            parent=parent,
        )
        # What was announced of the life that ended comes out first, then the tombstone; also
        # where it ends in the very batch in which somebody was to be warned.
        plan = self.in_force.plan_of(customer.edition)
        self.tally.warnings += customer.untold
        self._unwritten.rows += [forecast_row(warning, plan) for warning in customer.untold]
        self._unwritten.rows.append(
            self._erasures.note(event, record_ms, customer.clock_ms, moves, removal)
        )
        if customer.shadow is not None and customer.shadow.told:
            row = tombstone_row(TIER_DIFFERENCES, customer_id, record_ms)
            self._unwritten.rows.append(row)
        self._unwritten.drop(customer_id)
        self.standings.untold.pop(customer_id, None)
        self._erased[customer_id] = None
        self.adopt(customer_id, None)
        self.tally.applied += 1

    def _consent(
        self, customer: Customer, record_ms: int, event: ConsentChanged
    ) -> Sequence[Change]:
        changes = self.scorer.consent(
            customer, record_ms, event.event_id, event.occurred_ms, allowed=event.scoring
        )
        if customer.shadow is not None:
            obey_beside(customer.shadow, record_ms, event)
        if customer.kin is not None:
            self.kinship.set_apart(customer, customer.kin)
        self.merging.set_apart(customer)
        return changes

    def _move(
        self, customer: Customer, record_ms: int, event: IdentityMerged | IdentitySplit
    ) -> Sequence[Change]:
        """Merge the customer into another id, or split it off again."""
        orders, moves = self.orders.of(customer.customer_id), self._moves_before(customer)
        changes = self.merging.move(customer, record_ms, event, orders, moves)
        self._part_from_shadow(customer)
        if customer.kin is not None:
            self.kinship.set_apart(customer, customer.kin)
        return changes

    def _part_from_shadow(self, customer: Customer) -> None:
        """Let go of the shadow of an id that has a place among the ids of one customer."""
        before = customer.shadow
        if before is not None and customer.identity is not None:
            customer.shadow = None
            self._unwritten.rows += taken_back(customer, before, customer.clock_ms)
            self._unwritten.keep(customer)

    def _moves_before(self, customer: Customer) -> int:
        erased = self._erasures.of(customer.customer_id)
        return 0 if erased is None else erased.moves

    def _hear(self, customer: Customer, record_ms: int, told: PartTold) -> Sequence[Change] | None:
        """Apply what another id of the customer tells, which its parent has to know as well."""
        orders, moves = self.orders.of(customer.customer_id), self._moves_before(customer)
        changes = self.merging.learn(customer, record_ms, told, orders, moves)
        self._part_from_shadow(customer)
        if changes is not None and self._grouping and customer.kin is not None:
            self.kinship.set_apart(customer, customer.kin)
            self.kinship.note(customer, customer.kin, 1, told.cause)
        return changes

    def _learn(
        self, customer: Customer, record_ms: int, told: MemberTold | ParentGone | PartTold
    ) -> None:
        """Apply what another customer tells: not de-duplicated, nor an event of its own."""
        changes: Sequence[Change] | None = None
        if isinstance(told, PartTold):
            changes = self._hear(customer, record_ms, told)
        elif customer.kin is None:
            pass
        elif isinstance(told, ParentGone):
            changes = () if self.kinship.part(customer, customer.kin, record_ms, told) else None
        elif self._grouping:
            changes = self.kinship.learn(customer, customer.kin, record_ms, told)
        if changes is None:
            self.tally.ignored += 1
            return
        self._unwritten.tell(changes)
        self.tally.applied += 1
        self._unwritten.touch(customer)

    def _pay(self, customer: Customer, payments: Sequence[Payment]) -> Sequence[Change]:
        """Apply paid orders to a customer that has a shadow."""
        if customer.shadow is not None:
            pay_beside(customer.shadow, payments)
        return self.scorer.pay(customer, payments)

    def _meet_again(self, arrival: Arrival, same: bool, taken: str) -> None:  # noqa: FBT001
        if same:
            self.tally.repeated += 1
        else:
            detail = f"{taken}: was taken already by another record"
            self.tally.refusals.append(Refusal(arrival, "conflict", detail))

    def oldest_period(self, now_ms: int) -> int:
        """Return the oldest ledger period that a refund at *now_ms* may still refer to."""
        return oldest_period(now_ms, self.scorer.plan.refund_ms)


def _nothing(now_ms: int) -> None:
    """Apply nothing to a customer that is to be judged as it is."""
    del now_ms
