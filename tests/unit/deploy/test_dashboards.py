"""The committed dashboards are the generated ones, and sound."""

from __future__ import annotations

import json
import re

import pytest

from agents.metrics import Metrics
from deploy.grafana.dashboards import FOLDER, built
from deploy.grafana.panels import ALL, Dashboard
from tests.unit.deploy.test_alert_rules import RULES

dashboards = pytest.mark.parametrize("dashboard", ALL, ids=lambda one: str(one.uid))


@dashboards
def test_the_committed_file_is_the_generated_one(dashboard: Dashboard) -> None:
    """Renew with ``python -m deploy.grafana.dashboards --write``."""
    path = FOLDER / f"{dashboard.uid}.json"
    assert path.read_text(encoding="utf-8") == built(dashboard)


def test_there_is_no_other_file() -> None:
    """A dashboard that nobody generates any more must go."""
    assert {path.stem for path in FOLDER.glob("*.json")} == {one.uid for one in ALL}


@dashboards
def test_panels_do_not_lie_on_each_other(dashboard: Dashboard) -> None:
    """Each has an id of its own, a place within 24 columns, and queries that can be told apart."""
    panels = json.loads(built(dashboard))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        names = [target["refId"] for target in panel.get("targets", [])]
        assert len(set(names)) == len(names)


def test_queries_speak_of_metrics_that_there_are() -> None:
    """And every metric but a few is on a dashboard or in a rule: else why measure it?"""
    texts = [q for one in ALL for _, panels in one.rows for p in panels for q, _ in p.queries]
    texts += [rule["expr"] for group in RULES["groups"] for rule in group["rules"]]
    shown = {name for text in texts for name in re.findall(r"\btierstream_[a-z0-9_]+\b", text)}
    listed = {one.name: one.kind for one in Metrics().listed}
    series = {n if kind != "histogram" else f"{n}_bucket" for n, kind in listed.items()}
    counts = {f"{n}_count" for n, kind in listed.items() if kind == "histogram"}
    recorded = {r["record"].rpartition(":")[0].rpartition(":")[2] for g in RULES["groups"]
                for r in g["rules"] if "record" in r}  # fmt: skip
    assert shown <= series | counts | recorded
    assert series - shown == {
        # Said by others better, or looked up with promtool when something is wrong.
        "tierstream_events_applied_total",
        "tierstream_events_ignored_total",
        "tierstream_held_records",
        "tierstream_deadlines_fired_total",
        "tierstream_sweep_spared_total",
        "tierstream_customers_brought_total",
        "tierstream_censuses_total",
        "tierstream_batch_records_bucket",
        "tierstream_cached_customers",
        "tierstream_policy_buckets",
        "tierstream_end_to_end_latency_seconds_bucket",
        "tierstream_uncounted_buckets",
        "tierstream_build_info",
        "tierstream_ready",
        "tierstream_progress_age_seconds",
        "tierstream_alerts_heard_total",
        "tierstream_alerts_total",
    }
