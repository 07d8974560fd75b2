"""The test group: one customer in N, always the same ones."""

from __future__ import annotations

import hashlib

_PERSON = b"test-group"
_BYTES = 8


def one_in(customers: int, wanted: int) -> int:
    """Return the N for which one in N of *customers* is at least *wanted*.

    >>> one_in(800_000, 40_000)
    20
    """
    return max(customers // wanted, 1)


def in_test_group(customer_id: str, one_in_n: int) -> bool:
    """Say whether a customer is in the test group of one in *one_in_n*.

    Depends on the id alone, so a customer stays in or out as others come and go. The hash is
    another than the one that picks buckets and partitions, so every bucket gives its share.
    The group is one in N on average: of n customers about n / N, give or take the square root
    of that.
    """
    hashed = hashlib.blake2b(customer_id.encode(), digest_size=_BYTES, person=_PERSON).digest()
    return int.from_bytes(hashed) % one_in_n == 0
