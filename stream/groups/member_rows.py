"""Records of `group-members`: what a parent is told of one below it. Pure encoding.

The topic is internal: written by the relay, read by the scoring service, keyed by the parent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec
from msgspec import Struct

from schemas.decode import Rejected
from stream.groups.kin import News
from stream.outbox import Row, encode_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP_MEMBERS = "group-members"
_FORMAT = 1
_MOST_BYTES = 500_000
_LEAST_BYTES = 1_000


class MemberTold(Struct, frozen=True, gc=False):
    """One such record, in the place of an event of the parent.

    Attributes:
        customer_id: The parent.
        event_id: Always empty: repeats are known by their versions.
        cause: The last event behind the news.
        news: What the parent is told, to be taken in at once.
        occurred_ms: Always 0: nothing can be told too early.
    """

    kind: ClassVar[str] = "member.told"
    customer_id: str
    cause: str
    news: list[News]
    event_id: str = ""
    occurred_ms: int = 0


class _Told(Struct, array_like=True, gc=False):
    """The value of a record."""

    format: int
    parent: str
    cause: str
    news: list[News]


_decode = msgspec.msgpack.Decoder(_Told).decode
_encode = msgspec.msgpack.Encoder().encode


def member_rows(parent: str, cause: str, news: Iterable[News], record_ms: int) -> Iterator[bytes]:
    """Yield the outbox rows that tell *parent* its *news*, dated *record_ms*.

    One row, unless it would become too large for a record; nothing is yielded for no news.
    """
    share: list[News] = []
    size = 0
    for one in news:
        more = sum(len(packed.closed) for packed in one.series or ()) + _LEAST_BYTES
        if share and size + more > _MOST_BYTES:
            yield _row(parent, cause, share, record_ms)
            share, size = [], 0
        share.append(one)
        size += more
    if share:
        yield _row(parent, cause, share, record_ms)


def _row(parent: str, cause: str, news: list[News], record_ms: int) -> bytes:
    value = _encode(_Told(_FORMAT, parent, cause, news))
    return encode_row(Row(GROUP_MEMBERS, parent.encode(), value, [], record_ms))


def decode_member(value: bytes | None) -> MemberTold:
    """Decode the value of a record of `group-members`.

    Raises:
        Rejected: It is not one of ours.
    """
    if value is None:
        raise Rejected("null_value", "a value is required")
    try:
        told = _decode(value)
    except msgspec.MsgspecError as exc:
        raise Rejected("wrong_schema", "value: must be written by a worker") from exc
    return MemberTold(told.parent, told.cause, told.news)
