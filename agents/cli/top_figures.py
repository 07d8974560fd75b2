"""What `tierstream top` shows, worked out from what workers tell on `/metrics`. No I/O here."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
_LATENCIES = {
    "scoring": "tierstream_scoring_latency_seconds",
    "publishing": "tierstream_change_publish_latency_seconds",
    "deadlines": "tierstream_deadline_lateness_seconds",
}
_STARTED = "process_start_time_seconds"
_TROUBLES = {
    "dead_letters": "tierstream_dead_letters_total",
    "rewinds": "tierstream_rewinds_total",
    "relay_restarts": "tierstream_relay_restarts_total",
    "stalls": "tierstream_stalls_total",
    "input_gap_records": "tierstream_input_gap_records_total",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one worker told at one moment.

    Attributes:
        at_s: When, on a clock that only goes on.
        values: Value by metric and labels.
    """

    at_s: float
    values: Mapping[tuple[str, Labels], float]

    def sum(self, name: str, **wanted: str) -> float:
        """Return a metric added up over all labels but those *wanted*."""
        return sum(self.by(name, (), **wanted).values())

    def by(self, name: str, labels: Sequence[str], **wanted: str) -> dict[tuple[str, ...], float]:
        """Return a metric by the values of some labels, added up over the others."""
        found: dict[tuple[str, ...], float] = defaultdict(float)
        for (metric, its), value in self.values.items():
            if metric == name and wanted.items() <= its:
                known = dict(its)
                found[tuple(known.get(label, "") for label in labels)] += value
        return dict(found)


def parse(text: str, at_s: float) -> Sample:
    """Return what a page in Prometheus's format says."""
    return Sample(
        at_s,
        {
            (sample.name, frozenset(sample.labels.items())): float(sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        },
    )


class Figures:
    """The figures of one moment, over all workers that answered.

    Args:
        now: What each worker told, by address.
        before: What it told a little earlier, where it did; rates are of the time between. What
            it told before it was started again does not count.
    """

    def __init__(self, now: Mapping[str, Sample], before: Mapping[str, Sample]) -> None:
        self._now = now
        self._pairs = [
            (before[url], told)
            for url, told in now.items()
            if url in before and told.sum(_STARTED) == before[url].sum(_STARTED)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return everything, for machines; rates are per second, latencies in seconds."""
        return {
            "workers": {url: _worker(sample) for url, sample in self._now.items()},
            "buckets": {
                "owned": int(self._sum("tierstream_owned_buckets")),
                "of": int(
                    max((s.sum("tierstream_buckets") for s in self._now.values()), default=0)
                ),
            },
            "rates": {
                "records": self._rate("tierstream_records_total"),
                "tier_changes": self._rate("tierstream_tier_changes_total"),
                "published": self._rate("tierstream_published_records_total"),
            },
            "lag_records": self._by("tierstream_input_lag_records", "topic"),
            "clock_age_s": max(
                (s.sum("tierstream_clock_age_seconds") for s in self._now.values()), default=0.0
            ),
            "outbox_rows": int(self._sum("tierstream_outbox_rows")),
            "latency_s": {name: self._latency(metric) for name, metric in _LATENCIES.items()},
            "stages": self._rates("tierstream_stage_seconds_total", "stage"),
            "sweep_remaining_buckets": int(self._sum("tierstream_sweep_remaining_buckets")),
            "halted_partitions": int(self._sum("tierstream_partitions_halted")),
            "troubles": {name: int(self._sum(metric)) for name, metric in _TROUBLES.items()},
            "broken_chains": int(self._sum("tierstream_feed_changes_total", verdict="gap")),
            "customers": int(self._sum("tierstream_customers")),
            "uncounted_buckets": int(self._sum("tierstream_uncounted_buckets")),
            "tiers": self._tiers(),
        }

    def _sum(self, name: str, **wanted: str) -> float:
        return sum(sample.sum(name, **wanted) for sample in self._now.values())

    def _by(self, name: str, label: str) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for sample in self._now.values():
            for (value,), count in sample.by(name, [label]).items():
                found[value] += int(count)
        return dict(found)

    def _rate(self, name: str) -> float:
        return sum(self._rates(name, "").values())

    def _rates(self, name: str, label: str) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for earlier, later in self._pairs:
            known = earlier.by(name, [label])
            seconds = later.at_s - earlier.at_s
            for key, value in later.by(name, [label]).items():
                found[key[0]] += max(0.0, value - known.get(key, 0.0)) / seconds
        return {key: round(rate, 3) for key, rate in found.items()}

    def _latency(self, name: str) -> dict[str, float | None]:
        """Return quantiles of what came in between; of everything where nothing did."""
        bucket = f"{name}_bucket"
        lately: dict[float, float] = defaultdict(float)
        ever: dict[float, float] = defaultdict(float)
        for earlier, later in self._pairs:
            known = earlier.by(bucket, ["le"])
            for key, count in later.by(bucket, ["le"]).items():
                lately[float(key[0])] += count - known.get(key, 0.0)
        for sample in self._now.values():
            for (bound,), count in sample.by(bucket, ["le"]).items():
                ever[float(bound)] += count
        reached = lately if lately.get(math.inf) else ever
        return {name: quantile(share, reached) for name, share in (("p50", 0.5), ("p99", 0.99))}

    def _tiers(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for sample in self._now.values():
            for (grading, tier), count in sample.by(
                "tierstream_tier_customers", ["grading", "tier"]
            ).items():
                tiers = found.setdefault(grading, {})
                tiers[tier] = tiers.get(tier, 0) + int(count)
        return found


def quantile(share: float, reached: Mapping[float, float]) -> float | None:
    """Return a quantile from counts by upper bound, as Prometheus does; None without any.

    >>> quantile(0.5, {1.0: 10.0, 2.0: 20.0, math.inf: 20.0}), quantile(0.99, {math.inf: 0.0})
    (1.0, None)
    >>> quantile(0.99, {1.0: 0.0, math.inf: 5.0})  # beyond the last bound: that bound
    1.0
    """
    bounds = sorted(reached)
    total = reached[bounds[-1]] if bounds else 0.0
    if not total:
        return None
    below, low = 0.0, 0.0
    for bound in bounds:
        if reached[bound] >= share * total:
            if math.isinf(bound):
                return low
            inside = reached[bound] - below
            return round(low + (bound - low) * (share * total - below) / inside, 6)
        below, low = reached[bound], bound
    return low


def _worker(sample: Sample) -> dict[str, Any]:
    (build,) = sample.by("tierstream_build_info", ["version", "role"]) or [("", "")]
    return {
        "version": build[0],
        "role": build[1],
        "ready": all(sample.by("tierstream_ready", ["part"]).values()),
        "redis": all(sample.by("tierstream_store_up", ["part"]).values()),
        "buckets": int(sample.sum("tierstream_owned_buckets")),
        "records": int(sample.sum("tierstream_records_total")),
        "memory_bytes": int(sample.sum("process_resident_memory_bytes")),
        "policies": sorted(
            f"{policy} {version}"
            for policy, version in sample.by("tierstream_policy_buckets", ["policy", "version"])
        ),
    }


def order_of(tiers: Iterable[str]) -> list[str]:
    """Return tiers by name, those who are not graded last."""
    return sorted(tiers, key=lambda tier: (tier.startswith("("), tier))
