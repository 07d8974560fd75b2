"""Kafka's murmur2, checked against the values of the Java client's own test suite."""

from __future__ import annotations

import pytest

from stream.partition import bucket_of, murmur2


@pytest.mark.parametrize(
    ("text", "signed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_that_of_the_java_client(text: str, signed: int) -> None:
    assert murmur2(text.encode()) == signed % 2**32


@pytest.mark.parametrize("partitions", [1, 2, 4, 8, 16, 64, 256])
def test_a_bucket_lies_in_the_partition_of_its_customers(partitions: int) -> None:
    """The number of partitions divides the number of buckets, so that one worker feeds each."""
    for number in range(500):
        customer = f"customer-{number}-客户"
        java = (murmur2(customer.encode()) & 0x7FFFFFFF) % partitions
        assert bucket_of(customer, 256) % partitions == java
        assert 0 <= bucket_of(customer, 256) < 256
