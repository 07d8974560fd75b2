"""Records of `group-members`: what a parent is told of one below it. Pure encoding.

The topic is internal: written by the relay, read by the scoring service, keyed by the parent.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import Struct

from schemas.decode import Rejected
from stream.groups.kin import News, Packed, Path, Versions
from stream.outbox import Row, encode_row

GROUP_MEMBERS = "group-members"
_FORMAT = 1


class MemberTold(Struct, frozen=True, gc=False):
    """One such record, in the place of an event of the parent.

    Attributes:
        customer_id: The parent.
        news: What it is told.
        event_id: Always empty: repeats are known by their versions.
        occurred_ms: Always 0: nothing can be told too early.
    """

    kind: ClassVar[str] = "member.told"
    customer_id: str
    news: News
    event_id: str = ""
    occurred_ms: int = 0


class _Told(Struct, array_like=True, gc=False):
    """The value of a record."""

    format: int
    parent: str
    path: Path
    versions: Versions
    series: list[Packed] | None
    event_id: str


_decode = msgspec.msgpack.Decoder(_Told).decode


def member_row(parent: str, news: News, record_ms: int) -> bytes:
    """Return the outbox row that tells *parent* its *news*, dated *record_ms*."""
    told = _Told(_FORMAT, parent, news.path, news.versions, news.series, news.event_id)
    value = msgspec.msgpack.encode(told)
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
    return MemberTold(told.parent, News(told.path, told.versions, told.series, told.event_id))
