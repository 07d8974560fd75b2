"""Every metric tierstream exposes: one closed list. No customer, owner or policy text in labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Sequence

_LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_BATCH = (1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register everything in *registry*, or in a new one."""
        self.registry = registry or CollectorRegistry()

        # What came in.
        self.records = self._counter(
            "tierstream_records", "Records read from input topics.", ["topic"]
        )
        self.applied = self._counter("tierstream_events_applied", "Events that changed state.")
        self.repeated = self._counter(
            "tierstream_events_repeated", "Events dropped because they were applied before."
        )
        self.ignored = self._counter(
            "tierstream_events_ignored", "Valid events that no rule of the policy reads."
        )
        self.waiting = self._counter(
            "tierstream_orders_unattributed",
            "Refunds and cancellations whose order was not known when they came.",
        )
        self.dead_letters = self._counter(
            "tierstream_dead_letters", "Records refused, by reason.", ["reason"]
        )
        self.foreign = self._counter(
            "tierstream_foreign_records",
            "Records on a partition that Java's partitioner would not have chosen.",
        )
        self.gaps = self._counter(
            "tierstream_input_gap_records",
            "Records that were deleted from Kafka before they were read.",
            ["topic"],
        )
        self.halted = self._gauge(
            "tierstream_partitions_halted", "Partitions stopped because too much was bad."
        )
        self.lag = self._gauge(
            "tierstream_input_lag_records", "Records not read yet, over own partitions.", ["topic"]
        )

        # What it did.
        self.changes = self._counter(
            "tierstream_tier_changes", "Tier changes found.", ["grading", "cause", "direction"]
        )
        self.suppressed = self._counter(
            "tierstream_transitions_suppressed",
            "Tier changes that a rule on stability held back or cut short.",
            ["grading", "rule"],
        )
        self.warnings = self._counter(
            "tierstream_forecast_warnings",
            "Warnings that a customer is about to fall, issued and withdrawn.",
            ["grading", "status"],
        )
        self.woken = self._counter(
            "tierstream_deadlines_fired", "Customers looked at because time passed."
        )
        self.brought = self._counter(
            "tierstream_customers_brought",
            "Customers judged anew for a new policy or moved boundaries, by a sweep or on the way.",
        )
        self.unswept = self._gauge(
            "tierstream_sweep_remaining_buckets",
            "Own buckets in which not everyone was brought to the newest edition yet.",
        )
        self.visits = self._counter(
            "tierstream_sweep_visits", "Customers that sweeps have looked up for a new edition."
        )
        self.censuses = self._counter(
            "tierstream_censuses", "Censuses of the population that this worker has announced."
        )
        self.lateness = self._histogram(
            "tierstream_deadline_lateness_seconds",
            "Wall-clock time from a deadline to its durable commit.",
        )
        self.scoring_latency = self._histogram(
            "tierstream_scoring_latency_seconds",
            "Time from a record's timestamp to the durable commit of its effect (wall clock runs).",
        )
        self.batch_records = self._histogram(
            "tierstream_batch_records", "Records in one micro-batch.", _BATCH
        )
        self.stage_seconds = self._counter(
            "tierstream_stage_seconds", "Wall-clock time by stage of the scoring path.", ["stage"]
        )
        self.cached_customers = self._gauge(
            "tierstream_cached_customers", "Customers held in memory."
        )
        self.owned_buckets = self._gauge("tierstream_owned_buckets", "Buckets this worker owns.")

        # The commit.
        self.commit_latency = self._histogram(
            "tierstream_commit_latency_seconds", "Time one micro-batch took to be written to Redis."
        )
        self.commits = self._counter(
            "tierstream_commits", "Bucket commits by outcome.", ["outcome"]
        )
        self.rewinds = self._counter(
            "tierstream_rewinds", "Times the worker started over from the stored cursors.", ["why"]
        )
        self.store_up = self._gauge("tierstream_store_up", "1 while Redis answers.")

        # Announcing.
        self.published = self._counter(
            "tierstream_published_records", "Records published from the outbox.", ["topic"]
        )
        self.publish_latency = self._histogram(
            "tierstream_publish_latency_seconds",
            "Time one transaction of the relay took, first send to commit.",
        )
        self.outbox_rows = self._gauge(
            "tierstream_outbox_rows", "Rows waiting in the outboxes of own shards."
        )
        self.relay_restarts = self._counter(
            "tierstream_relay_restarts", "Times a relay producer was fenced or failed.", ["why"]
        )

        self.feed = self._counter(
            "tierstream_feed_changes",
            "Tier changes as consumers see them: ok, gap (the chain rule is broken), repeated.",
            ["verdict"],
        )
        self.end_to_end = self._histogram(
            "tierstream_end_to_end_latency_seconds",
            "Time from the instant of a change to its arrival at a consumer (wall clock runs).",
        )

        # The process.
        self.stalls = self._counter("tierstream_stalls", "Times the watchdog saw no progress.")
        self.progress_age = self._gauge(
            "tierstream_progress_age_seconds", "Time since the scoring loop last finished a turn."
        )

    def _counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float] = _LATENCY_S) -> Histogram:
        return Histogram(name, text, buckets=tuple(buckets), registry=self.registry)
