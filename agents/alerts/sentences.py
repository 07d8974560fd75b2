"""The sentences of alerts in English and Chinese. No logic here."""

from __future__ import annotations

from typing import Final

# English and Chinese side by side; {braces} are filled in.
SAID: Final[dict[str, tuple[str, str]]] = {
    "title": (
        "{mark} {who}: {grading} {before} → {after}",
        "{mark} {who}：{grading} {before} → {after}",
    ),
    "title_first": ("{mark} {who}: {grading} {after}", "{mark} {who}：{grading} {after}"),
    "title_forecast": (
        "⏳ {who}: {grading} {before} → {after} on {at}",
        "⏳ {who}：{grading}将于 {at} 由{before}变为{after}",
    ),
    "title_complaint": ("‼ {who}: complaint", "‼ {who}：投诉"),
    "title_escalation": ("⚠ Nobody has answered: {title}", "⚠ 无人确认：{title}"),
    "title_digest": ("Summary: {number} customers", "汇总：{number} 位客户"),
    "title_digest_one": ("Summary: {who}", "汇总：{who}"),
    "down": (
        "{who} fell from {before} to {after} in {grading}.",
        "{who} 的{grading}由{before}降为{after}。",
    ),
    "up": (
        "{who} rose from {before} to {after} in {grading}.",
        "{who} 的{grading}由{before}升为{after}。",
    ),
    "lateral": (
        "{who} moved from {before} to {after} in {grading}.",
        "{who} 的{grading}由{before}变为{after}。",
    ),
    "first": (
        "{who} was graded for the first time: {after} in {grading}.",
        "{who} 首次获得{grading}评级：{after}。",
    ),
    "at_risk": (
        "{who} will fall from {before} to {after} in {grading} on {at} if nothing happens.",
        "若无新事件，{who} 的{grading}将于 {at} 由{before}变为{after}。",
    ),
    "grace_started": (
        "{who} has earned less than {before} in {grading} and keeps it until {at}.",
        "{who} 的{grading}已不满足{before}，宽限至 {at}。",
    ),
    "withdrawn": (
        "{who}: {grading} {before} is safe again",
        "{who}：{grading}{before}已无降级风险",
    ),
    "grace_ended": (
        "{who}: {grading} {before} is safe again",
        "{who}：{grading}{before}已无降级风险",
    ),
    "complaint": ("A complaint of {who} came in.", "{who} 提出投诉。"),
    "stands": ("Stands at: {tiers}", "当前等级：{tiers}"),
    "why": ("Why: {reasons} ({cause})", "原因：{reasons}（{cause}）"),
    "why_cause": ("Why: {cause}", "原因：{cause}"),
    "below": ("{measure} is {after}, below {boundary}", "{measure}为 {after}，低于 {boundary}"),
    "above": (
        "{measure} is {after}, at or above {boundary}",
        "{measure}为 {after}，达到 {boundary}",
    ),
    "went": ("{measure} went from {before} to {after}", "{measure}由 {before} 变为 {after}"),
    "win_back": (
        "To win them back: {orders} now, for {tier}",
        "挽回办法：{orders}，即可恢复{tier}",
    ),
    "keep": ("To keep them: {orders} before {at}", "挽留办法：{at} 前{orders}"),
    "next": ("If nothing happens: {tier} on {at}", "若无新事件：{at} 变为{tier}"),
    "next_prevented": (
        "If nothing happens: {tier} on {at}; prevented by {orders} before",
        "若无新事件：{at} 变为{tier}；此前{orders}可避免",
    ),
    "any_order": ("any one order", "再下任意一单"),
    "one_order": ("one order of {amount}", "再下一单 {amount}"),
    "orders": ("{number} orders of {amount} each", "再下 {number} 单，每单 {amount}"),
    "action": ("Recommended: {action}", "建议：{action}"),
    "owner": ("Owner: {owner}", "负责人：{owner}"),
    "nobody": (
        "Nobody in {channel} has acknowledged this alert of {at}.",
        "{channel} 中无人确认这条 {at} 的提醒。",
    ),
    "id": ("id {id} · {at}", "编号 {id} · {at}"),
    "acknowledge": ("Acknowledge: tierstream alerts ack {id}", "确认：tierstream alerts ack {id}"),
    "moves": ("{number} moves", "变动 {number} 次"),
    "line": (
        "{mark} {who}: {grading} {before} → {after}",
        "{mark} {who}：{grading} {before} → {after}",
    ),
    "line_complaint": ("‼ {who}: complaint", "‼ {who}：投诉"),
    "sample": ("A sample from tierstream", "tierstream 测试消息"),
    "sample_text": (
        "Channel {channel} works. Nothing has happened to any customer.",
        "频道 {channel} 可用。未发生任何客户变动。",
    ),
}
