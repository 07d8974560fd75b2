"""Which version this is."""

import importlib.metadata


def version() -> str:
    """Return the installed version; ``(not installed)`` where the code is not a distribution."""
    try:
        return importlib.metadata.version("tierstream")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
