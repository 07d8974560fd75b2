"""Every command that the documents show is run by a test, or it is said here why it is not."""

from __future__ import annotations

import random
import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from agents.cli.commands import app
from tests.documented import ROOT, command_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "deploy").rglob("*.md")),
]
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
_BLOCK = re.compile(
    r"(?:<!-- tested: (\S+) -->\n+)?```(?:sh|bash|shell|console)\n(.*?)```", re.DOTALL
)
_INLINE = re.compile(r"`(tierstream [a-z][^`\n]*)`")
_LINE = re.compile(r"^(?:\.venv/bin/)?(tierstream [a-z].*)", re.MULTILINE)
SPANS = {f"tierstream {what}" for what in ("score", "publish", "hear", "deliver")}
"""Look like commands, and are names of spans."""


NOT_RUN = {
    "make demo": "tests/unit/cli/test_demo.py runs the demo; .ci/run the other targets",
    "make env": ".ci/run",
    "echo": "with Docker: tests/deploy reads the compose file and checks what it would start",
    "docker build": "Docker, a cluster: tests/deploy builds the image's parts, renders the chart",
    "export PROMETHEUS": "tests/integration/test_alerts.py sets them to where its own servers are",
}
"""Blocks without a name by how they begin, and who runs what is in them, or why nobody does."""


def blocks() -> Iterator[tuple[Path, str, str]]:
    """Yield each block of commands: its page, its name if it has one, its text."""
    for page in PAGES:
        for name, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
            yield page, name, text


def test_each_block_of_commands_is_run_by_a_test_or_excused() -> None:
    """A name is not enough: a test must ask for the block by it."""
    excuses = set()
    for page, name, text in blocks():
        if name:
            # The runbook's test takes all the names that there are.
            assert page.name == "runbook.md" or f'"{name}"' in TESTS, (page, name)
            continue
        found = [begins for begins in NOT_RUN if text.startswith(begins)]
        assert found, f"{page}: neither run nor excused: {text}"
        excuses.update(found)
    assert excuses == set(NOT_RUN), "nothing is excused that is not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_shown_exists_with_the_options_that_it_is_shown_with(page: Path) -> None:
    """In blocks and within sentences, where arguments may be left out."""
    shown_here = set(_INLINE.findall(page.read_text(encoding="utf-8"))) - SPANS
    for _, _, text in filter(lambda block: block[0] == page, blocks()):
        shown_here.update(_LINE.findall(text))
    for shown in shown_here:
        words = shlex.split(shown.replace("…", ""), comments=True)[1:]
        asked = CliRunner().invoke(app, [*words, "--help"])
        assert asked.exit_code == 0, f"{shown}: {asked.output}"


def shop_export() -> str:
    """Return what a shop exports whose sixty customers come, order, and stay away."""
    dice = random.Random(5)
    orders = []
    for customer in range(60):
        day, ends = dice.uniform(0, 190), min(400, 200 + dice.expovariate(1 / 200))
        while day < ends:
            orders.append((day, f"K{customer}", dice.randrange(500, 300_000)))
            day += 1 + dice.expovariate(1 / 20)
    lines = ["\ufeffBestellnummer;Kundennummer;Bestelldatum;Gesamtbetrag;Status"]
    for number, (day, customer_id, cents) in enumerate(sorted(orders)):
        moment = datetime(2025, 1, 1, 8, 0, tzinfo=UTC) + timedelta(days=day)
        amount = f"{cents // 100:_}".replace("_", ".") + f",{cents % 100:02}"
        lines.append(f"B{number};{customer_id};{moment:%d.%m.%Y %H:%M};{amount};bezahlt")
    return "\r\n".join(lines)


def test_from_an_export_to_a_policy_of_ones_own_as_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line but the demo's, which has a test of its own; CDNOW by its sample."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "export.csv").write_text(shop_export(), encoding="utf-8")
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    said = {}
    for line in command_lines("README.md", "own-orders") + command_lines("README.md", "further"):
        if line[0] == "demo":
            continue
        if line[:2] == ["policy", "simulate"]:
            text = (tmp_path / "policy.yaml").read_text(encoding="utf-8")
            (tmp_path / "new.yaml").write_text(text.replace("version: 1", "version: 2"))
        words = {"CUSTOMER": "K1", "cdnow": "cdnow-sample"}
        if line[0] == "fit":
            words["orders.csv"] = "cdnow-sample"  # an invented shop has no law to be found
        done = CliRunner().invoke(app, [words.get(word, word) for word in line])
        assert done.exit_code == 0, (line, done.output, done.exception)
        said[line[0]] = done.output
    assert "lines of 60 customers" in said["convert"]
    assert "records of 60 customers" in said["replay"]
    assert "refused" not in said["replay"]
    assert "customer K1 " in said["explain"]
    assert len((tmp_path / "out" / "customers.jsonl").read_text().splitlines()) == 60
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")
