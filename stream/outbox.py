"""Outbox rows: records to be announced, as they wait in the store. Pure encoding.

What tells of customers are CloudEvents 1.0, in the binary mode of the Kafka binding: attributes
are headers called ``ce_...``, ``content-type`` stands for the attribute datacontenttype.
https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from stream.calendar import format_instant
from stream.changes import change_id
from stream.ids import stable_id
from stream.payloads import change_payload, prevention_payload
from stream.tracing import CE_TRACEPARENT

if TYPE_CHECKING:
    from stream.changes import Change
    from stream.customer import Customer
    from stream.forecast.warning import AtRisk
    from stream.plan import Plan
    from stream.shadow import Shadow
    from stream.stability import GraceNotice

TIER_CHANGES = "tier-changes"
CUSTOMER_TIERS = "customer-tiers"
TIER_FORECASTS = "tier-forecasts"
DEAD_LETTERS = "dead-letters"
ERASURE_RECEIPTS = "erasure-receipts"
TIER_DIFFERENCES = "tier-differences"
CHANGE_TYPE = "tierstream.tier.changed.v1"
FORECAST_TYPE = "tierstream.tier.forecast.v1"
TIERS_TYPE = "tierstream.customer.tiers.v1"
DIFFERENCES_TYPE = "tierstream.tier.differences.v1"
GRACE_STARTED = "grace_started"
GRACE_ENDED = "grace_ended"


class Row(NamedTuple):
    """One record to publish.

    Attributes:
        topic: Base name of the output topic.
        key: Record key.
        value: Record value; None is a tombstone.
        headers: Names and values.
        timestamp_ms: Record time to give it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


_rows = msgspec.msgpack.Decoder(Row)


def encode_row(row: Row) -> bytes:
    """Return the stored form; `decode_row` is its inverse."""
    return msgspec.msgpack.encode(row)


def decode_row(stored: bytes) -> Row:
    """Rebuild a row. Raises `msgspec.MsgspecError` where *stored* is not one."""
    return _rows.decode(stored)


def change_row(
    change: Change, plan: Plan, older: Plan | None = None, traceparent: bytes | None = None
) -> bytes:
    """Return the `tier-changes` row of *change*.

    *older* is the policy that *plan* has replaced, where that is what changed the grade;
    *traceparent* came with the record that did.
    """
    treatments = None if older is None else older.treatments
    payload = change_payload(
        change, plan.measures, plan.name, plan.version, plan.treatments, treatments
    )
    event = _Event(
        CHANGE_TYPE,
        str(payload["id"]),
        change.grading,
        _sequence(change.sequence),
        change.instant_ms,
        traceparent,
    )
    return _event_row(TIER_CHANGES, change.customer_id, event, msgspec.json.encode(payload), plan)


def forecast_row(warning: AtRisk, plan: Plan) -> bytes:
    """Return the `tier-forecasts` row of a warning or its withdrawal, as `change_row` does."""
    payload: dict[str, object] = {
        "id": warning.id,
        "customer_id": warning.customer_id,
        "grading": warning.grading,
        "tier": warning.tier,
        "expected_tier": warning.expected_tier,
        "expected_at": format_instant(warning.expected_ms),
        "issued_at": format_instant(warning.issued_ms),
        "status": warning.status,
        "policy": {"name": plan.name, "version": warning.version},
        "sequence": warning.sequence,
    }
    if warning.prevention is not None:
        payload["prevention"] = prevention_payload(warning.prevention)
    if warning.withdraws is not None:
        payload["withdraws"] = warning.withdraws
    event = _Event(
        FORECAST_TYPE, warning.id, warning.grading, _sequence(warning.sequence), warning.issued_ms
    )
    return _event_row(
        TIER_FORECASTS, warning.customer_id, event, msgspec.json.encode(payload), plan
    )


class _Event(NamedTuple):
    type: str
    id: str
    subject: str
    sequence: str | None
    at_ms: int
    traceparent: bytes | None = None


def _sequence(number: int) -> str:
    """Return a number as the sequence extension wants it: texts that compare as numbers do.

    https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/sequence.md
    """
    return f"{number:010d}"


def _event_row(topic: str, customer_id: str, event: _Event, value: bytes, plan: Plan) -> bytes:
    key = customer_id.encode()
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_type", event.type.encode()),
        ("ce_source", f"/tierstream/{plan.name}".encode()),
        ("ce_time", format_instant(event.at_ms).encode()),
        ("ce_subject", event.subject.encode()),
        ("ce_partitionkey", key),
        ("content-type", b"application/json"),
    ]
    if event.sequence is not None:
        headers.insert(-1, ("ce_sequence", event.sequence.encode()))
    if event.traceparent is not None:
        headers.insert(-1, (CE_TRACEPARENT, event.traceparent))
    return encode_row(Row(topic, key, value, headers, event.at_ms))


def grace_row(customer: Customer, notice: GraceNotice, plan: Plan) -> bytes:
    """Return the `tier-forecasts` row of a grace that began, or ended without the downgrade."""
    grace = notice.grace
    status = GRACE_STARTED if notice.started else GRACE_ENDED
    payload: dict[str, object] = {
        "id": grace_id(customer, notice, status, plan),
        "customer_id": customer.customer_id,
        "grading": notice.grading,
        "tier": grace.tier,
        "expected_tier": grace.expected,
        "expected_at": format_instant(grace.expected_ms),
        "issued_at": format_instant(notice.issued_ms),
        "status": status,
        "policy": {"name": plan.name, "version": plan.version},
        "since": format_instant(grace.since_ms),
    }
    event = _Event(FORECAST_TYPE, str(payload["id"]), notice.grading, None, notice.issued_ms)
    return _event_row(
        TIER_FORECASTS, customer.customer_id, event, msgspec.json.encode(payload), plan
    )


def grace_id(customer: Customer, notice: GraceNotice, status: str, plan: Plan) -> str:
    """Return the id of a notice: the same for the same notice, whoever computes it."""
    part, number = f"{notice.grading}\x1f{status}", notice.grace.number
    erased_ms = customer.erased_ms
    return change_id(customer.customer_id, part, number, plan.name, plan.version, erased_ms)


def tiers_row(customer: Customer, plan: Plan) -> bytes:
    """Return the `customer-tiers` row: the current grades, for a compacted topic.

    Its id follows from all that it says. Its sequence is the instant, and among rows of one
    instant the number of changes so far: of two rows of a customer the newer has the greater.
    """
    standings = list(zip(plan.gradings, customer.grades, strict=True))
    payload = {
        "customer_id": customer.customer_id,
        "instant": format_instant(customer.clock_ms),
        "grades": {grading.name: grade.tier for grading, grade in standings},
        "sequence": {grading.name: grade.sequence for grading, grade in standings},
        "policy": {"name": plan.name, "version": plan.version},
    }
    value = msgspec.json.encode(payload)
    changes = sum(grade.sequence for grade in customer.grades)
    event = _Event(
        TIERS_TYPE,
        stable_id(CUSTOMER_TIERS, value.decode()),
        customer.customer_id,
        f"{customer.clock_ms:015d}-{_sequence(changes)}",
        customer.clock_ms,
    )
    return _event_row(CUSTOMER_TIERS, customer.customer_id, event, value, plan)


def differences_row(customer: Customer, plan: Plan, shadow: Shadow) -> bytes:
    """Return the `tier-differences` row of what is told of a customer's shadow, `Shadow.told`.

    A tombstone where both policies agree. *plan* is in force.
    """
    standings, beside = [*customer.grades, *shadow.customer.grades], shadow.scorer.plan
    at_ms = max(shadow.policy.instant_ms, *(grade.since_ms for grade in standings))
    if not shadow.told:
        return tombstone_row(TIER_DIFFERENCES, customer.customer_id, at_ms)
    payload = {
        "customer_id": customer.customer_id,
        "instant": format_instant(at_ms),
        "differences": {
            grading: {
                "live": one.live,
                "shadow": one.shadow,
                "since": format_instant(one.since_ms),
            }
            for grading, one in shadow.told.items()
        },
        "policy": {"name": plan.name, "version": plan.version},
        "shadow": {"name": beside.name, "version": beside.version},
    }
    value = msgspec.json.encode(payload)
    changes = sum(grade.sequence for grade in standings)
    event = _Event(
        DIFFERENCES_TYPE,
        stable_id(TIER_DIFFERENCES, value.decode()),
        customer.customer_id,
        f"{at_ms:015d}-{_sequence(changes)}",
        at_ms,
    )
    return _event_row(TIER_DIFFERENCES, customer.customer_id, event, value, plan)


def tombstone_row(topic: str, customer_id: str, at_ms: int) -> bytes:
    """Return the row that takes a customer out of a compacted topic."""
    return encode_row(Row(topic, customer_id.encode(), None, [], at_ms))
