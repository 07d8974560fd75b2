"""The OpenAPI document as it is committed.

`python -m agents.web.openapi --write` renews the file, `--check` fails if it is old.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from agents.web.app import create_api

FILE: Final = Path(__file__).with_name("openapi.json")


def as_text() -> str:
    """Return the document as it is committed."""
    return json.dumps(create_api(None).openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m agents.web.openapi", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="renew the committed document")
    what.add_argument("--check", action="store_true", help="fail if the committed one is old")
    if parser.parse_args(arguments).write:
        FILE.write_text(as_text(), encoding="utf-8")
        return 0
    if FILE.read_text(encoding="utf-8") == as_text():
        return 0
    sys.stderr.write(f"{FILE}: out of date; run python -m agents.web.openapi --write\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
