"""What one contestant is asked, and what it answers. No I/O here."""

from __future__ import annotations

import msgspec


class Task(msgspec.Struct, frozen=True):
    """What a contestant's process must do.

    Attributes:
        kafka: Bootstrap servers.
        topic: Topic to read.
        starts: Offset at which the timed part of each partition begins.
        warmup: Records to read before the timing starts.
        events: Records to read after that.
        batch_records: Most records in one fetch.
    """

    kafka: str
    topic: str
    starts: list[int]
    warmup: int
    events: int
    batch_records: int


class Trial(msgspec.Struct):
    """What was measured over the timed part of one run.

    Attributes:
        events: Records of the timed part.
        wall_s: How long it took.
        cpu_s: User and system time of the contestant's process, all threads.
        main_cpu_s: The part of it that its first thread took; 0 if not looked at.
        redis_cpu_s: Of the Redis process, in the same time.
        broker_cpu_s: Of the broker process, in the same time.
        steal: Share of the machine's time that the host gave to others.
        others: Share of the machine's time that processes outside the trial took.
        stages_s: Wall-clock seconds by stage until `committed_s`, as the worker's metrics say.
        committed_s: When everything was committed (the rest of `wall_s` is publishing).
        changes: Tier changes found in the timed part.
        published: Records published in the timed part.
        redis_bytes: By kind of key, at the end.
        used_memory: What Redis used at the end beyond what it used when empty, bytes.
        customers: Customers with a state at the end.
    """

    events: int
    wall_s: float
    cpu_s: float
    main_cpu_s: float = 0.0
    redis_cpu_s: float = 0.0
    broker_cpu_s: float = 0.0
    steal: float = 0.0
    others: float = 0.0
    stages_s: dict[str, float] = {}
    committed_s: float = 0.0
    changes: int = 0
    published: int = 0
    redis_bytes: dict[str, int] = {}
    used_memory: int = 0
    customers: int = 0

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.wall_s

    @property
    def cpu_us(self) -> float:
        """CPU µs per event."""
        return self.cpu_s / self.events * 1e6
