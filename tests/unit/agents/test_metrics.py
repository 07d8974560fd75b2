"""The closed list of metrics: documented, well named, and counted right."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from agents.alerts.service import AlertService
from agents.instruments import LATENCY_S, CountedHistogram
from agents.metrics import Metrics
from agents.metrics_page import PAGE, page
from agents.published import count_published
from agents.relay import Relay
from agents.scoring import ScoringService
from agents.webhooks.service import WebhookService
from stream.outbox import TIER_CHANGES, Row

if TYPE_CHECKING:
    from collections.abc import Sequence


def samples(registry: CollectorRegistry, name: str) -> dict[str, float]:
    """Return the samples of a histogram by bound; "sum" and "count" as well."""
    found = {
        sample.labels.get("le") or sample.name.rpartition("_")[2]: sample.value
        for metric in registry.collect()
        if metric.name == name
        for sample in metric.samples
    }
    found.pop("created", None)
    return found


def test_the_documented_list_is_what_is_registered() -> None:
    """`docs/metrics.md` has every metric with its type, labels and help, and no other."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_everything_in_the_registry_is_listed() -> None:
    """Beside the process's own, nothing is exposed that the list does not name."""
    metrics = Metrics()
    listed = {re.sub("_total$", "", one.name): one.kind for one in metrics.listed}
    exposed = {one.name: one.type for one in metrics.registry.collect()}
    assert {n: kind for n, kind in exposed.items() if not n.startswith("process_")} == listed


def test_no_label_can_hold_a_customer_or_an_owner() -> None:
    """Labels are of a few values each, all of them names out of the policy or the code."""
    labels = {label for one in Metrics().listed for label in one.labels}
    assert labels == {
        *("cause", "channel", "direction", "grading", "kind", "outcome", "part", "policy"),
        *("reason", "role", "rule", "stage", "status", "tier", "topic", "verdict", "version"),
        "why",
    }


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on the PATH")
def test_names_and_units_follow_prometheus() -> None:
    """`promtool check metrics` has nothing to say."""
    done = subprocess.run(
        ["promtool", "check", "metrics"],  # noqa: S607 - wherever it is
        input=generate_latest(Metrics().registry),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@given(st.lists(st.lists(st.integers(-400_000, 400_000), max_size=40), max_size=4))
def test_a_counted_histogram_is_one_that_was_told_each_age(batches: Sequence[list[int]]) -> None:
    """Same buckets, sum and count, ages below zero counted as zero."""
    now_ms = 1_000_000
    registry = CollectorRegistry()
    one_by_one = Histogram("one_by_one", "x", buckets=LATENCY_S, registry=registry)
    counted = CountedHistogram("counted", "x")
    registry.register(counted)
    for ages_ms in batches:
        for age_ms in ages_ms:
            one_by_one.observe(max(0, age_ms) / 1000)
        counted.observe_since(sorted(now_ms - age_ms for age_ms in ages_ms), now_ms)
    expected, found = samples(registry, "one_by_one"), samples(registry, "counted")
    assert found == pytest.approx(expected)


def change(kind: str, at_ms: int) -> Row:
    """Return the row of a tier change, as far as it matters here."""
    value = b'{"id":"1","cause":{"kind":"%s","event_id":null}}' % kind.encode()
    return Row(TIER_CHANGES, b"ann", value, [], at_ms)


def test_publishing_is_timed_but_not_of_what_is_paced() -> None:
    """A sweep takes its time on purpose; rows of other topics are only counted."""
    metrics = Metrics()
    rows = [
        change("order", 7_000),
        change("time", 9_000),
        change("policy_changed", 0),
        change("boundary_moved", 0),
        Row("customer-tiers", b"ann", None, [], 0),
    ]
    count_published(rows, metrics, 10_000)
    found = samples(metrics.registry, "tierstream_change_publish_latency_seconds")
    assert (found["count"], found["sum"]) == (2, 4)
    count_published(rows, metrics, None)
    assert samples(metrics.registry, "tierstream_change_publish_latency_seconds") == found
    assert metrics.published.labels(TIER_CHANGES)._value.get() == 8
    assert metrics.published.labels("customer-tiers")._value.get() == 2


def test_each_part_of_a_worker_says_by_its_name_whether_it_is_ready() -> None:
    """`/metrics` asks every part for it, whatever role the worker has."""
    parts = ScoringService.part, Relay.part, AlertService.part, WebhookService.part
    assert parts == ("scoring", "relay", "alerts", "webhooks")
