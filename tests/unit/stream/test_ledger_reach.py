"""The bucket's ledger reaches back far enough for every customer, not only for the latest."""

from __future__ import annotations

from stream.bucket import Bucket
from stream.fold import Scorer
from stream.ledger import ledger_key
from stream.store import BucketHead
from tests.properties.driver import WINDOW, measures, to_arrival
from tests.unit.stream.policies import DAY, paid, policy, refunded

# The last instant of a ledger period, so that one millisecond more is the next.
LAST = 300 * 32 * DAY - 1


def test_a_refund_a_little_behind_the_others_of_its_bucket_finds_its_order() -> None:
    """Record times of two producers are in order only more or less."""
    plan = policy({"net": {"sum": "revenue"}}, refund_days=10)
    head = BucketHead(bucket=0, version=0, epoch=1, cursors={}, marks=[], clock_ms=None, last_row=0)
    bucket = Bucket(head, Scorer(plan), WINDOW)
    for customer_id in ("behind", "ahead"):
        bucket.adopt(customer_id, None)
    bucket.apply_to("behind", [to_arrival(paid(1, LAST, customer_id="behind"), plan)])
    ledger = bucket.commit({}, None).fresh_orders
    bucket.apply_to("ahead", [to_arrival(paid(2, LAST + 10 * DAY + 1, customer_id="ahead"), plan)])
    for period in bucket.commit({}, None).drop_periods:
        ledger.pop(period, None)
    key = ledger_key("behind", "o1")
    known = {known: entry for entries in ledger.values() for known, entry in entries.items()}
    bucket.know_orders({key: known[key]} if key in known else {})
    bucket.apply_to(
        "behind", [to_arrival(refunded(1, LAST + 10 * DAY, 30, customer_id="behind"), plan)]
    )
    assert measures(plan, bucket.customers["behind"], LAST + 10 * DAY) == {"net": 70}
