"""`tierstream rfm` and `tierstream policy cuts` as a user meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from schemas.policy import parse_policy
from tests.unit.cli.test_command import run
from tests.unit.replay.histories import HEADER, written

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """
policy: relative
version: 1
time_zone: UTC
currency: USD
measures:
  spent: {sum: revenue}
  orders: {count: orders}
  recency: {days_since: last_order}
gradings:
  segment:
    type: rfm_segments
    recency: {measure: recency, high: mean}
    frequency: {measure: orders, high: median}
    monetary: {measure: spent, high: mean}
  rfm:
    type: rfm_cells
    recency: {measure: recency, cuts: [10, 20, 30, 40]}
    frequency: {measure: orders, cuts: [2, 3, 4, 5]}
    monetary: {measure: spent, cuts: quintiles}
  abc: {type: pareto, measure: spent}
"""
HISTORY = f"""{HEADER}
ann,1,paid,2024-01-01T00:00:00Z,100.00,USD
bob,1,paid,2024-01-05T00:00:00Z,20.05,USD
eve,1,paid,2024-01-05T00:00:00Z,30.00,USD
ann,2,paid,2024-02-10T00:00:00Z,50.00,USD
bob,2,paid,2024-02-11T00:00:00Z,10.00,USD
bob,2,cancelled,2024-02-12T00:00:00Z,,
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    return str(written(tmp_path, POLICY, "policy.yaml"))


@pytest.fixture
def history(tmp_path: Path) -> str:
    return str(written(tmp_path, HISTORY))


def test_cuts_are_printed_as_the_policy_would_say_them(history: str, policy: str) -> None:
    """Pasted behind the policy they freeze every cut; money is in major units."""
    done = run("policy", "cuts", history, "--policy", policy, "--as-of", "2024-02-14")
    assert done.returncode == 0
    document = parse_policy(POLICY + done.stdout, "pasted.yaml")
    assert document.open_cuts() == ()
    assert document.frozen_cuts() == {
        "segment.recency": (28,),  # 4, 40 and 40 days
        "segment.frequency": (1,),
        "segment.monetary": (6669,),  # 150.00 + 20.05 + 30.00, of three
        "rfm.monetary": (2403, 2801, 5400, 10200),
        "abc.measure": (2005, 3000),
    }
    told = json.loads(
        run("policy", "cuts", history, "--policy", policy, "--as-of", "2024-02-14", "--json").stdout
    )
    assert told["cuts"] == {name: list(cut) for name, cut in document.frozen_cuts().items()}
    assert told["customers"] == 3


def test_the_table_of_cells_counts_customers_revenue_and_response(
    history: str, policy: str
) -> None:
    """On 15 January all three had ordered once; of ann, bob and eve only ann did and kept it."""
    options = "--as-of 2024-02-14 --response-days 30 --contact-cost 0.62 --profit-per-sale 35"
    done = run("rfm", history, "--policy", policy, *options.split(), "--json")
    told = json.loads(done.stdout)
    cells = {cell["cell"]: cell for cell in told["cells"]}
    assert len(cells) == 125
    assert (told["customers"], told["revenue_minor"]) == (3, 200_05)
    assert {code for code, cell in cells.items() if cell["customers"]} == {"525", "111", "113"}
    assert cells["525"] == {
        "cell": "525",
        "customers": 1,
        "revenue_minor": 150_00,
        "share_bp": 7498,
        "asked": 0,
        "responded": 0,
        "response_bp": None,
        "worth_contacting": None,
        "in_test_group": 0,
    }
    asked = {code: (c["asked"], c["responded"]) for code, c in cells.items() if c["asked"]}
    assert asked == {"415": (1, 1), "411": (1, 0), "413": (1, 0)}
    assert told["response"] == {
        "days": 30,
        "from": "2024-01-15T00:00:00.000Z",
        "asked": 3,
        "responded": 1,
    }
    assert told["break_even"] == {"exact": "31/1750", "bp": 177}
    assert [c["cell"] for c in told["cells"] if c["worth_contacting"]] == ["415"]


def test_people_see_cells_break_even_and_the_test_group(history: str, policy: str) -> None:
    options = "--as-of 2024-02-14 --contact-cost 0.62 --profit-per-sale 35 --test-group 1"
    done = run("rfm", history, "--policy", policy, *options.split())
    assert done.returncode == 0
    for text in (
        "RFM cells, best first",
        "revenue USD",
        "150.00",
        "break-even at a response of 1.77 %; worth contacting: 0 customers, cells that reach it: 1",
        "test group of one in 1: 3 customers",
        "the top 20 % of customers bring 74.98 % of revenue",
    ):
        assert text in done.stdout
    grid = run("rfm", history, "--policy", policy, "--grid").stdout
    assert "R 5" in grid
    assert "F 1" in grid


def test_a_policy_with_open_cuts_is_noted_and_grades_nobody_offline(
    history: str, policy: str
) -> None:
    """The check says so, and which cuts are missing; an offline replay shows it."""
    said = run("policy", "check", policy).stdout
    for grading in ("segment", "rfm", "abc"):
        assert f"note: gradings.{grading}: relative to the population, and not frozen" in said
    told = json.loads(run("policy", "check", policy, "--json").stdout)
    assert told["open_cuts"][-2:] == ["rfm.monetary", "abc.measure"]
    done = run("replay", history, "--offline", "--policy", policy, "--json")
    tiers = json.loads(done.stdout)["customers_by_tier"]
    assert tiers["abc"] == {"a": 0, "b": 0, "c": 0, "(not graded)": 3}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--contact-cost", "1"], "--profit-per-sale: missing; both or neither"),
        (["--contact-cost", "x", "--profit-per-sale", "1"], "--contact-cost: 'x' is not allowed"),
        (["--contact-cost", "1", "--profit-per-sale", "0"], "--profit-per-sale: '0' is not"),
        (["--grading", "abc"], "--grading: 'abc' is not allowed; allowed: rfm"),
        (["--as-of", "2023-01-01"], ""),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], line: str, history: str, policy: str) -> None:
    done = run("rfm", history, "--policy", policy, *arguments)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"error: {line}")
