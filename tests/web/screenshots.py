"""Pictures of every view of the live page: light and dark, English and 中文, desktop and phone.

To look at, not a test::

    python -m tests.web.screenshots FOLDER
"""

from __future__ import annotations

import argparse
import itertools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from playwright.sync_api import sync_playwright

from agents.replay.cdnow import read_cdnow
from agents.replay.log import order_records, sorted_log
from schemas.policy import load_policy
from stream.plan import compile_policy
from tests.web.conftest import POLICY, simulated, wholesaler
from tests.web.town import Served, Town

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VIEWS = ("", "segments", "people", "simulation", "tier/value/gold", "customer/@", "customer/nobody")
_DRAWN_WITHIN_MS = 400
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def music_shop() -> Town:
    """Return the shop of the demo: the sample of its customers."""
    town = Town(compile_policy(load_policy(str(POLICY.with_name("cdnow.yaml")))))
    log = sorted_log(order_records(read_cdnow("cdnow-sample")))
    town.play(log, log[-1].record_ms)
    return town.open()


def shoot(browser: Browser, served: Served, folder: Path, name: str) -> None:
    """Take every picture of one business."""
    members = requests.get(f"{served.url}/v1/gradings/value/tiers/gold/largest", timeout=60).json()
    somebody = members["members"][0]["customer_id"]
    for theme, language, size in itertools.product(("light", "dark"), ("en", "zh"), SIZES):
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height})
        for key, value in (("theme", theme), ("language", language)):
            context.add_init_script(f"localStorage.setItem('tierstream-{key}', '{value}')")
        page = context.new_page()
        for view in VIEWS:
            page.goto(f"{served.url}/#/{view.replace('@', somebody)}")
            page.reload()
            page.wait_for_selector("main .card")
            page.wait_for_timeout(_DRAWN_WITHIN_MS)
            over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            shown = view.partition("/")[0] or "overview"
            shown += "-nobody" if view.endswith("nobody") else ""
            if over > 0:
                print(f"{name} {shown} {theme} {language} {size}: {over} pixels too wide")  # noqa: T201
            path = folder / f"{name}-{shown}-{theme}-{language}-{size}.png"
            page.screenshot(path=path, full_page=True)
        context.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        program = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, town in (
            ("wholesale", wholesaler(simulation=simulated())),
            ("cdnow", music_shop()),
        ):
            with Served(town) as served:
                shoot(browser, served, folder, name)
        browser.close()


if __name__ == "__main__":
    main()
