"""All that a store holds of one bucket, as the one commit that an empty bucket takes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream.rankings import READING_LIMIT
from stream.seen import merged
from stream.store import ABSENT, LARGEST_NUMBER, BucketCommit

if TYPE_CHECKING:
    from stream.store import Store

_ALL = 1 << 31


def whole(store: Store, bucket: int) -> BucketCommit:
    """Return the commit that gives an empty bucket all that *store* holds of *bucket*.

    Outbox rows are numbered anew by the store that takes it, and de-duplication marks become one
    blob. Nobody may write to *store* meanwhile.
    """
    (head,) = store.heads([bucket])
    states = dict(store.scan_states(bucket))
    orders: dict[int, dict[str, bytes]] = {}
    for (period, key), entry in store.load_orders({bucket: store.scan_orders(bucket, "")}).items():
        orders.setdefault(period, {})[key] = entry
    ranks: dict[str, dict[str, int | None]] = {}
    for name in store.rank_names(bucket):
        members = store.rank_members(bucket, name, -READING_LIMIT, READING_LIMIT, _ALL)
        ranks[name] = {one.customer_id: one.reading for one in members}
    kept = {customer: store.load_history(bucket, customer) for customer in states}
    history = {customer: entries for customer, entries in kept.items() if entries}
    return BucketCommit(
        bucket=bucket,
        version=0,
        cursors={source: (ABSENT, offset) for source, offset in head.cursors.items()},
        states=dict(states),
        due={customer: due for _, customer, due in store.due([bucket], LARGEST_NUMBER, _ALL)},
        orders=orders,
        marks=merged(head.marks),
        outbox=[row for _, row in store.read_outbox({bucket: 0}, _ALL)[bucket]],
        clock_ms=head.clock_ms,
        editions=head.editions or None,
        ranks=ranks,
        history=history,
        history_limit=max(map(len, history.values()), default=0),
        erasures=head.erasures,
    )
