"""Where a batch is cut for a new edition, and whom a sweep visits."""

from __future__ import annotations

from typing import NamedTuple

from aiokafka.structs import TopicPartition

from agents.reading import cut_after_edition
from agents.sweeping import VISIT, Sweep
from stream.adapters.memory_store import MemoryStore
from stream.bucket import Bucket
from stream.customer import unpack
from stream.editions import policy_published, scorer_of
from stream.seen import DedupWindow
from stream.store import BucketCommit
from tests.unit.stream.policies import DAY, bands
from tests.unit.stream.test_editions import SPENT, VALUE, Site, document, order

ORDERS, CONTROLS = TopicPartition("orders", 0), TopicPartition("controls", 0)
T0 = 852_076_800_000
STRICTER = {"value": bands("spent", gold=20)}


class Record(NamedTuple):
    """What matters of a Kafka record here."""

    value: bytes | None
    timestamp: int


def test_a_batch_ends_with_the_control_that_begins_an_edition() -> None:
    """What follows in the log waits for the next batch, whatever topic it is of."""
    order, clock = Record(b"order", 1), Record(b'"clock.advanced"', 2)
    policy, tombstone = Record(b'{"kind": "policy.published"}', 3), Record(None, 2)
    runs = [
        (ORDERS, [order]),
        (CONTROLS, [tombstone, clock, policy, clock]),
        (ORDERS, [order, order]),
    ]
    taken, later, instant_ms = cut_after_edition(runs, "controls")
    assert taken == [(ORDERS, [order]), (CONTROLS, [tombstone, clock, policy])]
    assert later == [(CONTROLS, [clock]), (ORDERS, [order, order])]
    assert instant_ms == 3
    assert cut_after_edition(later, "controls") == (later, [], None)


def site_of(customers: int, cents: int = 1_000) -> tuple[MemoryStore, Bucket]:
    """Return a store with customers of one bucket, for which a new policy has just begun.

    Gold was from 10 dollars on and is from 20 on.
    """
    site = Site(document(1, SPENT, VALUE))
    site.take(*(order(n, T0, customer=f"c{n}", cents=cents) for n in range(customers)))
    site.begin(policy_published(document(2, SPENT, STRICTER), T0, "two"))
    store = MemoryStore()
    store.commit([BucketCommit(0, 0, states=dict(site.states), editions=site.editions)])
    (head,) = store.heads([0])
    return store, Bucket(head, scorer_of(site.first), DedupWindow(), site.first)


def test_everyone_is_visited_a_few_at_a_time() -> None:
    """No more than the limit with one batch, each customer once, and then it has ended."""
    store, bucket = site_of(customers=5)
    sweep = Sweep(store)
    pages = [sweep.next([bucket], 2 * VISIT, start=True).get(0, []) for _ in range(4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert sorted(name for page in pages for name in page) == [f"c{n}" for n in range(5)]
    assert sweep.ended(bucket)


def test_whom_a_policy_leaves_where_they_are_is_looked_at_and_not_visited() -> None:
    """They count as looked at: of the limit, and for the end of the sweep."""
    store, bucket = site_of(customers=5, cents=900)
    sweep = Sweep(store)
    ends = []
    for _ in range(4):
        assert sweep.next([bucket], 2, start=True) == {}
        ends.append((sweep.spared, sweep.ended(bucket)))
    assert ends == [(2, False), (4, False), (5, True), (5, True)]


def test_who_falls_sooner_under_the_new_policy_is_visited() -> None:
    """The tier is the same today; but the deadline in the store would come too late."""
    for before, after, sooner in ((9, 10, True), (10, 9, False), (9, 9, False)):
        site = Site(document(1, SPENT, {"value": bands("spent", gold=before)}))
        site.take(order(1, T0, cents=800), order(2, T0 + 10 * DAY, cents=950))
        now_ms = T0 + 20 * DAY
        second = document(2, SPENT, {"value": bands("spent", gold=after)})
        site.begin(policy_published(second, now_ms, "two"))
        unmoved = site.bucket.in_force.unmoved
        assert unmoved.holds("c1", unpack(site.states["c1"])) is not sooner


def test_a_sweep_does_not_begin_while_a_commit_is_under_way() -> None:
    """That commit may hold customers that were judged before the edition began."""
    store, bucket = site_of(customers=1)
    sweep = Sweep(store)
    assert sweep.next([bucket], 2, start=False) == {}
    assert not sweep.ended(bucket)
    assert sweep.next([bucket], 2, start=True) == {0: ["c0"]}


def test_a_sweep_begins_again_for_the_next_edition_and_after_a_restart() -> None:
    """Those who stand under the edition already are passed over."""
    store, bucket = site_of(customers=3)
    sweep = Sweep(store)
    sweep.next([bucket], 9 * VISIT, start=True)
    bucket.begin(policy_published(document(3, SPENT, VALUE), T0, "three"))
    assert not sweep.ended(bucket)
    assert len(sweep.next([bucket], 9 * VISIT, start=True)[0]) == 3
    states = store.load_states({0: ["c0"]})
    bucket.adopt("c0", states["c0"])
    bucket.visit("c0", T0)
    assert store.commit([bucket.commit({}, None)])[0].version == 2
    assert sorted(Sweep(store).next([bucket], 9 * VISIT, start=True)[0]) == ["c1", "c2"]
