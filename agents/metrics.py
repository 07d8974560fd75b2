"""Every metric tierstream exposes: one closed list. No customer, owner or policy text in labels.

`docs/metrics.md` is made from it (`python -m agents.metrics_page --write`).
Channels of alerts are told apart by their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector

from agents.instruments import Instruments
from agents.settings import INPUTS
from schemas.dead_letters import REASONS
from stream.store import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

_BATCH = (1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class Metrics:
    """The metrics of one process, in a registry of its own.

    Attributes:
        registry: Where they are.
        listed: How each is described, in order.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Register everything in *registry*, or in a new one."""
        self.registry = registry or CollectorRegistry()
        make = Instruments(self.registry)
        self.listed = make.listed
        self._came_in(make)
        self._was_scored(make)
        self._was_committed(make)
        self._was_announced(make)
        self._population(make)
        self._telling(make)
        self._process(make)
        self._start_at_zero()

    def _came_in(self, make: Instruments) -> None:
        self.records = make.counter(
            "tierstream_records", "Records read from input topics.", ["topic"]
        )
        self.applied = make.counter("tierstream_events_applied", "Events that changed state.")
        self.repeated = make.counter(
            "tierstream_events_repeated", "Events dropped because they were applied before."
        )
        self.ignored = make.counter(
            "tierstream_events_ignored", "Valid events that no rule of the policy reads."
        )
        self.waiting = make.counter(
            "tierstream_orders_unattributed",
            "Refunds and cancellations whose order was not known when they came.",
        )
        self.dead_letters = make.counter(
            "tierstream_dead_letters",
            "Records refused, by the topic they came from and the reason.",
            ["topic", "reason"],
        )
        self.foreign = make.counter(
            "tierstream_foreign_records",
            "Records on a partition that Java's partitioner would not have chosen.",
        )
        self.gaps = make.counter(
            "tierstream_input_gap_records",
            "Records that were deleted from Kafka before they were read.",
            ["topic"],
        )
        self.halted = make.gauge(
            "tierstream_partitions_halted", "Partitions stopped because too much was bad."
        )
        self.lag = make.gauge(
            "tierstream_input_lag_records", "Records not read yet, over own partitions.", ["topic"]
        )
        self.held = make.gauge(
            "tierstream_held_records",
            "Records read that wait for older ones of other topics before they may be processed.",
        )
        self.clock_age = make.gauge(
            "tierstream_clock_age_seconds",
            "How far the slowest own partition is behind the wall clock: no deadline after that "
            "instant has fired yet (wall clock runs).",
        )

    def _was_scored(self, make: Instruments) -> None:
        self.changes = make.counter(
            "tierstream_tier_changes",
            "Tier changes found, by grading, cause and direction.",
            ["grading", "cause", "direction"],
        )
        self.suppressed = make.counter(
            "tierstream_transitions_suppressed",
            "Tier changes that a rule on stability held back or cut short.",
            ["grading", "rule"],
        )
        self.warnings = make.counter(
            "tierstream_forecast_warnings",
            "Warnings that a customer is about to fall, issued and withdrawn.",
            ["grading", "status"],
        )
        self.woken = make.counter(
            "tierstream_deadlines_fired", "Customers looked at because time passed."
        )
        self.brought = make.counter(
            "tierstream_customers_brought",
            "Customers judged anew for a new policy or moved boundaries, by a sweep or on the way.",
        )
        self.unswept = make.gauge(
            "tierstream_sweep_remaining_buckets",
            "Own buckets in which not everyone was brought to the newest edition yet.",
        )
        self.visits = make.counter(
            "tierstream_sweep_visits", "Customers that sweeps have looked up for a new edition."
        )
        self.spared = make.counter(
            "tierstream_sweep_spared",
            "Of the customers looked up, those whom the new edition left where they were.",
        )
        self.censuses = make.counter(
            "tierstream_censuses", "Censuses of the population that this worker has announced."
        )
        self.lateness = make.histogram(
            "tierstream_deadline_lateness_seconds",
            "Time from a deadline (a silent customer's downgrade, say) to its durable commit "
            "(wall clock runs).",
        )
        self.scoring_latency = make.counted_histogram(
            "tierstream_scoring_latency_seconds",
            "Time from a record's timestamp to the durable commit of its effect, for each record "
            "(wall clock runs).",
        )
        self.batch_records = make.histogram(
            "tierstream_batch_records", "Records in one micro-batch.", _BATCH
        )
        self.stage_seconds = make.counter(
            "tierstream_stage_seconds",
            "Wall-clock time by stage of the scoring path: fetch (mostly waiting), merge, decode, "
            "look (for deadlines and whom to visit), load, fold, encode, commit (waiting for it).",
            ["stage"],
        )
        self.cached_customers = make.gauge(
            "tierstream_cached_customers", "Customers held in memory."
        )
        self.owned_buckets = make.gauge(
            "tierstream_owned_buckets",
            "Buckets at home in this worker: over all workers, tierstream_buckets.",
        )
        self.policy_buckets = make.gauge(
            "tierstream_policy_buckets",
            "Own buckets in which a policy is in force.",
            ["policy", "version"],
        )

    def _was_committed(self, make: Instruments) -> None:
        self.commit_latency = make.histogram(
            "tierstream_commit_latency_seconds", "Time one micro-batch took to be written to Redis."
        )
        self.commits = make.counter("tierstream_commits", "Bucket commits by outcome.", ["outcome"])
        self.rewinds = make.counter(
            "tierstream_rewinds", "Times the worker started over from the stored cursors.", ["why"]
        )
        self.store_up = make.gauge(
            "tierstream_store_up", "1 while Redis answers this part of the worker.", ["part"]
        )

    def _was_announced(self, make: Instruments) -> None:
        self.published = make.counter(
            "tierstream_published_records", "Records published from the outbox.", ["topic"]
        )
        self.change_latency = make.histogram(
            "tierstream_change_publish_latency_seconds",
            "Time from the instant of a tier change (the timestamp of the record, or the deadline, "
            "that brought it about) to the commit of the transaction that published it. Not of "
            "changes by a new policy or moved boundaries, which are paced (wall clock runs).",
        )
        self.publish_latency = make.histogram(
            "tierstream_publish_latency_seconds",
            "Time one transaction of the relay took, first send to commit.",
        )
        self.outbox_rows = make.gauge(
            "tierstream_outbox_rows", "Rows waiting in the outboxes of own shards."
        )
        self.relay_restarts = make.counter(
            "tierstream_relay_restarts", "Times a relay producer was fenced or failed.", ["why"]
        )
        self.feed = make.counter(
            "tierstream_feed_changes",
            "Tier changes as consumers see them: ok, gap (the chain rule is broken), repeated, "
            "unreadable.",
            ["verdict"],
        )
        self.end_to_end = make.histogram(
            "tierstream_end_to_end_latency_seconds",
            "Time from the instant of a tier change to its arrival at a consumer, all causes "
            "(wall clock runs).",
        )

    def _population(self, make: Instruments) -> None:
        self.customers = make.gauge(
            "tierstream_customers", "Customers in own buckets, as counted last."
        )
        self.tier_customers = make.gauge(
            "tierstream_tier_customers",
            "Customers in own buckets by grading and tier, as counted last.",
            ["grading", "tier"],
        )
        self.contribution = make.gauge(
            "tierstream_contribution_minor",
            "Lifetime contribution (revenue less refunds and cost) of the customers in own "
            "buckets, as counted last, in minor units of the policy's currency.",
        )
        self.top_contribution = make.gauge(
            "tierstream_top_fifth_contribution_minor",
            "What of tierstream_contribution_minor the 20% of them bring who bring the most.",
        )
        self.uncounted = make.gauge(
            "tierstream_uncounted_buckets",
            "Own buckets not counted since they came here: at 0, the figures of the population "
            "are complete.",
        )
        self.count_age = make.gauge(
            "tierstream_population_age_seconds", "Age of the oldest count among own buckets."
        )

    def _telling(self, make: Instruments) -> None:
        self.alerts_heard = make.counter(
            "tierstream_alerts_heard",
            "Records that alerts may be about: told, unrouted (no rule is about them), history "
            "(older than the first alerts), unreadable; receipts: erased.",
            ["topic", "verdict"],
        )
        self.alerts_made = make.counter(
            "tierstream_alerts",
            "Messages to people: alert, digest, escalation.",
            ["channel", "kind"],
        )
        self.alert_deliveries = make.counter(
            "tierstream_alert_deliveries",
            "Attempts to deliver a message: delivered, failed (tried again), parked (given up).",
            ["channel", "outcome"],
        )
        self.alert_queue = make.gauge(
            "tierstream_alert_queue_messages", "Messages that wait for a channel.", ["channel"]
        )
        self.alerts_parked = make.gauge(
            "tierstream_alerts_parked", "Messages that were given up and can be looked at."
        )
        self.alert_latency = make.histogram(
            "tierstream_alert_latency_seconds",
            "Time from the instant of a change to the delivery of its alert (wall clock runs).",
        )
        self.webhook_deliveries = make.counter(
            "tierstream_webhook_deliveries",
            "Attempts to send a webhook: delivered, failed (tried again), parked (given up).",
            ["outcome"],
        )
        self.webhook_queue = make.gauge(
            "tierstream_webhook_queue_messages", "Messages that wait for webhook endpoints."
        )
        self.webhook_endpoints = make.gauge(
            "tierstream_webhook_endpoints", "Webhook endpoints: enabled, disabled.", ["status"]
        )
        self.webhooks_disabled = make.counter(
            "tierstream_webhooks_disabled",
            "Endpoints disabled because they are gone or have failed for five days.",
        )

    def _process(self, make: Instruments) -> None:
        self.build = make.gauge(
            "tierstream_build_info", "Always 1; what runs is in the labels.", ["version", "role"]
        )
        self.buckets = make.gauge("tierstream_buckets", "Buckets of the installation.")
        self.ready = make.gauge(
            "tierstream_ready", "1 while a part of the worker has its partitions.", ["part"]
        )
        self.rebalances = make.counter(
            "tierstream_rebalances", "Times partitions were assigned to this worker."
        )
        self.stalls = make.counter("tierstream_stalls", "Times the watchdog saw no progress.")
        self.progress_age = make.gauge(
            "tierstream_progress_age_seconds", "Time since the scoring loop last finished a turn."
        )
        # Restarts are changes of process_start_time_seconds, which comes with it.
        ProcessCollector(registry=self.registry)

    def tell_policies(self, buckets: Mapping[tuple[str, int], int]) -> None:
        """Show in how many own buckets each policy, by name and version, is in force."""
        self.policy_buckets.clear()
        for (policy, version), count in buckets.items():
            self.policy_buckets.labels(policy, version).set(count)

    def _start_at_zero(self) -> None:
        """Let what alerts look at be there before it first happens: a rate needs two samples."""
        for topic in INPUTS:
            for reason in REASONS:
                self.dead_letters.labels(topic, reason)
            self.gaps.labels(topic)
        for why in (*(o.name for o in Outcome if o is not Outcome.OK), "KAFKA", "RELEASED"):
            self.rewinds.labels(why)
        self.rewinds.labels("STORE_UNAVAILABLE")
        for verdict in ("ok", "gap", "repeated", "unreadable"):
            self.feed.labels(verdict)
