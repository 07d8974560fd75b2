"""One event or one instant at a time into one customer: what happens in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from stream.changes import CONSENT, TIME_PASSED, Cause, Change
from stream.consent import Consent
from stream.customer import ORDERS
from stream.fold.horizon import Horizon
from stream.fold.judging import Judge, TerseJudge
from stream.fold.orders import count_order, let_wait, take_back
from stream.fold.quiet import QuietRoad
from stream.forecast.foresight import Foresight
from stream.gradings.base import Reading
from stream.identity.unite import describe, note_order, settle
from stream.measures import PROFILE
from stream.reasons import moved_reasons
from stream.sentinels import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from stream.arrivals import Payment
    from stream.customer import Customer, Value
    from stream.ledger import OrderEntry
    from stream.plan import Plan

NO_CHANGES: tuple[Change, ...] = ()


class Scorer:
    """Applies one policy. Holds no state of its own but what follows from the plan.

    Attributes:
        plan: The compiled policy.
    """

    __slots__ = ("_foresight", "_horizon", "_judge", "_pay_quietly", "plan")

    def __init__(self, plan: Plan) -> None:
        """Score by *plan*."""
        self.plan = plan
        self._foresight = self._foresight_of(plan)
        lead_ms = 0 if self._foresight is None else self._foresight.lead_ms
        self._horizon = Horizon(plan, lead_ms)
        self._judge = self._judge_of(plan, self._horizon)
        self._pay_quietly = QuietRoad(plan, self._horizon).pay

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
            refund_ms = self.plan.refund_ms
            if entry is None:
                let_wait(customer, now_ms, order_id, amount_minor, refund_ms)
            elif now_ms - entry.at_ms <= refund_ms:
                take_back(customer, now_ms, entry, amount_minor)
                self._note_order(customer, now_ms, order_id, entry)

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
        if kind not in customer.kinds:
            return NO_CHANGES

        def apply(now_ms: int) -> None:
            customer.kinds[kind].add(at_ms, now_ms, value, 0)

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
            describe(customer, now_ms, relevant)

        return self._apply(customer, record_ms, Cause("profile", event_id), PROFILE, apply)

    def consent(
        self, customer: Customer, record_ms: int, event_id: str, at_ms: int, *, allowed: bool
    ) -> Sequence[Change]:
        """Apply what the customer said at *at_ms* about being scored.

        Judged only if it makes a difference: a first yes makes nobody a customer.
        """
        said = (customer.consent or Consent()).said(at_ms, allowed=allowed)
        if (said.withdrawn_ms is not None) == customer.is_forbidden:
            customer.consent = said
            return NO_CHANGES

        def apply(now_ms: int) -> None:
            del now_ms
            customer.consent = said
            customer.forget_ranges()

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
        before = self._judge.before(customer, now_ms)
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
        customer.forget_ranges()
        old = [grade.tier for grade in customer.grades]
        values = plan.read(customer, now_ms)
        changes = self._judge.grade(customer, now_ms, values, cause, plan.all_gradings)
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
        return self._looked_ahead(customer, now_ms, changes, news=True)

    # -- inside ---------------------------------------------------------------

    def _pay_slowly(self, customer: Customer, payment: Payment) -> Sequence[Change]:
        def apply(now_ms: int) -> None:
            count_order(customer, now_ms, payment, self.plan.refund_ms)
            self._note_order(customer, now_ms, payment.order_id, payment.entry)

        cause = Cause("order", payment.event_id)
        return self._apply(customer, payment.record_ms, cause, ORDERS, apply)

    def _note_order(
        self, customer: Customer, now_ms: int, order_id: str, entry: OrderEntry
    ) -> None:
        """Keep what became of an order where another id of the customer may ask for it."""
        identity = customer.identity
        if identity is not None and identity.is_shared:
            note_order(identity, order_id, entry, now_ms, self.plan.refund_ms)

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
        before = self._judge.before(customer, now_ms)
        customer.roll(now_ms)
        apply(now_ms)
        if customer.identity is not None:
            settle(customer, customer.identity, now_ms, self.plan.refund_ms)
        return [*woken, *self._review(customer, now_ms, before, cause, source)]

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
        return self._looked_ahead(customer, now_ms, changes, news=cause is not TIME_PASSED)

    def _looked_ahead(
        self, customer: Customer, now_ms: int, changes: Sequence[Change], *, news: bool
    ) -> Sequence[Change]:
        """Return *changes* with what comes next, and warn of falls, if the policy asks for it."""
        if self._foresight is None:
            customer.look_ms = NEVER
            return changes
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
        customer.roll(now_ms)
        customer.clock_ms = now_ms
        if not customer.low or source == PROFILE:
            if self.plan.varies:
                customer.forget_ranges()  # they may be those of another segment
            return self._judge.grade(customer, now_ms, before, cause, self.plan.all_gradings)
        mask = self._horizon.moved(customer, now_ms, source)
        if mask:
            return self._judge.grade(customer, now_ms, before, cause, mask)
        self._horizon.plan_ahead(customer)
        return NO_CHANGES

    def _judge_of(self, plan: Plan, horizon: Horizon) -> Judge:
        return Judge(plan, horizon)

    def _foresight_of(self, plan: Plan) -> Foresight | None:
        asked = plan.forecasts
        return None if asked is None else Foresight(TerseScorer(plan), asked)


class TerseScorer(Scorer):
    """Gives the same changes and nothing else, in about half the time.

    Without reasons and scores, without ways back, without forecasts; and it warns nobody.
    """

    __slots__ = ()

    def _judge_of(self, plan: Plan, horizon: Horizon) -> Judge:
        return TerseJudge(plan, horizon)

    def _foresight_of(self, plan: Plan) -> Foresight | None:
        del plan
        return None
