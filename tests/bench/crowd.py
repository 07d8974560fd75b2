"""Very many customers, put into a store through the pure core and the store's own commits.

They have three orders each, and stand under the cuts that a census of them finds, so that nobody
has to be brought anywhere before an experiment begins. `tests.bench.calm` says what for.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from schemas.policy import load_policy
from stream.adapters.redis_store import RedisStore
from stream.arrivals import Payment
from stream.bucket import Bucket
from stream.calendar import DAY_MS
from stream.changes import BOUNDARY_MOVED
from stream.editions import Edition, first_edition
from stream.fold import Scorer
from stream.ledger import OrderEntry
from stream.partition import bucket_of
from stream.plan import compile_policy
from stream.population.follow import take_census
from stream.population.ordered import Ordered
from stream.seen import DedupWindow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stream.editions import Begin

BUCKETS = 256
PROCESSES = 2
SILENT_DAYS = 7
_ORDERS = 3


class Share(NamedTuple):
    """Whom one process puts into the store.

    Attributes:
        redis: Where the store is.
        prefix: Of its keys.
        policy: File of the policy in force.
        cuts: Of the population, in force from the start.
        customers: Numbers of the customers.
        silent_ms: Instant from which on they fall silent, all within a second; None: they do not.
        now_ms: The present.
        buckets: Of the installation.
    """

    redis: str
    prefix: str
    policy: str
    cuts: dict[str, tuple[int, ...]]
    customers: range
    silent_ms: int | None
    now_ms: int
    buckets: int = BUCKETS


def name_of(number: int, *, silent: bool) -> str:
    """Return the id of a customer."""
    return f"{'silent' if silent else 'c'}{number}"


def fill(share: Share) -> None:
    """Put everybody of *share* into the store, in as many processes as there are cores here."""
    parts = [range(part, share.buckets, PROCESSES) for part in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(partial(_fill_buckets, share), parts))


def cuts_among(policy: str, customers: int) -> dict[str, tuple[int, ...]]:
    """Return the cuts that a census of so many customers finds."""
    plan = compile_policy(load_policy(policy))
    spent = Ordered.of(_ORDERS * _cents(number) for number in range(customers))
    return take_census(plan, {}, lambda _: spent).cuts


def _fill_buckets(share: Share, buckets: Sequence[int]) -> None:
    document = load_policy(share.policy)
    scorer, first = Scorer(compile_policy(document)), first_edition(document)
    store = RedisStore(share.redis, prefix=share.prefix)
    wanted = set(buckets)
    silent = share.silent_ms is not None
    by_bucket: dict[int, list[int]] = {}
    for number in share.customers:
        home = bucket_of(name_of(number, silent=silent), share.buckets)
        if home in wanted:
            by_bucket.setdefault(home, []).append(number)
    for home, numbers in by_bucket.items():
        (head,) = store.heads([home])
        bucket = Bucket(head, scorer, DedupWindow(), first)
        if not head.editions:
            bucket.begin(_counted(share))
            bucket.finish()
        for number in numbers:
            key = name_of(number, silent=silent)
            bucket.adopt(key, None)
            bucket.apply_to(key, _orders(number, share))
        commit = bucket.commit({}, None)
        commit.outbox = []  # nobody has to hear of these
        commit.marks = b""
        store.commit([commit])
    store.close()


def _counted(share: Share) -> Begin:
    """Return what lets the cuts be in force, as if a census had been taken just now."""

    def begin(before: Edition) -> Edition:
        number, policy = before.number + 1, before.policy
        return Edition(number, share.now_ms, BOUNDARY_MOVED, "seeded", policy, share.cuts)

    return begin


def _orders(number: int, share: Share) -> list[Payment]:
    """Return a customer's orders: spread over two months, of 9 to 609 in all."""
    if share.silent_ms is None:
        last_ms = share.now_ms - DAY_MS - (number * 7919 % (4 * DAY_MS))
    else:
        place = (number - share.customers.start) * 1000 // len(share.customers)
        last_ms = share.silent_ms - SILENT_DAYS * DAY_MS + place
    return [
        Payment(at_ms, f"e{number}-{n}", f"o{number}-{n}", OrderEntry(at_ms, _cents(number), 0, n))
        for n in range(_ORDERS)
        for at_ms in (last_ms - (_ORDERS - 1 - n) * 20 * DAY_MS,)
    ]


def _cents(number: int) -> int:
    return 300 + number * 104_729 % 20_000


def now_ms() -> int:
    """Return the present."""
    return time.time_ns() // 1_000_000
