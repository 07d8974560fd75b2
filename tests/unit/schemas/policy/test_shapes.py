"""Mistakes in matrices, lifecycles and conditions on the sales stage, each said in one line."""

import pytest

from schemas.policy import PolicyFileError, parse_policy

POLICY = """\
policy: shapes
version: 1
time_zone: UTC
currency: USD
measures:
  revenue: {sum: revenue, window: 365d}
  silence: {days_since: last_order}
  tenure: {days_since: first_order}
  trend: {growth: revenue, window: 90d}
  ended: {longest_gap: orders, window: 90d}
  stage: {last: stage.changed}
  complaints: {open: complaint}
  late: {days_overdue: payments}
  again: {repurchase_rate: orders, window: lifetime}
gradings:
  value: {type: bands, measure: revenue, tiers: [{tier: gold, enter: 500}, {tier: iron}]}
  boston:
    type: matrix
    rows: {grading: value, positions: {low: [iron], high: [gold]}}
    columns: {measure: again, levels: ["20%", "50%"], positions: [rare, some, often]}
    cells:
      - {cell: star, row: high, column: often, label: {en: Star, zh: 明星}}
      - {cell: star, row: high, column: some}
      - {cell: question, row: high, column: rare}
      - {cell: cow, row: low, column: often}
      - {cell: dog, row: low, column: some}
      - {cell: dog, row: low, column: rare, label: {zh: 瘦狗}}
  life:
    type: lifecycle
    recency: {measure: silence, dormant_from: 100, lost_from: 200}
    tenure: {measure: tenure, new_below: 30}
    trend: {measure: trend, growing_from: "20%", declining_below: "-20%"}
    won_back: ended
    grade_labels: {lost: {zh: 流失}}
  funnel:
    type: conditions
    levels:
      - {level: early, when: {measure: stage, is: [demand, contract]}}
      - {level: late, when: {measure: stage, is_known: true}}
"""

MISTAKES = [
    (
        "positions: {low: [iron]",
        "positions: {low: [lead]",
        "'lead' is not allowed; allowed: a grade of value",
    ),
    (
        "positions: {low: [iron], high: [gold]}",
        "positions: {low: [iron], high: [gold, iron]}",
        "'iron' at 2 places is not allowed; allowed: each grade once",
    ),
    (
        "{tier: iron}]",
        "{tier: tin, enter: 1}, {tier: iron}]",
        "boston.rows.positions: missing; allowed: a position for the grade tin of value",
    ),
    (
        "rows: {grading: value,",
        "rows: {grading: worth,",
        "boston.rows.grading: 'worth' is not allowed; allowed: a grading",
    ),
    (
        "rows: {grading: value,",
        "rows: {grading: boston,",
        "gradings that do not refer back to themselves (boston -> boston)",
    ),
    (
        "positions: {low: [iron], high: [gold]}",
        "positions: {low: [iron, gold]}",
        "allowed: at least 2 of them",
    ),
    ('levels: ["20%", "50%"]', 'levels: ["50%", "20%"]', "a number above the level before it"),
    (
        'levels: ["20%", "50%"]',
        'levels: ["50%"]',
        "a list of 3 is not allowed; allowed: 2 names, one more than there are levels",
    ),
    (
        "[rare, some, often]",
        "[rare, some, rare]",
        "columns.positions.2: 'rare' is not allowed; allowed: a name not used before",
    ),
    (
        "columns: {measure: again",
        "columns: {measure: stage",
        "a measure of a number; this one is stage",
    ),
    (
        "      - {cell: cow, row: low, column: often}\n",
        "",
        "boston.cells: missing; allowed: a cell for row low, column often",
    ),
    (
        "cow, row: low, column: often",
        "cow, row: low, column: rare",
        "row low, column rare a second time",
    ),
    (
        "cow, row: low",
        "cow, row: lwo",
        "cells.3.row: 'lwo' is not allowed; allowed: a position of rows, such as low",
    ),
    (
        "lost_from: 200",
        "lost_from: 100",
        "life.recency.lost_from: '100' is not allowed; allowed: more days than dormant_from, 100",
    ),
    (
        "recency: {measure: silence",
        "recency: {measure: revenue",
        "a measure of days; this one is money",
    ),
    (
        "won_back: ended",
        "won_back: trend",
        "life.won_back: 'trend' is not allowed; allowed: a measure of days",
    ),
    ('declining_below: "-20%"', 'declining_below: "30%"', "at most growing_from"),
    (
        "grade_labels: {lost:",
        "grade_labels: {gone:",
        "grade_labels.gone: 'gone' is not allowed; allowed: a stage of this lifecycle",
    ),
    (
        "    won_back: ended\n    grade_labels: {lost:",
        "    grade_labels: {won_back:",
        "a stage of this lifecycle",
    ),
    (
        "is: [demand, contract]",
        "is: [demand, contrat]",
        "is.1: 'contrat' is not allowed; allowed: a stage, such as contract",
    ),
    ("is: [demand, contract]", "at_least: 1", "allowed: is or is_known, as stage is stage"),
    (
        "{open: complaint}",
        "{open: complaints}",
        "complaints.open: 'complaints' is not allowed; allowed: 'complaint'",
    ),
    (
        "orders, window: 90d}\n  stage",
        "orders, window: lifetime}\n  stage",
        "ended.window: 'lifetime' is not allowed; allowed: a number of days",
    ),
]


def test_the_policy_itself_has_no_mistake() -> None:
    policy = parse_policy(POLICY, "shapes.yaml")
    assert policy.grades_of("boston") == ("star", "question", "cow", "dog")
    assert policy.grading_order() == ("value", "boston", "life", "funnel")
    labels = policy.gradings["boston"].labels()
    assert {cell: label.text("zh", cell) for cell, label in labels.items()} == {
        "star": "明星",
        "dog": "瘦狗",
    }
    assert parse_policy(policy.model_dump_json(), "again.json") == policy


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_a_mistake_is_said_in_one_line(right: str, wrong: str, said: str) -> None:
    """Every line names the file, the line and the key, and what may stand there."""
    assert right in POLICY
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(POLICY.replace(right, wrong, 1), "shapes.yaml")
    lines = str(caught.value).splitlines()
    assert all(line.startswith("shapes.yaml:") for line in lines)
    assert any(said in line for line in lines), lines
