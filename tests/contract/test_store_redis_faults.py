"""The Redis adapter when the server forgets, refuses, stalls or dies. Real servers only."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import redis

from stream.adapters.redis_store import RedisStore
from stream.store import (
    ABSENT,
    BucketCommit,
    BucketHead,
    Outcome,
    StoreMismatch,
    StoreUnavailable,
)
from tests.contract.backends import ON_ONE_SERVER, ON_REDIS, PREFIX, commit_one, must
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.embedded import EmbeddedRedis
    from stream.store import Store
    from tests.contract.backends import RedisBackend

pytestmark = pytest.mark.integration


def rich_commit(version: int) -> BucketCommit:
    """Return a commit with a write of every kind."""
    return BucketCommit(
        bucket=1,
        version=version,
        cursors={"orders/0": (version - 1 if version == 0 else version, version + 1)},
        states={"ann": b"%d" % version, "old": None},
        due={"ann": version, "old": None},
        fresh_orders={1: {f"ann {version}": b"entry"}},
        orders={2: {"ann": b"entry"}},
        drop_periods=[9],
        marks=b"marks",
        drop_marks=1,
        outbox=[b"row"],
        clock_ms=version,
        editions=b"editions" if version % 2 else b"",
        ranks={"spend": {"ann": version, "old": None}},
        drop_ranks=["unused"],
        history={"ann": [b"entry"]},
        history_limit=2,
        erased=["gone"],
        gone_orders={3: ["gone"]},
    )


@pytest.mark.parametrize("backend", ON_REDIS, indirect=True)
def test_scripts_forgotten_between_commits_are_loaded_again(
    store: Store, backend: RedisBackend
) -> None:
    """NOSCRIPT means not executed: the commit is written once, and the caller notices nothing."""
    must(store, rich_commit(0))
    for client in backend.clients:
        client.script_flush()
    results = store.commit([rich_commit(1), BucketCommit(2, 0, outbox=[b"row"]), rich_commit(2)])
    assert [result.outcome for result in results] == [Outcome.OK] * 3
    assert store.read_outbox({1: 0, 2: 0}, 9) == {
        1: [(1, b"row"), (2, b"row"), (3, b"row")],
        2: [(1, b"row")],
    }


@pytest.mark.parametrize("backend", ON_REDIS, indirect=True)
def test_the_outbox_hint_names_the_bucket(store: Store, backend: RedisBackend) -> None:
    """A commit with rows publishes its bucket; one without, or refused, is silent."""
    with backend.clients[0].pubsub() as hints:
        hints.subscribe(f"{PREFIX}:outbox")
        wait_for(lambda: hints.get_message(timeout=1), "the subscription")
        must(store, BucketCommit(3, 0))
        commit_one(store, BucketCommit(3, 9, outbox=[b"row"]))
        must(store, BucketCommit(4, 0, outbox=[b"row", b"row"]))
        message = wait_for(lambda: hints.get_message(timeout=1), "the hint")
        assert message["data"] == b"4"
        assert hints.get_message(timeout=0) is None


LEDGER = ["orders:1", "orders:2", "orders:3"]
KEYS = ["meta", "states", "due", "outbox", "marks", *LEDGER, "rank:spend", "bins:spend", "history"]
DAMAGE = {"bins:spend": ("0", "by hand"), "history": ("ann", "by hand")}


@pytest.mark.parametrize("backend", ON_ONE_SERVER, indirect=True)
@pytest.mark.parametrize("name", KEYS)
def test_a_key_of_another_type_is_found_before_the_first_write(
    store: Store, backend: RedisBackend, name: str
) -> None:
    """Damage done by hand stops the commit as a whole, and says so."""
    backend.clients[0].set(f"{PREFIX}:{{b1}}:{name}", "by hand")
    before = backend.contents()
    with pytest.raises(StoreMismatch, match="WRONGTYPE") as caught:
        store.commit([rich_commit(0)])
    assert isinstance(caught.value.__cause__, redis.RedisError)
    assert backend.contents() == before


@pytest.mark.parametrize("backend", ON_ONE_SERVER, indirect=True)
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_value_is_found_before_the_first_write(
    store: Store, backend: RedisBackend, name: str
) -> None:
    """The script computes with bins and histories: what it cannot read stops it beforehand."""
    must(store, rich_commit(0))
    backend.clients[0].hset(f"{PREFIX}:{{b1}}:{name}", *DAMAGE[name])
    before = backend.contents()
    with pytest.raises(StoreMismatch):
        store.commit([rich_commit(1)])
    assert backend.contents() == before


@pytest.mark.parametrize("backend", ON_ONE_SERVER, indirect=True)
def test_a_lost_head_beside_a_kept_outbox_is_not_written_over(
    store: Store, backend: RedisBackend
) -> None:
    """Rows would be numbered from 1 again: the commit fails before anything is written."""
    must(store, rich_commit(0))
    backend.clients[0].delete(f"{PREFIX}:{{b1}}:meta")
    before = backend.contents()
    with pytest.raises(StoreMismatch):
        store.commit([BucketCommit(1, 0, states={"ann": b"x"}, outbox=[b"row"])])
    assert backend.contents() == before


@pytest.mark.faults
def test_a_killed_server_is_unavailable_and_then_works_again(
    own_server: EmbeddedRedis, on_own_server: Callable[[], RedisBackend]
) -> None:
    """While it is down nothing of a commit is sent; after the restart the same store goes on."""
    store = on_own_server().connect()
    store.install(16)
    must(store, rich_commit(0))
    own_server.kill()
    with pytest.raises(StoreUnavailable) as caught:
        store.commit([rich_commit(1)])
    assert not caught.value.outcome_unknown
    with pytest.raises(StoreUnavailable):
        store.heads([1])
    own_server.start()
    assert store.heads([1]) == [BucketHead(1, 1, 0, {"orders/0": 1}, [b"marks"], 0, 1)]
    must(store, rich_commit(1))


@pytest.mark.faults
def test_a_commit_without_an_answer_has_an_unknown_outcome(
    on_own_server: Callable[[], RedisBackend], own_server: EmbeddedRedis
) -> None:
    """The store does not send it again; the version tells afterwards what became of it."""
    impatient = RedisStore(own_server.url, prefix=PREFIX, timeout_s=0.3)
    impatient.install(16)
    client = on_own_server().clients[0]
    client.client_pause(60_000, all=False)
    with pytest.raises(StoreUnavailable) as caught:
        impatient.commit([rich_commit(0)])
    assert caught.value.outcome_unknown
    client.client_unpause()
    (head,) = impatient.heads([1])
    assert len(impatient.read_outbox({1: 0}, 9)[1]) == head.version <= 1
    again = commit_one(impatient, rich_commit(0))
    assert again.outcome is (Outcome.OK if head.version == 0 else Outcome.STALE)
    impatient.close()


REFUSALS = {
    "OOM": ([("CONFIG SET", "maxmemory", "1")], [("CONFIG SET", "maxmemory", "0")]),
    "READONLY": ([("REPLICAOF", "127.0.0.1", "1")], [("REPLICAOF", "NO", "ONE")]),
    "MASTERDOWN": (
        [("CONFIG SET", "replica-serve-stale-data", "no"), ("REPLICAOF", "127.0.0.1", "1")],
        [("REPLICAOF", "NO", "ONE")],
    ),
    "NOREPLICAS": (
        [("CONFIG SET", "min-replicas-to-write", "1")],
        [("CONFIG SET", "min-replicas-to-write", "0")],
    ),
}


@pytest.mark.faults
@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize(
    "refused",
    [rich_commit(1), BucketCommit(1, 1, states={"ann": None}, due={"ann": None}, drop_periods=[1])],
    ids=["writes", "deletes"],
)
def test_a_server_that_cannot_write_now_has_written_nothing(
    on_own_server: Callable[[], RedisBackend], code: str, refused: BucketCommit
) -> None:
    """Out of memory, a replica, or alone: hold and retry, with every byte as it was.

    Deletions first: a full server still runs HDEL, and would stop the script only after it.
    """
    backend = on_own_server()
    store = backend.connect()
    store.install(16)
    must(store, rich_commit(0))
    before = backend.contents()
    start, end = REFUSALS[code]
    for command in start:
        backend.clients[0].execute_command(*command)
    with pytest.raises(StoreUnavailable) as caught:
        store.commit([refused])
    assert not caught.value.outcome_unknown
    for command in end:
        backend.clients[0].execute_command(*command)
    assert backend.contents() == before
    must(store, refused)


@pytest.mark.faults
def test_a_user_without_a_right_is_told_before_the_first_commit(
    on_own_server: Callable[[], RedisBackend], own_server: EmbeddedRedis
) -> None:
    """A commit that may not run ZREM would fail between two writes; installing says so first."""
    client = on_own_server().clients[0]
    client.execute_command("ACL SETUSER", "few", "on", ">secret", "~*", "&*", "+@all", "-zrem")
    url = own_server.url.replace("redis://", "redis://few:secret@")
    with contextlib.closing(RedisStore(url, prefix=PREFIX)) as store:
        with pytest.raises(StoreMismatch, match="ZREM"):
            store.install(16)
        client.execute_command("ACL SETUSER", "few", "+zrem", "resetchannels")
        store.install(16)
        must(store, rich_commit(0))  # the hint may not be published, the commit counts


@pytest.mark.faults
def test_a_wrong_password_is_a_mismatch(own_server: EmbeddedRedis) -> None:
    """Waiting does not help: stop and say what to fix."""
    url = own_server.url.replace("redis://", "redis://nobody:wrong@")
    with (
        contextlib.closing(RedisStore(url, prefix=PREFIX)) as store,
        pytest.raises(StoreMismatch, match="user"),
    ):
        store.ping()


@pytest.mark.faults
def test_a_server_that_went_back_in_time_is_caught_by_the_cursor(
    on_own_server: Callable[[], RedisBackend],
) -> None:
    """After a failover that lost commits the versions may agree again, the cursors do not."""
    backend = on_own_server()
    store = backend.connect()
    must(store, BucketCommit(1, 0, cursors={"orders/0": (ABSENT, 10)}))
    before = backend.contents()
    must(store, BucketCommit(1, 1, cursors={"orders/0": (10, 20)}))
    backend.clear()
    for key, dump in before.items():
        backend.clients[0].restore(key, 0, dump)
    (head,) = store.heads([1])
    ahead = BucketCommit(1, head.version, cursors={"orders/0": (20, 30)})
    assert commit_one(store, ahead).outcome is Outcome.OFFSET
    must(store, BucketCommit(1, head.version, cursors={"orders/0": (10, 30)}))
