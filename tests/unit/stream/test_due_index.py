"""Which deadlines a commit writes, and before when none can have come."""

from __future__ import annotations

import pytest

from stream.bucket.due_index import DueIndex
from stream.customer import Customer
from stream.sentinels import NEVER
from tests.unit.stream.policies import policy


@pytest.fixture
def ann() -> Customer:
    """Return somebody without a deadline."""
    return Customer("ann", policy({"orders": {"count": "orders"}}).shape)


def test_a_deadline_is_written_once_and_again_where_it_moves(ann: Customer) -> None:
    """One of whom the store may have anything is written even without a deadline."""
    index = DueIndex()
    assert index.moved([ann]) == {"ann": None}
    ann.due_ms = 50
    assert index.moved([ann]) == {"ann": 50}
    assert index.moved([ann]) == {}
    ann.due_ms = NEVER
    assert index.moved([ann]) == {"ann": None}


def test_what_the_last_commit_wrote_counts_before_the_store_shows_it(ann: Customer) -> None:
    """At first everything may be due; afterwards nothing before the earliest that is known."""
    index = DueIndex()
    assert index.from_ms == 0
    index.looked_ahead(NEVER)
    assert index.from_ms == NEVER
    ann.due_ms = 50
    index.moved([ann])
    assert index.from_ms == 50
    index.looked_ahead(80)  # asked while that commit was under way
    assert index.from_ms == 50
    index.moved([])  # the next one: that of before was written
    index.looked_ahead(80)
    assert index.from_ms == 80
