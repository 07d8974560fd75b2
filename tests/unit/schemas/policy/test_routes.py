"""What a policy may say of who is told."""

import pytest

from schemas.policy import PolicyFileError, parse_policy

POLICY = """
policy: shop
version: 1
time_zone: UTC
currency: USD
measures:
  revenue: {sum: revenue, window: 30d}
  owner: {attribute: owner, type: text}
gradings:
  value: {type: bands, measure: revenue, tiers: [{tier: gold, enter: 300}, {tier: basic}]}
routes:
  owner: owner
"""


def read(rules: str, *, channels: str = "{team: {}}", more: str = "") -> None:
    parse_policy(f"{POLICY}{more}  channels: {channels}\n  rules: [{rules}]\n", "shop.yaml")


def test_a_route_needs_no_more_than_a_channel() -> None:
    document = parse_policy(
        f"{POLICY}  channels: {{team: {{}}}}\n  rules: [{{channels: [team]}}]\n", "shop.yaml"
    )
    assert document.routes is not None
    assert document.routes.merge_minutes == 10
    assert document.routes.rules[0].about == "changes"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{}", "routes.rules.0.channels: missing; allowed: a list of channels"),
        (
            "{channels: [team, tam]}",
            "channels.1: 'tam' is not allowed; allowed: a channel, such as team",
        ),
        ("{channels: [team], gradings: [valu]}", "gradings.0: 'valu' is not allowed"),
        ("{channels: [team], to: [silver]}", "to.0: 'silver' is not allowed; allowed: a grade of"),
        ("{channels: [team], directions: [downwards]}", "directions.0: 'downwards' is not allow"),
        ("{channels: [team], territories: [north]}", "nothing without routes.territory"),
        ("{channels: [team], at_least: 5}", "allowed: nothing without routes.amount"),
        ("{channels: [team], deliver: digest}", "allowed: a channel with digests"),
        ("{channels: [team], escalate: {to: team}}", "escalate.after_minutes: missing"),
        ("{channels: [team], escalate: {after_minutes: 5, to: top}}", "escalate.to: 'top' is not"),
        ("{channels: [team], about: complaints, from: [gold]}", "no from: a complaint leaves no"),
        ("{channels: [team], about: forecasts, directions: [up]}", "no directions: forecasts have"),
    ],
)
def test_mistakes_of_rules_are_said_in_one_line(rule: str, said: str) -> None:
    with pytest.raises(PolicyFileError) as refused:
        read(rule)
    assert said in str(refused.value)
    assert len(refused.value.findings) == 1


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ("{team: {}, spare: {}}", "routes.channels.spare: 'spare' is not allowed; allowed: a chan"),
        ("{team: {digests: [9]}}", "digests.0: '9' is not allowed; allowed: text (in quotes"),
        ('{team: {digests: ["24:00"]}}', "'24:00' is not allowed; allowed: a time of day in quot"),
        ('{team: {digests: ["09:00", "09:00"]}}', "digests.1: '09:00' is not allowed; allowed: ea"),
        ('{team: {quiet: {from: "09:00", to: "09:00"}}}', "allowed: another time than from"),
        ("{team: {language: fr}}", "language: 'fr' is not allowed; allowed: 'en' or 'zh'"),
        ("{team: {time_zone: Mars}}", "time_zone: 'Mars' is not allowed; allowed: an IANA time z"),
        ("{team: {per_minute: 0}}", "per_minute: '0' is not allowed; allowed: 1 or more"),
        ("{team: {url: 'https://x'}}", "routes.channels.team.url: 'url' is not allowed"),
    ],
)
def test_mistakes_of_channels_are_said_in_one_line(channels: str, said: str) -> None:
    """An address has no place in a policy: it is a secret."""
    with pytest.raises(PolicyFileError) as refused:
        read("{channels: [team]}", channels=channels)
    assert said in str(refused.value)
    assert len(refused.value.findings) == 1


def test_measures_that_say_who_and_how_much_must_be_of_the_right_kind() -> None:
    with pytest.raises(PolicyFileError) as refused:
        read("{channels: [team]}", more="  name: revenue\n  amount: owner\n")
    assert "routes.name: 'revenue' is not allowed; allowed: a measure of text" in str(refused.value)
    assert "routes.amount: 'owner' is not allowed" in str(refused.value)


def test_a_level_that_is_no_amount_is_said_with_what_an_amount_is() -> None:
    with pytest.raises(PolicyFileError) as refused:
        read("{channels: [team], at_least: much}", more="  amount: revenue\n")
    assert "at_least: 'much' is not allowed; allowed: a number of USD" in str(refused.value)
