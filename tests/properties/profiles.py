"""How hard the properties are tried: modest by default, `TIERSTREAM_EXAMPLES=20` for 20 times.

Without it the examples are the same each time; with it they are new ones (`tests/conftest.py`).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

FACTOR = int(os.environ.get("TIERSTREAM_EXAMPLES", "1"))


def tries(examples: int) -> settings:
    """Return settings for a property that is worth *examples* in the quick suite."""
    return settings(
        max_examples=examples * FACTOR,
        deadline=None,
        # Explaining traces every line, which costs minutes here.
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
