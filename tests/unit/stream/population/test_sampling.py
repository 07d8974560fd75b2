"""The test group of seed 002: one customer in N by a hash of the id."""

from __future__ import annotations

from collections import Counter

from stream.partition import bucket_of
from stream.population.sampling import in_test_group, one_in


def test_40_000_of_800_000_is_one_in_20() -> None:
    """Seed 002: of 800,000 customers in the database, units of 40,000 make 20."""
    assert one_in(800_000, 40_000) == 20


def test_one_in_20_of_80_000_customers_is_about_4_000() -> None:
    """Within four standard deviations (62 customers each), and the same ones every time."""
    chosen = [n for n in range(80_000) if in_test_group(f"customer-{n}", 20)]
    assert abs(len(chosen) - 4_000) < 4 * 62
    assert chosen[:5] == [n for n in range(chosen[4] + 1) if in_test_group(f"customer-{n}", 20)]


def test_every_bucket_gives_its_share() -> None:
    """16 buckets of about 5,000 customers each give about 250: the hash is not the bucket's."""
    ids = [f"customer-{n}" for n in range(80_000)]
    sizes = Counter(bucket_of(i, 16) for i in ids if in_test_group(i, 20))
    assert len(sizes) == 16
    assert all(abs(size - 250) < 4 * 16 for size in sizes.values())


def test_one_in_one_is_everyone() -> None:
    assert all(in_test_group(str(n), 1) for n in range(100))


def test_the_group_is_fixed_for_ever() -> None:
    """Written down: a test group that changes with a version would be worthless."""
    assert [n for n in range(100) if in_test_group(f"c{n}", 20)] == [21, 22, 40, 58, 85]
