"""What a commit promises: its checks, their order, and that a refused one leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.store import ABSENT, LARGEST_NUMBER, BucketCommit, Outcome, StoreMismatch
from tests.contract.backends import commit_one, must

if TYPE_CHECKING:
    from stream.store import Store
    from tests.contract.backends import Backend

SOURCE = "orders/3"


def full_commit(version: int, epoch: int, expected: int, following: int) -> BucketCommit:
    """Return a commit that touches everything a bucket has."""
    return BucketCommit(
        bucket=5,
        version=version,
        epochs={SOURCE: epoch},
        cursors={SOURCE: (expected, following)},
        states={"ann": b"state-1", "ben": b"state-2"},
        due={"ann": 1_000, "ben": 2_000},
        fresh_orders={7: {"ann\x1fo-1": b"entry-1"}},
        orders={6: {"ann\x1fo-0": b"entry-0"}},
        marks=b"marks-1",
        outbox=[b"row-1", b"row-2"],
        clock_ms=900,
        editions=b"editions-1",
        ranks={"spend": {"ann": 40, "ben": -7}},
        history={"ann": [b"first", b"second"]},
        history_limit=5,
    )


def test_a_commit_writes_everything_together(store: Store) -> None:
    """After OK the head, states, deadlines, ledger and outbox all show the commit."""
    (head,) = store.open([5], SOURCE)
    result = commit_one(store, full_commit(0, head.epoch, ABSENT, 10))
    assert (result.bucket, result.outcome, result.version, result.last_row) == (5, Outcome.OK, 1, 2)
    (head,) = store.heads([5])
    assert (head.version, head.epoch, head.cursors) == (1, 0, {SOURCE: 10})
    assert (head.marks, head.clock_ms, head.last_row) == ([b"marks-1"], 900, 2)
    assert store.load_states({5: ["ann", "ben", "eve"]}) == {"ann": b"state-1", "ben": b"state-2"}
    assert store.due([5], 5_000, 10) == [(5, "ann", 1_000), (5, "ben", 2_000)]
    assert store.load_orders({5: [(7, "ann\x1fo-1"), (6, "ann\x1fo-0"), (7, "ann\x1fo-0")]}) == {
        (7, "ann\x1fo-1"): b"entry-1",
        (6, "ann\x1fo-0"): b"entry-0",
    }
    assert store.read_outbox({5: 0}, 10) == {5: [(1, b"row-1"), (2, b"row-2")]}
    assert head.editions == b"editions-1"
    assert store.rank_names(5) == ["spend"]
    assert store.rank_readings([5], "spend", -100, 100) == [-7, 40]
    assert store.load_history(5, "ann") == [b"first", b"second"]


def test_every_commit_advances_the_version_by_one(store: Store) -> None:
    """Also one that only moves a cursor, and one that changes nothing at all."""
    must(store, BucketCommit(5, 0, cursors={SOURCE: (ABSENT, 3)}))
    assert must(store, BucketCommit(5, 1)).version == 2


def _refused() -> dict[str, tuple[BucketCommit, Outcome]]:
    """Return commits that fail exactly one check against `full_commit(0, 1, ABSENT, 10)`."""
    fenced, stale = full_commit(1, 2, 10, 20), full_commit(0, 1, 10, 20)
    late, early = full_commit(1, 1, ABSENT, 20), full_commit(1, 1, 11, 20)
    known = full_commit(1, 1, 10, 20)
    for commit in (fenced, stale, late, early):
        commit.fresh_orders = {7: {"ann\x1fo-2": b"entry-2"}}
    known.fresh_orders = {8: {"x": b""}, 7: {"ann\x1fo-2": b"2", "ann\x1fo-1": b"entry-1"}}
    for commit in (fenced, stale, late, early, known):
        commit.states = {"ann": None, "new": b"new"}
        commit.due = {"ben": None, "new": 5}
        commit.drop_periods = [6]
        commit.orders = {}
        commit.drop_marks = 1
        commit.clock_ms = 99_999
        commit.editions = b""
        commit.ranks = {"other": {"ann": 3}}
        commit.drop_ranks = ["spend"]
        commit.erased = ["ben"]
        commit.gone_orders = {6: ["ann\x1fo-0"]}
    unopened = full_commit(1, 1, 10, 20)
    unopened.epochs = {SOURCE: 1, "profiles/3": 1}
    return {
        "another epoch": (fenced, Outcome.FENCED),
        "a source never opened": (unopened, Outcome.FENCED),
        "an old version": (stale, Outcome.STALE),
        "a cursor said to be absent": (late, Outcome.OFFSET),
        "a cursor ahead of the store's": (early, Outcome.OFFSET),
        "an order in the ledger": (known, Outcome.KNOWN_ORDER),
    }


@pytest.mark.parametrize("reason", _refused())
def test_a_refused_commit_leaves_every_byte_as_it_was(
    store: Store, backend: Backend, reason: str
) -> None:
    """Whatever the check that fails, nothing of the commit is written."""
    commit, outcome = _refused()[reason]
    (head,) = store.open([5], SOURCE)
    must(store, full_commit(0, head.epoch, ABSENT, 10))
    before = backend.contents()
    result = commit_one(store, commit)
    assert (result.outcome, result.version, result.last_row) == (outcome, 1, 2)
    assert backend.contents() == before


def test_checks_come_in_the_order_epoch_version_cursor_order(store: Store) -> None:
    """A commit that fails several checks gets the outcome that asks most of the caller."""
    store.open([5], SOURCE)
    must(store, full_commit(0, 1, ABSENT, 10))
    everything_wrong = full_commit(0, 9, 4, 20)
    assert commit_one(store, everything_wrong).outcome is Outcome.FENCED
    everything_wrong.epochs = {SOURCE: 1}
    assert commit_one(store, everything_wrong).outcome is Outcome.STALE
    everything_wrong.version = 1
    assert commit_one(store, everything_wrong).outcome is Outcome.OFFSET
    everything_wrong.cursors = {SOURCE: (10, 20)}
    assert commit_one(store, everything_wrong).outcome is Outcome.KNOWN_ORDER
    everything_wrong.fresh_orders = {7: {"ann\x1fo-9": b"entry"}}
    assert commit_one(store, everything_wrong).outcome is Outcome.OK


def test_a_writer_that_lost_its_partition_is_fenced(backend: Backend, store: Store) -> None:
    """A zombie's commit is refused though its version and cursor are right; the heir's is not."""
    zombie, heir = store, backend.connect()
    (old,) = zombie.open([5], SOURCE)
    (new,) = heir.open([5], SOURCE)
    assert new.epoch == old.epoch + 1
    assert commit_one(zombie, full_commit(0, old.epoch, ABSENT, 10)).outcome is Outcome.FENCED
    assert commit_one(heir, full_commit(0, new.epoch, ABSENT, 10)).outcome is Outcome.OK


def test_opening_one_source_does_not_fence_another(store: Store) -> None:
    """Epochs belong to a source in a bucket: writers of other sources go on."""
    (orders,) = store.open([5], "orders/3")
    (profiles,) = store.open([5], "profiles/3")
    store.open([6], "orders/3")
    epochs = {"orders/3": orders.epoch, "profiles/3": profiles.epoch}
    must(store, BucketCommit(5, 0, epochs=epochs))
    store.open([5], "profiles/3")
    assert commit_one(store, BucketCommit(5, 1, epochs=epochs)).outcome is Outcome.FENCED
    must(store, BucketCommit(5, 1, epochs={"orders/3": orders.epoch}))


def test_of_two_writers_on_one_version_only_the_first_writes(
    backend: Backend, store: Store
) -> None:
    """Compare-and-set: the second must load again, and then its commit counts too."""
    first, second = store, backend.connect()
    must(first, BucketCommit(5, 0, cursors={"orders/1": (ABSENT, 1)}, states={"ann": b"1"}))
    late = BucketCommit(5, 0, cursors={"orders/2": (ABSENT, 1)}, states={"ann": b"2"})
    refused = commit_one(second, late)
    assert (refused.outcome, refused.version) == (Outcome.STALE, 1)
    late.version = refused.version
    must(second, late)
    assert store.heads([5])[0].cursors == {"orders/1": 1, "orders/2": 1}


def test_a_commit_sent_again_is_stale_and_changes_nothing(store: Store, backend: Backend) -> None:
    """The version makes a repeated commit harmless, rows and all."""
    store.open([5], SOURCE)
    commit = full_commit(0, 1, ABSENT, 10)
    must(store, commit)
    before = backend.contents()
    assert commit_one(store, commit).outcome is Outcome.STALE
    assert backend.contents() == before


def test_buckets_of_one_call_are_independent(store: Store) -> None:
    """A refused bucket stops no other; results come in the order given."""
    commits = [BucketCommit(3, 0), BucketCommit(1, 7), BucketCommit(2, 0), BucketCommit(3, 1)]
    results = store.commit(commits)
    assert [result.bucket for result in results] == [3, 1, 2, 3]
    assert [result.outcome.name for result in results] == ["OK", "STALE", "OK", "OK"]
    assert [head.version for head in store.heads([1, 2, 3])] == [0, 1, 2]
    assert store.commit([]) == []


def test_an_order_may_be_new_in_another_period_or_bucket(store: Store) -> None:
    """The ledger tells orders apart by bucket, period and key."""
    must(store, BucketCommit(5, 0, fresh_orders={1: {"o": b"a"}}))
    must(store, BucketCommit(5, 1, fresh_orders={2: {"o": b"b"}}))
    must(store, BucketCommit(6, 0, fresh_orders={1: {"o": b"c"}}))
    assert store.load_orders({5: [(1, "o"), (2, "o")]}) == {(1, "o"): b"a", (2, "o"): b"b"}


def test_an_order_with_an_empty_entry_is_known_too(store: Store) -> None:
    """Being in the ledger is what counts, not what is written there."""
    must(store, BucketCommit(5, 0, fresh_orders={1: {"o": b""}}))
    again = BucketCommit(5, 1, fresh_orders={1: {"o": b""}})
    assert commit_one(store, again).outcome is Outcome.KNOWN_ORDER


def test_entries_said_to_be_known_are_overwritten(store: Store) -> None:
    """A refund changes the entry of an order committed before, and adds missing ones."""
    must(store, BucketCommit(5, 0, fresh_orders={1: {"o": b"paid"}}))
    must(store, BucketCommit(5, 1, orders={1: {"o": b"refunded", "p": b""}}))
    assert store.load_orders({5: [(1, "o"), (1, "p")]}) == {(1, "o"): b"refunded", (1, "p"): b""}


def test_a_dropped_period_takes_its_entries_along(store: Store) -> None:
    """Other periods stay, and the key of a dropped entry is new again."""
    must(store, BucketCommit(5, 0, fresh_orders={1: {"o": b"a"}, 2: {"o": b"b"}}))
    must(store, BucketCommit(5, 1, drop_periods=[1, 99]))
    assert store.load_orders({5: [(1, "o"), (2, "o")]}) == {(2, "o"): b"b"}
    must(store, BucketCommit(5, 2, fresh_orders={1: {"o": b"again"}}))


@pytest.mark.parametrize(
    "commit",
    [
        BucketCommit(5, -1),
        BucketCommit(5, LARGEST_NUMBER + 1),
        BucketCommit(5, 0, due={"ann": -1, "ben": 5}),
        BucketCommit(5, 0, due={"ann": 2**70}),
        BucketCommit(5, 0, cursors={SOURCE: (-2, 5)}),
        BucketCommit(5, 0, cursors={SOURCE: (-1, -1)}),
        BucketCommit(5, 0, epochs={SOURCE: -1}),
        BucketCommit(5, 0, clock_ms=2**60),
        BucketCommit(5, 0, drop_marks=-1),
        BucketCommit(5, 0, orders={3: {"o": b""}}, drop_periods=[3]),
        BucketCommit(5, 0, ranks={"spend": {"ann": 0, "ben": 2**53}}),
        BucketCommit(5, 0, ranks={"spend": {"ann": -(2**53), "ben": None}}),
        BucketCommit(5, 0, ranks={"spend": {}}, drop_ranks=["spend"]),
        BucketCommit(5, 0, history={"ann": [b"entry"]}),
    ],
    ids=lambda commit: repr(commit)[:60],
)
def test_a_commit_outside_the_contract_is_not_sent(
    store: Store, backend: Backend, commit: BucketCommit
) -> None:
    """The caller's mistake is a ValueError, and the rest of the call is not written either."""
    before = backend.contents()
    with pytest.raises(ValueError, match="bucket 5"):
        store.commit([BucketCommit(4, 0), commit])
    assert backend.contents() == before


def test_another_bucket_count_is_refused(store: Store) -> None:
    """Buckets cannot be renumbered; installing the same number again is fine."""
    store.install(16)
    with pytest.raises(StoreMismatch, match="16"):
        store.install(32)
    store.install(16)
