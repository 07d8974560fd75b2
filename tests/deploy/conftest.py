"""The linters, in an environment of their own: they weigh more than all that is tested here."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

collect_ignore = ["render.py"]  # runs with the linters' interpreter: it imports Helm's SDK

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".cache" / "deploy" / "bin"


@pytest.fixture(scope="session")
def tool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program of `make env-deploy`; returns what it said and its exit code."""
    assert TOOLS.is_dir(), "run make env-deploy first"

    def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 -- a linter of ours
            [TOOLS / name, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )

    return run
