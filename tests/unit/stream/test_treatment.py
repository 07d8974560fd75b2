"""What a change of grade grants and withdraws, in the core and as it is published."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from schemas.policy import PolicyDocument, PolicyFileError, parse_policy
from schemas.policy.labels import BUILT_IN, label_of
from schemas.tier_changes import TierChange
from schemas.vocabulary import STAGES
from stream.outbox import change_row, decode_row
from stream.plan import compile_policy
from tests.properties.driver import Run
from tests.unit.stream.policies import DAY, bands, happened, paid, policy

T0 = 852_076_800_000
TREATMENTS = {
    "gradings": {
        "value": {
            "gold": {
                "benefits": ["manager", "gift"],
                "response_hours": 4,
                "owner": "senior",
                "visit_every": "30d",
            },
            "floor": {"benefits": ["gift"], "response_hours": 48, "action": "automate"},
        }
    }
}
NOTHING = dict.fromkeys(("response_hours", "owner", "survey_days", "visit_days", "action"))


def run_of(**settings: Any) -> Run:
    measures = {"revenue": {"sum": "revenue", "window": "9d"}, "visits": {"count": "visit"}}
    gradings = {"value": bands("revenue", gold=2), "other": bands("visits", seen=1)}
    run = Run(policy(measures, gradings, **settings))
    run.apply([paid(1, T0, 200), happened("visit", 1, T0 + 1)])
    run.wake(T0 + 30 * DAY)
    return run


def rows(run: Run) -> list[bytes]:
    """Return the changes as the relay would publish them."""
    found = [decode_row(change_row(change, run.plan)).value for change in run.changes]
    return [value for value in found if value is not None]


def test_a_change_says_what_is_granted_and_withdrawn() -> None:
    """A first grade grants everything; a downgrade withdraws what the lower tier has not."""
    told = [json.loads(value) for value in rows(run_of(treatments=TREATMENTS))]
    value = [change["treatment"] for change in told if change["grading"] == "value"]
    gold = NOTHING | {"response_hours": 4, "owner": "senior", "visit_days": 30}
    floor = NOTHING | {"response_hours": 48, "action": "automate"}
    assert value == [
        {"granted": ["manager", "gift"], "withdrawn": [], "before": NOTHING, "after": gold},
        {"granted": [], "withdrawn": ["manager"], "before": gold, "after": floor},
    ]
    assert all("treatment" not in change for change in told if change["grading"] == "other")


def test_a_published_treatment_satisfies_the_contract() -> None:
    for value in rows(run_of(treatments=TREATMENTS)):
        assert json.loads(TierChange.model_validate_json(value).model_dump_json()) == json.loads(
            value
        )


def test_without_treatments_not_a_byte_changes() -> None:
    """Policies that do not speak of treatment publish what they always did."""
    plain, treated = rows(run_of()), rows(run_of(treatments=TREATMENTS))
    assert all(b"treatment" not in value for value in plain)
    stripped = [
        {key: part for key, part in json.loads(value).items() if key != "treatment"}
        for value in treated
    ]
    assert [json.loads(value) for value in plain] == stripped


MISTAKES = [
    (
        "    value:\n      platinum:",
        "    worth:\n      platinum:",
        "gradings.worth: 'worth' is not",
    ),
    ("      platinum:\n        benefits", "      silver:\n        benefits", "a grade of value"),
    (
        "[order_discount]",
        "[order_discount, order_discount]",
        "benefits.1: 'order_discount' is not allowed; allowed: each benefit once",
    ),
    ("    onboarding:  ", "    onbording:  ", "a name that a treatment uses, such as onboarding"),
    ("response_hours: 2\n", "response_hours: 0\n", "response_hours: '0' is not allowed"),
    ("survey_every: 365d", "survey_every: 12", "allowed: a number of days from 1d"),
    ("visit_every: 60d", "visits_every: 60d", "allowed: visit_every"),
]
TEXT = files("deploy").joinpath("policies/relationship.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def relationship() -> PolicyDocument:
    return parse_policy(TEXT, "relationship.yaml")


@pytest.mark.parametrize(("right", "wrong", "said"), MISTAKES)
def test_a_mistake_is_said_in_one_line(right: str, wrong: str, said: str) -> None:
    assert right in TEXT
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(TEXT.replace(right, wrong, 1), "relationship.yaml")
    lines = str(caught.value).splitlines()
    assert any(said in line for line in lines), lines


def test_every_stage_of_the_funnel_of_seed_004_is_graded_and_treated(
    relationship: PolicyDocument,
) -> None:
    """Demand, contract, delivery, operation, renewal, lost; each with a service of its own."""
    run = Run(compile_policy(relationship))
    for day, stage in enumerate(range(len(STAGES))):
        run.apply([happened("stage.changed", day, T0 + day * DAY, value=stage)])
    moves = [c for c in run.changes if c.grading == "funnel"]
    assert [c.after for c in moves] == list(STAGES)
    assert relationship.treatments is not None
    assert set(relationship.treatments.gradings["funnel"]) == set(STAGES)
    to_delivery = json.loads(rows(run)[run.changes.index(moves[2])])
    assert to_delivery["treatment"]["granted"] == ["onboarding"]
    assert relationship.treatments.called("onboarding", "zh") == "上线辅导"


def test_a_sale_that_does_not_move_is_stuck_after_sixty_days(relationship: PolicyDocument) -> None:
    run = Run(compile_policy(relationship))
    run.apply([happened("stage.changed", 1, T0, value=0)])
    run.wake(T0 + 90 * DAY)
    (stuck,) = [c for c in run.changes if c.grading == "stuck"]
    assert (stuck.after, stuck.instant_ms) == ("present", T0 + 60 * DAY)


def test_the_rungs_of_loyalty_of_seed_001(relationship: PolicyDocument) -> None:
    """流失 below 观望者, as the seed says; one-time, repeat and loyal customers above them."""
    run = Run(compile_policy(relationship))
    run.apply([happened("visit", 1, T0), happened("referral", 1, T0)])
    for number in range(1, 6):
        event = paid(number, T0 + 60 * number * DAY, 100, currency="CNY")
        run.apply([event])
    run.wake(T0 + 1000 * DAY)
    rungs = [c for c in run.changes if c.grading == "loyalty"]
    assert [c.after for c in rungs] == ["onlooker", "one_time", "repeat", "loyal", "lost"]
    assert [c.direction for c in rungs] == ["first", "up", "up", "up", "down"]
    names = [label_of(relationship, "loyalty", c.after or "", "zh") for c in rungs]
    assert names[:2] == ["观望者", "一次性购买"]
    assert names[-1] == "流失"


def test_labels_of_the_policy_come_before_the_built_in_ones(relationship: PolicyDocument) -> None:
    """What neither names is called by its machine id."""
    assert label_of(relationship, "boston", "dog", "zh") == "瘦狗"
    assert label_of(relationship, "boston", "dog", "en") == "Dog"
    assert label_of(relationship, "kaism", "key", "zh") == "关键"
    assert label_of(relationship, "value_by_fit", "keep", "zh") == "保持"
    assert label_of(relationship, "value_by_fit", "partner", "en") == "Partner"
    assert label_of(relationship, "strength", "weak", "zh") == "weak"


def test_a_cap_calls_grades_what_the_grading_it_lowers_calls_them() -> None:
    capped = {
        "type": "cap",
        "of": "value",
        "rules": [{"rule": "r", "when": {"measure": "m", "at_least": 9}, "at_most": "low"}],
    }
    tiers = [{"tier": "top", "enter": 5, "label": {"zh": "顶级"}}, {"tier": "low"}]
    document = {
        "policy": "unit",
        "version": 1,
        "time_zone": "UTC",
        "currency": "USD",
        "measures": {"m": {"count": "orders"}},
        "gradings": {"value": {"type": "bands", "measure": "m", "tiers": tiers}, "kept": capped},
    }
    found = parse_policy(json.dumps(document), "unit.json")
    assert label_of(found, "kept", "top", "zh") == "顶级"


def test_every_grade_that_has_no_name_of_the_policy_has_a_built_in_one(
    relationship: PolicyDocument,
) -> None:
    """Of the gradings that the seeds define; both languages are there for each."""
    for name in ("value", "kaism", "boston", "lifecycle", "funnel", "loyalty", "stuck"):
        assert set(relationship.grades_of(name)) <= BUILT_IN.keys()
    assert all(label.en and label.zh for label in BUILT_IN.values())
