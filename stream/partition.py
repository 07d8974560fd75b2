"""Which bucket and partition a customer belongs to: Java-compatible murmur2."""

from __future__ import annotations

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(data: bytes) -> int:
    """Return Kafka's 32-bit murmur2 of *data* as an unsigned integer.

    The same function as the Java client's default partitioner
    (``org.apache.kafka.common.utils.Utils.murmur2``).

    >>> murmur2(b"21") - 2**32  # Java prints the signed value
    -973932308
    """
    length = len(data)
    hashed = _SEED ^ length
    whole = length & ~3
    for position in range(0, whole, 4):
        word = int.from_bytes(data[position : position + 4], "little")
        word = (word * _MULTIPLIER) & _MASK
        word ^= word >> 24
        word = (word * _MULTIPLIER) & _MASK
        hashed = ((hashed * _MULTIPLIER) & _MASK) ^ word
    tail = data[whole:]
    if tail:
        hashed ^= int.from_bytes(tail, "little")
        hashed = (hashed * _MULTIPLIER) & _MASK
    hashed ^= hashed >> 13
    hashed = (hashed * _MULTIPLIER) & _MASK
    return hashed ^ (hashed >> 15)


def bucket_of(customer_id: str, bucket_count: int) -> int:
    """Return the bucket of a customer, in ``range(bucket_count)``.

    Where the number of input partitions divides *bucket_count* and producers use
    Java's partitioner, ``bucket % partitions`` is the customer's partition.
    """
    return (murmur2(customer_id.encode()) & 0x7FFFFFFF) % bucket_count
