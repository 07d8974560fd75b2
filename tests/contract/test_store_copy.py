"""A bucket's whole content as one commit: what a store takes is what another one held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.adapters.memory_store import MemoryStore
from stream.copying import whole
from stream.seen import DedupWindow, Seen
from stream.store import BucketCommit
from tests.contract.backends import must

if TYPE_CHECKING:
    from stream.store import Store

WINDOW = DedupWindow()


def blob(*event_ids: str) -> bytes:
    """Return what a commit stores of events that were applied."""
    seen = Seen(WINDOW)
    seen.checksums.update(dict.fromkeys(event_ids, 1))
    seen.own("c", len(event_ids))
    return seen.seal(5)[0]


def test_an_empty_bucket_takes_all_that_another_store_holds_of_it(store: Store) -> None:
    """Numbers of rows are given anew, and marks are one blob; nothing else is different."""
    held = MemoryStore()
    commit = BucketCommit(3, 0, states={"c": b"1", "d": b"2", "gone": b"3"}, due={"c": 70})
    commit.cursors, commit.clock_ms, commit.editions = {"orders/1": (-1, 9)}, 50, b"book"
    commit.fresh_orders = {4: {"c\x1fo1": b"x"}, 5: {"d\x1fo2": b"y"}}
    commit.marks, commit.outbox = blob("e1", "e2"), [b"one", b"two"]
    commit.ranks = {"spent": {"c": 5, "d": -7}, "nobody": {}}
    commit.history, commit.history_limit = {"c": [b"h1", b"h2"], "d": [b"h3"]}, 2
    must(held, commit)
    again = BucketCommit(3, 1, marks=blob("e3"), outbox=[b"three"])
    again.erased, again.erasures = ["gone"], {"pseudonym": b"erased"}
    must(held, again)
    held.trim_outbox({3: 1})

    store.skip_rows([3], 1_000)
    must(store, whole(held, 3))
    (there,), (here,) = held.heads([3]), store.heads([3])
    assert (here.cursors, here.clock_ms, here.editions) == ({"orders/1": 9}, 50, b"book")
    assert here.erasures == there.erasures == {"pseudonym": b"erased"}
    assert Seen(WINDOW, here.marks).checksums == Seen(WINDOW, there.marks).checksums
    assert list(Seen(WINDOW, here.marks).checksums) == ["e1", "e2", "e3"]
    assert store.read_outbox({3: 0}, 9) == {3: [(1_001, b"two"), (1_002, b"three")]}
    assert dict(store.scan_states(3)) == {"c": b"1", "d": b"2"}
    assert store.due([3], 100, 9) == [(3, "c", 70)]
    assert store.scan_orders(3, "") == held.scan_orders(3, "")
    assert store.load_history(3, "c") == [b"h1", b"h2"]
    assert store.rank_names(3) == ["nobody", "spent"]
    assert store.rank_readings([3], "spent", -9, 9) == [-7, 5]


def test_a_bucket_that_was_never_written_is_an_empty_commit(store: Store) -> None:
    must(store, whole(MemoryStore(), 2))
    assert not list(store.scan_states(2))
