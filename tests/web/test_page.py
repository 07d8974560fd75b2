"""The live page in a real Chromium: what it shows, that it is live, and that all can use it."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from agents.replay.log import OrderRow, order_records
from stream.calendar import format_instant
from tests.web.conftest import TOKEN, under, wholesale_log, wholesaler
from tests.web.town import Served

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium"
    ),
]

VIEWS = ("", "segments", "people", "simulation", "tier/value/gold", "customer/@", "customer/nobody")
SERIOUS = {"serious", "critical"}
WITHIN_MS = 30_000


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A new page; what the browser complains about fails the test."""
    context = chromium.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(WITHIN_MS)
    opened = context.new_page()
    said: list[str] = []
    opened.on("pageerror", lambda problem: said.append(str(problem)))
    opened.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    yield opened
    context.close()
    # A browser reports every answer of 4xx; those are what some tests ask for.
    assert [line for line in said if "status of 4" not in line] == []


def gold(served: Served) -> str:
    found = requests.get(f"{served.url}/v1/gradings/value/tiers/gold/largest", timeout=60).json()
    return str(found["members"][0]["customer_id"])


def view(page: Page, served: Served, name: str, **kept: str) -> None:
    """Open a view and wait until it is drawn."""
    for key, value in kept.items():
        page.add_init_script(f"localStorage.setItem('tierstream-{key}', '{value}')")
    page.goto(f"{served.url}/#/{name.replace('@', gold(served))}")
    page.wait_for_selector("main .card")


def test_the_pyramid_shows_the_counts_of_the_api(page: Page, served: Served) -> None:
    told = requests.get(f"{served.url}/v1/gradings", timeout=60).json()
    (value,) = (one for one in told["gradings"] if one["grading"] == "value")
    view(page, served, "")
    rows = page.locator(".pyramid tbody tr")
    expect(rows).to_have_count(4)
    for row, tier in zip(rows.all(), value["tiers"], strict=True):
        expect(row).to_contain_text(tier["label"]["en"])
        expect(row.locator(".big").first).to_have_text(str(tier["customers"]))


def test_a_change_appears_without_anything_being_clicked(page: Page) -> None:
    """An order comes in; the feed, the counts and the card follow."""
    with Served(wholesaler()) as served:
        who = gold(served)
        view(page, served, "")
        platinum = page.locator(".pyramid tbody tr .big").first
        before = int(platinum.inner_text())
        at_ms = wholesale_log()[-1].record_ms + 60_000
        at = format_instant(at_ms)
        large = OrderRow(who, "large", "paid", at, at_ms, 90_000_000, "CNY", 1_000_000)
        served.play(order_records([large]), at_ms)
        newest = page.locator(".feed li").first
        expect(newest).to_contain_text(who, timeout=WITHIN_MS)
        expect(newest).to_contain_text("Gold → Platinum")
        expect(platinum).to_have_text(str(before + 1), timeout=WITHIN_MS)
        newest.get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(who)
        expect(page.locator(".hero")).to_contain_text("Platinum")


def test_one_customer_is_explained(page: Page, served: Served) -> None:
    view(page, served, "")
    page.get_by_role("searchbox").fill(gold(served))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(gold(served))
    for heading in ("Customer pyramid: Where the customer stands", "Measures", "History"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.locator(".advice li").first).to_contain_text("Platinum")
    expect(page.locator(".spark svg").first).to_be_visible()


def test_no_customer_stands_in_any_url_that_is_asked_for(page: Page, served: Served) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    view(page, served, "customer/@")
    assert any(url.endswith("/v1/customers/card") for url in asked)
    assert not any(gold(served) in url for url in asked)


@pytest.mark.parametrize("policy", ["crm.yaml", "pyramid.yaml"])
def test_a_policy_without_matrices_forecasts_or_labels_is_shown_as_far_as_it_goes(
    page: Page, policy: str
) -> None:
    """Nothing fails, nothing is left as `undefined`, and what is not there is not shown."""
    with Served(under(policy)) as served:
        for name in ("", "segments", "people", "customer/C20000"):
            page.goto(f"{served.url}/#/{name}")
            page.reload()
            page.wait_for_selector("main .card")
            text = page.locator("main").inner_text()
            assert "undefined" not in text
            assert "NaN" not in text
            assert "It did not work" not in text
        expect(page.get_by_role("heading", name="Boston matrix")).to_have_count(0)


def test_matrices_and_cells_are_shown_where_the_policy_has_them(page: Page, served: Served) -> None:
    view(page, served, "segments")
    for name in ("Recency by frequency", "Key account matrix (KAISM)", "Boston matrix"):
        expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator(".heat .cell")).to_have_count(25)


def test_a_simulation_is_shown_side_by_side(page: Page, served: Served) -> None:
    view(page, served, "")
    page.get_by_role("link", name="Simulation").click()
    expect(page.locator("main th").nth(1)).to_have_text("Now: wholesale 1")
    expect(page.locator("main th").nth(2)).to_have_text("New: wholesale 2")
    expect(page.get_by_role("heading", name="Who would move")).to_be_visible()


def test_where_nothing_was_simulated_the_page_says_how_to(page: Page, served: Served) -> None:
    """Who comes by a link is told what to do, and not that something is broken."""
    answer = {"title": "Not Found", "status": 404, "detail": "no simulation is shown here"}
    page.route("**/v1/simulation", lambda route: route.fulfill(status=404, json=answer))
    view(page, served, "simulation")
    expect(page.locator("main")).to_contain_text("tierstream serve --simulation FILE")
    expect(page.locator("main")).not_to_contain_text("It did not work")


def test_countdowns_and_what_prevents_a_fall(page: Page, served: Served) -> None:
    view(page, served, "people")
    row = page.locator("main section").first.locator("tbody tr").first
    expect(row).to_contain_text("order of ¥")
    expect(row.locator("td").last).to_have_text(re.compile(r"^(\d\d:\d\d:\d\d|\d+ days? \d+ h)$"))


@pytest.mark.parametrize("look", [("en", "light"), ("zh", "dark")], ids="-".join)
@pytest.mark.parametrize("name", VIEWS)
def test_axe_finds_nothing_serious(
    page: Page, served: Served, name: str, look: tuple[str, str]
) -> None:
    """Contrast, names, roles, order of headings, in both languages and themes."""
    language, theme = look
    view(page, served, name, language=language, theme=theme)
    found: Any = Axe().run(page).response["violations"]
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in SERIOUS
    ]
    assert serious == []


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_is_cut_off_on_a_phone(page: Page, served: Served, name: str) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    view(page, served, name)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_keyboard_reaches_everything(page: Page, served: Served) -> None:
    """Tab goes from the skip link on through the frame into the view, and never gets stuck."""
    view(page, served, "")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate("document.activeElement.closest('header, section, .kpis')?.className")
        )
    assert {"top", "card "} <= seen


def test_language_and_theme_are_kept(page: Page, served: Served) -> None:
    view(page, served, "")
    page.get_by_role("button", name="Switch to Chinese").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator(".pyramid")).to_contain_text("铂金")
    page.get_by_role("button", name="浅色或深色").click()
    page.reload()
    page.wait_for_selector("main .card")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("nav")).to_contain_text("总览")


def test_a_server_with_tokens_asks_for_one(page: Page, guarded: Served) -> None:
    page.goto(guarded.url)
    page.get_by_label("Token", exact=True).fill(TOKEN)
    page.get_by_role("button", name="Enter").click()
    page.wait_for_selector(".pyramid")
    assert TOKEN not in page.url


def test_a_token_in_the_address_leaves_it_at_once(page: Page, guarded: Served) -> None:
    page.goto(f"{guarded.url}/#token={TOKEN}")
    page.wait_for_selector(".pyramid")
    assert TOKEN not in page.url
