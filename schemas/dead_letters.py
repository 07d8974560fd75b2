"""The `dead-letters` topic: original key and bytes, and in headers where from and why."""

from typing import Annotated, Final, Literal, get_args

from pydantic import Field

from schemas.base import Contract, OutInstant

Reason = Literal[
    "not_json",
    "wrong_schema",
    "unknown_currency",
    "future",
    "oversized",
    "null_value",
    "conflict",
    "key_mismatch",
]
REASONS: Final[tuple[str, ...]] = get_args(Reason)
MAX_VALUE_BYTES: Final = 900_000
"""A longer original value is cut to this; `original_size_bytes` tells."""

_Whole = Annotated[str, Field(pattern="^-?[0-9]{1,19}$")]


class DeadLetterHeaders(Contract):
    """The headers, each as UTF-8 text.

    Attributes:
        detail: One line without anything from the payload.
        source_timestamp_ms: Record time of the original.
        original_size_bytes: Size of the original value; 0 for a null value.
        first_seen: When it was first refused.
    """

    reason: Reason
    detail: Annotated[str, Field(max_length=1024, pattern=r"^[^\n\r]*$")]
    source_topic: Annotated[str, Field(min_length=1, max_length=249)]
    source_partition: _Whole
    source_offset: _Whole
    source_timestamp_ms: _Whole
    original_size_bytes: _Whole
    first_seen: OutInstant
