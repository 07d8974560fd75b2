"""A dead letter can be published whatever its record is like."""

from __future__ import annotations

import pytest
from aiokafka.structs import ConsumerRecord

from agents.letters import letter_row
from schemas.dead_letters import MAX_VALUE_BYTES, DeadLetterHeaders
from stream.outbox import decode_row


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 1_790_000_000_000, 2**62])
@pytest.mark.parametrize("value", [None, b"", b"x" * 2_000_000])
@pytest.mark.parametrize("key", [None, b"ann", b"k" * 900_000])
def test_any_record_makes_a_letter_with_complete_headers(
    timestamp_ms: int, value: bytes | None, key: bytes | None
) -> None:
    """Times no calendar knows, and keys and values that no broker would take back."""
    record: ConsumerRecord[bytes, bytes] = ConsumerRecord(
        topic="shop.orders",
        partition=3,
        offset=7,
        timestamp=timestamp_ms,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=[],
    )
    row = decode_row(letter_row(record, ("orders", 3), "oversized", "value:\n too large"))
    headers = DeadLetterHeaders.model_validate({n: text.decode() for n, text in row.headers})
    assert headers.source_timestamp_ms == str(timestamp_ms)
    assert headers.original_size_bytes == str(len(value or b""))
    assert headers.detail == "value: too large"
    assert row.value == (None if value is None else value[:MAX_VALUE_BYTES])
    assert len(row.key or b"") + len(row.value or b"") < 990_000
