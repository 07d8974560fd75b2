"""Trace context: what is valid is passed on as it is, nothing else is."""

from __future__ import annotations

import pytest

from stream.tracing import traceparent_of

VALID = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("name", ["traceparent", "ce_traceparent"])
def test_a_valid_one_is_found_under_both_names(name: str) -> None:
    """Of several the first valid one."""
    assert traceparent_of([("x", b"1"), (name, b"zz"), (name, VALID)]) == VALID


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        VALID.upper(),
        VALID + b"-00",
        VALID[:-3],
        VALID.replace(b"00-", b"ff-"),
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01",
        b"customer-42@example.com",
    ],
)
def test_anything_else_is_not_passed_on(value: bytes | None) -> None:
    """Headers are the producer's: what is no trace context must not reach others."""
    assert traceparent_of([("traceparent", value)]) is None
