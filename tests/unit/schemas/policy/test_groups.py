"""What a policy may say about groups."""

import pytest

from schemas.policy import PolicyFileError, parse_policy
from tests.unit.schemas.policy.sample import POLICY


def test_groups_may_count_every_measure_or_some() -> None:
    """Nothing said about measures means all of them; without the key there are no groups."""
    assert parse_policy(POLICY, "shop.yaml").groups is None
    everything = parse_policy(POLICY + "\ngroups: {}\n", "shop.yaml").groups
    some = parse_policy(POLICY + "\ngroups: {measures: [revenue]}\n", "shop.yaml").groups
    assert everything is not None
    assert some is not None
    assert everything.counts("orders")
    assert some.counts("revenue")
    assert not some.counts("orders")


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("{measures: [revenu]}", "groups.measures.0: 'revenu' is not allowed; allowed: the mea"),
        ("{measures: [orders, industry]}", "groups.measures.1: 'industry' is not allowed; allow"),
        ("{measures: []}", "groups.measures: "),
        ("{members: all}", "groups.members: 'members' is not allowed; allowed: the keys measures"),
    ],
)
def test_what_cannot_be_added_up_is_refused(groups: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        parse_policy(f"{POLICY}\ngroups: {groups}\n", "shop.yaml")
    assert said in str(refused.value)
