"""Ids that follow from what they name: the same for the same thing, whoever computes them."""

from __future__ import annotations

import hashlib

_BYTES = 16
_SEPARATOR = "\x1f"


def stable_id(*parts: str, erased_ms: int | None = None) -> str:
    """Return the id of what *parts* name, in 32 hexadecimal digits.

    *erased_ms* tells a customer's new life, in which sequences count anew, from the one before.

    >>> stable_id("c1", "value", "1") == stable_id("c1", "value", "1")
    True
    >>> stable_id("c1", "value", "1") == stable_id("c1", "value", "1", erased_ms=5)
    False
    """
    life = () if erased_ms is None else (str(erased_ms),)
    return hashlib.blake2b(
        _SEPARATOR.join((*parts, *life)).encode(), digest_size=_BYTES
    ).hexdigest()
