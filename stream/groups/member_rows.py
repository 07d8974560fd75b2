"""Records of `group-members`: what a parent is told of one below it, and back. Pure encoding.

What the ids of one customer tell each other (see `stream.identity`) takes the same way.

The topic is internal: written by the relay, read by the scoring service, keyed by whom it tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from msgspec import Struct

from schemas.base import EPOCH
from schemas.decode import Rejected
from schemas.records import CustomerErase
from stream.groups.kin import MemberNews
from stream.identity.facts import PartNews
from stream.outbox import Row, encode_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stream.groups.kin import Packed

GROUP_MEMBERS = "group-members"
_FORMAT = 1
_MOST_BYTES = 500_000
_LEAST_BYTES = 1_000
_ORDER_BYTES = 100


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
    news: list[MemberNews]
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


class PartTold(Struct, frozen=True, gc=False):
    """Such a record from an id that was merged into another one, which it is for.

    Attributes:
        customer_id: The id that stays.
        cause: Event id of the control by which the teller was merged or split, last.
        parts: What the teller has, and those that were merged into it.
        merged_ms: Record time of the merge.
        event_id: Always empty: repeats are known by their versions.
        occurred_ms: Always 0: nothing can be told too early.
    """

    kind: ClassVar[str] = "part.told"
    customer_id: str
    cause: str
    parts: list[PartNews]
    merged_ms: int
    event_id: str = ""
    occurred_ms: int = 0


class _Told(Struct, array_like=True, gc=False):
    """The value of a record; `gone` makes it one for a member.

    With `parts` it is for the id that stays; with `erase` (event id and reason of a request), for
    an id that goes with it.
    """

    format: int
    customer: str
    cause: str
    news: list[MemberNews]
    linked_ms: int
    gone: tuple[str, int] | None = None
    parts: list[PartNews] | None = None
    erase: tuple[str, str] | None = None


_decode = msgspec.msgpack.Decoder(_Told).decode
_encode = msgspec.msgpack.Encoder().encode


def member_rows(
    parent: str, cause: str, news: Iterable[MemberNews], record_ms: int, linked_ms: int
) -> Iterator[bytes]:
    """Yield the outbox rows that tell *parent* its *news*, dated *record_ms*.

    One row, unless it would become too large for a record; nothing is yielded for no news.
    """
    for share in _shares(news, lambda one: _size(one.series or ())):
        yield _row(_Told(_FORMAT, parent, cause, share, linked_ms), record_ms)


def part_rows(
    whole: str, cause: str, parts: Iterable[PartNews], record_ms: int, merged_ms: int
) -> Iterator[bytes]:
    """Yield the outbox rows that tell *whole* what ids that were merged into it have."""
    for share in _shares(parts, _size_of_part):
        yield _row(_Told(_FORMAT, whole, cause, [], merged_ms, parts=share), record_ms)


def _shares(news: Iterable[Any], size_of: Callable[[Any], int]) -> Iterator[list[Any]]:
    share: list[Any] = []
    size = 0
    for one in news:
        more = size_of(one) + _LEAST_BYTES
        if share and size + more > _MOST_BYTES:
            yield share
            share, size = [], 0
        share.append(one)
        size += more
    if share:
        yield share


def _size(series: Iterable[Packed]) -> int:
    return sum(len(packed.closed) for packed in series)


def _size_of_part(news: PartNews) -> int:
    has = news.series
    return 0 if has is None else _size(has.series) + len(has.orders) * _ORDER_BYTES


def gone_row(member: str, parent: str, erased_ms: int) -> bytes:
    """Return the outbox row that tells *member* that *parent* was erased."""
    return _row(_Told(_FORMAT, member, "", [], 0, (parent, erased_ms)), erased_ms)


def erase_row(part: str, event_id: str, reason: str, erased_ms: int) -> bytes:
    """Return the outbox row by which *part* goes with the id that it was merged into."""
    return _row(_Told(_FORMAT, part, "", [], 0, erase=(event_id, reason)), erased_ms)


def _row(told: _Told, record_ms: int) -> bytes:
    return encode_row(Row(GROUP_MEMBERS, told.customer.encode(), _encode(told), [], record_ms))


def decode_member(value: bytes | None) -> MemberTold | ParentGone | PartTold | CustomerErase:
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
    if told.parts is not None:
        return PartTold(told.customer, told.cause, told.parts, told.linked_ms)
    if told.erase is not None:
        event_id, reason = told.erase
        return CustomerErase(
            event_id=event_id, occurred_at=EPOCH, customer_id=told.customer, reason=reason
        )
    return MemberTold(told.customer, told.cause, told.news, told.linked_ms)
