"""Whom a notice concerns."""

from __future__ import annotations

import json

import pytest
from msgspec import MsgspecError, structs

from schemas.policy import parse_policy
from stream.alerting.notices import Facts, Notice, Orders, read_change, read_complaint
from stream.alerting.notices import read_forecast as read_warning
from stream.alerting.routing import Routes, compile_routes

POLICY = """
policy: shop
version: 1
time_zone: Asia/Shanghai
currency: CNY
measures:
  revenue: {sum: revenue, window: 365d}
  owner: {attribute: owner, type: text}
  region: {attribute: region, type: text}
gradings:
  value:
    type: bands
    measure: revenue
    tiers: [{tier: gold, enter: 300, exit: 200}, {tier: silver, enter: 50}, {tier: basic}]
routes:
  owner: owner
  territory: region
  amount: revenue
  channels:
    bea: {owners: [bea], language: zh}
    heads: {}
    night: {time_zone: UTC, quiet: {from: "21:00", to: "08:00"}, digests: ["09:00"]}
  rules:
    - directions: [down]
      from: [gold]
      at_least: 150.50
      channels: [bea, heads]
      escalate: {after_minutes: 30, to: heads}
    - {directions: [down, up], territories: [north], channels: [heads, night], deliver: at_once}
    - {about: forecasts, channels: [bea]}
    - {about: complaints, to: [gold], channels: [heads], deliver: urgent}
"""


@pytest.fixture(scope="module")
def routes() -> Routes:
    found = compile_routes(parse_policy(POLICY, "shop.yaml"))
    assert found is not None
    return found


def change(**more: object) -> Notice:
    fields: dict[str, object] = {
        "id": "0" * 32,
        "customer_id": "c1",
        "grading": "value",
        "from": "gold",
        "to": "silver",
        "direction": "down",
        "sequence": 2,
        "instant": "2026-11-22T08:00:00.000Z",
        "cause": {"kind": "time", "event_id": None},
        "policy": {"name": "shop", "version": 1},
        "score": None,
        "reasons": [],
        **more,
    }
    return read_change(json.dumps(fields).encode())


def told(routes: Routes, notice: Notice, facts: Facts) -> list[str]:
    if not routes.concerns(notice):
        return []
    return [channel.name for channel, _ in routes.to(structs.replace(notice, facts=facts))]


@pytest.mark.parametrize(
    ("facts", "channels"),
    [
        (Facts(owner="bea", amount_minor=15_050), ["bea", "heads"]),
        (Facts(owner="cid", amount_minor=15_050), ["heads"]),
        (Facts(owner="bea", amount_minor=15_049), []),
        (Facts(owner="bea"), []),
        (Facts(territory="north"), ["heads", "night"]),
        (Facts(owner="bea", territory="north", amount_minor=20_000), ["bea", "heads", "night"]),
    ],
)
def test_owner_territory_and_amount_must_fit(
    routes: Routes, facts: Facts, channels: list[str]
) -> None:
    """And each channel is told once, by the first rule that fits."""
    assert told(routes, change(), facts) == channels


def test_a_change_that_no_rule_is_about_needs_no_facts(routes: Routes) -> None:
    assert not routes.concerns(change(direction="lateral"))
    assert told(routes, change(direction="up"), Facts(territory="south")) == []
    assert told(routes, change(direction="up"), Facts(territory="north")) == ["heads", "night"]


def test_a_complaint_goes_by_where_the_customer_stands(routes: Routes) -> None:
    event = {
        "event_id": "e1",
        "customer_id": "c1",
        "kind": "complaint",
        "occurred_at": "2026-11-22T08:00:00+08:00",
    }
    notice = read_complaint(json.dumps(event).encode())
    assert notice is not None
    assert notice.instant_ms == 1_795_305_600_000
    assert told(routes, notice, Facts(tiers={"value": "gold"})) == ["heads"]
    assert told(routes, notice, Facts(tiers={"value": "silver"})) == []
    resolved = json.dumps(event | {"kind": "complaint.resolved"}).encode()
    assert read_complaint(resolved) is None
    assert read_complaint(b"no JSON, and nothing of ours") is None


def test_a_warning_tells_what_would_prevent_it() -> None:
    warning = {
        "id": "w1",
        "customer_id": "c1",
        "grading": "value",
        "tier": "gold",
        "expected_tier": "silver",
        "expected_at": "2026-12-01T00:00:00.000Z",
        "issued_at": "2026-11-22T00:00:00.000Z",
        "status": "at_risk",
        "policy": {"name": "shop", "version": 1},
        "prevention": {"amount_minor": 5, "currency": "CNY", "orders": 2},
    }
    notice = read_warning(json.dumps(warning).encode())
    assert notice.way_back == Orders(5, "CNY", 2)
    assert (notice.before, notice.after, notice.closes) == ("gold", "silver", False)
    withdrawn = read_warning(json.dumps(warning | {"status": "withdrawn"}).encode())
    assert withdrawn.closes


def test_what_is_no_change_is_refused() -> None:
    with pytest.raises(MsgspecError):
        read_change(b"{}")


def test_channels_keep_their_own_hours(routes: Routes) -> None:
    assert str(routes.channels["night"].hours.zone) == "UTC"
    assert str(routes.channels["heads"].hours.zone) == "Asia/Shanghai"
    assert routes.channels["night"].hours.has_digests
    assert compile_routes(parse_policy(POLICY.partition("routes:")[0], "shop.yaml")) is None
