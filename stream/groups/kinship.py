"""What one bucket's share of a batch changes among members and parents, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.changes import INTERACTION, ORDER, PROFILE, REFUND, Cause
from stream.customer import ORDERS
from stream.groups.gather import pack, regroup
from stream.groups.kin import News, passed_on
from stream.groups.member_rows import gone_row, member_rows
from stream.totals import Totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from schemas.records import IdentityLinked
    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer
    from stream.groups.kin import Kin, MemberExchange, MemberNews, Packed, Path
    from stream.groups.member_rows import MemberTold, ParentGone


@dataclass(slots=True)
class _Stir:
    """What is new about one customer since its parent was told last.

    Attributes:
        customer: The customer.
        kin: Its place among others.
        told: Its parent at that time.
        moved: Whether it has had another parent since.
        own_ms: When its own records changed it last; None if they did not.
        event_id: The last of them.
        news: What it was told itself, with the instant at which it was applied and the event
            behind it: the last figures of each path, and the last leaving.
    """

    customer: Customer
    kin: Kin
    told: str | None
    moved: bool = False
    own_ms: int | None = None
    event_id: str = ""
    news: dict[tuple[Path, bool], tuple[MemberNews, int, str]] = field(default_factory=dict)


class Kinship:
    """The members and parents that one batch has touched in one bucket."""

    __slots__ = ("_rows", "_scorer", "_stirred")

    def __init__(self, scorer: Scorer) -> None:
        """Score with *scorer*."""
        self._scorer = scorer
        self._stirred: dict[str, _Stir] = {}
        self._rows: list[bytes] = []

    @property
    def has_news(self) -> bool:
        """Whether `rows` has anything to tell."""
        return bool(self._rows or self._stirred)

    def score_with(self, scorer: Scorer) -> None:
        """Score with *scorer* from here on."""
        self._scorer = scorer

    def note(self, customer: Customer, kin: Kin, records: int, event_id: str) -> None:
        """Take note that *records* of the customer's own were applied, *event_id* last."""
        kin.revision += records
        if kin.target is not None:
            stir = self._stir(customer, kin)
            stir.own_ms, stir.event_id = customer.clock_ms, event_id

    def link(
        self, customer: Customer, kin: Kin, record_ms: int, event: IdentityLinked
    ) -> Sequence[Change]:
        """Apply a link: the customer belongs to another one from now on."""
        stir = self._stir(customer, kin)

        def apply(now_ms: int) -> None:
            del now_ms
            moves = kin.moves
            kin.link(customer.customer_id, event.target_id, event.occurred_ms)
            stir.moved = stir.moved or kin.moves > moves

        cause = Cause(PROFILE, event.event_id)
        return self._scorer.gather(customer, record_ms, cause, PROFILE, apply)

    def set_apart(self, customer: Customer, kin: Kin) -> None:
        """Let the customer count for its parent only while it may be scored."""
        if kin.apart != customer.withheld:
            stir = self._stir(customer, kin)
            moves = kin.moves
            kin.set_apart(customer.customer_id, apart=customer.withheld)
            stir.moved = stir.moved or kin.moves > moves

    def learn(
        self, customer: Customer, kin: Kin, record_ms: int, told: MemberTold
    ) -> Sequence[Change] | None:
        """Apply what a member tells, all of it at once; None where nothing of it is news."""
        exchange: MemberExchange = {}
        fresh = []
        for news in told.news:
            part = kin.learn(news)
            if part is not None:
                fresh.append(news)
                for path, (before, after) in part.items():
                    exchange[path] = exchange.get(path, (before, None))[0], after
        if not fresh:
            return None
        kinds = _moved_kinds(exchange)
        changes: Sequence[Change] = ()
        if kinds or not customer.clock_ms:

            def apply(now_ms: int) -> None:
                figures = {path: after for path, (_, after) in exchange.items()}
                regroup(customer.kinds, figures, now_ms)
                customer.orders = customer.kinds[ORDERS]
                if source == PROFILE:
                    # Nothing that was found of any measure needs to hold any longer.
                    customer.forget_ranges()

            # One kind alone is looked at like an event of that kind.
            source = next(iter(kinds)) if len(kinds) == 1 else PROFILE
            cause = Cause(_cause(exchange, kinds), told.cause, of_member=True)
            changes = self._scorer.gather(customer, record_ms, cause, source, apply)
        if kin.target is not None:
            at_ms = max(record_ms, customer.clock_ms)
            stir = self._stir(customer, kin)
            for news in fresh:
                stir.news[news.path, news.series is None] = news, at_ms, told.cause
        return changes

    def erase(self, customer: Customer, kin: Kin, erased_ms: int, cause: str) -> tuple[int, bool]:
        """Take an erased customer out: its parent forgets it, and its members their link.

        Returns how many members there were, and whether there was a parent.
        """
        me = customer.customer_id
        stir = self._stirred.pop(me, None)
        parent = kin.parent_of(me) if stir is None else stir.told
        if parent is not None:
            left: MemberNews = News((me,), (kin.moves + 1,), None)
            self._rows += member_rows(parent, cause, [left], erased_ms, kin.linked_ms)
        members = sorted({path[0] for path in kin.members})
        self._rows += [gone_row(member, me, erased_ms) for member in members]
        return len(members), parent is not None

    def refuses(self, customer: Customer, told: MemberTold, erased_ms: int) -> bool:
        """Say whether what a member tells is of the life of its parent that was erased.

        A member whose link is that old is answered. That someone left who is not known here
        is of that life, too.
        """
        if all(news.series is None for news in told.news):
            known = {} if customer.kin is None else customer.kin.members
            return all(news.path not in known for news in told.news)
        if told.linked_ms > erased_ms:
            return False
        self._rows.append(gone_row(told.news[0].path[0], customer.customer_id, erased_ms))
        return True

    def part(self, customer: Customer, kin: Kin, record_ms: int, gone: ParentGone) -> bool:
        """End the link to a parent that was erased; returns whether there was one to end.

        A link that was made afterwards stays, and the parent is told everything anew.
        """
        me = customer.customer_id
        if kin.target != gone.parent:
            return False
        stir = self._stir(customer, kin)
        stir.moved = True
        if kin.linked_ms > gone.erased_ms:
            stir.own_ms = max(record_ms, customer.clock_ms)
        else:
            kin.target = me
            kin.moves += 1
            stir.told = None
        return True

    def rows(self) -> list[bytes]:
        """Return the outbox rows that tell everyone what is new, and start over."""
        rows = [*self._rows, *(row for stir in self._stirred.values() for row in _told(stir))]
        self._rows, self._stirred = [], {}
        return rows

    def _stir(self, customer: Customer, kin: Kin) -> _Stir:
        stir = self._stirred.get(customer.customer_id)
        if stir is None:
            stir = _Stir(customer, kin, kin.parent_of(customer.customer_id))
            self._stirred[customer.customer_id] = stir
        return stir


def _moved_kinds(exchange: MemberExchange) -> set[str]:
    """Return the kinds of events of which anything is different now."""
    kinds: set[str] = set()
    for before, after in exchange.values():
        old: Mapping[str, object] = {one.kind: one for one in before or ()}
        new: Mapping[str, object] = {one.kind: one for one in after or ()}
        kinds |= {kind for kind in old.keys() | new.keys() if old.get(kind) != new.get(kind)}
    return kinds


def _cause(exchange: MemberExchange, kinds: set[str]) -> str:
    """Return the kind of a change that members have set off: that of the event behind it."""
    for before, after in exchange.values():
        if before is None or after is None:
            return PROFILE  # someone came or left
        if ORDERS in kinds:
            old, new = _orders(before), _orders(after)
            return ORDER if new.count > old.count else REFUND
    return INTERACTION


def _orders(series: Sequence[Packed]) -> Totals:
    return next((one.totals for one in series if one.kind == ORDERS), Totals())


def _told(stir: _Stir) -> Iterator[bytes]:
    """Yield what goes to the parent that was left, then to the one there is now."""
    me, kin = stir.customer.customer_id, stir.kin
    parent = kin.parent_of(me)
    if stir.own_ms is not None:
        if stir.moved and stir.told is not None and stir.told != parent:
            left: MemberNews = News((me,), (kin.moves,), None)
            yield from member_rows(stir.told, stir.event_id, [left], stir.own_ms, kin.linked_ms)
        if parent is not None:
            own = News((me,), (kin.moves, kin.revision), pack(stir.customer.kinds))
            all_below = kin.news_of_all() if stir.moved else ()
            news = [own, *_passed_on(me, kin, all_below, parent)]
            yield from member_rows(parent, stir.event_id, news, stir.own_ms, kin.linked_ms)
    if parent is not None and not stir.moved:
        for one, at_ms, cause in stir.news.values():
            passed = _passed_on(me, kin, [one], parent)
            yield from member_rows(parent, cause, passed, at_ms, kin.linked_ms)


def _passed_on(me: str, kin: Kin, news: Iterable[MemberNews], parent: str) -> Iterator[MemberNews]:
    return (one for n in news if (one := passed_on(me, kin, n, parent)) is not None)
