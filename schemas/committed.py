"""Files that are made from the code and committed: renewing them, and noticing an old one."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Made = Mapping[Path, str | None]
"""What every file is to hold; None: there is to be none."""


def old(files: Made) -> list[Path]:
    """Return the files that hold something else."""
    return [path for path, text in files.items() if _held(path) != text]


def renew(files: Made) -> None:
    """Let every file hold what it is to hold."""
    for path, text in files.items():
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def run(module: str, made: Callable[[], Made], arguments: Sequence[str]) -> int:
    """Run ``python -m MODULE --write`` or ``--check``; return its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="renew what is committed")
    what.add_argument("--check", action="store_true", help="fail if something committed is old")
    files = made()
    if parser.parse_args(arguments).write:
        renew(files)
        return 0
    found = old(files)
    for path in found:
        sys.stderr.write(f"{path}: out of date; run python -m {module} --write\n")
    return 1 if found else 0


def _held(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
