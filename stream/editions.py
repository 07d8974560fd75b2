"""Editions: what is in force from which instant on, for one bucket. Pure; no I/O.

A published policy, or cuts that the population has moved, begin a new edition at one point of
the log. Everyone is judged at that instant; who was not touched yet still stands as the edition
before left them, and is brought through every newer one, each at its own instant, when next
touched or when a sweep comes by (`stream.in_force`). So pace never changes a history.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from schemas.policy.load import policy_from_data
from stream.changes import BOUNDARY_MOVED, POLICY_CHANGED
from stream.fold import Scorer, TerseScorer
from stream.plan import compile_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from schemas.policy import PolicyDocument
    from schemas.records import PopulationCuts
    from stream.store import BucketHead

    Begin = Callable[["Edition"], "Edition"]
    """From the edition in force to the one that follows it; the same one where nothing does."""

SHADOW_STARTED, SHADOW_ENDED = "shadow_started", "shadow_ended"
"""Causes of editions that leave what is in force as it is; no change of tier names them."""

_COMPILED = 16


class ShadowPolicy(Struct, array_like=True, frozen=True, gc=False):
    """A policy that runs beside the one in force, and changes nobody's tier.

    Attributes:
        number: Of the edition that it began with: tells one shadow from another.
        instant_ms: Record time of the control that began it.
        event_id: Of that control.
        policy: As in `Edition`.
        cuts: As in `Edition`: they stay what they were when it began.
    """

    number: int
    instant_ms: int
    event_id: str
    policy: dict[str, Any]
    cuts: dict[str, tuple[int, ...]] = {}


class Edition(Struct, array_like=True, frozen=True, gc=False):
    """One thing that was in force in a bucket from one instant on.

    Attributes:
        number: 0 for the policy that the workers were started with, then 1, 2, 3, ...
        instant_ms: Record time of the control that began it.
        cause: Kind of the changes that it brings about; "" for the first.
        event_id: Of the control; None for the first.
        policy: The policy as `PolicyDocument.model_dump(mode="json")` writes it.
        cuts: What the population sets, by name, in the unit of the measure.
        shadow: What runs beside it; None where nothing does.
        begun_ms: Since when policy and cuts have been in force, where a shadow has come or gone
            since; else None.
    """

    number: int
    instant_ms: int = 0
    cause: str = ""
    event_id: str | None = None
    policy: dict[str, Any] = {}
    cuts: dict[str, tuple[int, ...]] = {}
    shadow: ShadowPolicy | None = None
    begun_ms: int | None = None

    @property
    def since_ms(self) -> int:
        """Since when policy and cuts have been in force."""
        return self.instant_ms if self.begun_ms is None else self.begun_ms


FIRST = Edition(0)
"""The first edition where nobody will ever have to read it back: its scorer is at hand."""


class Book(Struct, array_like=True, frozen=True, gc=False):
    """What a bucket stores of its editions.

    Attributes:
        editions: By ascending number: the newest, and those before it that somebody may still
            stand under. Empty while the workers' own policy is in force.
        swept: Whether everyone has been brought to the newest.
        reach_ms: Orders before this instant are out of the reach of refunds, whatever the
            policy in force says: an earlier one had let them go already.
    """

    editions: tuple[Edition, ...] = ()
    swept: bool = True
    reach_ms: int = 0


NO_BOOK = Book()
_encode = msgspec.msgpack.Encoder().encode
_book = msgspec.msgpack.Decoder(Book)


def encode_book(book: Book) -> bytes:
    """Return the stored form; `decode_book` is its inverse."""
    return _encode(book)


def decode_book(stored: bytes) -> Book:
    """Rebuild what was stored; nothing stored is an empty book."""
    return _book.decode(stored) if stored else NO_BOOK


def first_edition(document: PolicyDocument) -> Edition:
    """Return the edition of the policy that a worker is started with."""
    return Edition(0, policy=document.model_dump(mode="json"))


def policy_published(document: PolicyDocument, instant_ms: int, event_id: str) -> Begin:
    """Return what makes a published policy the next edition, which ends a shadow.

    Cuts that the population has set stay in force where both policies ask for the same ones.
    """
    policy = document.model_dump(mode="json")
    wanted = document.relative_cuts()

    def begin(before: Edition) -> Edition:
        return Edition(
            before.number + 1,
            instant_ms,
            POLICY_CHANGED,
            event_id,
            policy,
            _still_wanted(before, wanted) if before.cuts else {},
        )

    return begin


def cuts_moved(control: PopulationCuts, instant_ms: int) -> Begin:
    """Return what makes new cuts of the population the next edition, under the same policy.

    Nothing where they are those of another policy, or where none of them has moved.
    """

    def begin(before: Edition) -> Edition:
        named = before.policy.get("policy"), before.policy.get("version")
        moved = {
            name: tuple(levels)
            for name, levels in control.cuts.items()
            if before.cuts.get(name) != tuple(levels)
        }
        if named != (control.policy, control.version) or not moved:
            return before
        return Edition(
            before.number + 1,
            instant_ms,
            BOUNDARY_MOVED,
            control.event_id,
            before.policy,
            {**before.cuts, **moved},
            before.shadow,
        )

    return begin


def shadow_started(document: PolicyDocument, instant_ms: int, event_id: str) -> Begin:
    """Return what lets a policy run beside the one in force, in the place of one that does."""
    policy = document.model_dump(mode="json")
    wanted = document.relative_cuts()

    def begin(before: Edition) -> Edition:
        number = before.number + 1
        cuts = _still_wanted(before, wanted) if before.cuts else {}
        shadow = ShadowPolicy(number, instant_ms, event_id, policy, cuts)
        return _beside(before, SHADOW_STARTED, instant_ms, event_id, shadow)

    return begin


def shadow_ended(instant_ms: int, event_id: str) -> Begin:
    """Return what ends the shadow; nothing where none runs."""

    def begin(before: Edition) -> Edition:
        if before.shadow is None:
            return before
        return _beside(before, SHADOW_ENDED, instant_ms, event_id, None)

    return begin


def _beside(
    before: Edition, cause: str, instant_ms: int, event_id: str, shadow: ShadowPolicy | None
) -> Edition:
    """Return the next edition, under which the same policy and cuts are in force."""
    number, since_ms = before.number + 1, before.since_ms
    return Edition(
        number, instant_ms, cause, event_id, before.policy, before.cuts, shadow, since_ms
    )


def _still_wanted(before: Edition, wanted: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    asked = document_of(before).relative_cuts()
    return {
        name: levels
        for name, levels in before.cuts.items()
        if name in wanted and wanted[name] == asked.get(name)
    }


def document_of(edition: Edition) -> PolicyDocument:
    """Return the policy of an edition that was stored; read once, however many buckets ask."""
    return _document(_encode(edition.policy))


def edition_in_force(heads: Iterable[BucketHead]) -> Edition | None:
    """Return the newest published edition that any of the buckets has taken; None without one."""
    newest = [book.editions[-1] for head in heads if (book := decode_book(head.editions)).editions]
    return max(newest, key=lambda edition: edition.number, default=None)


def scorer_of(edition: Edition) -> Scorer:
    """Return the compiled edition; compiling is slow, so a process does it once for each."""
    return _compiled(_encode(edition.policy), _encode(edition.cuts))


@lru_cache(_COMPILED)
def _compiled(policy: bytes, cuts: bytes) -> Scorer:
    return Scorer(compile_policy(_document(policy), _cuts.decode(cuts)))


def shadow_scorer(shadow: ShadowPolicy) -> TerseScorer:
    """Return the compiled policy of a shadow; slow, like `scorer_of`."""
    return _compiled_tersely(_encode(shadow.policy), _encode(shadow.cuts))


@lru_cache(_COMPILED)
def _compiled_tersely(policy: bytes, cuts: bytes) -> TerseScorer:
    return TerseScorer(_compiled(policy, cuts).plan)


@lru_cache(_COMPILED)
def _document(policy: bytes) -> PolicyDocument:
    return policy_from_data(_policy.decode(policy), "policy")


_policy = msgspec.msgpack.Decoder(dict[str, Any])
_cuts = msgspec.msgpack.Decoder(dict[str, tuple[int, ...]])
