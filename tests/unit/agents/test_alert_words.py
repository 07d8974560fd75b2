"""The exact words of alerts, in English and Chinese."""

# ruff: noqa: RUF001 - Chinese has its own commas and colons

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from agents.alerts.words import AlertWords
from schemas.policy import parse_policy
from stream.alerting.notices import Facts, Moved, Notice, Orders
from stream.alerting.routing import compile_routes
from stream.alerting.threads import Line, Send
from stream.calendar import DAY_MS

if TYPE_CHECKING:
    from stream.alerting.message import Message

AT_MS = 1_795_305_600_000  # 2026-11-22T00:00:00Z
ID = "0123456789abcdef0123456789abcdef"
POLICY = """
policy: shop
version: 1
time_zone: Asia/Shanghai
currency: CNY
measures:
  spent: {sum: revenue, window: 30d, label: {zh: 近30天消费}}
  owner: {attribute: owner, type: text}
gradings:
  value:
    type: bands
    label: {zh: 价值}
    measure: spent
    tiers: [{tier: gold, enter: 300, exit: 200}, {tier: silver, enter: 50}, {tier: lead}]
treatments:
  names: {call_them: {en: Call them, zh: 致电回访}}
  gradings: {value: {silver: {action: call_them}}}
routes:
  owner: owner
  amount: spent
  channels: {en: {time_zone: UTC}, zh: {language: zh}}
  rules: [{channels: [en, zh], escalate: {after_minutes: 30, to: en}}]
"""
FALL = Notice(
    kind="change",
    id=ID,
    customer_id="c/42",
    grading="value",
    before="gold",
    after="silver",
    direction="down",
    sequence=3,
    instant_ms=AT_MS,
    status="time",
    reasons=(Moved("spent", "money", 21_000, 18_000, 20_000, "below"),),
    way_back=Orders(12_000, "CNY", 1, "gold"),
    next_tier="lead",
    at_ms=AT_MS + 9 * DAY_MS,
    prevention=Orders(6_000, "CNY", 2),
    action="call_them",
    facts=Facts("Acme", "bea", "north", 18_000, {"value": "silver"}),
)
WARNING = Notice(
    kind="forecast",
    id="w1",
    customer_id="c1",
    grading="value",
    before="gold",
    after="silver",
    direction="down",
    sequence=1,
    instant_ms=AT_MS,
    status="at_risk",
    way_back=Orders(0, "CNY", 1),
    at_ms=AT_MS + DAY_MS,
)


def said(channel: str, send: Send) -> Message:
    document = parse_policy(POLICY, "shop.yaml")
    routes = compile_routes(document)
    assert routes is not None
    words = AlertWords(document, routes.channels[channel], "https://tiers.example/card")
    return words.message(send, AT_MS)


def test_a_fall_in_english() -> None:
    message = said("en", Send("k", "en", "alert", notices=(FALL,), waits=True))
    assert message.title == "▼ Acme (c/42): value gold → silver"
    assert message.body == (
        "Acme (c/42) fell from gold to silver in value.\n"
        "Why: spent is 180.00 CNY, below 200.00 CNY (time passed)\n"
        "To win them back: one order of 120.00 CNY now, for gold\n"
        "If nothing happens: lead on 2026-12-01 00:00; prevented by 2 orders of 60.00 CNY each "
        "before\n"
        "Recommended: Call them\n"
        "Owner: bea · north · 180.00 CNY\n"
        "https://tiers.example/card#customer=c%2F42\n"
        f"id {ID} · 2026-11-22 00:00\n"
        f"Acknowledge: tierstream alerts ack {ID}"
    )


def test_a_fall_in_chinese() -> None:
    """By the clocks of Shanghai, and in yuan."""
    message = said("zh", Send("k", "zh", "alert", notices=(FALL,)))
    assert message.title == "▼ Acme (c/42)：价值 黄金 → silver"
    assert message.body == (
        "Acme (c/42) 的价值由黄金降为silver。\n"
        "原因：近30天消费为 180.00 元，低于 200.00 元（时间推移）\n"
        "挽回办法：再下一单 120.00 元，即可恢复黄金\n"
        "若无新事件：2026-12-01 08:00 变为铅；此前再下 2 单，每单 60.00 元可避免\n"
        "建议：致电回访\n"
        "负责人：bea · north · 180.00 元\n"
        "https://tiers.example/card#customer=c%2F42\n"
        f"编号 {ID} · 2026-11-22 08:00"
    )


def test_a_fall_that_is_about_to_come() -> None:
    english = said("en", Send("k", "en", "alert", notices=(WARNING,)))
    assert english.title == "⏳ c1: value gold → silver on 2026-11-23 00:00"
    assert english.body.splitlines()[:2] == [
        "c1 will fall from gold to silver in value on 2026-11-23 00:00 if nothing happens.",
        "To keep them: any one order before 2026-11-23 00:00",
    ]
    chinese = said("zh", Send("k", "zh", "alert", notices=(WARNING,)))
    assert chinese.title == "⏳ c1：价值将于 2026-11-23 08:00 由黄金变为silver"
    assert chinese.body.splitlines()[:2] == [
        "若无新事件，c1 的价值将于 2026-11-23 08:00 由黄金变为silver。",
        "挽留办法：2026-11-23 08:00 前再下任意一单",
    ]


def test_an_escalation_says_who_has_not_answered() -> None:
    message = said("en", Send("k", "en", "escalation", "zh", (FALL,)))
    assert message.title == "⚠ Nobody has answered: ▼ Acme (c/42): value gold → silver"
    assert message.body.splitlines()[0] == (
        "Nobody in zh has acknowledged this alert of 2026-11-22 00:00."
    )


def test_a_digest_has_one_line_for_each_customer() -> None:
    safe = structs.replace(WARNING, status="withdrawn")
    lines = (Line(FALL, "gold", 49, 0), Line(safe, "gold", 1, 0))
    message = said("en", Send("k", "en", "digest", lines=lines))
    assert message.title == "Summary: 2 customers"
    assert message.body == (
        f"▼ Acme (c/42): value gold → silver · 49 moves · id {ID} · 2026-11-22 00:00 · "
        "https://tiers.example/card#customer=c%2F42\n"
        "c1: value gold is safe again · id w1 · 2026-11-22 00:00 · "
        "https://tiers.example/card#customer=c1"
    )
    one = said("zh", Send("k", "zh", "digest", lines=lines[1:]))
    assert one.title == "汇总：c1"
    assert one.body.startswith("c1：价值黄金已无降级风险 · 编号 w1")


def test_a_complaint_says_where_the_customer_stands() -> None:
    complaint = Notice("complaint", "k1", "c1", "", None, None, "", 0, AT_MS, "complaint")
    complaint = structs.replace(complaint, facts=Facts(tiers={"value": "gold"}))
    english = said("en", Send("k", "en", "alert", notices=(complaint,)))
    assert english.title == "‼ c1: complaint"
    assert english.body.splitlines()[:2] == [
        "A complaint of c1 came in.",
        "Stands at: value gold",
    ]
    assert said("zh", Send("k", "zh", "alert", notices=(complaint,))).title == "‼ c1：投诉"


@pytest.mark.parametrize("channel", ["en", "zh"])
@pytest.mark.parametrize("direction", ["first", "up", "lateral", "down"])
@pytest.mark.parametrize(
    "cause",
    [
        "order",
        "refund",
        "interaction",
        "profile",
        "time",
        "pinned",
        "review",
        "policy_changed",
        "boundary_moved",
        "consent",
    ],
)
def test_every_direction_and_cause_has_words(channel: str, direction: str, cause: str) -> None:
    """Also of a grading and a tier that the policy no longer has."""
    reasons = (
        Moved("other", "tier", "a", None),
        Moved("shop", "policy", 1, 2),
        Moved("gone", "count", None, 3),
    )
    notice = structs.replace(
        FALL, grading="gone", direction=direction, status=cause, reasons=reasons, way_back=None
    )
    message = said(channel, Send("k", channel, "alert", notices=(notice,)))
    assert "gone" in message.title
    assert "None" not in message.body
