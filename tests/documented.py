"""Commands out of the documentation, so that the tests run what a reader would type."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def documented(page: str, name: str) -> str:
    """Return the code block of *page* that follows the comment ``<!-- tested: NAME -->``."""
    text = (DOCS / page).read_text()
    found = re.findall(rf"<!-- tested: {name} -->\n+```\w+\n(.*?)```", text, re.DOTALL)
    assert len(found) == 1, f"{page} has {len(found)} blocks called {name!r}"
    block: str = found[0]
    return block


def run_documented(page: str, name: str, folder: Path) -> None:
    """Run a block with bash in *folder*; it must succeed."""
    script = f"set -euo pipefail\n{documented(page, name)}"
    done = subprocess.run(  # noqa: S603 -- our own documentation
        ["/bin/bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
