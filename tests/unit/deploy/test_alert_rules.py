"""Recording and alerting rules: valid, tested one by one, each with its place in the runbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.metrics import Metrics

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = yaml.safe_load((FOLDER / "rules.yml").read_text(encoding="utf-8"))
TESTS = yaml.safe_load((FOLDER / "tests.yml").read_text(encoding="utf-8"))
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not on the PATH (Debian: prometheus)"
)


def rules(kind: str) -> list[dict[str, Any]]:
    """Return the rules of a kind, ``alert`` or ``record``."""
    return [rule for group in RULES["groups"] for rule in group["rules"] if kind in rule]


@needs_promtool
@pytest.mark.parametrize("command", ["check rules rules.yml", "check config prometheus.yml"])
def test_the_files_are_what_prometheus_wants(command: str) -> None:
    """`promtool check` finds nothing."""
    done = subprocess.run(  # noqa: S603
        ["promtool", *command.split()],  # noqa: S607 - wherever it is
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_each_alert_fires_where_it_should_and_not_beside_it() -> None:
    """`promtool test rules`."""
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"],  # noqa: S607 - wherever it is
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_alert_is_without_a_test_that_lets_it_fire() -> None:
    """And of each there is an instant at which it is silent."""
    checks = [check for test in TESTS["tests"] for check in test["alert_rule_test"]]
    wanted = {rule["alert"] for rule in rules("alert")}
    assert {check["alertname"] for check in checks if check["exp_alerts"]} == wanted
    silent = {check["alertname"] for check in checks if not check["exp_alerts"]}
    assert wanted - silent <= {"TierstreamPublishingSlow", "TierstreamDowngradesLate"}


def test_each_alert_has_a_severity_a_summary_and_a_place_in_the_runbook() -> None:
    """The links are anchors of headings; every such heading is of an alert."""
    headings = set(re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE))
    assert headings == {rule["alert"] for rule in rules("alert")}
    for rule in rules("alert"):
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
        link = rule["annotations"]["runbook_url"]
        assert link == f"docs/runbook.md#{rule['alert'].lower()}"
        assert f"<!-- tested: {rule['alert']} -->" in RUNBOOK


def test_rules_and_runbook_speak_of_metrics_that_there_are() -> None:
    """A misspelt metric would never fire, and nobody would notice."""
    recorded = {rule["record"] for rule in rules("record")}
    series = {"up", "process_start_time_seconds", "process_resident_memory_bytes"}
    for one in Metrics().listed:
        ends = ("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",)
        series |= {one.name + end for end in ends}
    texts = [rule["expr"] for rule in [*rules("alert"), *rules("record")]]
    texts += re.findall(r"promtool query instant \S+ '([^']+)'", RUNBOOK)
    for text in texts:
        plain = re.sub(r"\{[^}]*\}", "", text)
        named = set(re.findall(r"[a-z_:]*(?:tierstream|process)_[a-z0-9_:]+|\bup\b", plain))
        named |= set(re.findall(r"tierstream:[a-z0-9_:]+", plain))
        assert named <= series | recorded, named - series - recorded
