"""The fold: one event or one instant at a time into one customer. Pure: time is an argument.

A customer's history depends on that customer's records and on nothing else: not on
batches, not on when a timer got the processor. `Scorer.step` first wakes every deadline
before the record at its own instant, then applies the event, then judges once.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stream.changes import (
    CONSENT,
    TIME_PASSED,
    Cause,
    Change,
    direction,
)
from stream.consent import Consent
from stream.customer import ORDERS
from stream.forecast.foresight import Foresight
from stream.gradings.base import Reading
from stream.measures import PROFILE
from stream.reasons import moved_reasons, reasons_for
from stream.sentinels import NEVER
from stream.stability import NO_RULES, changed, steady, withhold
from stream.way_back import WaysBack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stream.arrivals import Payment
    from stream.changes import Reason
    from stream.customer import Customer, Grade, Value
    from stream.gradings.base import Grading, Score
    from stream.ledger import OrderEntry
    from stream.plan import Plan

NO_CHANGES: tuple[Change, ...] = ()
_LOWEST = -NEVER - 1


class Scorer:
    """Applies one policy. Holds no state of its own but the compiled plan."""

    __slots__ = (
        "_echoes",
        "_foresight",
        "_lead_ms",
        "_order_readers",
        "_risky",
        "_steady",
        "_ways_back",
        "plan",
    )

    def __init__(self, plan: Plan) -> None:
        """Score by *plan*."""
        self.plan = plan
        self._order_readers = plan.readers.get(ORDERS, ())
        self._echoes = plan.echoes
        self._ways_back = WaysBack(plan)
        self._foresight = self._foresight_of(plan)
        self._lead_ms = 0 if self._foresight is None else self._foresight.lead_ms
        self._risky = tuple(
            i for i, watched in enumerate(plan.watched) if watched.gradings & plan.at_risk
        )
        self._steady = all(
            watched.measure.steady for watched in plan.watched if watched.measure.source == ORDERS
        )

    # -- events ---------------------------------------------------------------

    def pay(self, customer: Customer, payments: Sequence[Payment]) -> Sequence[Change]:
        """Apply paid orders, in order; ledger entries are updated by what came before them."""
        if self._pay_quietly(customer, payments):
            return NO_CHANGES
        if len(payments) == 1:
            return self._pay_slowly(customer, payments[0])
        # Most of them are quiet even so: halves find those that are not in few steps.
        half = len(payments) // 2
        return [*self.pay(customer, payments[:half]), *self.pay(customer, payments[half:])]

    def refund(
        self,
        customer: Customer,
        record_ms: int,
        event_id: str,
        order_id: str,
        amount_minor: int | None,
        entry: OrderEntry | None,
    ) -> Sequence[Change]:
        """Apply a refund, or a cancellation where *amount_minor* is None.

        *entry* is the order, changed in place; None where it is not known, in which case
        the refund waits in the customer's state. An order older than the refund days stays
        as it is: whether the ledger still holds it depends on when that was last tidied.
        """

        def apply(now_ms: int) -> None:
            if entry is None:
                self._forget_waiting(customer, now_ms)
                waiting = customer.pending.setdefault(order_id, [0, 0, now_ms])
                if amount_minor is None:
                    waiting[1] = 1
                else:
                    waiting[0] += amount_minor
            elif now_ms - entry.at_ms > self.plan.refund_ms:
                return
            elif amount_minor is None:
                _cancel(customer, now_ms, entry)
            else:
                _refund(customer, now_ms, entry, amount_minor)

        return self._apply(customer, record_ms, Cause("refund", event_id), ORDERS, apply)

    def interact(
        self,
        customer: Customer,
        record_ms: int,
        event_id: str,
        kind: str,
        at_ms: int,
        value: int,
    ) -> Sequence[Change]:
        """Apply an interaction of a kind that the policy reads; others change nothing."""
        series = customer.kinds.get(kind)
        if series is None:
            return NO_CHANGES

        def apply(now_ms: int) -> None:
            series.add(at_ms, now_ms, value, 0)

        return self._apply(customer, record_ms, Cause("interaction", event_id), kind, apply)

    def describe(
        self,
        customer: Customer,
        record_ms: int,
        event_id: str,
        attributes: Mapping[str, str | int | bool | None],
    ) -> Sequence[Change]:
        """Apply changed profile attributes; None removes one. The policy's own only."""
        relevant = {k: v for k, v in attributes.items() if k in self.plan.attributes}
        if not relevant:
            return NO_CHANGES

        def apply(now_ms: int) -> None:
            del now_ms
            for name, value in relevant.items():
                if value is None:
                    customer.attributes.pop(name, None)
                else:
                    customer.attributes[name] = value

        return self._apply(customer, record_ms, Cause("profile", event_id), PROFILE, apply)

    def consent(
        self, customer: Customer, record_ms: int, event_id: str, at_ms: int, *, allowed: bool
    ) -> Sequence[Change]:
        """Apply what the customer said at *at_ms* about being scored.

        Judged only if it makes a difference: a first yes makes nobody a customer.
        """
        said = (customer.consent or Consent()).said(at_ms, allowed=allowed)
        if (said.withdrawn_ms is not None) == customer.withheld:
            customer.consent = said
            return NO_CHANGES

        def apply(now_ms: int) -> None:
            del now_ms
            customer.consent = said
            customer.low, customer.high, customer.dues = [], [], []

        return self._apply(customer, record_ms, Cause(CONSENT, event_id), PROFILE, apply)

    def gather(
        self,
        customer: Customer,
        record_ms: int,
        cause: Cause,
        source: str,
        apply: Callable[[int], None],
    ) -> Sequence[Change]:
        """Apply what *apply* does to the customer's group or its place in one.

        *source* is the one kind of event that it touches, or `PROFILE` for any.
        """
        return self._apply(customer, record_ms, cause, source, apply)

    # -- time -----------------------------------------------------------------

    def wake_before(self, customer: Customer, limit_ms: int) -> list[Change]:
        """Wake every deadline before *limit_ms*, each at its own instant."""
        changes: list[Change] = []
        while (deadline_ms := customer.deadline_ms) < limit_ms:
            changes += self.wake(customer, deadline_ms)
        return changes

    def wake(self, customer: Customer, instant_ms: int) -> Sequence[Change]:
        """Judge *customer* at *instant_ms* with no event; returns what time has changed."""
        now_ms = max(instant_ms, customer.clock_ms)
        before = self._before(customer, now_ms)
        return self._review(customer, now_ms, before, TIME_PASSED, None)

    def renew(
        self, customer: Customer, instant_ms: int, cause: Cause, older: Plan
    ) -> Sequence[Change]:
        """Judge *customer* by everything, at the instant at which this plan replaces *older*.

        The customer is kept as this plan says already; every deadline before the instant has
        been woken under the older one.
        """
        plan = self.plan
        now_ms = max(instant_ms, customer.clock_ms)
        customer.roll(now_ms)
        customer.clock_ms = now_ms
        customer.low, customer.high, customer.dues = [], [], []
        old = [grade.tier for grade in customer.grades]
        values = plan.read(customer, now_ms)
        changes = self._judge(customer, now_ms, values, cause, plan.all_gradings)
        if changes:
            reading = Reading(now_ms, values, [grade.tier for grade in customer.grades])
            position = {grading.name: i for i, grading in enumerate(plan.gradings)}
            changes = [
                replace(
                    change,
                    reasons=moved_reasons(older, plan, position[change.grading], old, reading),
                )
                for change in changes
            ]
        if self._foresight is None:
            customer.look_ms = NEVER
            return changes
        return self._foresight.after(customer, now_ms, changes, news=True)

    # -- inside ---------------------------------------------------------------

    def _pay_quietly(  # noqa: PLR0911 - for every order: written out on purpose
        self, customer: Customer, payments: Sequence[Payment]
    ) -> bool:
        """Count all *payments* if no grade can move at any of them; else change nothing.

        The common case, at the cost of an addition and a few comparisons. No grade moves
        if no reading leaves the range in which all grades stay as they are. Several orders
        are counted in one step if every reading moves one way only with each of them, so
        that where it ends tells how far it went in between.
        """
        now_ms = payments[-1].record_ms
        orders = customer.orders
        if (
            not customer.low
            or customer.pending
            or not customer.clock_ms <= now_ms < customer.quiet_ms
            or (len(payments) > 1 and not (self._steady and _in_order(payments)))
        ):
            return False
        if orders.next_roll_ms <= now_ms:
            if len(payments) > 1:
                # Something leaves between them: they must not see it gone too early.
                return False
            if customer.clock_ms < now_ms:
                orders.roll(now_ms - 1)
            if orders.next_roll_ms <= now_ms:
                return False
        if not orders.add_recent([payment.entry for payment in payments], now_ms):
            return False
        low, high = customer.low, customer.high
        for index, read in self._order_readers:
            if not low[index] <= read(customer, now_ms) < high[index]:  # type: ignore[operator]
                orders.undo()
                return False
        if self._echoes and not self._echo(customer, orders.joined_ms, now_ms):
            orders.undo()
            return False
        customer.clock_ms = now_ms
        return True

    def _echo(self, customer: Customer, joined_ms: int, now_ms: int) -> bool:
        """See that the customer is looked at again when the day that orders joined moves on.

        Not when the orders do: they delay their day, and it is missing where it was
        foreseen to be. Returns False, having done nothing, if it may be time to warn already.
        """
        lead_ms = self._lead_ms
        echoed = [(index, joined_ms + echo_ms) for index, echo_ms in self._echoes]
        if lead_ms and any(i in self._risky and at_ms - lead_ms <= now_ms for i, at_ms in echoed):
            return False
        for index, echoed_ms in echoed:
            if echoed_ms < customer.dues[index]:
                customer.dues[index] = echoed_ms
                self._plan_ahead(customer)
                if lead_ms:
                    customer.look_ms = min(customer.look_ms, customer.risk_ms - lead_ms)
        return True

    def _pay_slowly(self, customer: Customer, payment: Payment) -> Sequence[Change]:
        entry = payment.entry

        def apply(now_ms: int) -> None:
            customer.orders.add(entry.at_ms, now_ms, entry.paid_minor, entry.cost_minor)
            self._forget_waiting(customer, now_ms)
            waiting = customer.pending.pop(payment.order_id, None)
            if waiting is None or now_ms - entry.at_ms > self.plan.refund_ms:
                return
            refunded_minor, cancelled, _ = waiting
            _refund(customer, now_ms, entry, refunded_minor)
            if cancelled:
                _cancel(customer, now_ms, entry)

        cause = Cause("order", payment.event_id)
        return self._apply(customer, payment.record_ms, cause, ORDERS, apply)

    def _forget_waiting(self, customer: Customer, now_ms: int) -> None:
        """Drop refunds that have waited longer than a refund may look for its order."""
        oldest_ms = now_ms - self.plan.refund_ms
        pending = customer.pending
        for order_id in [key for key, waiting in pending.items() if waiting[2] < oldest_ms]:
            del pending[order_id]

    def _apply(
        self,
        customer: Customer,
        record_ms: int,
        cause: Cause,
        source: str,
        apply: Callable[[int], None],
    ) -> Sequence[Change]:
        woken = self.wake_before(customer, record_ms)
        now_ms = max(record_ms, customer.clock_ms)
        before = self._before(customer, now_ms)
        customer.roll(now_ms)
        apply(now_ms)
        return [*woken, *self._review(customer, now_ms, before, cause, source)]

    def _before(self, customer: Customer, now_ms: int) -> list[Value]:
        """Return the readings of the instant before *now_ms*."""
        if customer.clock_ms < now_ms:
            now_ms -= 1
        customer.roll(now_ms)
        return self.plan.read(customer, now_ms)

    def _review(
        self,
        customer: Customer,
        now_ms: int,
        before: Sequence[Value],
        cause: Cause,
        source: str | None,
    ) -> Sequence[Change]:
        """Judge what may have moved, then look ahead if the policy asks for it."""
        changes = self._reviewed(customer, now_ms, before, cause, source)
        if self._foresight is None:
            customer.look_ms = NEVER
            return changes
        news = cause is not TIME_PASSED
        return self._foresight.after(customer, now_ms, changes, news=news)

    def _reviewed(
        self,
        customer: Customer,
        now_ms: int,
        before: Sequence[Value],
        cause: Cause,
        source: str | None,
    ) -> Sequence[Change]:
        """Judge the gradings that an event of *source*, or the time, may have moved."""
        plan = self.plan
        customer.roll(now_ms)
        customer.clock_ms = now_ms
        if not customer.low or source == PROFILE:
            return self._judge(customer, now_ms, before, cause, plan.all_gradings)
        mask = 0
        dues, low, high = customer.dues, customer.low, customer.high
        for index, watched in enumerate(plan.watched):
            measure = watched.measure
            if measure.source == source or dues[index] <= now_ms:
                value = measure.value(customer, now_ms)
                if low[index] <= value < high[index]:  # type: ignore[operator]
                    dues[index] = measure.due_ms(customer, now_ms, low[index], high[index])
                else:
                    mask |= watched.gradings
        for position in plan.expiring:
            if _runs_out_ms(plan.gradings[position], customer.grades[position]) <= now_ms:
                mask |= 1 << position | plan.followers[position]
        for position, grade in enumerate(customer.grades):
            if grade.held is not None and grade.held.due_ms <= now_ms:
                mask |= 1 << position | plan.followers[position]
        if mask:
            return self._judge(customer, now_ms, before, cause, mask)
        self._plan_ahead(customer)
        return NO_CHANGES

    def _judge(
        self,
        customer: Customer,
        now_ms: int,
        before: Sequence[Value],
        cause: Cause,
        mask: int,
    ) -> Sequence[Change]:
        """Grade anew by the gradings in *mask*; the others are known to stand."""
        plan = self.plan
        grades = customer.grades
        customer.packed_grades = None
        values = plan.read(customer, now_ms)
        old = [grade.tier for grade in grades]
        reading = Reading(now_ms, values, old.copy())
        changes: list[Change] = []
        for position, grading in enumerate(plan.gradings):
            if not mask >> position & 1:
                continue
            standing, rules = grades[position], plan.stability[position]
            held = standing.held
            pin, wait = (None, None) if held is None else (held.pin, held.waiting)
            if customer.withheld:
                withhold(customer, grading, standing, now_ms)
                tier = pin = wait = None
            else:
                tier = plan.earned(position, reading, standing)
                if tier is not None and grading.expires:
                    standing.kept_until_ms = grading.kept_until_ms(reading, standing)
                if held is not None or rules is not NO_RULES:
                    tier = steady(customer, grading, rules, standing, tier, now_ms)
            if tier == standing.tier:
                continue
            reading.tiers[position] = tier
            standing.sequence += 1
            way = direction(grading, standing.tier, tier)
            changes.append(
                Change(
                    customer_id=customer.customer_id,
                    grading=grading.name,
                    before=standing.tier,
                    after=tier,
                    direction=way,
                    sequence=standing.sequence,
                    instant_ms=now_ms,
                    cause=cause,
                    reasons=self._reasons(position, before, old, reading),
                    score=self._score(position, reading),
                    pin=pin,
                    waited=wait if wait and wait.direction == way and not pin else None,
                    erased_ms=customer.erased_ms,
                )
            )
            standing.tier = tier
            standing.since_ms = now_ms
            if rules is not NO_RULES and not customer.withheld:
                earned = plan.earned(position, reading, standing)
                changed(customer, grading, rules, standing, earned, way)
        self._settle(customer, now_ms, values)
        return self._with_ways_back(customer, changes) if changes else changes

    def _with_ways_back(self, customer: Customer, changes: list[Change]) -> Sequence[Change]:
        return self._ways_back.added(customer, changes)

    def _foresight_of(self, plan: Plan) -> Foresight | None:
        asked = plan.forecasts
        return None if asked is None else Foresight(TerseScorer(plan), asked)

    def _reasons(
        self,
        position: int,
        before: Sequence[Value],
        old: Sequence[str | None],
        reading: Reading,
    ) -> tuple[Reason, ...]:
        return reasons_for(self.plan, position, before, old, reading)

    def _score(self, position: int, reading: Reading) -> Score | None:
        return self.plan.gradings[position].score(reading)

    def _settle(self, customer: Customer, now_ms: int, values: Sequence[Value]) -> None:
        """Work out how far each reading may move, and until when, with every grade unmoved.

        A reading that is still in its range keeps the instant that was found for it: `_review`
        has looked for a new one where an event may have moved it.
        """
        if customer.withheld:
            customer.due_ms = customer.risk_ms = customer.quiet_ms = NEVER
            return
        low, high, dues = customer.low, customer.high, customer.dues
        if not low:
            empty = len(self.plan.watched)
            low, high, dues = [NEVER] * empty, [_LOWEST] * empty, [_LOWEST] * empty
            customer.low, customer.high, customer.dues = low, high, dues
        for index, watched in enumerate(self.plan.watched):
            value: int = values[watched.position]  # type: ignore[assignment]
            if low[index] <= value < high[index] and dues[index] > now_ms:
                continue
            cuts = watched.cuts
            if cuts is None:
                least, limit = value, value + 1
            else:
                cell = bisect_right(cuts, value)
                least = cuts[cell - 1] if cell else _LOWEST
                limit = cuts[cell] if cell < len(cuts) else NEVER
            low[index], high[index] = least, limit
            dues[index] = watched.measure.due_ms(customer, now_ms, least, limit)
        self._plan_ahead(customer)

    def _plan_ahead(self, customer: Customer) -> None:
        """Set how long nothing can happen by time alone, from what is known of each reading."""
        plan, dues, grades = self.plan, customer.dues, customer.grades
        due_ms = min(dues, default=NEVER)
        risk_ms = min((dues[index] for index in self._risky), default=NEVER)
        for position in plan.expiring:
            runs_out_ms = _runs_out_ms(plan.gradings[position], grades[position])
            due_ms = min(due_ms, runs_out_ms)
            if plan.followers[position] & plan.at_risk:
                risk_ms = min(risk_ms, runs_out_ms)
        for position, grade in enumerate(grades):
            if grade.held is not None:
                due_ms = min(due_ms, grade.held.due_ms)
                if plan.followers[position] & plan.at_risk:
                    risk_ms = min(risk_ms, grade.held.due_ms)
        customer.due_ms = due_ms
        customer.risk_ms = risk_ms
        customer.quiet_ms = min(due_ms, risk_ms - self._lead_ms)


class TerseScorer(Scorer):
    """Gives the same changes and nothing else, in about half the time.

    Without reasons and scores, without ways back, without forecasts; and it warns nobody.
    """

    __slots__ = ()

    def _before(self, customer: Customer, now_ms: int) -> list[Value]:
        del customer, now_ms
        return []

    def _with_ways_back(self, customer: Customer, changes: list[Change]) -> Sequence[Change]:
        del customer
        return changes

    def _foresight_of(self, plan: Plan) -> Foresight | None:
        del plan
        return None

    def _reasons(
        self,
        position: int,
        before: Sequence[Value],
        old: Sequence[str | None],
        reading: Reading,
    ) -> tuple[Reason, ...]:
        del position, before, old, reading
        return ()

    def _score(self, position: int, reading: Reading) -> Score | None:
        del position, reading
        return None


def _runs_out_ms(grading: Grading, standing: Grade) -> int:
    """Return when a standing runs out by itself: not while it is pinned."""
    pinned = standing.held is not None and standing.held.pin is not None
    return NEVER if pinned else grading.due_ms(standing)


def _in_order(payments: Sequence[Payment]) -> bool:
    newest_ms = payments[-1].record_ms
    return all(payment.record_ms <= newest_ms for payment in payments)


def _refund(customer: Customer, now_ms: int, entry: OrderEntry, amount_minor: int) -> None:
    granted = entry.refund(amount_minor)
    customer.orders.adjust(entry.at_ms, now_ms, (0, 0, granted, 0))


def _cancel(customer: Customer, now_ms: int, entry: OrderEntry) -> None:
    if entry.cancelled:
        return
    customer.orders.adjust(
        entry.at_ms,
        now_ms,
        (-1, -entry.paid_minor, -entry.refunded_minor, -entry.cost_minor),
    )
    entry.cancelled = True
