"""Renew the references, or fail if they are old."""

import sys
from pathlib import Path
from typing import Final

from schemas import committed
from schemas.reference import events, policy

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = {"events.md": events.as_text, "policy-reference.md": policy.as_text}


def files() -> dict[Path, str | None]:
    """Return what every page is to hold."""
    return {DOCS / name: as_text() for name, as_text in PAGES.items()}


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    return committed.run("schemas.reference", files, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
