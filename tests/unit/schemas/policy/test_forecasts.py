"""What a policy may ask to be foretold."""

import pytest

from schemas.policy import PolicyFileError, parse_policy
from stream.plan import compile_policy
from tests.unit.schemas.policy.sample import POLICY


def test_every_grading_with_an_order_is_warned_of_where_none_are_named() -> None:
    """Without the key nothing is foretold."""
    assert compile_policy(parse_policy(POLICY, "shop.yaml")).at_risk == 0
    document = parse_policy(f"{POLICY}\nforecasts: {{lead_days: 14}}\n", "shop.yaml")
    plan = compile_policy(document)
    ordered = {name for name in document.gradings if document.is_ordered(name)}
    watched = {name for i, name in enumerate(plan.shape.names) if plan.at_risk >> i & 1}
    assert watched == ordered != set()
    assert document.forecasts is not None
    assert document.forecasts.in_changes == "instant"


@pytest.mark.parametrize(
    ("forecasts", "said"),
    [
        ("{}", "forecasts.lead_days: missing"),
        ("{lead_days: 0}", "forecasts.lead_days: "),
        ("{lead_days: 14d}", "forecasts.lead_days: '14d' is not allowed; allowed: a whole number"),
        ("{lead_days: 14, gradings: [valu]}", "forecasts.gradings.0: 'valu' is not allowed; al"),
        ("{lead_days: 14, gradings: []}", "forecasts.gradings: "),
        ("{lead_days: 14, in_changes: all}", "forecasts.in_changes: 'all' is not allowed"),
        ("{lead_days: 14, lead: 3}", "forecasts.lead: 'lead' is not allowed; allowed: "),
    ],
)
def test_mistakes_are_said_in_one_line(forecasts: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse_policy(f"{POLICY}\nforecasts: {forecasts}\n", "shop.yaml")
    assert said in str(refused.value)
