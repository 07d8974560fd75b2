"""Answers about one customer, from the store. One thread asks it, as a store wants it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from agents.lookup import find
from agents.web.problems import ProblemError
from stream.calendar import DAY_MS, format_instant
from stream.explanation import explain
from stream.explanation.activity import activity
from stream.explanation.ahead import look_ahead
from stream.explanation.payload import explanation_payload, forecast_report
from stream.history import decode_transition, transition_payload
from stream.partition import bucket_of
from stream.population.ordered import Ordered

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.lookup import Known
    from stream.explanation.place import Order
    from stream.plan import Plan
    from stream.store import Store

    T = TypeVar("T")
    Payload = dict[str, object]


class Customers:
    """One customer at a time.

    Every method raises `ProblemError` (404) where nothing is known of the customer, and
    `StoreError` where the store does not answer.

    Args:
        store: Used here alone.
        buckets: How many there are.
        own: The policy that the workers were started with.
    """

    def __init__(self, store: Store, buckets: int, own: Plan) -> None:
        self._store, self._buckets, self._own = store, buckets, own
        self._thread = ThreadPoolExecutor(1, "lookup")

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    async def card(self, customer_id: str) -> Payload:
        """Return what `tierstream explain --json` tells."""
        return await self._in_thread(lambda: self._card(customer_id))

    async def history(self, customer_id: str) -> Payload:
        """Return what `tierstream history --json` tells."""
        return await self._in_thread(lambda: self._history(customer_id))

    async def forecast(self, customer_id: str, days: int | None) -> Payload:
        """Return what `tierstream forecast --json` tells."""
        return await self._in_thread(lambda: self._forecast(customer_id, days))

    async def activity(self, customer_id: str) -> Payload:
        """Return what the customer did by day."""
        return await self._in_thread(lambda: self._activity(customer_id))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _find(self, customer_id: str) -> Known:
        known = find(self._store, self._buckets, self._own, customer_id)
        if known is None:
            raise ProblemError(404, "nothing is known of this customer")
        return known

    def _card(self, customer_id: str) -> Payload:
        known = self._find(customer_id)
        found = explain(customer_id, known.state, known.plan, known.now_ms, self._order(known))
        return explanation_payload(found, known.plan, "store", known.edition)

    def _order(self, known: Known) -> Order | None:
        """Give everyone's readings as the store ranks them; None where the policy ranks nobody."""
        if not known.plan.rankings:
            return None
        return lambda ranking: Ordered.stored(self._store, range(self._buckets), ranking.name)

    def _history(self, customer_id: str) -> Payload:
        self._find(customer_id)
        kept = self._store.load_history(bucket_of(customer_id, self._buckets), customer_id)
        return {
            "customer_id": customer_id,
            "transitions": [transition_payload(decode_transition(entry)) for entry in kept],
        }

    def _forecast(self, customer_id: str, days: int | None) -> Payload:
        known = self._find(customer_id)
        within_ms = None if days is None else days * DAY_MS
        now_ms, found = look_ahead(customer_id, known.state, known.plan, known.now_ms, within_ms)
        return forecast_report(customer_id, found, known.plan, now_ms)

    def _activity(self, customer_id: str) -> Payload:
        known = self._find(customer_id)
        plan = known.plan
        return {
            "customer_id": customer_id,
            "as_of": format_instant(known.now_ms),
            "currency": plan.converter.reporting,
            "kinds": {
                kind: [day._asdict() for day in days]
                for kind, days in activity(known.state, plan.shape.days).items()
            },
        }
