"""`tierstream version`."""

import sys

from agents.cli import options, show
from agents.version import version as version_number


def version(as_json: options.Json = False) -> None:
    """Show the version."""
    number = version_number()
    if as_json:
        show.print_json({"tierstream": number, "python": sys.version.split()[0]})
    else:
        show.out.print(f"tierstream {number} on Python {sys.version.split()[0]}")
