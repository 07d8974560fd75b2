"""`tierstream fit cltv`: published parameters, a measure to paste, and mistakes in one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from schemas.policy import parse_policy
from tests.unit.cli.test_command import run
from tests.unit.replay.histories import HISTORY, POLICY, written

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = ("fit", "cltv", "cdnow-sample", "--as-of", "1997-09-30")


def test_machines_are_told_the_published_parameters() -> None:
    """Fader, Hardie and Lee (2005); Fader and Hardie (2013)."""
    done = run(*SAMPLE, "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    often, much = told["purchases"], told["spend"]
    assert [round(often[k], 3) for k in ("r", "alpha", "a", "b")] == [0.243, 4.414, 0.793, 2.426]
    assert round(often["log_likelihood"], 1) == -9582.4
    assert [round(much[k], 2) for k in ("p", "q", "gamma")] == [6.25, 3.74, 15.44]
    assert (often["customers"], often["repeating"], much["customers"]) == (2_357, 946, 946)
    assert (told["as_of"], told["currency"]) == ("1997-09-30T00:00:00.000Z", "USD")


def test_what_is_printed_can_be_pasted_into_a_policy() -> None:
    """The snippet with a head and a grading is a policy without a mistake."""
    done = run(*SAMPLE, "--time-unit", "days", "--horizon", "180")
    assert done.returncode == 0
    snippet = done.stdout[done.stdout.index("measures:") :]
    head = "policy: pasted\nversion: 1\ntime_zone: UTC\ncurrency: USD\n"
    grading = "{type: bands, measure: lifetime_value, tiers: [{tier: all}]}"
    document = parse_policy(f"{head}{snippet}\ngradings:\n  future: {grading}\n", "pasted")
    assert document.unit_of("lifetime_value") == "money"
    assert 'alpha: "30.89' in snippet
    assert "horizon: 180d" in snippet


def test_a_policy_says_which_currencies_and_days_count(tmp_path: Path) -> None:
    """The small history has two customers: too few, but it could be read."""
    policy = written(tmp_path, POLICY, "policy.yaml")
    done = run("fit", "cltv", str(written(tmp_path, HISTORY)), "--policy", str(policy))
    assert done.returncode == 1
    assert done.stderr.startswith("error: 1 customers with a repeat purchase; allowed: at least 10")
    assert "Traceback" not in done.stderr


def test_one_customer_in_n_is_always_the_same_one() -> None:
    told = [
        json.loads(run(*SAMPLE, "--one-in", "3", "--json").stdout)["purchases"] for _ in range(2)
    ]
    assert told[0] == told[1]
    assert 650 < told[0]["customers"] < 920
