"""The ledger of orders: clamped refunds, keys, periods and the stored form."""

from __future__ import annotations

import msgspec
import pytest

from stream.calendar import DAY_MS
from stream.ledger import OrderEntry, decode_entry, encode_entry, ledger_key, period_of


def test_refunds_never_exceed_what_was_paid() -> None:
    entry = OrderEntry(0, 100, 0)
    assert [entry.refund(amount) for amount in (60, 60, 60)] == [60, 40, 0]
    assert entry.refunded_minor == 100


def test_a_cancelled_order_gives_nothing_back() -> None:
    entry = OrderEntry(0, 100, 0, cancelled=True)
    assert entry.refund(10) == 0


def test_an_entry_survives_storage() -> None:
    entry = OrderEntry(-1, 10**15, 7, checksum=2**32 - 1, refunded_minor=3, cancelled=True)
    assert decode_entry(encode_entry(entry)) == entry
    with pytest.raises(msgspec.MsgspecError):
        decode_entry(b"nonsense")


def test_keys_tell_customer_and_order_apart() -> None:
    assert ledger_key("a", "b-c") != ledger_key("a-b", "c")


def test_periods_are_thirty_two_days_long_before_the_epoch_too() -> None:
    assert [period_of(day * DAY_MS) for day in (-33, -32, -1, 0, 31, 32)] == [-2, -1, -1, 0, 0, 1]
