"""What a bucket holds and how it is read: states, deadlines, marks, outbox, clock, halts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stream.store import ABSENT, LARGEST_NUMBER, BucketCommit, BucketHead
from tests.contract.backends import must

if TYPE_CHECKING:
    from stream.store import Store

NASTY = ["", " ", "a:b", "{b1}", "nul\x00nul", "naïve ☃ 客户", "new\nline\r\n", "10", "-1", "1e3"]
MANY = 5_000


def test_a_bucket_never_written_has_an_empty_head(store: Store) -> None:
    """No error and no surprise before the first commit."""
    assert store.heads([4]) == [BucketHead(4, 0, 0, {}, [], None, 0)]
    assert store.open([4], "orders/0") == [BucketHead(4, 0, 1, {}, [], None, 0)]
    assert store.heads([]) == []


def test_heads_come_in_the_order_asked(store: Store) -> None:
    """Twice the same bucket is two answers."""
    assert [head.bucket for head in store.heads([3, 1, 3])] == [3, 1, 3]
    assert [head.epoch for head in store.open([3, 1, 3], "orders/0")] == [1, 1, 2]


def test_states_and_deadlines_are_replaced_and_deleted(store: Store) -> None:
    """None deletes, also what was never there."""
    must(store, BucketCommit(1, 0, states={"a": b"1", "b": b"1"}, due={"a": 10, "b": 20}))
    must(store, BucketCommit(1, 1, states={"a": b"2", "b": None, "c": None}))
    must(store, BucketCommit(1, 2, due={"a": 30, "b": None, "c": None}))
    assert dict(store.scan_states(1)) == {"a": b"2"}
    assert store.due([1], 100, 10) == [(1, "a", 30)]


def test_ids_and_values_may_be_any_text_and_any_bytes(store: Store) -> None:
    """Blanks, colons, braces, NUL, numbers in disguise and all 256 bytes survive."""
    body = bytes(range(256))
    states: dict[str, bytes | None] = {name: body + name.encode() for name in NASTY}
    due: dict[str, int | None] = dict.fromkeys(NASTY, 7)
    entries = dict.fromkeys(NASTY, body)
    cursors = dict.fromkeys(NASTY, (ABSENT, 3))
    commit = BucketCommit(1, 0, cursors=cursors, states=states, due=due, marks=body)
    commit.fresh_orders = {0: entries}
    commit.outbox = [body, b"", b"\x00"]
    must(store, commit)
    assert store.load_states({1: NASTY}) == states
    assert dict(store.scan_states(1)) == states
    assert {customer for _, customer, _ in store.due([1], 7, 99)} == set(NASTY)
    assert store.load_orders({1: [(0, name) for name in NASTY]}) == {
        (0, name): body for name in NASTY
    }
    (head,) = store.heads([1])
    assert head.cursors == dict.fromkeys(NASTY, 3)
    assert head.marks == [body]
    assert store.read_outbox({1: 0}, 9) == {1: [(1, body), (2, b""), (3, b"\x00")]}


def test_five_thousand_customers_fit_one_commit(store: Store) -> None:
    """States, deadlines, orders and rows far beyond what one Redis call may carry from Lua."""
    names = [f"customer-{i}" for i in range(MANY)]
    states: dict[str, bytes | None] = {name: name.encode() * 3 for name in names}
    due: dict[str, int | None] = {name: i for i, name in enumerate(names)}
    orders = {name: name.encode() for name in names}
    rows = [name.encode() for name in names]
    result = must(
        store,
        BucketCommit(2, 0, states=states, due=due, fresh_orders={1: orders}, outbox=rows),
    )
    assert result.last_row == MANY
    assert store.load_states({2: names}) == states
    assert store.due([2], MANY, MANY * 2) == [(2, name, i) for i, name in enumerate(names)]
    assert store.load_orders({2: [(1, name) for name in names]}) == {
        (1, name): entry for name, entry in orders.items()
    }
    assert store.read_outbox({2: 0}, MANY)[2] == list(enumerate(rows, start=1))
    gone_states: dict[str, bytes | None] = dict.fromkeys(names)
    gone_due: dict[str, int | None] = dict.fromkeys(names)
    must(store, BucketCommit(2, 1, states=gone_states, due=gone_due))
    assert list(store.scan_states(2)) == []
    assert store.due([2], MANY, 1) == []


@pytest.mark.parametrize("number", [2**31, 2**32 + 1, 1_799_999_999_999, 2**53 - 1, LARGEST_NUMBER])
def test_large_numbers_stay_exact(store: Store, number: int) -> None:
    """Offsets, deadlines and clocks beyond 32 bits are not rounded on their way through Lua."""
    must(
        store,
        BucketCommit(
            1, 0, cursors={"orders/0": (ABSENT, number)}, due={"a": number}, clock_ms=number
        ),
    )
    must(store, BucketCommit(1, 1, cursors={"orders/0": (number, number)}))
    (head,) = store.heads([1])
    assert (head.cursors, head.clock_ms) == ({"orders/0": number}, number)
    assert store.due([1], number, 1) == [(1, "a", number)]
    assert store.due([1], number - 1, 1) == []


def test_the_clock_is_raised_and_never_lowered(store: Store) -> None:
    """A batch of late events, or one without a clock, leaves it where it is."""
    for version, (given, kept) in enumerate([(0, 0), (50, 50), (20, 50), (None, 50), (51, 51)]):
        must(store, BucketCommit(1, version, clock_ms=given))
        assert store.heads([1])[0].clock_ms == kept


def test_marks_are_kept_oldest_first_and_the_oldest_dropped(store: Store) -> None:
    """Dropping comes before appending, so the blob just given is never the one dropped."""
    for version in range(3):
        must(store, BucketCommit(1, version, marks=b"%d" % version))
    must(store, BucketCommit(1, 3, drop_marks=1))
    assert store.heads([1])[0].marks == [b"1", b"2"]
    must(store, BucketCommit(1, 4, marks=b"3", drop_marks=2))
    assert store.heads([1])[0].marks == [b"3"]
    must(store, BucketCommit(1, 5, marks=b"4", drop_marks=9))
    assert store.heads([1])[0].marks == [b"4"]


def test_deadlines_come_earliest_first_over_all_buckets(store: Store) -> None:
    """The limit counts over all buckets; equal instants sort by bucket and customer."""
    must(store, BucketCommit(1, 0, due={"z": 10, "b": 30, "a": 30}))
    must(store, BucketCommit(2, 0, due={"a": 10, "c": 20, "d": 31}))
    every = [(1, "z", 10), (2, "a", 10), (2, "c", 20), (1, "a", 30), (1, "b", 30)]
    assert store.due([2, 1], 30, 100) == every
    assert store.due([2, 1], 30, 3) == every[:3]
    assert store.due([2], 30, 100) == [(2, "a", 10), (2, "c", 20)]
    assert store.due([1, 2], 30, 0) == store.due([], 30, 9) == []
    assert store.due([1, 2], 30, 100) == every
    assert store.due([1, 2], 30, 100, 1) == [(1, "z", 10), (2, "a", 10)]
    assert store.due([1, 2], 30, 3, 2) == [(1, "z", 10), (2, "a", 10), (2, "c", 20)]
    assert store.due([1, 2], 30, 1, 2) == every[:1]
    assert store.due([1, 2], 30, 3, 0) == []
    assert store.soonest([1, 2, 3]) == {1: 10, 2: 10}
    must(store, BucketCommit(1, 1, due={"z": None}))
    must(store, BucketCommit(2, 1, due={"a": None, "c": 40}))
    assert store.soonest([1, 2]) == {1: 30, 2: 31}
    assert store.soonest([]) == {}


def test_rows_are_numbered_without_a_gap_and_read_in_order(store: Store) -> None:
    """1, 2, 3 over commits, each bucket for itself; a limit pages through them."""
    assert must(store, BucketCommit(1, 0, outbox=[b"a", b"b"])).last_row == 2
    assert must(store, BucketCommit(1, 1)).last_row == 2
    assert must(store, BucketCommit(1, 2, outbox=[b"c"])).last_row == 3
    assert must(store, BucketCommit(2, 0, outbox=[b"x"])).last_row == 1
    assert store.read_outbox({1: 0, 2: 1, 3: 0}, 2) == {1: [(1, b"a"), (2, b"b")], 2: [], 3: []}
    assert store.read_outbox({1: 2}, 2) == {1: [(3, b"c")]}
    assert store.read_outbox({1: 0}, 0) == {1: []}
    assert store.outbox_depth([1, 2, 3]) == {1: 3, 2: 1, 3: 0}


def test_skipped_row_numbers_are_never_given(store: Store) -> None:
    """The next row is above what was skipped; skipping less than that changes nothing."""
    must(store, BucketCommit(1, 0, outbox=[b"a"]))
    store.skip_rows([1, 2], 1_790_000_000_000_000)
    store.skip_rows([1], 7)
    (head,) = store.heads([1])
    assert (head.version, head.last_row) == (1, 1_790_000_000_000_000)
    must(store, BucketCommit(1, 1, outbox=[b"b", b"c"]))
    must(store, BucketCommit(2, 0, outbox=[b"x"]))
    assert store.read_outbox({1: 0, 2: 0}, 9) == {
        1: [(1, b"a"), (1_790_000_000_000_001, b"b"), (1_790_000_000_000_002, b"c")],
        2: [(1_790_000_000_000_001, b"x")],
    }


def test_trimming_keeps_the_numbering(store: Store) -> None:
    """Rows up to the number go, later ones stay, and the next row follows the newest ever."""
    must(store, BucketCommit(1, 0, outbox=[b"a", b"b", b"c"]))
    store.trim_outbox({1: 2, 3: 5})
    store.trim_outbox({1: 2})
    assert store.read_outbox({1: 0}, 9) == {1: [(3, b"c")]}
    store.trim_outbox({1: 3})
    assert store.outbox_depth([1]) == {1: 0}
    assert store.heads([1])[0].last_row == 3
    assert must(store, BucketCommit(1, 1, outbox=[b"d"])).last_row == 4
    assert store.read_outbox({1: 0}, 9) == {1: [(4, b"d")]}


def test_states_are_loaded_over_several_buckets(store: Store) -> None:
    """Only what is found, and nothing where nothing is asked."""
    must(store, BucketCommit(1, 0, states={"a": b"1"}))
    must(store, BucketCommit(2, 0, states={"b": b"2"}))
    assert store.load_states({1: ["a", "b"], 2: ["b"], 3: []}) == {"a": b"1", "b": b"2"}
    assert store.load_states({}) == {}
    assert store.load_orders({}) == store.load_orders({1: []}) == {}


def test_halts_are_noted_and_released(store: Store) -> None:
    """A second halt replaces the reason; releasing what is not halted is fine."""
    assert store.halts() == {}
    store.halt("orders/3", "97 % of 1,000 records rejected")
    store.halt("orders/4", "first")
    store.halt("orders/4", "dernière ☃")
    store.release("orders/3")
    store.release("orders/9")
    assert store.halts() == {"orders/4": "dernière ☃"}


def test_the_server_tells_what_a_doctor_asks(store: Store) -> None:
    """Role, policy and memory are there on every backend."""
    store.ping()
    facts = store.server_info()
    assert facts.role == "master"
    assert facts.maxmemory_policy == "noeviction"
    assert facts.product in {"redis", "valkey", "memory"}
    assert facts.version
