"""Two integers that stand for no integer, so that readings can be compared without a check."""

NEVER = 1 << 62
"""Later than every instant, and above every reading."""

MISSING = -(1 << 62)
"""Below every reading: nothing to measure."""
