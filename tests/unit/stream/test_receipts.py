"""What can be read from erasure receipts."""

from __future__ import annotations

import json

from stream.calendar import format_instant
from stream.erasure import ended_by, has_ended, pseudonym


def receipt(customer_id: str, **instants: int) -> bytes:
    """Return as much of a receipt as is read."""
    found = {name: format_instant(at_ms) for name, at_ms in instants.items()}
    return json.dumps({"subject": pseudonym(customer_id), **found}).encode()


def test_of_several_receipts_of_a_customer_the_latest_instant_counts() -> None:
    """That up to which it was told of; one without it, or one that is no receipt, stops nobody."""
    ended = ended_by(
        [
            receipt("ann", instant=10, told_until=12),
            b"no receipt",
            receipt("bob", instant=5),
            receipt("ann", instant=7, told_until=9),
        ]
    )
    assert ended == {pseudonym("ann"): 12, pseudonym("bob"): 5}
    assert [has_ended(ended, "ann", at_ms) for at_ms in (12, 13)] == [True, False]
    assert not has_ended(ended, "cid", 1)
