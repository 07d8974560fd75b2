"""Pictures as text: SVG elements with everything escaped, and scales. No arithmetic of ours."""

from __future__ import annotations

from html import escape
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIMES = (1, 2, 5)
_LONGEST = 22
_LETTER = 8.2


def element(name: str, *children: str, **attributes: str | float) -> str:
    """Return an element; *children* are markup already, attribute values are escaped.

    An underscore at the end of an attribute's name is dropped, others become hyphens.

    >>> element("text", text("a & b"), class_="big", stroke_width=1.50)
    '<text class="big" stroke-width="1.5">a &amp; b</text>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_number(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{said}>{''.join(children)}</{name}>"


def text(words: str) -> str:
    """Return *words* as markup.

    >>> text("<b>")
    '&lt;b&gt;'
    """
    return escape(words)


def picture(
    identity: str, title: str, description: str, size: tuple[float, float], shapes: Iterable[str]
) -> str:
    """Return a drawing of *size* that a screen reader introduces by title and description."""
    width, height = size
    return element(
        "svg",
        element("title", text(title), id=f"{identity}-title"),
        element("desc", text(description), id=f"{identity}-desc"),
        *shapes,
        viewBox=f"0 0 {_number(width)} {_number(height)}",
        role="img",
        aria_labelledby=f"{identity}-title {identity}-desc",
        style=f"max-width: {_number(width)}px",
    )


def shortened(words: str) -> str:
    """Return *words*, cut to what a label has room for.

    >>> shortened("gold"), shortened("a" * 40)
    ('gold', 'aaaaaaaaaaaaaaaaaaaaa…')
    """
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def room_for(labels: Iterable[str], least: float) -> float:
    """Return how wide the widest of some bold *labels* may be drawn, at least *least*."""
    return max([least, *(len(shortened(label)) * _LETTER for label in labels)])


def ticks(highest: int, most: int = 4) -> list[int]:
    """Return round numbers from 0 up to at least *highest*, *most* of them above 0.

    >>> ticks(7), ticks(1234), ticks(0)
    ([0, 2, 4, 6, 8], [0, 500, 1000, 1500], [0, 1])
    """
    for power in count():
        for times in _TIMES:
            step = times * 10**power
            if step * most >= highest:
                return list(range(0, max(-(-highest // step), 1) * step + 1, step))
    raise AssertionError


def _number(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.2f}".rstrip("0").rstrip(".")
