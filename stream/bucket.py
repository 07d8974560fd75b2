"""One bucket's share of a micro-batch: records and due customers in, one commit out. Pure.

The store's answers go in as arguments (`Bucket.adopt`, `Bucket.know_orders`), what must be
written comes out as a `BucketCommit`. Nothing here reads a clock or does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from schemas.records import (
    ConsentChanged,
    CustomerErase,
    IdentityLinked,
    Interaction,
    OrderCancelled,
    OrderRefunded,
    ProfileChanged,
    ReviewSubmitted,
)
from schemas.vocabulary import STAGES
from stream.arrivals import Payment
from stream.customer import Customer, encode, restore, unpack
from stream.decisions import DECISIONS, decide
from stream.editions import FIRST
from stream.erasure import Erasures, Removal, is_older, receipt_id
from stream.groups.kinship import Kinship
from stream.groups.member_rows import MemberTold, ParentGone
from stream.history import encode_transition
from stream.in_force import InForce
from stream.ledger import (
    OrderEntry,
    decode_entry,
    encode_entry,
    ledger_key,
    period_of,
)
from stream.outbox import change_row, forecast_row, grace_row, tiers_row
from stream.population.standings import Standings
from stream.seen import DedupWindow, Seen
from stream.sentinels import NEVER
from stream.stability import GraceNotice
from stream.store import ABSENT, BucketCommit, BucketHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stream.arrivals import Arrival, OtherEvent
    from stream.changes import Change
    from stream.consent import Consent
    from stream.editions import Begin, Edition
    from stream.fold import Scorer
    from stream.forecast.warning import AtRisk
    from stream.plan import Plan
    from stream.population.standings import Ranks
    from stream.stability import Aside


_FACTS = (OrderRefunded, OrderCancelled, Interaction, ProfileChanged, ReviewSubmitted)


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
        ignored: Valid records that no rule of the policy reads, or that an erasure or the
            customer forbids.
        waiting: Refunds and cancellations whose order is not known yet.
        woken: Customers judged because time passed.
        brought: Customers that were brought to the newest edition.
        changes: Tier changes, in order.
        refusals: Records refused.
        asides: What judging had to tell besides changes, with the customer's id, in order.
    """

    applied: int = 0
    repeated: int = 0
    ignored: int = 0
    waiting: int = 0
    woken: int = 0
    brought: int = 0
    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    asides: list[tuple[str, Aside]] = field(default_factory=list)


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
        kinship: Members and parents that the batch has touched.
        standings: What its customers read in the rankings.
    """

    __slots__ = (
        "_changed",
        "_checksums",
        "_erased",
        "_erasures",
        "_fresh",
        "_gone_orders",
        "_gone_ranks",
        "_grouping",
        "_known",
        "_ledgers",
        "_lowest_period",
        "_rows",
        "_seen",
        "_touched",
        "_transitions",
        "_updated",
        "clock_ms",
        "cursors",
        "customers",
        "epochs",
        "in_force",
        "kinship",
        "number",
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
        self.customers: dict[str, Customer] = {}
        self.in_force = InForce(head.editions, scorer, first)
        self.scorer = self.in_force.scorer
        self.tally = Tally()
        self.kinship = Kinship(self.scorer)
        self.standings = Standings()
        self._grouping = self.scorer.plan.shape.groups
        self._seen = Seen(window, head.marks)
        self._checksums = self._seen.checksums
        self._touched: dict[str, Customer] = {}
        self._changed: dict[str, None] = {}
        self._rows: list[bytes] = []
        self._transitions: dict[str, list[bytes]] = {}
        self._gone_ranks: list[str] = []
        self._known: dict[str, OrderEntry] = {}
        self._fresh: dict[str, OrderEntry] = {}
        self._updated: dict[str, OrderEntry] = {}
        self._lowest_period: int | None = None
        self._erasures = Erasures(head.erasures)
        self._erased: dict[str, None] = {}
        self._ledgers: dict[str, Sequence[tuple[int, str]]] = {}
        self._gone_orders: dict[int, set[str]] = {}

    # -- what the store knows -------------------------------------------------

    def adopt(self, customer_id: str, stored: bytes | None) -> Customer:
        """Cache a customer from its stored state; None where there is none."""
        if stored is None:
            number = self.in_force.edition.number
            customer = Customer(customer_id, self.scorer.plan.shape, number)
        else:
            found = unpack(stored)
            plan = self.in_force.plan_of(found.edition)
            customer = restore(customer_id, found, plan.shape)
        erased = self._erasures.of(customer_id)
        if erased is not None:
            customer.erased_ms = erased.at_ms
            if stored is None and customer.kin is not None:
                customer.kin.moves = erased.moves
        self.customers[customer_id] = customer
        return customer

    def know_orders(self, entries: Mapping[str, bytes]) -> None:
        """Add ledger entries, by ledger key, that this batch may refer to."""
        for key, stored in entries.items():
            self._known[key] = decode_entry(stored)

    def know_ledger(self, customer_id: str, places: Sequence[tuple[int, str]]) -> None:
        """Say where all ledger entries of a customer are that this batch may erase."""
        self._ledgers[customer_id] = places

    # -- the batch ------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether there is anything to commit beyond positions."""
        return bool(
            self._touched
            or self._erased
            or self.standings
            or self.tally.refusals
            or self.in_force.changed
            or self.kinship.has_news
        )

    def apply_to(self, customer_id: str, arrivals: Sequence[Arrival]) -> None:
        """Apply one customer's records in order.

        The customer must have been adopted, every order that a refund refers to made known,
        and all orders of one that is to be erased.
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
            arrivals = self._allowed(customer.consent, arrivals)
        tally, checksums, fresh, known = self.tally, self._checksums, self._fresh, self._known
        pay = self.scorer.pay
        prefix = ledger_key(customer_id, "")
        payments: list[Payment] = []
        passed_over = 0
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
                    continue
                if payments:
                    self._tell(pay(customer, payments))
                    payments = []
                if isinstance(arrival.event, (MemberTold, ParentGone)):
                    passed_over += 1
                    self._learn(customer, arrival.record_ms, arrival.event)
                    continue
                if isinstance(arrival.event, ConsentChanged):
                    self._tell(self._consent(customer, arrival.record_ms, arrival.event))
                    checksums[event_id] = checksum
                    break
                changes = self._other(customer, arrival.record_ms, arrival.event)
                if changes is None:
                    tally.ignored += 1
                    passed_over += 1
                    continue
                self._tell(changes)
            checksums[event_id] = checksum
        if payments:
            self._tell(pay(customer, payments))
        rest = list(left)
        applied = len(arrivals) - len(rest) - passed_over - (erasing is not None)
        if applied:
            tally.applied += applied
            self._touch(customer)
            self._seen.own(customer_id, applied)
            if self._grouping and customer.kin is not None:
                newest = next(reversed(checksums))  # remembered last
                self.kinship.note(customer, customer.kin, applied, newest)
        if erasing is not None:
            self._erase(customer, *erasing)
        return rest

    def wake(self, customer_id: str, upto_ms: int) -> None:
        """Wake a cached customer's deadlines up to and including *upto_ms*."""
        known = self.customers[customer_id]
        ranked = bool(self.scorer.plan.rankings) and self.standings.is_due(known, upto_ms)
        if known.deadline_ms > upto_ms and not ranked:
            return
        customer = self._brought(customer_id)
        if customer.deadline_ms <= upto_ms:
            self._tell(self.scorer.wake_before(customer, upto_ms + 1))
            self.tally.woken += 1
            self._touch(customer)
        if self.scorer.plan.rankings:
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
        plan_of = self.in_force.plan_of
        changed = [self.customers[customer_id] for customer_id in self._changed]
        rows = [*self._rows, *(tiers_row(c, plan_of(c.edition)) for c in changed)]
        rows += [forecast_row(warning, plan) for warning, plan in self._told()]
        erasures, receipts = self._erasures.seal()
        rows += self.kinship.rows()
        rows += receipts
        newest_ms = max((c.clock_ms for c in self._touched.values()), default=0)
        marks, drop_marks = self._seen.seal(newest_ms)
        newest, shape = self.in_force.edition.number, self.scorer.plan.shape
        looked = dict.fromkeys([*self._touched, *self.standings.untold])
        ranks = self.tell_ranks()
        fresh_orders, orders = _by_period(self._fresh), _by_period(self._updated)
        for period, keys in self._gone_orders.items():
            # Paid again in a new life: the store may not call them known.
            again = {
                key: fresh_orders[period].pop(key)
                for key in keys & fresh_orders.get(period, {}).keys()
            }
            if again:
                orders.setdefault(period, {}).update(again)
        commit = BucketCommit(
            bucket=self.number,
            version=self.version,
            epochs=dict(self.epochs),
            cursors={s: (self.cursors.get(s, ABSENT), p) for s, p in positions.items()},
            states={
                key: encode(c, shape if c.edition == newest else plan_of(c.edition).shape)
                for key, c in self._touched.items()
            },
            due={key: _deadline(self.customers[key]) for key in looked},
            fresh_orders=fresh_orders,
            orders=orders,
            drop_periods=self._old_periods(newest_ms),
            marks=marks,
            drop_marks=drop_marks,
            outbox=[*rows, *letters],
            clock_ms=clock_ms,
            editions=self.in_force.stored() if self.in_force.changed else None,
            history=self._transitions,
            history_limit=self.scorer.plan.history_limit,
            ranks=ranks,
            drop_ranks=self._gone_ranks,
            erased=list(self._erased),
            gone_orders={period: sorted(keys) for period, keys in self._gone_orders.items()},
            erasures=erasures,
        )
        for customer_id in self._erased.keys() - self._touched.keys():
            del self.customers[customer_id]
        self.in_force.changed = False
        self.cursors.update(positions)
        self.version += 1
        if clock_ms is not None:
            self.clock_ms = clock_ms
        self.tally = Tally()
        self._touched, self._changed, self._rows, self._transitions = {}, {}, [], {}
        self._gone_ranks = []
        self._known, self._fresh, self._updated = {}, {}, {}
        self._erased, self._ledgers, self._gone_orders = {}, {}, {}
        return commit

    # -- inside ---------------------------------------------------------------

    def _touch(self, customer: Customer, plan: Plan | None = None) -> None:
        """See that the customer is written, and take what judging it under *plan* had to tell."""
        self._touched[customer.customer_id] = customer
        if self.scorer.plan.rankings:
            self.standings.note(customer.customer_id)
        if customer.asides:
            plan = plan or self.scorer.plan
            self.tally.asides += [(customer.customer_id, aside) for aside in customer.asides]
            self._rows += [
                grace_row(customer.customer_id, aside, plan)
                for aside in customer.asides
                if isinstance(aside, GraceNotice)
            ]
            customer.asides = []

    def _told(self) -> Iterator[tuple[AtRisk, Plan]]:
        """Yield the warnings of this batch, which are announced with it, and their policies."""
        if self.scorer.plan.forecasts is None and self.in_force.swept:
            return
        for customer in self._touched.values():
            if customer.untold:
                plan = self.in_force.plan_of(customer.edition)
                for warning in customer.untold:
                    yield warning, plan
                customer.untold = []

    def _tell(
        self, changes: Sequence[Change], plan: Plan | None = None, older: Plan | None = None
    ) -> None:
        """Take note of *changes*, found under *plan*, and of what is to be announced of them."""
        if changes:
            plan = plan or self.scorer.plan
            self.tally.changes += changes
            self._changed[changes[0].customer_id] = None
            self._rows += [change_row(change, plan, older) for change in changes]
            if self.scorer.plan.history_limit:
                told = self._transitions.setdefault(changes[0].customer_id, [])
                told += [encode_transition(change, plan) for change in changes]

    def _brought(self, customer_id: str) -> Customer:
        """Return a cached customer, brought to the newest edition."""
        customer = self.customers[customer_id]
        if customer.edition != self.in_force.edition.number:
            if not customer.clock_ms:
                return self._adopt_anew(customer)
            for changes, plan, older in self.in_force.bring(customer):
                self._tell(changes, plan, older)
                self._touch(customer, plan)
            self.tally.brought += 1
        return customer

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

    def _adopt_anew(self, customer: Customer) -> Customer:
        """Begin under the newest edition with a customer to whom nothing has happened yet."""
        anew = self.adopt(customer.customer_id, None)
        if customer.consent is not None:
            anew.consent = customer.consent
            self._touch(anew)
        return anew

    def _of_this_life(
        self, customer: Customer, erased_ms: int, arrivals: Sequence[Arrival]
    ) -> Sequence[Arrival]:
        """Pass over what was told or happened before the customer was erased."""
        kept = []
        for arrival in arrivals:
            if isinstance(arrival, Payment):
                older = is_older(arrival, erased_ms)
            elif isinstance(arrival.event, MemberTold):
                older = self.kinship.refuses(customer, arrival.event, erased_ms)
            else:
                erase = isinstance(arrival.event, (CustomerErase, ParentGone))
                older = not erase and is_older(arrival, erased_ms)
            if not older:
                kept.append(arrival)
        self.tally.ignored += len(arrivals) - len(kept)
        return kept

    def _allowed(self, consent: Consent, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        """Pass over facts that the customer does not allow to be taken in, until its next word."""
        kept: list[Arrival] = []
        for place, arrival in enumerate(arrivals):
            if isinstance(arrival, Payment):
                forbidden = consent.forbids(arrival.entry.at_ms)
            elif isinstance(arrival.event, ConsentChanged):
                kept += arrivals[place:]
                break
            else:
                event = arrival.event
                forbidden = isinstance(event, _FACTS) and consent.forbids(event.occurred_ms)
            if not forbidden:
                kept.append(arrival)
        self.tally.ignored += len(arrivals) - len(kept)
        return kept

    def _erase(self, customer: Customer, record_ms: int, event: CustomerErase) -> None:
        """Carry a request out: nothing of the customer is left, and a new life may begin."""
        customer_id = customer.customer_id
        before = self._erasures.of(customer_id)
        if before is not None and before.receipt == receipt_id(event):
            self.tally.repeated += 1
            return
        moves, members, parent = 0, 0, False
        if customer.kin is not None:
            moves = customer.kin.moves + 1
            members, parent = self.kinship.erase(
                customer, customer.kin, record_ms, receipt_id(event)
            )
        known = customer_id in self._touched or customer.clock_ms > 0
        removal = Removal(
            state=known,
            orders=self._drop_ledger(customer_id),
            event_ids=self._seen.forget(customer_id),
            members=members,
            parent=parent,
        )
        # What was announced of the life that ended comes out first, then the tombstone.
        self._rows.append(self._erasures.note(event, record_ms, moves, removal))
        for noted in (self._touched, self._changed, self._transitions, self.standings.untold):
            noted.pop(customer_id, None)
        self._erased[customer_id] = None
        self.adopt(customer_id, None)
        self.tally.applied += 1

    def _drop_ledger(self, customer_id: str) -> int:
        """Take a customer out of the ledger; return how many orders there were."""
        prefix = ledger_key(customer_id, "")
        fresh = [key for key in self._fresh if key.startswith(prefix)]
        for entries in (self._known, self._fresh, self._updated):
            for key in [key for key in entries if key.startswith(prefix)]:
                del entries[key]
        stored = 0
        for period, key in self._ledgers.get(customer_id, ()):
            keys = self._gone_orders.setdefault(period, set())
            stored += key not in keys
            keys.add(key)
        return len(fresh) + stored

    def _consent(
        self, customer: Customer, record_ms: int, event: ConsentChanged
    ) -> Sequence[Change]:
        changes = self.scorer.consent(
            customer, record_ms, event.event_id, event.occurred_ms, allowed=event.scoring
        )
        if customer.kin is not None:
            self.kinship.set_apart(customer, customer.kin)
        return changes

    def _learn(self, customer: Customer, record_ms: int, told: MemberTold | ParentGone) -> None:
        """Apply what a member or a parent tells: not de-duplicated, nor an event of its own."""
        changes: Sequence[Change] | None = None
        if customer.kin is None:
            pass
        elif isinstance(told, ParentGone):
            changes = () if self.kinship.part(customer, customer.kin, record_ms, told) else None
        elif self._grouping:
            changes = self.kinship.learn(customer, customer.kin, record_ms, told)
        if changes is None:
            self.tally.ignored += 1
            return
        self._tell(changes)
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
        entry = self._fresh.get(key) or self._known.get(key)
        if entry is not None and entry.at_ms < self.in_force.reach_ms:
            entry = None  # whether an earlier policy has let it go depends on when that tidied
        if entry is None:
            self.tally.waiting += 1
        elif key not in self._fresh:
            self._updated[key] = entry
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


def _deadline(customer: Customer) -> int | None:
    """Return when the customer has to be looked at next with no event; None: never."""
    due_ms = min(customer.deadline_ms, customer.ranks_due_ms or NEVER)
    return None if due_ms >= NEVER else due_ms


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
