"""What the README shows of a running installation, line by line."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from agents.cli.commands import app
from tests.documented import ROOT, command_lines
from tests.integration.receiver import Receiver
from tests.integration.system import order
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from tests.integration.system import System

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

RUN_UNTIL_ENDED = {
    "worker": "the system of every integration test, each role in a process",
    "serve": "tests/integration/test_serve.py",
}
PLACES = {
    "CUSTOMER": "ann",
    "GRADING": "value",
    "TIER": "gold",
    "3": "1",
    "2027-01-31": "2999-01-31",
}
"""What stands for what: the broker of the tests is alone."""
MORE = {"publish": ["--yes"], "erase": ["--yes"], "top": ["--once"]}
"""What a person would answer, or press."""


def routes() -> str:
    """Return the routes that the README shows."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return "routes:" + text.split("```yaml\nroutes:")[1].split("```")[0]


def tell_people(system: System) -> None:
    """Give the policy the README's routes, and write the next version of it."""
    policy = Path(system.settings.policy)
    owned = "measures:\n  owner: {attribute: owner, type: text}\n"
    text = policy.read_text().replace("measures:\n", owned) + routes()
    policy.write_text(text)
    policy.with_name("new.yaml").write_text(text.replace("version: 1", "version: 2"))


async def test_each_line_of_the_readme_does_what_it_says(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One worker scores and tells people, by the routes shown there, at a receiver of ours."""
    tell_people(system)
    worker = await system.started()
    await system.send("orders", [order(1, "ann", time.time_ns() // 1_000_000 - 60_000, 40_000)])
    await wait_for_async(lambda: system.applied() == 1, "an order", 60)
    monkeypatch.chdir(system.folder)
    for name in ("kafka", "redis", "namespace", "policy", "buckets"):
        monkeypatch.setenv(f"TIERSTREAM_{name.upper()}", str(getattr(system.settings, name)))
    more = {**MORE, "top": ["--once", f"http://127.0.0.1:{worker.port}"]}
    with Receiver() as receiver:
        for channel in ("SALES", "LEAD"):
            monkeypatch.setenv(f"TIERSTREAM_CHANNEL_{channel}", receiver.address)
        for block in ("own-kafka", "while-it-runs", "who-gets-told"):
            for line in command_lines("README.md", block):
                if line[0] in RUN_UNTIL_ENDED:
                    continue
                words = [PLACES.get(word, word) for word in line]
                words += next((more[word] for word in line[:2] if word in more), [])
                done = await asyncio.to_thread(CliRunner().invoke, app, words)
                assert done.exit_code == 0, (line, done.output, done.exception)
        assert len(receiver.messages()) == len(("sales", "lead"))
