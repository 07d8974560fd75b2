"""Learned gradings: a tree decides as the fitted one does, and its way can be shown."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import PolicyFileError
from stream.customer import Grade
from stream.gradings.base import Reading, Step
from stream.gradings.tree import Tree, grow
from stream.gradings.tree_export import EXACT, LearnedTree, export_tree, whole_cut
from stream.measures import Attribute
from stream.sentinels import MISSING
from tests.properties.driver import Run
from tests.properties.profiles import tries
from tests.unit.stream.policies import happened, paid, policy

if TYPE_CHECKING:
    from collections.abc import Sequence

T0 = 852_076_800_000
TREE: dict[str, Any] = {
    "grades": ["good", "fair", "poor"],
    "measures": {"revenue": "money", "survey": "number"},
    "currency": "USD",
    "root": {
        "measure": "survey",
        "at_most": 49,
        "missing": "high",
        "low": {"grade": "poor", "counts": {"poor": 7}},
        "high": {
            "measure": "revenue",
            "at_most": 100_00,
            "missing": "low",
            "low": {"grade": "fair", "counts": {"good": 1, "fair": 3}},
            "high": {"grade": "good"},
        },
    },
}
MEASURES = {"revenue": {"sum": "revenue"}, "survey": {"last": "survey"}}


def learned(**changes: Any) -> dict[str, Any]:
    """Return the tree as a grading, with other values for some of its keys."""
    return {"type": "tree", "tree": TREE | changes}


def test_the_grade_is_that_of_the_leaf_and_the_way_to_it_can_be_shown() -> None:
    """An unknown survey goes high, as the tree says; 100.00 is not above 100.00."""
    run = Run(policy(MEASURES, {"learned": learned()}))
    run.apply([paid(1, T0, 100_00)])
    (grading,) = run.plan.gradings
    survey, revenue = 1, 0
    reading = Reading(0, run.plan.read(run.customer, T0), [None])
    assert grading.path(reading) == (
        Step(survey, MISSING, 49, "high"),
        Step(revenue, 100_00, 100_00, "low"),
    )
    run.apply([paid(2, T0 + 1, 1), happened("survey", 1, T0 + 2, value=49)])
    run.apply([happened("survey", 2, T0 + 3, value=50)])
    assert [(c.after, c.direction) for c in run.changes] == [
        ("fair", "first"),
        ("good", "up"),
        ("poor", "down"),
        ("good", "up"),
    ]
    crossed = [(r.name, r.before, r.after, r.boundary) for c in run.changes for r in c.reasons][1:]
    assert crossed == [
        ("revenue", 100_00, 100_01, 100_01),
        ("survey", None, 49, None),
        ("survey", 49, 50, 50),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "EUR"}, "currency: 'EUR' is not allowed; allowed: USD, the currency of the"),
        ({"currency": None}, "currency: missing; allowed: USD"),
        ({"measures": {"revenue": "money"}}, "root.measure: 'survey' is not allowed; allowed: a m"),
        (
            {"measures": {"revenue": "count", "survey": "number"}},
            "measures.revenue: 'revenue' is not allowed; allowed: a measure of count; this one is",
        ),
        (
            {"measures": {"revenu": "money", **TREE["measures"]}},
            "measures.revenu: 'revenu' is not allowed; allowed: a measure, such as revenue",
        ),
        ({"grades": ["good", "poor"]}, "root.high.low.grade: 'fair' is not allowed; allowed: a gr"),
        ({"grades": [*TREE["grades"], "good"]}, "grades.3: 'good' is not allowed; allowed: a name"),
        ({"root": {"grade": 5}}, "root.grade: '5' is not allowed; allowed: text"),
        ({"root": {}}, "root: a mapping is not allowed; allowed: a leaf with grade, or a split"),
        ({"root": TREE["root"] | {"at_most": "4"}}, "root.at_most: '4' is not allowed; allowed: a"),
        ({"root": TREE["root"] | {"missing": "up"}}, "root.missing: 'up' is not allowed; allowed"),
    ],
)
def test_a_tree_that_does_not_fit_the_policy_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyFileError) as caught:
        policy(MEASURES, {"learned": learned(**changes)})
    lines = [str(finding).partition(": ")[2] for finding in caught.value.findings]
    assert any(line.startswith("gradings.learned.tree." + said) for line in lines), lines


def test_a_tree_without_end_is_refused_in_one_line() -> None:
    """33 splits one after the other are too many to explain to anyone."""
    root: dict[str, Any] = {"grade": "good"}
    for _ in range(33):
        root = TREE["root"] | {"low": {"grade": "poor"}, "high": root}
    with pytest.raises(PolicyFileError, match="at most 32 splits one after the other"):
        policy(MEASURES, {"learned": learned(root=root)})


# -- exported from scikit-learn ---------------------------------------------------------


def float32(number: int) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


@given(st.floats(-(2**50), 2**50), st.integers(-(2**50), 2**50))
@tries(300)
def test_a_threshold_becomes_the_whole_number_that_decides_alike(
    threshold: float, value: int
) -> None:
    """Also next to the cut, where 32-bit floats are coarser than whole numbers."""
    cut = whole_cut(threshold)
    for reading in (value, cut - 1, cut, cut + 1):
        assert (reading <= cut) is (float32(reading) <= threshold)
    if abs(threshold) < 2**24:
        assert cut == math.floor(threshold)


def test_a_threshold_out_of_reach_sends_everything_one_way() -> None:
    assert whole_cut(math.inf) >= EXACT
    assert whole_cut(-math.inf) <= -EXACT
    assert whole_cut(-1e300) <= -EXACT


def exported(tree: LearnedTree, rows: list[list[int]], truth: list[int]) -> Tree:
    """Return a fitted tree over features f0, f1, ... as a grading."""
    features = [Attribute(f"f{i}", "number", f"f{i}") for i in range(len(rows[0]))]
    grades = [f"g{i}" for i in range(3)]
    document = export_tree(tree, features, grades, "USD", rows, truth)
    return grow("tree", document, {f"f{i}": i for i in range(len(rows[0]))})


readings = st.one_of(
    st.integers(-5, 5),
    st.integers(-(2**40), 2**40),
    st.just(MISSING),
    st.integers(2**24, 2**24 + 8),
)


@given(st.data())
@tries(60)
def test_an_exported_tree_decides_exactly_as_the_fitted_one(data: st.DataObject) -> None:
    """On its training rows and on any other, missing readings and large ones included."""
    pytest.importorskip("sklearn")
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415 - an extra

    from agents.replay.scikit_tree import learned_tree  # noqa: PLC0415 - beside it

    width = data.draw(st.integers(1, 3))
    row = st.lists(readings, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=4, max_size=25))
    truth = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    model = DecisionTreeClassifier(max_depth=data.draw(st.integers(1, 6)), random_state=0)
    model.fit(plain(rows), truth)
    tree = exported(learned_tree(model), rows, truth)
    others = rows + data.draw(st.lists(row, max_size=25))
    expected = [f"g{grade}" for grade in model.predict(plain(others)).tolist()]
    assert [tree.tier(Reading(0, other, []), Grade()) for other in others] == expected


def plain(rows: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return readings as scikit-learn takes them."""
    return [[math.nan if value == MISSING else float(value) for value in row] for row in rows]


def test_counts_at_the_leaves_are_those_of_the_training_rows() -> None:
    stump = LearnedTree(
        [1, -1, -1], [2, -1, -1], [0, -2, -2], [1.5, -2, -2], [False] * 3, [0, 0, 2]
    )
    rows, truth = [[1], [2], [MISSING], [0]], [0, 2, 2, 1]
    features = [Attribute("f0", "number", "f0")]
    tree = export_tree(stump, features, ["a", "b", "c"], "USD", rows, truth)
    assert tree.model_dump(exclude_none=True) == {
        "grades": ("a", "b", "c"),
        "measures": {"f0": "number"},
        "root": {
            "measure": "f0",
            "at_most": 1,
            "missing": "high",
            "low": {"grade": "a", "counts": {"a": 1, "b": 1}},
            "high": {"grade": "c", "counts": {"c": 2}},
        },
    }
