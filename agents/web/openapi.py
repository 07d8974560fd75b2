"""The OpenAPI document as it is committed.

`python -m agents.web.openapi --write` renews the file, `--check` fails if it is old.
"""

import json
import sys
from pathlib import Path
from typing import Final

from agents.web.app import create_api
from schemas import committed

FILE: Final = Path(__file__).with_name("openapi.json")


def as_text() -> str:
    """Return the document as it is committed."""
    return json.dumps(create_api(None).openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    return committed.run("agents.web.openapi", lambda: {FILE: as_text()}, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
