"""Commands out of the documentation, so that the tests run what a reader would type."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def documented(page: str, name: str) -> str:
    """Return the code block of *page* that follows the comment ``<!-- tested: NAME -->``.

    *page* is in docs, or in the repository's own folder.
    """
    text = (DOCS / page if (DOCS / page).exists() else ROOT / page).read_text()
    found = re.findall(rf"<!-- tested: {name} -->\n+```\w+\n(.*?)```", text, re.DOTALL)
    assert len(found) == 1, f"{page} has {len(found)} blocks called {name!r}"
    block: str = found[0]
    return block


def command_lines(page: str, name: str) -> list[list[str]]:
    """Return the arguments of each line of a block that runs ``tierstream``."""
    lines = [shlex.split(line, comments=True) for line in documented(page, name).splitlines()]
    return [line[1:] for line in lines if line and line[0].endswith("tierstream")]


def run_documented(page: str, name: str, folder: Path) -> None:
    """Run a block with bash in *folder*; it must succeed."""
    script = f"set -euo pipefail\n{documented(page, name)}"
    done = subprocess.run(  # noqa: S603 -- our own documentation
        ["/bin/bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
