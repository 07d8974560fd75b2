"""One bucket's share of a micro-batch: records and due customers in, one commit out. Pure.

The store's answers go in as arguments (`Bucket.adopt`, `Bucket.know_orders`), what must be
written comes out as a `BucketCommit`. Nothing here reads a clock or does I/O.
"""

from stream.bucket.bucket import Bucket

__all__ = ["Bucket"]
