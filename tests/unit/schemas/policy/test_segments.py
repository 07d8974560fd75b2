"""Levels of the population within a segment: how a policy names them, and gets them wrong."""

import json

import pytest

from schemas.policy import PolicyFileError, parse_policy
from schemas.policy.load import policy_from_data
from schemas.policy.relative import MOST_SEGMENTS

POLICY = """\
policy: segments
version: 1
time_zone: UTC
currency: USD
measures:
  spent: {sum: revenue}
  orders: {count: orders}
  industry: {attribute: industry, type: text}
gradings:
  abc:
    type: pareto
    measure: spent
    within: {measure: industry, segments: [retail, "oil: gas"]}
  classes:
    type: rfm_classes
    within: {measure: industry, segments: [零售]}
    recency: {measure: silent, high_below: 90}
    frequency: {measure: orders, high: mean}
    monetary: {measure: spent, mid_from: 50, high_from: 100}
population:
  cadence: daily
  frozen:
    abc.measure[retail]: [10, 20.50]
    "classes.frequency[]": [3]
""".replace("measures:\n", "measures:\n  silent: {days_since: last_order}\n")


def findings_of(text: str) -> list[str]:
    with pytest.raises(PolicyFileError) as caught:
        parse_policy(text, "p.yaml")
    return [f"{f.key}: {f.value}; {f.allowed}" for f in caught.value.findings]


def test_every_segment_has_cuts_of_its_own_and_so_has_the_rest() -> None:
    """Frozen ones and others side by side; the rest has no name."""
    policy = parse_policy(POLICY, "p.yaml")
    assert list(policy.relative_cuts()) == [
        "abc.measure[retail]",
        "abc.measure[oil: gas]",
        "abc.measure[]",
        "classes.frequency[零售]",
        "classes.frequency[]",
    ]
    assert policy.frozen_cuts() == {
        "abc.measure[retail]": (1000, 2050),
        "classes.frequency[]": (3,),
    }
    assert list(policy.followed_cuts()) == [
        "abc.measure[oil: gas]",
        "abc.measure[]",
        "classes.frequency[零售]",
    ]
    data = json.loads(json.dumps(policy.model_dump(mode="json")))
    assert policy_from_data(data, "p") == policy


def test_a_segment_is_who_has_its_value_and_the_rest_is_everyone_else() -> None:
    cuts = parse_policy(POLICY, "p.yaml").relative_cuts()
    for name, inside in (("retail", ["retail"]), ("", ["mining", "Retail", "", None, 5])):
        segment = cuts[f"abc.measure[{name}]"].segment
        assert segment is not None
        for reading in ("retail", "oil: gas", "mining", "Retail", "", None, 5):
            assert segment.holds(reading) is (reading in inside)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[零售]", "[a, b, a]", "classes.within.segments.2: 'a'; a value not used above"),
        ("[零售]", "[]", "classes.within.segments: a list; at least 1 of them"),
        ("[零售]", "[1]", "classes.within.segments.0: '1'; text"),
        ("[零售]", f"['{'x' * 49}']", "classes.within.segments.0: "),
        (
            "[零售]",
            str([f"s{number}" for number in range(MOST_SEGMENTS + 1)]),
            f"classes.within.segments: a list; at most {MOST_SEGMENTS} entries",
        ),
        (
            "industry, segments: [零售]",
            "orders, segments: [零售]",
            "classes.within.measure: 'orders'; a measure of text; this one is count",
        ),
        (
            "industry, segments: [零售]",
            "indstry, segments: [零售]",
            "classes.within.measure: 'indstry'; a measure, such as industry",
        ),
        (
            "high: mean",
            "high_from: 3",
            "classes.within: 'within'; nothing: the population sets no level of this grading",
        ),
    ],
)
def test_a_mistake_says_what_is_allowed(old: str, new: str, said: str) -> None:
    """One line at its place."""
    frozen = '    "classes.frequency[]": [3]\n'
    found = findings_of(POLICY.replace(frozen, "").replace(old, new, 1))
    assert len(found) == 1, found
    assert found[0].startswith(f"gradings.{said}"), found


def test_a_policy_has_no_more_cuts_than_a_control_carries() -> None:
    """Else no census could ever tell of them."""
    listed = [f"s{number}" for number in range(MOST_SEGMENTS)]
    grading = {
        "type": "pareto",
        "measure": "spent",
        "within": {"measure": "industry", "segments": listed},
    }
    data = json.loads(parse_policy(POLICY, "p.yaml").model_dump_json()) | {
        "population": {"cadence": "daily"},
        "gradings": {f"g{number}": grading for number in range(20)},
    }
    (said,) = findings_of(json.dumps(data))
    allowed = "it for at most 1,000 cuts, not 1,020; list fewer segments"
    assert said == f"population.cadence: 'daily'; {allowed}"
    data["gradings"].pop("g19")
    assert len(parse_policy(json.dumps(data), "p.yaml").followed_cuts()) == 969


def test_a_frozen_cut_must_be_that_of_a_segment() -> None:
    (said,) = findings_of(POLICY.replace("abc.measure[retail]", "abc.measure"))
    assert said.startswith("population.frozen.abc.measure: 'abc.measure'; the cuts of this policy:")
