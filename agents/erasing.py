"""Asking for a customer to be erased, and waiting for the receipt. No terminal here."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from agents.controls import send_control
from agents.replay.reading import partitions_of, reader, spans
from schemas.decode import decode_control
from schemas.records import CustomerErase
from stream.calendar import format_instant
from stream.erasure import receipt_id
from stream.outbox import ERASURE_RECEIPTS

if TYPE_CHECKING:
    from agents.settings import Settings

_FETCH_MS = 200


def request(customer_id: str, reason: str, now_ms: int) -> bytes:
    """Return the control that asks for a customer to be erased.

    Raises:
        Rejected: The id or the reason cannot be used.
    """
    value = msgspec.json.encode(
        {
            "schema_version": 1,
            "event_id": uuid.uuid4().hex,
            "occurred_at": format_instant(now_ms),
            "customer_id": customer_id,
            "kind": "customer.erase",
            "reason": reason,
        }
    )
    decode_control(value)
    return value


async def erase(settings: Settings, value: bytes, within_s: float) -> tuple[str, Any]:
    """Send a request and wait for its receipt.

    Args:
        settings: Where Kafka is.
        value: As `request` gives it.
        within_s: Longest wait; 0 for none.

    Returns:
        The receipt's id, and the receipt; None where it did not come in time.

    Raises:
        MissingTopicError: A topic is missing.
        aiokafka.errors.KafkaError: The broker cannot be reached, or refuses.
    """
    control = decode_control(value)
    if not isinstance(control, CustomerErase):
        raise TypeError(value)
    wanted = receipt_id(control)
    receipts = settings.topic(ERASURE_RECEIPTS)
    counts = await partitions_of(settings, [receipts])
    async with reader(settings) as client:
        held = await spans(client, counts)
        await send_control(settings, control.customer_id, value)
        client.assign(list(held))
        for tp, (_, end) in held.items():
            client.seek(tp, end)
        try:
            async with asyncio.timeout(within_s):
                return wanted, await _receipt(client, wanted.encode())
        except TimeoutError:
            return wanted, None


async def _receipt(client: Any, key: bytes) -> Any:  # noqa: ANN401
    while True:
        for records in (await client.getmany(timeout_ms=_FETCH_MS)).values():
            for record in records:
                if record.key == key:
                    return msgspec.json.decode(record.value)
