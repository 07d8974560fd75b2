"""Levels that the population sets: how a policy names them, freezes them, and gets them wrong."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import PolicyFileError, parse_policy
from schemas.policy.labels import Label
from schemas.policy.load import policy_from_data
from tests.unit.schemas.policy.test_robustness import JUNK, places

# Blocks of three lines: what to replace below, by what, and how the finding begins.
TABLE = Path(__file__).with_name("relative_mistakes.txt").read_text(encoding="utf-8")
MISTAKES = [
    tuple(line.replace("\\n", "\n") for line in block.splitlines()) for block in TABLE.split("\n\n")
]

POLICY = """\
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
    frequency: {measure: orders, high_from: 3}
    monetary: {measure: spent, high: median}
  rfm:
    type: rfm_cells
    recency: {measure: recency, cuts: quintiles}
    frequency: {measure: orders, cuts: [2, 3, 5, 10]}
    monetary: {measure: spent, cuts: quintiles}
    weights: {recency: 50%, frequency: 30%, monetary: 20%}
  classes:
    type: rfm_classes
    recency: {measure: recency, high_below: 90}
    frequency: {measure: orders, high: mean}
    monetary: {measure: spent, mid_from: 50, high_from: 100}
  thirds:
    type: rfm_classes
    recency: {measure: recency, high_below: 90}
    frequency: {measure: orders, high: mean}
    monetary: {measure: spent, cuts: terciles}
  abc:
    type: pareto
    measure: spent
    classes:
      - {class: key, share: 80%, label: {zh: 大客户}}
      - {class: middle, share: 95%}
      - {class: small}
population:
  frozen:
    segment.recency: [120]
    segment.monetary: [99.50]
    rfm.recency: [10, 20, 20, 40]
    abc.measure: [20.25, 150]
"""


def findings_of(text: str) -> list[str]:
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text, "p.yaml")
    return [f"{f.key}: {f.value}; {f.allowed}" for f in caught.value.findings]


def test_a_policy_names_the_cuts_it_takes_from_the_population() -> None:
    """By grading and axis, with how many levels each has; frozen ones are known already."""
    policy = parse_policy(POLICY, "p.yaml")
    assert {name: (cut.statistic, cut.levels) for name, cut in policy.relative_cuts().items()} == {
        "segment.recency": ("mean", 1),
        "segment.monetary": ("median", 1),
        "rfm.recency": ("quantiles", 4),
        "rfm.monetary": ("quantiles", 4),
        "classes.frequency": ("mean", 1),
        "thirds.frequency": ("mean", 1),
        "thirds.monetary": ("quantiles", 2),
        "abc.measure": ("shares", 2),
    }
    assert policy.frozen_cuts() == {
        "segment.recency": (120,),
        "segment.monetary": (9950,),
        "rfm.recency": (10, 20, 20, 40),
        "abc.measure": (2025, 15000),
    }
    assert policy.open_cuts() == (
        "rfm.monetary",
        "classes.frequency",
        "thirds.frequency",
        "thirds.monetary",
    )


def test_fixed_grades_have_names_in_both_languages() -> None:
    gradings = parse_policy(POLICY, "p.yaml").gradings
    assert gradings["segment"].labels()["important_win_back"].zh == "重要挽留客户"
    assert gradings["classes"].labels()["new"].zh == "新客户"
    assert gradings["abc"].labels() == {"key": Label(zh="大客户")}
    classes = POLICY[POLICY.index("    classes:\n      - ") : POLICY.index("population:")]
    text = POLICY.replace(classes, "").replace("[20.25, 150]", "[1, 2]")
    assert parse_policy(text, "p").gradings["abc"].labels()["a"].zh == "A类客户"


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_a_mistake_says_what_is_allowed(old: str, new: str, said: str) -> None:
    """One line at its place."""
    assert POLICY.count(old) >= 1
    found = findings_of(POLICY.replace(old, new, 1))
    assert any(line.startswith(said) for line in found), found
    assert len(found) == 1, found


def test_a_pareto_of_one_class_is_no_grading() -> None:
    classes = POLICY[POLICY.index("      - {class: key") : POLICY.index("      - {class: small")]
    text = POLICY.replace(classes, "").replace("    abc.measure: [20.25, 150]\n", "")
    assert findings_of(text) == ["gradings.abc.classes: 1 class; 2 classes or more"]


def test_frozen_cuts_of_a_broken_grading_are_not_complained_about() -> None:
    """The grading has its own line already."""
    found = findings_of(POLICY.replace("type: pareto", "type: paretto"))
    assert [line.partition(":")[0] for line in found] == ["gradings.abc.type"]


def test_a_policy_survives_the_way_through_json() -> None:
    policy = parse_policy(POLICY, "p.yaml")
    data = json.loads(json.dumps(policy.model_dump(mode="json")))
    assert policy_from_data(data, "p") == policy


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(places(yaml.safe_load(POLICY))), st.sampled_from(JUNK)),
        max_size=3,
    )
)
def test_any_value_anywhere_is_accepted_or_explained(changes: list[tuple[Any, Any]]) -> None:
    data = yaml.safe_load(POLICY)
    for (*steps, last), junk in changes:
        place = data
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for step in steps:
                place = place[step]
            place[last] = junk
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    with contextlib.suppress(PolicyFileError):
        parse_policy(text, "p.yaml")


def test_a_section_that_says_nothing_is_a_mistake() -> None:
    frozen = POLICY[POLICY.index("population:") :]
    assert findings_of(POLICY.replace(frozen, "population: {dead_band: 5%}\n")) == [
        "population: a mapping; a mapping with frozen or cadence, or both"
    ]


def test_a_cadence_where_nothing_follows_the_population_is_a_mistake() -> None:
    start, end = POLICY.index("  segment:"), POLICY.index("  classes:")
    rest = POLICY[POLICY.index("  thirds:") : POLICY.index("population:")]
    text = POLICY[:start] + POLICY[end:].replace(rest, "")
    text = text.replace("high: mean", "high_from: 2")
    text = text[: text.index("population:")] + "population: {cadence: daily}\n"
    (said,) = findings_of(text)
    assert said.startswith("population.cadence: 'daily'; nothing: every cut is frozen, or no ")


def test_the_best_so_many_customers_are_classes_as_well() -> None:
    """By their number or by a share of all; each class ends further down than the one before."""
    best = POLICY.replace("share: 80%", "top: 5").replace("share: 95%", "top: 50")
    cut = parse_policy(best, "p.yaml").relative_cuts()["abc.measure"]
    assert (cut.statistic, cut.tops, cut.levels) == ("tops", (5, 50), 2)
    data = json.loads(json.dumps(parse_policy(best, "p.yaml").model_dump(mode="json")))
    assert policy_from_data(data, "p").relative_cuts()["abc.measure"] == cut
    (said,) = findings_of(best.replace("top: 50", "top: 5"))
    assert said == "gradings.abc.classes.1.top: '5'; a number above the class before it, 5"
    (said,) = findings_of(best.replace("top: 50", "top: 50%"))
    assert said.startswith("gradings.abc.classes.1.top: '50%'; as the classes above")
