"""The store's contract: what the scorer may rely on, and what each answer means. No I/O here.

The store is the truth for customer state and for how far the input has been applied. Everything a
bucket owns (states, ledger of orders, deadlines, rankings, histories, de-duplication marks, outbox,
cursors) is written together or not at all, by one `BucketCommit`. Nothing is guaranteed across two
buckets. What is read of rankings is in `stream.rankings`.

Numbers (instants, offsets, versions, rows, epochs) are integers from 0 to 2**53. Ids are any text
that UTF-8 can encode: blanks, colons and NUL included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from stream.rankings import Rankings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ABSENT = -1
"""The cursor a writer expects where the bucket has none for that source yet."""

LARGEST_NUMBER = 2**53
"""The largest number a store keeps exactly."""


class StoreError(Exception):
    """Something went wrong at the store; the subclass says what to do next."""


class StoreUnavailable(StoreError):  # noqa: N818 - named for the situation, not for the mechanism
    """Hold and retry: the store cannot answer now, and no record is to blame.

    Keep the group membership alive, back off, dead-letter nothing.

    Attributes:
        outcome_unknown: A commit was under way and some or all of its buckets may have been
            written. Never send it again: read `Store.heads` and compare versions first. When it
            is False, nothing of the call was written.
    """

    def __init__(self, message: str, *, outcome_unknown: bool = False) -> None:
        """Say what failed, and whether a commit's fate is open."""
        super().__init__(message)
        self.outcome_unknown = outcome_unknown


class StoreMismatch(StoreError):  # noqa: N818 - named for the situation, not for the mechanism
    """Stop and say what to fix: waiting does not help (other bucket count, no rights, bad data)."""


class Outcome(Enum):
    """What became of one bucket's commit. Every outcome but `OK` wrote nothing at all."""

    OK = 0
    """Written: all of it, and the version went up by one."""

    FENCED = 1
    """A younger writer has opened one of the sources: stop writing, give the partition up."""

    STALE = 2
    """Another version than expected: drop what is cached, load again, fold again, commit again."""

    OFFSET = 3
    """A cursor is not the expected one (a replay, or the store went back in time after a
    failover): seek every input of the bucket to the stored cursors and start over from there."""

    KNOWN_ORDER = 4
    """An order said to be new is in the ledger: load those entries, fold again, commit again."""


@dataclass(frozen=True, slots=True)
class BucketHead:
    """What a writer needs to know of a bucket before it folds into it.

    Attributes:
        bucket: Number of the bucket.
        version: Commits so far; 0 before the first.
        epoch: The writer's own epoch for the source it opened; 0 when only read (`Store.heads`).
        cursors: Next offset to apply, by source (``"orders/3"``). Sources never applied are absent.
        marks: De-duplication blobs, oldest first, as committed.
        clock_ms: Largest clock committed, or None before the first.
        last_row: No outbox row has a larger number (trimmed or not); 0 before the first.
        editions: The blob last committed as `BucketCommit.editions`; empty if there is none.
        erasures: What was committed last of each erased customer, by its pseudonym.
    """

    bucket: int
    version: int
    epoch: int
    cursors: dict[str, int]
    marks: list[bytes]
    clock_ms: int | None
    last_row: int
    editions: bytes = b""
    erasures: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class BucketCommit:
    """Everything one micro-batch changes in one bucket.

    Attributes:
        bucket: Number of the bucket.
        version: Version this was folded on. Anything else in the store is `Outcome.STALE`.
        epochs: Own epoch by source; every one is checked.
        cursors: By source (expected, next): the stored cursor, `ABSENT` if there is none, and the
            offset to apply next.
        states: Encoded state by customer; None deletes.
        due: Deadline in ms by customer; None removes it.
        fresh_orders: Ledger period to ledger key to entry. None of the keys may exist yet.
        orders: The same shape, written whether or not the key exists.
        drop_periods: Ledger periods to delete whole. None of them may also be written here.
        marks: De-duplication blob appended as the newest, unless empty. Opaque here; those of
            `stream.seen` hold event ids as their producers chose them, which may name a customer:
            erasing one takes a commit that drops every blob and appends one without those ids.
        drop_marks: How many of the oldest stored blobs to drop (before `marks` is appended).
        outbox: Rows to announce, in order. The store numbers them from `BucketHead.last_row` + 1,
            without a gap.
        clock_ms: Raises the bucket's clock to this; a lower one, or None, leaves it as it is.
        editions: Replaces `BucketHead.editions`; empty clears it, None leaves it.
        ranks: Ranking to customer to reading (see `stream.rankings`); None takes the customer out.
        drop_ranks: Rankings to remove whole. None of them may also be written here.
        history: Entries appended to each customer's history, in order.
        history_limit: How many of the newest entries are kept of each customer in `history`, at
            least 1 where there is one. Other customers' histories are left alone.
        erased: Customers of whom state, deadline, history and place in every ranking go. Before
            anything is written: what the same commit writes of such a customer is all there is of
            it afterwards. Ledger entries do not say whose they are here: see `gone_orders`.
        gone_orders: Ledger period to ledger keys that go, found with `Store.scan_orders`. After
            the check of `fresh_orders`, before `orders` are written.
        erasures: What to remember of each erased customer, by its pseudonym; kept for good.
    """

    bucket: int
    version: int
    epochs: dict[str, int] = field(default_factory=dict)
    cursors: dict[str, tuple[int, int]] = field(default_factory=dict)
    states: dict[str, bytes | None] = field(default_factory=dict)
    due: dict[str, int | None] = field(default_factory=dict)
    fresh_orders: dict[int, dict[str, bytes]] = field(default_factory=dict)
    orders: dict[int, dict[str, bytes]] = field(default_factory=dict)
    drop_periods: list[int] = field(default_factory=list)
    marks: bytes = b""
    drop_marks: int = 0
    outbox: list[bytes] = field(default_factory=list)
    clock_ms: int | None = None
    editions: bytes | None = None
    ranks: dict[str, dict[str, int | None]] = field(default_factory=dict)
    drop_ranks: list[str] = field(default_factory=list)
    history: dict[str, list[bytes]] = field(default_factory=dict)
    history_limit: int = 0
    erased: list[str] = field(default_factory=list)
    gone_orders: dict[int, list[str]] = field(default_factory=dict)
    erasures: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The answer to one `BucketCommit`.

    Attributes:
        bucket: Number of the bucket.
        outcome: What became of it.
        version: The bucket's version in the store now (after the commit if it was `Outcome.OK`).
        last_row: Number of the bucket's newest outbox row now.
    """

    bucket: int
    outcome: Outcome
    version: int
    last_row: int


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What ``doctor`` wants to know of the server behind the store.

    Attributes:
        product: ``"redis"``, ``"valkey"`` or ``"memory"``.
        version: The product's own version, as text.
        role: ``"master"`` or ``"slave"``, in the server's words.
        cluster: Whether the server is a node of a cluster.
        maxmemory_policy: Must be ``"noeviction"``: anything else may lose state silently.
        maxmemory_bytes: Limit; 0 means none.
        used_memory_bytes: In use now.
        aof: Whether an append-only file is kept.
        clock_ms: The server's wall clock.
    """

    product: str
    version: str
    role: str
    cluster: bool
    maxmemory_policy: str
    maxmemory_bytes: int
    used_memory_bytes: int
    aof: bool
    clock_ms: int


class Store(Rankings, Protocol):
    """State, cursors, deadlines, rankings and outbox of every bucket.

    Calls block. One store belongs to one thread at a time. Every call may raise `StoreUnavailable`
    (hold and retry; reads may simply be repeated) or `StoreMismatch` (stop and say what to fix).
    """

    def install(self, bucket_count: int) -> None:
        """Record how many buckets there are, once; later calls only compare. Idempotent.

        Raises:
            StoreMismatch: Another number is recorded. Buckets cannot be renumbered: start with the
                recorded number, or under another prefix.
        """

    def open(self, buckets: Sequence[int], source: str) -> list[BucketHead]:
        """Become the writer of *source* in *buckets*: mint a new epoch for each, return the heads.

        Atomic per bucket: the head is what the bucket held when the epoch was minted, and no
        older epoch of that source can commit to it afterwards. Not idempotent: opening again
        fences the earlier self. If the answer is lost, open again.
        """

    def heads(self, buckets: Sequence[int]) -> list[BucketHead]:
        """Return the heads in the order of *buckets* without minting anything (epoch 0).

        A bucket never written has version 0, no cursors, no marks, no clock and row 0.
        """

    def load_states(self, wanted: Mapping[int, Sequence[str]]) -> dict[str, bytes]:
        """Return the states found of the customers *wanted* per bucket; absent ones are left out.

        Not a snapshot across buckets, nor against `heads`: a state read after another writer's
        commit is caught by the version when committing.
        """

    def load_orders(
        self, wanted: Mapping[int, Sequence[tuple[int, str]]]
    ) -> dict[tuple[int, str], bytes]:
        """Return the ledger entries found of those *wanted* per bucket, by (period, ledger key).

        The ledger key must name its customer: the answer does not say the bucket.
        """

    def scan_orders(self, bucket: int, prefix: str) -> list[tuple[int, str]]:
        """Return (period, ledger key) of all entries whose key begins with *prefix*, sorted.

        Walks the whole ledger of the bucket: for rare work such as erasing. Entries there from
        start to end are found; those written or deleted meanwhile may be or not.
        """

    def load_history(self, bucket: int, customer: str) -> list[bytes]:
        """Return the entries kept of *customer*'s history, oldest first; empty if none."""

    def commit(self, commits: Sequence[BucketCommit]) -> list[CommitResult]:
        """Check and write each bucket; return the results in the order given.

        Each bucket is atomic by itself: all checks come before its first write, in the order
        epochs, versions, cursors, fresh orders, so the first that fails names the outcome.
        Buckets are independent: one may be refused and the next written. Every `Outcome.OK`
        advances the version by one, also when only a cursor moved.

        Not idempotent, and never sent twice by the store itself. Sent again by a caller after an
        `Outcome.OK`, it is `Outcome.STALE` and changes nothing.

        Raises:
            StoreUnavailable: With `outcome_unknown`, any of *commits* may have been written: read
                `heads` and compare versions. Without, none was.
            StoreMismatch: The server refused a commit for good; others of the call may have been
                written.
            ValueError: A commit breaks the contract (a number out of range, a period or a ranking
                both dropped and written). Nothing of the call was written.
        """

    def due(
        self, buckets: Sequence[int], upto_ms: int, limit: int, each: int | None = None
    ) -> list[tuple[int, str, int]]:
        """Return at most *limit* (bucket, customer, due ms) with due <= *upto_ms*, earliest first.

        Of each bucket the earliest *each* at most; None for *limit*. Sorted by due, then bucket,
        then customer. Reading changes nothing: a deadline stays until a commit moves or removes
        it.
        """

    def soonest(self, buckets: Sequence[int]) -> dict[int, int]:
        """Return the earliest deadline, in ms, of each of *buckets* that has any."""

    def scan_states(self, bucket: int) -> Iterator[tuple[str, bytes]]:
        """Walk all (customer, state) of *bucket*, in no order.

        Not a snapshot: customers there from start to end come at least once (perhaps twice);
        those written or deleted meanwhile may come or not.
        """

    def read_outbox(
        self, wanted: Mapping[int, int], limit: int
    ) -> dict[int, list[tuple[int, bytes]]]:
        """Return per bucket at most *limit* (row number, row) after the row number given, in order.

        Buckets without rows after it have an empty list.
        """

    def trim_outbox(self, upto: Mapping[int, int]) -> None:
        """Forget the rows up to and including the number given per bucket. Idempotent.

        Numbering goes on where it was. Call it only for rows that have been announced.
        """

    def skip_rows(self, buckets: Sequence[int], upto: int) -> None:
        """Number the next row of each bucket above *upto*, unless it would be anyway. Idempotent.

        For a store that may have gone back in time (a restart or failover that lost the last
        second): numbers under which rows have been announced must not be given again, or the new
        rows would pass for announced. Numbers taken from a clock are never given again.
        """

    def outbox_depth(self, buckets: Sequence[int]) -> dict[int, int]:
        """Return how many rows wait in each bucket's outbox."""

    def halt(self, source: str, reason: str) -> None:
        """Note that *source* must not be applied further until a person releases it.

        Bookkeeping only: workers read it with `halts`; commits do not check it. A second halt
        replaces the reason.
        """

    def halts(self) -> dict[str, str]:
        """Return the reason by halted source."""

    def release(self, source: str) -> None:
        """Forget the halt of *source*, if there is one."""

    def ping(self) -> None:
        """Return if the store answers."""

    def server_info(self) -> StoreFacts:
        """Return what the server says about itself (on a cluster: one primary's answer)."""

    def close(self) -> None:
        """Give up connections. The store must not be used afterwards."""
