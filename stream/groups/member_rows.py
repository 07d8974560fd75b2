"""Records of `group-members`: what a parent is told of one below it, and back. Pure encoding.

The topic is internal: written by the relay, read by the scoring service, keyed by whom it tells.
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
        linked_ms: Instant of the link by which the teller belongs to the parent.
        occurred_ms: Always 0: nothing can be told too early.
    """

    kind: ClassVar[str] = "member.told"
    customer_id: str
    cause: str
    news: list[News]
    linked_ms: int = 0
    event_id: str = ""
    occurred_ms: int = 0


class ParentGone(Struct, frozen=True, gc=False):
    """Such a record the other way round: a member learns that its parent was erased.

    Attributes:
        customer_id: The member.
        parent: The customer that was erased.
        erased_ms: When; links made up to then end.
        event_id: Always empty: repeats change nothing.
        occurred_ms: Always 0.
    """

    kind: ClassVar[str] = "parent.gone"
    customer_id: str
    parent: str
    erased_ms: int
    event_id: str = ""
    occurred_ms: int = 0


class _Told(Struct, array_like=True, gc=False):
    """The value of a record; `gone` makes it one for a member."""

    format: int
    customer: str
    cause: str
    news: list[News]
    linked_ms: int
    gone: tuple[str, int] | None = None


_decode = msgspec.msgpack.Decoder(_Told).decode
_encode = msgspec.msgpack.Encoder().encode


def member_rows(
    parent: str, cause: str, news: Iterable[News], record_ms: int, linked_ms: int
) -> Iterator[bytes]:
    """Yield the outbox rows that tell *parent* its *news*, dated *record_ms*.

    One row, unless it would become too large for a record; nothing is yielded for no news.
    """
    share: list[News] = []
    size = 0
    for one in news:
        more = sum(len(packed.closed) for packed in one.series or ()) + _LEAST_BYTES
        if share and size + more > _MOST_BYTES:
            yield _row(_Told(_FORMAT, parent, cause, share, linked_ms), record_ms)
            share, size = [], 0
        share.append(one)
        size += more
    if share:
        yield _row(_Told(_FORMAT, parent, cause, share, linked_ms), record_ms)


def gone_row(member: str, parent: str, erased_ms: int) -> bytes:
    """Return the outbox row that tells *member* that *parent* was erased."""
    return _row(_Told(_FORMAT, member, "", [], 0, (parent, erased_ms)), erased_ms)


def _row(told: _Told, record_ms: int) -> bytes:
    return encode_row(Row(GROUP_MEMBERS, told.customer.encode(), _encode(told), [], record_ms))


def decode_member(value: bytes | None) -> MemberTold | ParentGone:
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
    if told.gone is not None:
        return ParentGone(told.customer, *told.gone)
    return MemberTold(told.customer, told.cause, told.news, told.linked_ms)
