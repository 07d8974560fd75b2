"""`tierstream policy simulate` as a user meets it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.test_command import run
from tests.unit.replay.histories import HEADER, POLICY, written
from tests.unit.simulation.histories import NEW

if TYPE_CHECKING:
    from pathlib import Path

HISTORY = f"""{HEADER}
ann,1,paid,2024-01-01T10:00:00Z,115.00,USD
bob,1,paid,2024-01-02T10:00:00Z,130.00,USD
cat,1,paid,2024-01-03T10:00:00Z,20.00,USD
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return [
        str(written(tmp_path, NEW, "new.yaml")),
        "--against",
        str(written(tmp_path, POLICY, "old.yaml")),
        "--on",
        str(written(tmp_path, HISTORY)),
    ]


def test_people_see_matrix_movers_and_reasons_at_a_hundred_columns(files: list[str]) -> None:
    done = run("policy", "simulate", *files, COLUMNS="100")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 100
    for text in (
        "strict 1 (new) against small 1 (old): 3 customers",
        "value: customers, from the old tier",
        "revenue_30d 115.00 USD: 100.00 USD or more under old",
        "no account managers",
    ):
        assert text in done.stdout


def test_machines_get_one_document(files: list[str]) -> None:
    told = json.loads(run("policy", "simulate", *files, "--json").stdout)
    assert (told["customers"], told["revenue_minor"], told["currency"]) == (3, 26_500, "USD")
    value = told["gradings"]["value"]
    assert value["moved"] == {"down": {"customers": 1, "revenue_minor": 11_500}}
    assert [(m["customer_id"], m["old"], m["new"]) for m in value["movers"]] == [
        ("ann", "gold", "silver")
    ]
    assert sum(flow["customers"] for flow in value["matrix"]) == 3


def test_one_grading_alone_and_time_that_goes_on(files: list[str]) -> None:
    told = json.loads(
        run(
            "policy", "simulate", *files, "--grading", "value", "--as-of", "2024-03-01", "--json"
        ).stdout
    )
    assert told["as_of"] == "2024-03-01T00:00:00.000Z"
    assert told["gradings"].keys() == {"value"}
    assert told["gradings"]["value"]["tiers"]["new"]["bronze"]["customers"] == 3


def test_what_the_population_sets_is_taken_from_the_history(tmp_path: Path) -> None:
    """115, 130 and 20: the mean is 88.33, so ann and bob are high; and all are above 10.00."""
    texts = [
        f"""
policy: relative
version: 1
time_zone: UTC
currency: USD
measures:
  recency: {{days_since: last_order}}
  orders: {{count: orders}}
  revenue: {{sum: revenue}}
gradings:
  segment:
    type: rfm_segments
    recency: {{measure: recency, high_below: 90}}
    frequency: {{measure: orders, high_from: 3}}
    monetary: {{measure: revenue, {level}}}
"""
        for level in ("high_from: 10", "high: mean")
    ]
    done = run(
        "policy",
        "simulate",
        str(written(tmp_path, texts[1], "new.yaml")),
        "--against",
        str(written(tmp_path, texts[0], "old.yaml")),
        "--on",
        str(written(tmp_path, HISTORY)),
        "--json",
    )
    told = json.loads(done.stdout)
    moves = [(m["customer_id"], m["new"]) for m in told["gradings"]["segment"]["movers"]]
    assert moves == [("cat", "general_develop")]
    assert told["notes"][0].startswith("segment.monetary: not frozen in the new policy")


def test_the_page_is_written_where_it_was_asked_for(files: list[str], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run("policy", "simulate", *files, "--html", str(page)).returncode == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (["--grading", "worth"], "--grading: 'worth' is not allowed; allowed: value, score"),
        (["--as-of", "soon"], "--as-of: "),
        (["--html", "none/report.html"], "--html: none/report.html: "),
        (["--on", "none.csv"], "none.csv: "),
        (["--against", "none.yaml"], "none.yaml: "),
        (["--against", "{strange}"], "--against: no grading has the same name in both policies"),
    ],
)
def test_a_mistake_is_one_line(
    more: list[str], line: str, files: list[str], tmp_path: Path
) -> None:
    strange = POLICY.replace("  value:", "  worth:").replace("  score:", "  points:")
    path = written(tmp_path, strange, "strange.yaml")
    done = run("policy", "simulate", *files, *(m.format(strange=path) for m in more))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(f"error: {line}")
