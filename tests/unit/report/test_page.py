"""The page: one well-formed file that loads nothing, says everything twice, and escapes ids."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from agents.report.page import page
from agents.simulation.run import Simulated, simulate
from tests.unit.simulation.histories import history, job, owned, paid

EVIL = "<script>alert('&\"')</script>"
VOID = {"meta"}


class Outline(HTMLParser):
    """Checks that elements nest, and collects what is in them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102
        self.names.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:  # noqa: D102
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def found() -> Simulated:
    log = [*history(), paid(EVIL, 1, 19, 119), owned(EVIL, EVIL, 19.5)]
    return simulate(sorted(log, key=lambda record: record.record_ms), job(days=20, flapping_over=0))


@pytest.fixture(scope="module")
def text(found: Simulated) -> str:
    return page(found, found.comparisons, EVIL)


def test_elements_nest_and_ids_are_unique(text: str) -> None:
    outline = Outline()
    outline.feed(text)
    assert not outline.open
    ids = [value for name, value in outline.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for n, value in outline.attributes if n == "href"} <= {f"#{i}" for i in ids}


def test_nothing_is_loaded_and_nothing_runs(text: str) -> None:
    outline = Outline()
    outline.feed(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(outline.names)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|javascript:", text)
    assert not [name for name, _ in outline.attributes if name.startswith("on") or name == "src"]


def test_what_comes_from_the_log_is_escaped(text: str) -> None:
    assert EVIL not in text
    assert "&lt;script&gt;alert(&#x27;&amp;&quot;&#x27;)&lt;/script&gt;" in text


def test_every_picture_has_a_title_and_a_description_for_those_who_cannot_see_it(text: str) -> None:
    pictures = [ET.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]  # noqa: S314
    assert len(pictures) >= 4
    for picture in pictures:
        assert picture.get("role") == "img"
        labels = (picture.get("aria-labelledby") or "").split()
        assert [child.get("id") for child in picture[:2]] == labels
        assert all(child.text for child in picture[:2])


def test_the_page_follows_the_colours_of_the_reader(text: str) -> None:
    assert "prefers-color-scheme: dark" in text


def test_figures_are_on_the_page_as_text(text: str) -> None:
    """115.00 of ann and 119.00 of the strange name fall from gold to silver."""
    assert "2 customers (40.0 %) with 234.00 USD of revenue (41.9 %) would stand" in text
    assert (
        "revenue_30d 119.00 USD: 100.00 USD or more under old, 110.00 to 120.00 USD under new"
        in text
    )


def test_a_simulation_in_which_nothing_happens_is_a_page_too() -> None:
    found = simulate([owned("dan", "Tom", 0)], job())
    outline = Outline()
    outline.feed(page(found, found.comparisons, "nothing.jsonl"))
    assert not outline.open
