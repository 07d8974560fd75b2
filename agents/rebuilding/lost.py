"""Redis was lost, Kafka was not: noticing it, and putting back what Redis held."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from agents.markers import published_rows, read_markers
from agents.preflight import check_partitions
from agents.rebuilding.announced import read_announced
from agents.rebuilding.errors import RebuildError
from agents.rebuilding.past import check_kept, read_past
from agents.rebuilding.refold import Refold
from agents.replay.reading import partitions_of
from agents.settings import INPUTS, OUTBOX, SettingsError
from stream.copying import whole
from stream.store import Outcome, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from agents.rebuilding.announced import Announced
    from agents.rebuilding.watch import Watch
    from agents.settings import Settings
    from stream.editions import Edition
    from stream.store import BucketCommit, BucketHead, Store


class StateLost(StoreUnavailable):
    """Hold until a person has rebuilt it: Redis is empty of what was announced already."""


class Restored(NamedTuple):
    """What was put back.

    Attributes:
        buckets: How many were empty and are not any more.
        customers: In them.
        records: Read from the input topics.
        rows: That had not been announced, and are on their way.
    """

    buckets: int = 0
    customers: int = 0
    records: int = 0
    rows: int = 0


async def check_state(settings: Settings, heads: Sequence[BucketHead]) -> None:
    """Look whether buckets that were never written, *heads* say, have had rows announced.

    Raises:
        StateLost: They have.
        SettingsError: The markers are of another number of buckets.
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    lost = await _lost(settings, heads)
    if lost:
        rows = "rows" if len(lost) > 1 else "a row"
        raise StateLost(
            f"Redis holds nothing of {len(lost)} buckets of which {rows} were announced: "
            "its state was lost; run: tierstream rebuild"
        )


async def _lost(settings: Settings, heads: Sequence[BucketHead]) -> list[int]:
    """Return the buckets that were never written but have had rows announced."""
    empty = [head.bucket for head in heads if head.version == 0]
    if not empty:
        return []
    topic = settings.topic(OUTBOX)
    shards = (await partitions_of(settings, [topic]))[topic]
    markers = await read_markers(settings, range(shards))
    try:
        published = published_rows(markers, settings.buckets)
    except ValueError as exc:
        raise SettingsError(
            f"TIERSTREAM_BUCKETS: {settings.buckets} is not allowed; allowed: the number that the "
            f"markers in group {settings.group('outbox-marks')} were written with"
        ) from exc
    return [bucket for bucket in empty if published[bucket]]


async def restore(
    settings: Settings, store: Store, first: Edition, watch: Watch, *, accept: bool = False
) -> Restored:
    """Put back what buckets that were lost had held, each in one commit.

    What had been announced is not announced again, what had not is. Partition numbers that were
    done stay done: it can be interrupted and run again. Workers must not be writing to buckets
    that were lost, and do not: they hold.

    Args:
        settings: Where Kafka is, and the clock that the workers go by.
        store: What was lost.
        first: The policy that the workers were started with, as an edition.
        watch: Told what goes on.
        accept: Where the log leads elsewhere than what was announced, let customers stand where
            they were said to, and judge them from there, with cause ``policy_changed``.

    Raises:
        RebuildError: The topics do not lead to what Redis held; nothing more was written.
        StoreError: The store does not answer, or refuses.
        MissingTopicError: A topic is missing.
        aiokafka.errors.KafkaError: The broker does not answer.
    """
    counts = await partitions_of(settings, [settings.topic(base) for base in INPUTS])
    partitions = check_partitions(settings, counts)
    heads = store.heads(range(settings.buckets))
    numbers = sorted({bucket % partitions for bucket in await _lost(settings, heads)})
    if not numbers:
        return Restored()
    offsets = await check_kept(settings, counts)
    watch.total(offsets * len(numbers) // partitions)
    announced = await read_announced(settings)
    empty = {head.bucket for head in heads if head.version == 0}
    done = Restored()
    for number in numbers:
        past = await read_past(settings, number, watch.read)
        refold = Refold(settings, first, number, partitions)
        refold.fold(past, watch.folded)
        home = [bucket for bucket in range(number, settings.buckets, partitions) if bucket in empty]
        commits = [_commit(refold, announced, bucket, accept=accept) for bucket in home]
        _write(store, commits)
        done = Restored(
            done.buckets + len(home),
            done.customers + sum(len(commit.states) for commit in commits),
            done.records + past.records,
            done.rows + sum(len(commit.outbox) for commit in commits),
        )
    return done


def _commit(refold: Refold, announced: Announced, bucket: int, *, accept: bool) -> BucketCommit:
    commit = whole(refold.store, bucket)
    elsewhere = announced.elsewhere(bucket, commit.outbox, commit.erasures)
    if elsewhere and not accept:
        raise RebuildError(
            f"a change of customer {min(elsewhere)!r} was announced that the log does not lead to: "
            "was another --policy in force before the first one was published? With --accept, "
            "customers go on from what was announced"
        )
    if elsewhere:
        refold.stand(bucket, elsewhere)
        commit = whole(refold.store, bucket)
    return replace(commit, outbox=announced.news(commit.outbox, commit.erasures))


def _write(store: Store, commits: Collection[BucketCommit]) -> None:
    # Row numbers must be above those that the relay's markers call published: see Ownership.
    clock_ms = store.server_info().clock_ms
    store.skip_rows([commit.bucket for commit in commits], clock_ms * 1000)
    for commit in commits:
        (result,) = store.commit([commit])
        if result.outcome is not Outcome.OK:
            raise RebuildError(f"bucket {commit.bucket}: somebody else writes to it; run it again")
