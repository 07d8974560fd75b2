"""Renew the references, or fail if they are old."""

import argparse
import sys
from pathlib import Path
from typing import Final

from schemas.reference import events, policy

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = {"events.md": events.as_text, "policy-reference.md": policy.as_text}


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.reference", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="renew the committed pages")
    what.add_argument("--check", action="store_true", help="fail if a committed page is old")
    write = parser.parse_args(arguments).write
    old = []
    for name, as_text in PAGES.items():
        text = as_text()
        if write:
            (DOCS / name).write_text(text, encoding="utf-8")
        elif (DOCS / name).read_text(encoding="utf-8") != text:
            old.append(name)
    for name in old:
        sys.stderr.write(f"{DOCS / name}: out of date; run python -m schemas.reference --write\n")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
