"""What one bucket's share of a batch merges and splits, and which ids are told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream.changes import MERGED, Cause
from stream.groups.kin import News, passed_on
from stream.groups.member_rows import erase_row, part_rows
from stream.identity.facts import Identity
from stream.identity.unite import facts_of, join_attributes, settle, unite
from stream.measures import PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from schemas.records import CustomerErase, IdentityMerged, IdentitySplit
    from stream.changes import Change
    from stream.customer import Customer
    from stream.fold import Scorer
    from stream.groups.member_rows import PartTold
    from stream.identity.facts import PartNews
    from stream.ledger import OrderEntry

LONGEST_PATH = 64
_GONE_REASON = "merged into a customer that was erased"


@dataclass(slots=True)
class _Stir:
    """What is new about one id since the one that it was merged into was told last.

    Attributes:
        customer: The id.
        identity: Its place.
        told: What it was merged into at that time.
        left: Parts of it that were split off since.
    """

    customer: Customer
    identity: Identity
    told: str | None
    left: list[PartNews] = field(default_factory=list)


class Merging:
    """The ids that one batch has merged, split or changed in one bucket."""

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

    # -- controls -------------------------------------------------------------

    def move(
        self,
        customer: Customer,
        record_ms: int,
        event: IdentityMerged | IdentitySplit,
        orders: Mapping[str, OrderEntry],
        moves: int,
    ) -> Sequence[Change]:
        """Merge the customer into another id, or split it off; `objection` has none.

        Args:
            customer: The id that goes, or comes back.
            record_ms: When.
            event: Which of the two.
            orders: Everything that the ledger has of it, by order id.
            moves: How often an erased life of it had been merged or split.
        """
        identity = _identity(customer, orders, moves)
        self._stir(customer, identity)
        into = getattr(event, "into", None)

        def apply(now_ms: int) -> None:
            del now_ms
            identity.target, identity.linked_ms = into, record_ms
            identity.moves += 1
            identity.cause = event.event_id
            identity.apart = customer.is_forbidden
            _close(identity)
            customer.forget_ranges()

        return self._gather(customer, record_ms, Cause(MERGED, event.event_id), apply)

    def set_apart(self, customer: Customer) -> None:
        """Let what the customer has count for another id only while it may be scored."""
        identity = customer.identity
        if identity is not None and identity.apart != customer.is_forbidden:
            self._stir(customer, identity)
            identity.set_apart(customer.customer_id, apart=customer.is_forbidden)

    def note(self, customer: Customer, records: int) -> None:
        """Take note that *records* of the customer's own were applied."""
        identity = customer.identity
        if identity is not None and identity.target is not None:
            identity.revision += records
            self._stir(customer, identity)

    # -- what parts tell ------------------------------------------------------

    def learn(
        self,
        customer: Customer,
        record_ms: int,
        told: PartTold,
        orders: Mapping[str, OrderEntry],
        moves: int,
    ) -> Sequence[Change] | None:
        """Apply what a part tells; None where nothing of it is news. Arguments as for `move`."""
        identity = customer.identity
        if identity is None or not identity.members:
            if all(news.series is None for news in told.parts):
                return None
            identity = _identity(customer, orders, moves)
            identity.attributes = dict(customer.attributes)
            identity.attributes_ms = dict(customer.attributes_ms)
        fresh = [news for news in told.parts if identity.learn(news)]
        if not fresh:
            return None
        stir = self._stir(customer, identity)
        stir.left += [news for news in fresh if news.series is None]

        met = _met(customer.customer_id, identity, told)

        def apply(now_ms: int) -> None:
            if met:
                identity.target = None
                identity.moves += 1
            join_attributes(customer, identity)
            unite(customer, identity, now_ms)
            settle(customer, identity, now_ms, self._scorer.plan.refund_ms)
            _close(identity)
            customer.forget_ranges()

        return self._gather(customer, record_ms, Cause(MERGED, told.cause, of_member=True), apply)

    def refuses(self, customer: Customer, told: PartTold, erased_ms: int) -> bool:
        """Say whether what a part tells is of the life of its whole that was erased.

        A part that was merged into that life is of it, and is told to go as well.
        """
        if all(news.series is None for news in told.parts):
            known = {} if customer.identity is None else customer.identity.members
            return all(news.path not in known for news in told.parts)
        if told.merged_ms > erased_ms:
            return False
        part = told.parts[0].path[0]
        self._rows.append(erase_row(part, told.cause, _GONE_REASON, erased_ms))
        return True

    def erase(self, customer: Customer, record_ms: int, event: CustomerErase) -> None:
        """Take an erased customer out: its whole forgets it, and its parts go with it."""
        me = customer.customer_id
        stir = self._stirred.pop(me, None)
        identity = customer.identity
        if identity is None:
            return
        whole = identity.parent_of(me) if stir is None else stir.told
        if whole is not None:
            left: PartNews = News((me,), (identity.moves + 1,), None)
            self._rows += part_rows(whole, event.event_id, [left], record_ms, identity.linked_ms)
        for part in sorted({path[0] for path in identity.members}):
            self._rows.append(erase_row(part, event.event_id, event.reason, record_ms))

    def rows(self) -> list[bytes]:
        """Return the outbox rows that tell every id what is new, and start over."""
        rows = [*self._rows, *(row for stir in self._stirred.values() for row in _told(stir))]
        self._rows, self._stirred = [], {}
        return rows

    # -- inside ---------------------------------------------------------------

    def _gather(
        self, customer: Customer, record_ms: int, cause: Cause, apply: Callable[[int], None]
    ) -> Sequence[Change]:
        return self._scorer.gather(customer, record_ms, cause, PROFILE, apply)

    def _stir(self, customer: Customer, identity: Identity) -> _Stir:
        me = customer.customer_id
        if me not in self._stirred:
            self._stirred[me] = _Stir(customer, identity, identity.parent_of(me))
        return self._stirred[me]


def objection(customer: Customer, event: IdentityMerged | IdentitySplit) -> str | None:
    """Say why a customer cannot be merged or split as *event* asks; None where it can."""
    into = getattr(event, "into", None)
    identity = customer.identity
    if into is None:
        merged = identity is not None and identity.target is not None
        return None if merged else "customer_id: must be one that was merged"
    if into == customer.customer_id:
        return "into: must be another customer"
    if identity is None:
        return None
    if identity.target is not None:
        return "customer_id: must not be merged already: split it first"
    if any(into in path for path in identity.members):
        return "into: must not be merged into this customer itself"
    return None


def _met(me: str, identity: Identity, told: PartTold) -> bool:
    """Say whether the teller was merged into the customer before that was merged into the teller.

    Neither had heard of the other; the earlier of the two merges stands.
    """
    into = identity.target
    if into is None or into != told.parts[0].path[0] or told.parts[0].series is None:
        return False
    return (identity.linked_ms, me) > (told.merged_ms, into)


def _identity(customer: Customer, orders: Mapping[str, OrderEntry], moves: int) -> Identity:
    """Return the customer's place, which is about to be shared, with its own orders."""
    identity = customer.identity
    if identity is None:
        identity = customer.identity = Identity(moves=moves)
    if not identity.is_shared:
        identity.orders = dict(orders)
    return identity


def _close(identity: Identity) -> None:
    """Let go of what is kept for other ids only, where there are none."""
    if not identity.members:
        identity.attributes, identity.attributes_ms, identity.crossings = {}, {}, {}
    if not identity.is_shared:
        identity.orders = {}


def _told(stir: _Stir) -> Iterator[bytes]:
    """Yield what goes to the id that was left, then to the one merged into now."""
    me, identity, at_ms = stir.customer.customer_id, stir.identity, stir.customer.clock_ms
    whole = identity.parent_of(me)
    if stir.told is not None and stir.told != whole:
        left: PartNews = News((me,), (identity.moves,), None)
        yield from part_rows(stir.told, identity.cause, [left], at_ms, identity.linked_ms)
    if whole is None:
        return
    facts = facts_of(stir.customer, identity)
    own: PartNews = News((me,), (identity.moves, identity.revision), facts)
    below = [
        one
        for news in [*stir.left, *identity.news_of_all()]
        if (one := passed_on(me, identity, news, whole, LONGEST_PATH)) is not None
    ]
    yield from part_rows(whole, identity.cause, [own, *below], at_ms, identity.linked_ms)
