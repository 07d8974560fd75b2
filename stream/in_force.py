"""What is in force in one bucket, and bringing customers from one edition to the next. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from stream.changes import BOUNDARY_MOVED, POLICY_UNIT, Cause, Change, Reason
from stream.customer import encode, reshape, restore, unpack
from stream.editions import (
    FIRST,
    SHADOW_ENDED,
    SHADOW_STARTED,
    Book,
    decode_book,
    encode_book,
    scorer_of,
    shadow_scorer,
)
from stream.shadow import beginning_with, restored, split_off, take_over
from stream.unmoved import Unmoved, keeps_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from stream.customer import Customer, Stored
    from stream.editions import Begin, Edition, ShadowPolicy
    from stream.fold import Scorer, TerseScorer
    from stream.plan import Plan
    from stream.shadow import Shadow

    Told = tuple[Sequence[Change], Plan, Plan | None]
    """Changes, the plan they were found under, and the plan it replaced if that is why."""


class Move(NamedTuple):
    """A range of a ranking that a cut has passed.

    Attributes:
        ranking: Its name.
        low: The least reading that the cut has passed.
        high: The first reading above that it has not.
    """

    ranking: str
    low: int
    high: int


def merged_moves(moves: Iterable[Move]) -> list[Move]:
    """Return the same ranges without overlaps, in order.

    >>> merged_moves([Move("spent", 5, 9), Move("spent", 1, 6), Move("orders", 2, 3)])
    [Move(ranking='orders', low=2, high=3), Move(ranking='spent', low=1, high=9)]
    """
    merged: list[Move] = []
    for move in sorted(moves):
        last = merged[-1] if merged else None
        if last is not None and last.ranking == move.ranking and move.low <= last.high:
            merged[-1] = last._replace(high=max(last.high, move.high))
        else:
            merged.append(move)
    return merged


class InForce:
    """The editions of one bucket.

    A published policy that the bucket knows of stands before the one the worker was started
    with, which is edition 0.

    Attributes:
        edition: The newest.
        scorer: Its scorer.
        swept: Whether everyone has been brought to it.
        reach_ms: Orders before this instant are not found by refunds.
        changed: Whether what is to be stored is not stored yet.
    """

    __slots__ = (
        "_alike",
        "_beside",
        "_first",
        "_scorers",
        "_unmoved",
        "changed",
        "edition",
        "reach_ms",
        "scorer",
        "swept",
    )

    def __init__(self, stored: bytes, scorer: Scorer, first: Edition = FIRST) -> None:
        """Start from what the bucket has stored; *scorer* is that of the *first* edition."""
        book = decode_book(stored)
        self._first = first, scorer
        self._scorers = [(one, self._compiled(one)) for one in book.editions] or [(first, scorer)]
        self._alike: dict[int, bool] = {}
        self._beside: dict[int, TerseScorer] = {}
        self._unmoved: Unmoved | None = None
        self.edition, self.scorer = self._scorers[-1]
        self.swept = book.swept
        self.reach_ms = book.reach_ms
        self.changed = False

    @property
    def shadowed(self) -> bool:
        """Whether anybody may have a shadow."""
        return any(edition.shadow is not None for edition, _ in self._scorers)

    def stored(self) -> bytes:
        """Return what is to be stored."""
        editions = tuple(edition for edition, _ in self._scorers)
        if editions == (self._first[0],):
            return b""  # nothing was ever published
        return encode_book(Book(editions, self.swept, self.reach_ms))

    def begin(self, begin: Begin) -> None:
        """Let a new edition, if one begins, be in force from here on; nobody stands under it."""
        older, edition = self.scorer.plan, begin(self.edition)
        if edition is self.edition:
            return
        self.edition = edition
        self.scorer = self._compiled(self.edition)
        self._scorers.append((self.edition, self.scorer))
        self._unmoved = None
        if self.scorer.plan.refund_ms > older.refund_ms:
            self.reach_ms = max(self.reach_ms, self.edition.instant_ms - older.refund_ms)
        self.swept = False
        self.changed = True

    def finish(self) -> None:
        """Take note that everyone has been brought to the newest edition."""
        self._scorers = self._scorers[-1:]
        self._unmoved = None
        self.changed = not self.swept
        self.swept = True

    def reach_again(self) -> None:
        """Take note that every order that the policy may still refer to is in the ledger."""
        self.changed = self.changed or self.reach_ms > 0
        self.reach_ms = 0

    def moves(self) -> Sequence[Move] | None:
        """Return where somebody may stand whom an edition that is not swept puts elsewhere.

        None means anywhere: a policy was published, or a cut was not known before. Else nobody
        but those between the old and the new place of a cut can change.
        """
        found: list[Move] = []
        for (older, _), (edition, scorer) in pairwise(self._scorers):
            if edition.cause != BOUNDARY_MOVED:
                return None
            for ranking in scorer.plan.rankings:
                for name in ranking.cuts:
                    old, new = older.cuts.get(name), edition.cuts.get(name, ())
                    if old is None and new:
                        return None
                    found += [
                        Move(ranking.name, min(here, there), max(here, there))
                        for here, there in zip(old or (), new, strict=True)
                        if here != there
                    ]
        return merged_moves(found)

    @property
    def unmoved(self) -> Unmoved:
        """What finds those whom editions that are not swept leave where they are."""
        if self._unmoved is None:
            self._unmoved = Unmoved([(edition, scorer.plan) for edition, scorer in self._scorers])
        return self._unmoved

    def plan_of(self, number: int) -> Plan:
        """Return the plan of an edition; the oldest that is still known for one before that."""
        return self._find(number)[1].plan

    def restore(self, customer_id: str, found: Stored) -> Customer:
        """Rebuild a customer of this bucket, with its shadow, from its unpacked stored form."""
        plan = self.plan_of(found.edition)
        customer = restore(customer_id, found, plan.shape)
        beside, policy = found.shadow, self._find(found.edition)[0].shadow
        if beside is not None and policy is not None and beside.number == policy.number:
            scorer = self._scorer_beside(policy)
            customer.shadow = restored(customer, beside, policy, scorer, plan)
        return customer

    def shadow_of_unknown(self, customer_id: str) -> Shadow | None:
        """Return the shadow of someone of whom nothing is known; None where none runs."""
        policy = self.edition.shadow
        if policy is None:
            return None
        return beginning_with(customer_id, policy, self._scorer_beside(policy))

    def bring(self, customer: Customer) -> Iterator[Told]:
        """Bring a customer through every edition that is newer than the one it stands under.

        Deadlines before an edition's instant are woken under the one before it; at the instant
        everything is judged anew. Where only a shadow comes or goes nothing is judged but that,
        and nothing where it is plain that everything stays as it is.
        """
        carried = self.unmoved.carry(customer)
        _, scorer = self._find(customer.edition)
        if carried:
            yield (), scorer.plan, None
        for edition, newer in self._scorers:
            if edition.number <= customer.edition:
                continue
            older, scorer_before = scorer.plan, scorer
            yield scorer_before.wake_before(customer, edition.instant_ms), older, None
            if edition.cause in {SHADOW_STARTED, SHADOW_ENDED}:
                policy, shadow = edition.shadow, None
                if policy is not None and customer.identity is None:
                    shadow = split_off(customer, policy, self._scorer_beside(policy), newer.plan)
                customer.shadow, customer.edition, scorer = shadow, edition.number, newer
                continue
            now_ms = max(edition.instant_ms, customer.clock_ms)
            customer.roll(now_ms)
            if not self._keeps_all(edition.number, older, newer.plan):
                reshape(customer, older.shape, newer.plan.shape, newer.plan.attributes)
            self._end_shadow(customer, edition)
            cause = Cause(edition.cause, edition.event_id)
            given_up = _given_up(customer, now_ms, cause, older, newer.plan)
            renewed = newer.renew(customer, edition.instant_ms, cause, older)
            yield [*given_up, *renewed], newer.plan, older
            customer.edition = edition.number
            scorer = newer

    def _end_shadow(self, customer: Customer, edition: Edition) -> None:
        """Let go of the shadow that an edition does not have; keep its facts where it won."""
        shadow = customer.shadow
        if shadow is not None and edition.shadow is None:
            if edition.policy == shadow.policy.policy:
                take_over(customer, shadow, edition.instant_ms)
            customer.shadow = None

    def _scorer_beside(self, policy: ShadowPolicy) -> TerseScorer:
        scorer = self._beside.get(policy.number)
        if scorer is None:
            scorer = self._beside[policy.number] = shadow_scorer(policy)
        return scorer

    def _keeps_all(self, number: int, older: Plan, plan: Plan) -> bool:
        """Say whether the plan of an edition keeps customers just as the one before it did."""
        alike = self._alike.get(number)
        if alike is None:
            alike = self._alike[number] = keeps_all(older, plan)
        return alike

    def _find(self, number: int) -> tuple[Edition, Scorer]:
        for one in reversed(self._scorers):
            if one[0].number <= number:
                return one
        return self._scorers[0]

    def _compiled(self, edition: Edition) -> Scorer:
        first, scorer = self._first
        same = edition.policy == first.policy and edition.cuts == first.cuts
        return scorer if same else scorer_of(edition)


def bringer(editions: bytes, own: Scorer) -> Callable[[str, bytes], bytes]:
    """Return what gives a stored customer of a bucket as it stands under the newest edition there.

    For looking at it: perhaps a sweep has not come by yet. Nothing is announced of what changes on
    the way.

    Args:
        editions: What the bucket stores of its editions.
        own: What the workers were started with, in force where nothing was published.
    """
    force = InForce(editions, own)

    def brought(customer_id: str, state: bytes) -> bytes:
        customer = force.restore(customer_id, unpack(state))
        for _ in force.bring(customer):
            pass
        return encode(customer, force.scorer.plan.shape)

    return brought


def _given_up(
    customer: Customer, now_ms: int, cause: Cause, older: Plan, plan: Plan
) -> list[Change]:
    """Let go of the grades of gradings that *plan* no longer has: nobody stands in them now."""
    changes = []
    for name, standing in customer.retired.items():
        if standing.tier is None:
            continue
        standing.sequence += 1
        reason = Reason(plan.name, POLICY_UNIT, older.version, plan.version, None)
        changes.append(
            Change(
                customer_id=customer.customer_id,
                grading=name,
                before=standing.tier,
                after=None,
                direction="lateral",
                sequence=standing.sequence,
                instant_ms=now_ms,
                cause=cause,
                reasons=(reason,),
                score=None,
            )
        )
        standing.tier = None
        standing.since_ms = now_ms
        standing.kept_until_ms = 0
        standing.held = None
    return changes
