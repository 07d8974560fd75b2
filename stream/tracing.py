"""Trace context that comes with records and goes on with the changes they bring about. Pure.

W3C Trace Context, level 1 (https://www.w3.org/TR/trace-context/): what is not a valid `traceparent`
is not passed on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TRACEPARENT = "traceparent"
CE_TRACEPARENT = "ce_traceparent"
"""As CloudEvents carry it: the distributed tracing extension, in the Kafka binding."""

_VALID = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_NAMES = (TRACEPARENT, CE_TRACEPARENT)


def traceparent_of(headers: Iterable[tuple[str, bytes | None]]) -> bytes | None:
    """Return the trace context among a record's headers; None where there is no valid one.

    >>> valid = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    >>> traceparent_of([("source", b"shop"), ("traceparent", valid)]) == valid
    True
    >>> traceparent_of([("traceparent", b"00-zz")])
    """
    for name, value in headers:
        if name in _NAMES and value is not None and _VALID.fullmatch(value):
            return value
    return None
