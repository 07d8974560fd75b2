"""What a checked policy tells the scorer."""

from decimal import Decimal
from fractions import Fraction

import pytest
from pydantic import ValidationError

from schemas.policy import PolicyDocument, parse_policy
from schemas.policy.conditions import AllOf
from schemas.policy.gradings.bands import Bands
from schemas.policy.gradings.conditions import Conditions
from schemas.policy.gradings.scorecards import IntervalScorecard, WeightedScorecard
from schemas.policy.measures import SumMeasure
from schemas.policy.quantities import BasisPoints
from tests.unit.schemas.policy.sample import POLICY


@pytest.fixture(scope="module")
def policy() -> PolicyDocument:
    return parse_policy(POLICY, "shop.yaml")


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        ("revenue", "money"),
        ("average", "money"),
        ("biggest", "money"),
        ("first", "money"),
        ("orders", "count"),
        ("recency", "days"),
        ("growth", "bp"),
        ("refunds", "bp"),
        ("survey", "number"),
        ("industry", "text"),
    ],
)
def test_every_measure_has_a_unit(policy: PolicyDocument, measure: str, unit: str) -> None:
    """The unit follows from what is measured."""
    assert policy.unit_of(measure) == unit


def test_durations_weights_and_points_are_exact(policy: PolicyDocument) -> None:
    """Days are integers, lifetime is None, percents and points are fractions, full is None."""
    revenue, average = policy.measures["before"], policy.measures["average"]
    assert isinstance(revenue, SumMeasure)
    assert (revenue.window, revenue.before) == (365, 365)
    assert getattr(average, "window", 0) is None
    score = policy.gradings["score"]
    assert isinstance(score, IntervalScorecard)
    money = score.indicators["money"]
    assert money.weight == Fraction(2, 5)
    assert [part.points for part in money.measures["revenue"]] == [20, Fraction(100, 3), None]


def test_defaults(policy: PolicyDocument) -> None:
    """What a policy need not say."""
    assert (policy.refund_days, policy.max_future_minutes) == (180, 60)
    value = policy.gradings["value"]
    assert isinstance(value, Bands)
    assert [tier.keep for tier in value.tiers] == [Decimal("800.00"), Decimal(300), None]


@pytest.mark.parametrize(
    ("currency", "level", "minor"),
    [("USD", "12.34", 1234), ("JPY", "500", 500), ("KWD", "1.234", 1234)],
)
def test_money_thresholds_follow_the_currency(currency: str, level: str, minor: int) -> None:
    """Two decimal places, none, or three."""
    text = (
        f"policy: p\nversion: 1\ntime_zone: UTC\ncurrency: {currency}\n"
        "measures: {m: {sum: gross}}\n"
        "gradings: {g: {type: bands, measure: m, "
        f"tiers: [{{tier: a, enter: {level}}}, {{tier: b}}]}}}}\n"
    )
    assert parse_policy(text, "p").threshold("m", Decimal(level)) == minor


def test_a_percent_is_basis_points(policy: PolicyDocument) -> None:
    """12.5 percent and 1250 are the same threshold of growth."""
    simple = policy.gradings["simple"]
    assert isinstance(simple, WeightedScorecard)
    assert policy.threshold("growth", BasisPoints(1250)) == 1250
    assert policy.threshold("growth", Decimal(1250)) == 1250


def test_gradings_come_after_those_they_refer_to() -> None:
    """File order, but for references."""
    lines = POLICY[: POLICY.index("  level:\n")].splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("gradings:"))
    hot = next(i for i, line in enumerate(lines) if line.startswith("  hot:"))
    text = "".join([*lines[: start + 1], *lines[hot:], *lines[start + 1 : hot]])
    order = parse_policy(text, "p").grading_order()
    assert order == ("value", "rfm", "status", "hot", "score", "simple", "segment")


def test_every_grading_knows_its_grades(policy: PolicyDocument) -> None:
    """Best first; cells and segments are fixed."""
    assert policy.grades_of("value") == ("platinum", "gold", "bronze")
    assert len(policy.grades_of("rfm")) == 125
    assert policy.grades_of("rfm")[0] == "555"
    assert len(policy.grades_of("segment")) == 8
    assert policy.grades_of("hot") == ("present", "absent")


def test_words_of_yaml_1_1_are_only_words() -> None:
    """no, on and dates are text, also in lists of texts."""
    text = POLICY.replace("[steel, cement]", "[no, on, 2020-01-01, 010]")
    status = parse_policy(text, "p").gradings["status"]
    assert isinstance(status, Conditions)
    condition = status.levels[0].when
    assert isinstance(condition, AllOf)
    assert getattr(condition.all_of[1], "is_", None) == ("no", "on", "2020-01-01", "010")


def test_a_policy_cannot_be_changed(policy: PolicyDocument) -> None:
    """A running policy is a value."""
    with pytest.raises(ValidationError):
        policy.version = 2  # type: ignore[misc]
