"""Who belongs to whom: a customer's parent, and what is known of those under it. No I/O.

What a customer has is told to its parent, what was told to it is passed on, so that a user
counts with its customer and with the customer's group. Each figure travels under its path:
the ids from the member next to the parent down to the customer whose events they are. It also
carries a version for each step, so that repeats and old news do no harm in any order.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

from stream.totals import Totals
from stream.window import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_PATH = 4
"""User, customer, group, holding: what is further down is not counted any more."""
_MARK_BYTES = 12
_SEPARATOR = "\x1f"
_NOTHING = Totals()

Path = tuple[str, ...]
Versions = tuple[int, ...]
Has = TypeVar("Has")
"""What is told of one customer."""


class Packed(Struct, array_like=True, frozen=True, gc=False):
    """One customer's events of one kind, as `stream.series.Series.pack` gives them.

    Attributes:
        kind: ``orders`` or an interaction kind.
        totals: Lifetime figures.
        closed: Day buckets but the newest.
        newest: The newest day bucket.
    """

    kind: str
    totals: Totals
    closed: bytes
    newest: list[int] | None

    @property
    def has_events(self) -> bool:
        """Whether there were any, ever."""
        return self.newest is not None or self.totals != _NOTHING

    def rows(self) -> Iterator[tuple[int, ...]]:
        """Yield the day buckets, oldest first."""
        yield from ROW.iter_unpack(self.closed)
        if self.newest is not None:
            yield tuple(self.newest)


class Figures(Struct, Generic[Has], array_like=True, frozen=True):
    """What one customer below has, as far as it is known.

    Attributes:
        versions: How often each customer of the path, from the top, had changed its parent,
            then how many records the last one had applied.
        series: What it has; of a member its events by kind, without kinds that have none.
    """

    versions: Versions
    series: Has


class News(Struct, Generic[Has], array_like=True, frozen=True):
    """What a parent is told: figures of one path, or that a member has left.

    Attributes:
        path: Whose figures; of a member that left: the path down to it.
        versions: As in `Figures`; of a member that left: without the last number.
        series: None where the member has left, and all below it with it.
    """

    path: Path
    versions: Versions
    series: Has | None


class Place(Struct, Generic[Has], array_like=True):
    """A customer's place among others; stored with it.

    Attributes:
        revision: Records applied to the customer itself.
        moves: How often its parent has changed.
        linked_ms: Instant of the link that counts; the newest does, whenever it arrives.
        target: What that link names: the parent, or the customer itself for none.
        members: Figures of everyone below, by path.
        left: Per path, the versions as of which its last member has left. Of the paths only
            hashes: who left may have been erased.
        apart: Counts for nobody, as it forbids being scored.
    """

    revision: int = 0
    moves: int = 0
    linked_ms: int = -1
    target: str | None = None
    members: dict[Path, Figures[Has]] = {}
    left: dict[bytes, Versions] = {}
    apart: bool = False

    def parent_of(self, customer_id: str) -> str | None:
        """Return the parent of *customer_id*, whose place this is."""
        return None if self.apart or self.target == customer_id else self.target

    def link(self, customer_id: str, target: str, at_ms: int) -> None:
        """Take note of a link that was made at *at_ms*; of two at once, the larger id counts."""
        if (at_ms, target) <= (self.linked_ms, self.target or ""):
            return
        before = self.parent_of(customer_id)
        self.linked_ms, self.target = at_ms, target
        if self.parent_of(customer_id) != before:
            self.moves += 1

    def set_apart(self, customer_id: str, *, apart: bool) -> None:
        """Let the customer count for its parent no longer, or again."""
        before = self.parent_of(customer_id)
        self.apart = apart
        if self.parent_of(customer_id) != before:
            self.moves += 1

    def learn(self, news: News[Has]) -> Exchange[Has] | None:
        """Take in what a member tells.

        Returns:
            Per path what it had and what it has now, None for nothing; or None where it is
            no news.
        """
        if news.series is None:
            return self._forget(news.path, news.versions)
        known = self.members.get(news.path)
        if (known is not None and known.versions >= news.versions) or self._has_left(news):
            return None
        self.members[news.path] = Figures(news.versions, news.series)
        return {news.path: (None if known is None else known.series, news.series)}

    def news_of_all(self) -> Iterator[News[Has]]:
        """Yield the figures of everyone below, to be told anew."""
        for path, figures in self.members.items():
            yield News(path, figures.versions, figures.series)

    def _forget(self, path: Path, versions: Versions) -> Exchange[Has] | None:
        mark = _mark(path)
        if self.left.get(mark, ()) >= versions:
            return None
        self.left[mark] = versions
        steps = len(path)
        gone = [
            member
            for member, figures in self.members.items()
            if member[:steps] == path and figures.versions[:steps] < versions
        ]
        return {member: (self.members.pop(member).series, None) for member in gone}

    def _has_left(self, news: News[Has]) -> bool:
        if not self.left:
            return False
        return any(
            self.left.get(_mark(news.path[:steps]), ()) > news.versions[:steps]
            for steps in range(1, len(news.path) + 1)
        )


Exchange = dict[Path, tuple[Has | None, Has | None]]


MemberNews = News[list[Packed]]
MemberExchange = Exchange[list[Packed]]


class Kin(Place[list[Packed]], array_like=True):
    """A customer's place among those that count for it, and for which it counts."""


def _mark(path: Path) -> bytes:
    return hashlib.blake2b(_SEPARATOR.join(path).encode(), digest_size=_MARK_BYTES).digest()


def passed_on(
    customer_id: str,
    kin: Place[Has],
    news: News[Has],
    parent: str,
    longest: int = LONGEST_PATH,
) -> News[Has] | None:
    """Return *news* as *customer_id* tells it to *parent*; None where it must not.

    A circle of links ends where it would come round: nobody is told of itself.
    """
    if parent in news.path or len(news.path) >= longest:
        return None
    return News((customer_id, *news.path), (kin.moves, *news.versions), news.series)
