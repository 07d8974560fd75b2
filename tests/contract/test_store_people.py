"""What a store keeps of people beside their states: editions, histories, and erasing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.ledger import ledger_key
from stream.rankings import Ranked
from stream.store import BucketCommit, Outcome
from tests.contract.backends import ON_REDIS, commit_one, must

if TYPE_CHECKING:
    from stream.adapters.redis_store import RedisStore
    from stream.store import Store
    from tests.contract.backends import RedisBackend

NASTY = ["", "a*b", "[ab]", "a?b", "back\\slash", "^x", "nul\x00nul", "naïve ☃ 客户", "{b1}"]
MANY = 3_000


def test_editions_are_replaced_left_and_cleared(store: Store) -> None:
    """None leaves the blob, an empty one clears it; opening and reading both return it."""
    body = bytes(range(256)) * 400
    for version, (given, kept) in enumerate([(None, b""), (body, body), (None, body), (b"", b"")]):
        must(store, BucketCommit(1, version, editions=given))
        assert store.heads([1])[0].editions == kept
        assert store.open([1], "orders/0")[0].editions == kept


def test_a_history_keeps_the_newest_entries(store: Store) -> None:
    """Oldest first, per customer, over commits and within one; others are left alone."""
    must(store, BucketCommit(1, 0, history={"ann": [b"1", b"", b"\x00\xff"]}, history_limit=5))
    must(store, BucketCommit(1, 1, history={"ben": [b"x"]}, history_limit=1))
    must(store, BucketCommit(1, 2, history={"ann": [b"4", b"5", b"6"]}, history_limit=4))
    assert store.load_history(1, "ann") == [b"\x00\xff", b"4", b"5", b"6"]
    must(store, BucketCommit(1, 3, history={"ann": [b"7", b"8", b"9"]}, history_limit=2))
    assert store.load_history(1, "ann") == [b"8", b"9"]
    assert store.load_history(1, "ben") == [b"x"]
    assert store.load_history(1, "eve") == store.load_history(2, "ann") == []


def test_thousands_of_histories_fit_one_commit(store: Store) -> None:
    """Far beyond what one Redis call may carry from Lua, and erased in one commit as well."""
    names = [f"customer-{i}" for i in range(MANY)]
    for version in range(2):
        history = {name: [name.encode(), b"%d" % version] for name in names}
        must(store, BucketCommit(1, version, history=history, history_limit=3))
    assert store.load_history(1, names[-1]) == [b"0", names[-1].encode(), b"1"]
    must(store, BucketCommit(1, 2, ranks={"spend": dict.fromkeys(names, 5)}))
    must(store, BucketCommit(1, 3, erased=names))
    assert [store.load_history(1, name) for name in names[:3]] == [[], [], []]
    assert store.rank_bins([1], "spend") == {}


@pytest.mark.parametrize("customer", NASTY)
def test_an_erased_customer_is_nowhere(store: Store, customer: str) -> None:
    """State, deadline, both rankings, history and orders go at once; a neighbour keeps its own."""
    for version, name in enumerate(["ann", customer]):
        must(
            store,
            BucketCommit(
                1,
                version,
                states={name: b"state"},
                due={name: 5},
                ranks={"spend": {name: 9}, "visits": {name: -1}},
                history={name: [b"entry"]},
                history_limit=5,
                orders={3: {ledger_key(name, "o-1"): b"paid"}},
            ),
        )
    found = store.scan_orders(1, ledger_key(customer, ""))
    assert found == [(3, ledger_key(customer, "o-1"))]
    gone = {period: [key] for period, key in found}
    must(store, BucketCommit(1, 2, erased=[customer, customer, "eve"], gone_orders=gone))
    assert dict(store.scan_states(1)) == {"ann": b"state"}
    assert store.due([1], 100, 9) == [(1, "ann", 5)]
    for name, reading in (("spend", 9), ("visits", -1)):
        assert store.rank_members(1, name, -99, 99, 9) == [Ranked(reading, "ann")]
        assert store.rank_bins([1], name) == {reading: (1, reading)}
    assert (store.load_history(1, customer), store.load_history(1, "ann")) == ([], [b"entry"])
    assert store.scan_orders(1, "") == [(3, ledger_key("ann", "o-1"))]


def test_what_a_commit_writes_of_an_erased_customer_is_all_there_is(store: Store) -> None:
    """Who comes back in the batch that erases begins from nothing."""
    old = BucketCommit(1, 0, states={"ann": b"old"}, due={"ann": 5}, history={"ann": [b"old"]})
    old.history_limit = 5
    old.ranks = {"spend": {"ann": 9}, "visits": {"ann": 9}}
    old.fresh_orders = {3: {"o-1": b"old", "o-2": b"old"}}
    must(store, old)
    new = BucketCommit(1, 1, states={"ann": b"new"}, history={"ann": [b"new"]}, erased=["ann"])
    new.history_limit = 5
    new.ranks = {"spend": {"ann": 2}}
    new.gone_orders = {3: ["o-1", "o-2"]}
    new.orders = {3: {"o-1": b"new"}}
    must(store, new)
    assert store.load_states({1: ["ann"]}) == {"ann": b"new"}
    assert store.due([1], 100, 9) == []
    assert store.load_history(1, "ann") == [b"new"]
    assert store.rank_bins([1], "spend") == {2: (1, 2)}
    assert store.rank_bins([1], "visits") == {}
    assert store.load_orders({1: [(3, "o-1"), (3, "o-2")]}) == {(3, "o-1"): b"new"}


def test_what_is_remembered_of_the_erased_stays(store: Store) -> None:
    """By pseudonym, beside whatever else the commit writes; the newest word about each counts."""
    first = {"aa": b"1", "bb": b"\x00\xff"}
    must(store, BucketCommit(1, 0, marks=b"m", editions=b"e", erasures=first, outbox=[b"row"]))
    must(store, BucketCommit(1, 1, erasures={"aa": b"", "cc": b"3"}, erased=["ann"]))
    must(store, BucketCommit(1, 2, editions=b""))
    known = {"aa": b"", "bb": b"\x00\xff", "cc": b"3"}
    assert store.heads([1])[0].erasures == store.open([1], "orders/0")[0].erasures == known
    assert store.heads([2])[0].erasures == {}


def test_a_ranking_begun_in_the_same_call_is_erased_from_too(store: Store) -> None:
    """The second commit of the call reaches what only the first one has brought."""
    first = BucketCommit(1, 0, ranks={"spend": {"ann": 5, "ben": 6}})
    results = store.commit([first, BucketCommit(1, 1, erased=["ann"])])
    assert [result.outcome for result in results] == [Outcome.OK, Outcome.OK]
    assert store.rank_bins([1], "spend") == {6: (1, 6)}


def test_a_dropped_ranking_needs_no_erasing(store: Store) -> None:
    """Both at once leave nothing behind."""
    must(store, BucketCommit(1, 0, ranks={"spend": {"ann": 5}, "visits": {"ann": 6, "ben": 7}}))
    must(store, BucketCommit(1, 1, erased=["ann"], drop_ranks=["spend"]))
    assert store.rank_names(1) == ["visits"]
    assert store.rank_bins([1], "visits") == {7: (1, 7)}


def test_orders_of_a_dropped_period_are_not_found(store: Store) -> None:
    """And orders are found in every period that holds any, by prefix alone."""
    orders = {1: {"a*\x1f1": b"", "ab\x1f1": b""}, 70_000: {"a*\x1f2": b""}, 2: {"a*\x1f3": b""}}
    must(store, BucketCommit(1, 0, orders={70_000: orders.pop(70_000)}, fresh_orders=orders))
    must(store, BucketCommit(1, 1, drop_periods=[2]))
    assert store.scan_orders(1, "a*\x1f") == [(1, "a*\x1f1"), (70_000, "a*\x1f2")]
    assert store.scan_orders(2, "") == []


@pytest.mark.parametrize("backend", ON_REDIS, indirect=True)
def test_a_ranking_the_eraser_has_not_seen_makes_the_commit_stale(
    store: RedisStore, backend: RedisBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names are read before the commit is sent; nothing is left half erased."""
    must(store, BucketCommit(1, 0, states={"ann": b"s"}, ranks={"spend": {"ann": 5}}))
    before = backend.contents()
    monkeypatch.setattr(store, "_rankings_to_erase_from", lambda _: {1: set()})
    assert commit_one(store, BucketCommit(1, 1, erased=["ann"])).outcome is Outcome.STALE
    assert backend.contents() == before
