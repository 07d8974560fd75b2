"""Runs plain events through the pure core, with a store that is two dictionaries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agents.replay.events_jsonl import DECODERS
from schemas.decode import decode_interaction
from schemas.policy import parse_policy
from schemas.vocabulary import STAGES
from stream.admission import admit
from stream.bucket import Bucket
from stream.calendar import format_instant
from stream.customer import Customer, decode, encode
from stream.fold import Scorer
from stream.ledger import ledger_key
from stream.outbox import Row, decode_row
from stream.payloads import change_payload
from stream.plan import Plan, compile_policy
from stream.seen import DedupWindow
from stream.store import BucketHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.arrivals import Arrival
    from stream.changes import Change

CUSTOMER = "c1"
WINDOW = DedupWindow(age_ms=10**15, events=10**9)
Event = Mapping[str, Any]
_SENT_AS_THEY_ARE = (
    *("order_id", "amount_minor", "currency", "cost_minor"),
    *("attributes", "relation", "target_id", "scoring"),
    *("grading", "tier", "author", "reason", "expires_at", "indicator", "score", "approved_by"),
    "into",
)
_MOVES = ("identity.merged", "identity.split")


def plan_of(text: str) -> Plan:
    """Compile a policy from the text of its file."""
    return compile_policy(parse_policy(text, "policy.yaml"))


def to_json(event: Event) -> bytes:
    """Return the record that says the same as a plain event."""
    wire: dict[str, Any] = {
        "event_id": event["event_id"],
        "occurred_at": format_instant(event["at_ms"]),
        "customer_id": event.get("customer_id", CUSTOMER),
        "kind": event["kind"],
    }
    if event["kind"] == "survey":
        wire["details"] = {"score": event["value"]}
    elif event["kind"] == "payment.overdue":
        wire["details"] = {"days": event["value"]}
    elif event["kind"] == "payment.received":
        wire["details"] = {"amount_minor": 1, "currency": event.get("bill_currency", "USD")}
    elif event["kind"] == "stage.changed":
        wire["details"] = {"stage": STAGES[event["value"]]}
    wire |= {name: event[name] for name in _SENT_AS_THEY_ARE if name in event}
    return json.dumps(wire).encode()


def to_arrival(event: Event, plan: Plan) -> Arrival:
    """Decode an event's record and admit it, as a worker would."""
    value = to_json(event)
    decoders: dict[str, Callable[[bytes], Any]] = {
        "order": DECODERS["orders"],
        "profile": DECODERS["profiles"],
        "identity": DECODERS["profiles"],
        "consent": DECODERS["profiles"],
        "customer": DECODERS["controls"],
        "tier": DECODERS["controls"],
        "review": DECODERS["controls"],
    }
    topic = decoders.get(event["kind"].partition(".")[0], decode_interaction)
    decode_event = DECODERS["controls"] if event["kind"] in _MOVES else topic
    return admit(decode_event(value), event["record_ms"], value, plan, event)


class Run:
    """One bucket with one customer, moved forward by events and by time.

    Attributes:
        changes: Every change so far.
        bucket: The bucket; replaced by `reload`.
        states: What commits have stored.
        rows: What they want announced.
    """

    def __init__(self, plan: Plan, customer_id: str = CUSTOMER) -> None:
        self.plan = plan
        self.customer_id = customer_id
        self.scorer = Scorer(plan)
        self.changes: list[Change] = []
        self.refusals: list[tuple[str, str]] = []
        self.states: dict[str, bytes] = {}
        self.rows: list[Row] = []
        self._ledger: dict[int, dict[str, bytes]] = {}
        self._marks: list[bytes] = []
        self._version = 0
        self._open()

    def _open(self) -> None:
        head = BucketHead(
            bucket=0,
            version=self._version,
            epoch=1,
            cursors={},
            marks=list(self._marks),
            clock_ms=None,
            last_row=0,
        )
        self.bucket = Bucket(head, self.scorer, WINDOW)
        self.bucket.adopt(self.customer_id, self.states.get(self.customer_id))

    @property
    def customer(self) -> Customer:
        """The customer as the bucket keeps it."""
        return self.bucket.customers[self.customer_id]

    def apply(self, events: Iterable[Event]) -> None:
        """Apply one micro-batch and commit it."""
        batch = list(events)
        keys = {
            ledger_key(self.customer_id, event["order_id"])
            for event in batch
            if "order_id" in event
        }
        self.bucket.know_orders(
            {k: v for period in self._ledger.values() for k, v in period.items() if k in keys}
        )
        self.take([to_arrival(event, self.plan) for event in batch])

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Apply what was decoded and admitted already, and commit it."""
        self.bucket.apply_to(self.customer_id, arrivals)
        self._commit()

    def wake(self, upto_ms: int) -> None:
        """Let every deadline up to and including an instant fire."""
        self.bucket.wake(self.customer_id, upto_ms)
        self._commit()

    def wake_at(self, instant_ms: int) -> None:
        """Look at the customer at an instant, due or not."""
        self.changes += self.scorer.wake_before(self.customer, instant_ms)
        self.changes += self.scorer.wake(self.customer, instant_ms)
        self.bucket.unwritten.touch(self.customer)
        self._commit()

    def reload(self) -> None:
        """Forget everything but what commits have written."""
        self._open()

    def _commit(self) -> None:
        tally = self.bucket.tally
        self.changes += tally.changes
        self.refusals += [(r.arrival.origin["event_id"], r.reason) for r in tally.refusals]
        commit = self.bucket.commit({}, None)
        self.rows += map(decode_row, commit.outbox)
        assert commit.version == self._version
        self._version += 1
        self.states.update({k: v for k, v in commit.states.items() if v is not None})
        for period, entries in commit.fresh_orders.items():
            assert not self._ledger.get(period, {}).keys() & entries.keys()
        for period in commit.drop_periods:
            self._ledger.pop(period, None)
        for written in (commit.fresh_orders, commit.orders):
            for period, entries in written.items():
                self._ledger.setdefault(period, {}).update(entries)
        self._marks = self._marks[commit.drop_marks :]
        if commit.marks:
            self._marks.append(commit.marks)

    # -- what came of it ------------------------------------------------------

    def grades(self) -> dict[str, str | None]:
        """Return where the customer stands."""
        standings = zip(self.plan.gradings, self.customer.grades, strict=True)
        return {grading.name: grade.tier for grading, grade in standings}

    def measures(self, now_ms: int) -> dict[str, Any]:
        """Return every measure at an instant not before the clock, without moving time."""
        return measures(self.plan, self.customer, now_ms)

    def payloads(self) -> bytes:
        """Return the changes so far as they would be published."""
        return payloads(self.plan, self.changes)


def measures(plan: Plan, customer: Customer, now_ms: int) -> dict[str, Any]:
    """Return every measure of a copy of *customer* at an instant."""
    copy = decode(customer.customer_id, encode(customer, plan.shape), plan.shape)
    copy.roll(now_ms)
    readings = zip(plan.measures, plan.read(copy, now_ms), strict=True)
    return {m.name: m.told(value) for m, value in readings}


def payloads(plan: Plan, changes: Sequence[Change]) -> bytes:
    """Return changes as they would be published, one a line."""
    return b"\n".join(
        json.dumps(
            change_payload(c, plan.measures, plan.name, plan.version, plan.treatments)
        ).encode()
        for c in changes
    )


def turns(changes: Iterable[Change]) -> list[tuple[Any, ...]]:
    """Return changes in the form that the oracle gives them."""
    return sorted(
        (
            (
                c.instant_ms,
                c.customer_id,
                c.grading,
                c.sequence,
                c.before,
                c.after,
                c.cause.kind,
                c.cause.event_id,
                None if c.score is None else c.score.value,
            )
            for c in changes
        ),
        key=lambda turn: turn[:4],
    )
