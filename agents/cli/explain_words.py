"""The words of an explanation in English and Chinese, and the names that the policy gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from agents.cli import show
from schemas.policy.labels import label_in, label_of

if TYPE_CHECKING:
    from schemas.policy import PolicyDocument
    from schemas.policy.labels import Label, Language
    from stream.customer import Value
    from stream.forecast.warning import Prevention

# English and Chinese side by side; {braces} are filled in.
_SAID: Final[dict[str, tuple[str, str]]] = {
    "customer": ("customer {id}", "客户 {id}"),
    "as_of": ("as of {at}", "截至 {at}"),
    "policy": ("policy {name} version {version}", "策略 {name} 第 {version} 版"),
    "grades": ("Grades", "等级一览"),
    "measures": ("Measures", "指标"),
    "grading": ("grading", "评级"),
    "grade": ("grade", "等级"),
    "since": ("since", "自"),
    "changes": ("changes", "变动次数"),
    "next": ("if nothing happens", "若无新事件"),
    "measure": ("measure", "指标"),
    "reading": ("reading", "数值"),
    "range": ("range", "所在区间"),
    "better_at": ("rises at", "升级点"),
    "other_at": ("changes at", "变更点"),
    "worse_at": ("falls at", "降级点"),
    "indicator": ("indicator", "评分项"),
    "points": ("points", "得分"),
    "weight": ("weight", "权重"),
    "adds": ("adds", "贡献"),
    "rounding": ("rounding", "舍入"),
    "score": ("score", "总分"),
    "unknown": ("unknown", "未知"),
    "not_graded": ("not graded", "未评级"),
    "one_day": ("1 day", "1 天"),
    "days": ("{number} days", "{number} 天"),
    "in_points": ("{number} points", "{number} 分"),
    "ladder": ("tiers{unit}", "等级标准{unit}"),
    "kept": ("kept from {level}", "{level} 保级"),
    "decided": ("decided by the rule: {rule}", "决定规则：{rule}"),
    "looks_at": ("looks at {grading}: {tier}", "参照 {grading}：{tier}"),
    "add_when": ("add_when", "加标签条件"),
    "remove_when": ("remove_when", "去标签条件"),
    "keep_days": ("keep_days, after add_when stopped holding", "条件失效后的保留期"),
    "turn": ("turn: {measure} {value}, {side} {level}", "判断：{measure} {value}，{side} {level}"),
    "low": ("at most", "不超过"),
    "high": ("above", "高于"),
    "missing_turn": ("turn: {measure} unknown", "判断：{measure} 未知"),
    "holds": ("holds", "成立"),
    "holds_not": ("does not hold", "不成立"),
    "evidence": (
        "graded once {measure} reaches {level}",
        "{measure} 达到 {level} 后才评级",
    ),
    "missing": ("{missing} more: {tier} (from {level})", "再增 {missing}：{tier}（{level} 起）"),
    "missing_one": (
        "{missing} more: {tier} (from {level}); one order is enough",
        "再增 {missing}：{tier}（{level} 起），一单即可",
    ),
    "falls": ("alone would lower it: {moves}", "单项变化即降级：{moves}"),
    "margin": (
        "kept down to {level}: {margin} of margin",
        "保级线 {level}：余量 {margin}",
    ),
    "any_order": ("any one order now: {tier}", "现在再下任意一单：{tier}"),
    "one_order": ("one order of {amount} now: {tier}", "现在再下一单 {amount}：{tier}"),
    "orders": (
        "{number} orders of {amount} each now: {tier}",
        "现在再下 {number} 单，每单 {amount}：{tier}",
    ),
    "any_orders": ("{number} orders of any amount now: {tier}", "现在再下任意 {number} 单：{tier}"),
    "no_order": (
        "orders alone do not change it; what one measure alone would have to be stands above",
        "仅靠下单不会改变，单项指标的变更点见上",
    ),
    "refund": (
        "a refund of {amount} on the last day with orders: {tier}",
        "最近下单日退款 {amount}：{tier}",
    ),
    "among": (" among {segment}", "（{segment}）"),
    "the_rest": ("the rest", "其余客户"),
    "rank": (
        "{measure}{among}: rank {rank} of {customers}, percentile {percent}",
        "{measure}{among}：第 {rank} 名，共 {customers} 位，百分位 {percent}",
    ),
    "shares": (
        "; {share} % of the total, {cumulative} % with all above",
        "；占总额 {share}%，累计 {cumulative}%",
    ),
    "next_cuts": ("{measure}{among}: {cuts}", "{measure}{among}：{cuts}"),
    "cut_up": ("next cut up {level}, {step} away", "上一界线 {level}，相差 {step}"),
    "cut_down": ("next cut down {level}, {step} away", "下一界线 {level}，相差 {step}"),
    "frozen_cut": (" (frozen)", "（已冻结）"),
    "no_cut": ("{measure}{among}: no census has set a cut yet", "{measure}{among}：尚无界线"),
    "cuts_of": (
        "Cuts of the population in force since {since} (edition {number}).",
        "总体界线自 {since} 起生效（第 {number} 版次）。",
    ),
    "expected": ("if nothing happens: {tier} on {at}", "若无新事件：{at} 变为 {tier}"),
    "pinned": (
        "pinned at {tier} by {author} until {until}: {reason}",
        "由 {author} 锁定为 {tier}，至 {until}：{reason}",
    ),
    "pin_set": ("pinned by {author}: {reason}", "由 {author} 锁定：{reason}"),
    "pin_lifted": ("pin lifted by {author}: {reason}", "由 {author} 解除锁定：{reason}"),
    "pin_ended": ("end of the pin by {author}: {reason}", "{author} 的锁定到期：{reason}"),
    "waited": ("earned since {since}, held by {rule}", "自 {since} 起应变动，因{rule}暂缓"),
    "for_good": ("someone lifts it", "人工解除"),
    "earned_now": ("earned now: {earned}", "按规则应为：{earned}"),
    "waiting": (
        "earned {earned} since {since}, held at {tier} until {until} by {rule}",
        "自 {since} 起应为 {earned}，因{rule}保持 {tier} 至 {until}",
    ),
    "suppressed": ("changes held back so far: {counts}", "至今暂缓的变动：{counts}"),
    "grace": ("grace", "宽限期"),
    "minimum_hold": ("minimum hold", "最短保持期"),
    "cool_down": ("cool-down", "冷却期"),
    "one_step": ("one step at a time", "逐级降级"),
    "prevented": ("prevented by {by} now", "现在下单即可避免：{by}"),
    "any_order_now": ("any one order", "任意一单"),
    "order_now": ("one order of {amount}", "一单 {amount}"),
    "orders_now": ("{number} orders of {amount} each", "{number} 单，每单 {amount}"),
    "now": ("now", "当前"),
    "next_tier": ("next", "下一等级"),
    "when": ("when", "时间"),
    "prevents": ("prevented by", "避免方式"),
    "nothing_prevents": ("no order found", "未找到可避免的订单"),
    "stays": ("stays", "不变"),
    "by_time_never": ("time alone changes nothing", "仅随时间推移不会改变"),
    "not_before": ("not before {at}", "{at} 之前不会改变"),
    "in_time": ("in {span}", "{span}后"),
    "hours": ("{number} hours", "{number} 小时"),
    "within_hour": ("less than an hour", "不到 1 小时"),
    "one_hour": ("1 hour", "1 小时"),
    "looked_at": (
        "Looked at again, if nothing happens, at {at}.",
        "若无新事件，将于 {at} 重新评估。",
    ),
    "instant": ("instant", "时间"),
    "from": ("from", "原等级"),
    "to": ("to", "新等级"),
    "cause": ("cause", "原因"),
    "reasons": ("what moved", "变动指标"),
    "cause_order": ("order", "订单"),
    "cause_refund": ("refund", "退款"),
    "cause_interaction": ("interaction", "互动"),
    "cause_profile": ("profile", "资料"),
    "cause_time": ("time passed", "时间推移"),
    "cause_pinned": ("pin", "人工锁定"),
    "cause_review": ("review", "人工评审"),
    "cause_policy_changed": ("new policy", "新政策"),
    "cause_boundary_moved": ("others moved the boundary", "他人移动了界线"),
    "cause_consent": ("consent", "授权"),
    "from_history": (
        "From the history in Redis; --reread shows measures, from the input topics.",
        "来自 Redis 中保存的变动历史；--reread 可从输入主题重算各项指标。",
    ),
    "from_topics": ("From the input topics, read again.", "来自输入主题，重新读取。"),
    "cause_merged": ("another id of the customer", "客户的另一编号"),
    "time_does_nothing": (
        "Time alone changes nothing from here on.",
        "此后仅随时间推移不会再有变化。",
    ),
}


class Words:
    """Says everything of one explanation in one language.

    Attributes:
        currency: The policy's reporting currency.
    """

    def __init__(self, document: PolicyDocument, language: Language = "en") -> None:
        """Call things by the labels of *document*, and by their ids where it has none."""
        self.currency = document.currency
        self._document = document
        self._language = language
        self._column = 1 if language == "zh" else 0

    def say(self, key: str, **filled: object) -> str:
        """Return the words for *key*, which is one of ours."""
        return _SAID[key][self._column].format(**filled)

    def measure(self, name: str) -> str:
        """Return how people call a measure."""
        return self._text(self._document.measures[name].label, name)

    def grading(self, name: str) -> str:
        """Return how people call a grading."""
        return self._text(self._document.gradings[name].label, name)

    def tier(self, grading: str, tier: str | None) -> str:
        """Return how people call a tier of a grading."""
        if tier is None:
            return self.say("not_graded")
        if self._language == "zh":
            return label_of(self._document, grading, tier, "zh")
        # Ids are English, and what stands in the policy.
        return self._text(self._document.gradings[grading].labels().get(tier), tier)

    def indicator(self, grading: str, name: str) -> str:
        """Return how people call an indicator of a scorecard."""
        indicators = getattr(self._document.gradings[grading], "indicators", {})
        return self._text(getattr(indicators.get(name), "label", None), name)

    def is_tag(self, grading: str) -> bool:
        """Say whether a grading is a tag, whose two grades are not better and worse."""
        return self._document.gradings[grading].type == "tag"

    def rule(self, grading: str, rule: str) -> str:
        """Return how people call a rule: the name of a grade, or a key of the policy."""
        if rule in self._document.gradings[grading].grades:
            return self.tier(grading, rule)
        return self.say(rule) if rule in _SAID else rule

    def reading(self, value: Value | None, unit: str) -> str:
        """Return a reading with its unit."""
        if value is None:
            return self.say("unknown")
        if unit == "days" and isinstance(value, int):
            return self.say("one_day") if value == 1 else self.say("days", number=f"{value:,}")
        if unit == "stage" and self._language == "zh":
            return label_in("zh", str(value), None)
        told = show.reading(value, unit, self.currency)
        if unit == "money" and self.currency == "CNY" and self._column:
            return f"{told.removesuffix('CNY')}元"
        return told

    def prevention(self, found: Prevention) -> str:
        """Return what has to be ordered now."""
        key = "any_order_now" if found.amount_minor == 0 else "order_now"
        if found.orders > 1:
            key = "orders_now"
        amount = self.reading(found.amount_minor, "money")
        return self.say(key, amount=amount, number=found.orders)

    def bare(self, value: int, unit: str) -> str:
        """Return a reading without its unit, for where the unit stands nearby."""
        if unit == "days":
            return f"{value:,}"
        return show.reading(value, unit, self.currency).removesuffix(f" {self.currency}")

    def _text(self, label: Label | None, otherwise: str) -> str:
        return otherwise if label is None else label.text(self._language, otherwise)
