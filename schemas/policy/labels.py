"""How people call what a policy names: machine ids are English, labels are for reading."""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from pydantic import Field

from schemas.policy.part import Part

Language = Literal["en", "zh"]
_TEXT = 80


class Label(Part):
    """A name in each language; a language left out falls back to the machine id."""

    en: str | None = Field(default=None, min_length=1, max_length=_TEXT)
    zh: str | None = Field(default=None, min_length=1, max_length=_TEXT)

    def text(self, language: Language, otherwise: str) -> str:
        """Return the label in *language*, or *otherwise* where there is none."""
        return (self.zh if language == "zh" else self.en) or otherwise


class Named(Part):
    """A part that people may call by a name of their own.

    Attributes:
        label: How people call it.
    """

    label: Label | None = None


class Labelled(Protocol):
    """A grading as far as its labels go."""

    @property
    def grades_from(self) -> str | None:
        """The grading whose grades it gives instead of its own, where there is one."""

    def labels(self) -> dict[str, Label]:
        """Return how people call its grades, for those that the policy gives a name."""


class Labels(Protocol):
    """A policy as far as its labels go."""

    @property
    def gradings(self) -> Mapping[str, Labelled]:
        """Every grading by name."""


_ZH: Final[Mapping[str, str]] = {
    # RFM: the eight segments, and the variant with four classes (seeds 001 and 002).
    "important_value": "重要价值",
    "important_keep": "重要保持",
    "important_develop": "重要发展",
    "important_win_back": "重要挽留",
    "general_value": "一般价值",
    "general_keep": "一般保持",
    "general_develop": "一般发展",
    "general_win_back": "一般挽留",
    "new_customer": "新客户",
    "low_value": "低价值",
    "other": "其他",
    # The pyramid with four and with three tiers (seed 000), levels of consumption (seed 001).
    "platinum": "铂金",
    "gold": "黄金",
    "iron": "钢铁",
    "lead": "铅",
    "high_value": "高价值",
    "high_potential": "高潜力",
    "vip": "VIP",
    "important": "重要",
    "ordinary": "普通",
    "potential": "潜在",
    # Classes by cumulative share, and levels of base and bonus points (seeds 001 and 004).
    "a": "A类",
    "b": "B类",
    "c": "C类",
    "d": "D类",
    "e": "E类",
    # KAISM (seed 001) and Boston (seed 002).
    "key": "关键",
    "develop": "发展",
    "maintain": "维持",
    "opportunistic": "机会",
    "star": "明星",
    "cow": "金牛",
    "question": "问题",
    "dog": "瘦狗",
    # Lifecycle.
    "prospect": "潜在客户",
    "new": "新客户",
    "active": "活跃",
    "growing": "成长",
    "declining": "下滑",
    "dormant": "沉睡",
    "won_back": "赢回",
    # Stages of the sale (seed 004), the last of them shared with lifecycle and loyalty.
    "demand": "需求",
    "contract": "合同",
    "delivery": "交付",
    "operation": "运营",
    "renewal": "续约",
    "lost": "流失",
    # Rungs of loyalty (seed 001).
    "onlooker": "观望者",
    "one_time": "一次性购买",
    "repeat": "重复购买",
    "loyal": "忠诚",
    # Tags.
    "present": "有",
    "absent": "无",
}
_EN: Final[Mapping[str, str]] = {
    "vip": "VIP",
    "a": "Class A",
    "b": "Class B",
    "c": "Class C",
    "d": "Class D",
    "e": "Class E",
    "cow": "Cash cow",
    "question": "Question mark",
}
"""Only where the machine id with spaces and a capital would not do."""

BUILT_IN: Final[Mapping[str, Label]] = {
    name: Label(en=_EN.get(name) or name.replace("_", " ").capitalize(), zh=zh)
    for name, zh in _ZH.items()
}
"""Labels of the names that the seeds use, for policies that give none of their own."""


def label_in(language: Language, name: str, own: Label | None) -> str:
    """Return the policy's *own* label of *name*, else the built-in one, else *name* itself.

    >>> label_in("zh", "star", None), label_in("zh", "star", Label(zh="巨星"))
    ('明星', '巨星')
    >>> label_in("en", "important_win_back", None), label_in("zh", "543", None)
    ('Important win back', '543')
    """
    built_in = BUILT_IN.get(name)
    otherwise = name if built_in is None else built_in.text(language, name)
    return otherwise if own is None else own.text(language, otherwise)


def label_of(document: Labels, grading: str, grade: str, language: Language) -> str:
    """Return how people call *grade* of *grading* in *language*. KeyError: no such grading."""
    found = document.gradings[grading]
    own = found.labels().get(grade)
    if own is None and found.grades_from is not None:
        return label_of(document, found.grades_from, grade, language)
    return label_in(language, grade, own)
