"""When cycles of garbage are looked for: reference counts free nearly everything, cycles the rest.

The collector looks through all that lives, which with 100,000 cached customers took a second in
which nothing was scored. Customers hold no cycles; so who lives when a turn is over is taken to
live on, and is looked at again only once the caches were dropped.
"""

from __future__ import annotations

import gc

_YOUNG = 20_000
"""Net allocations after which it is worth a look: 2 ms."""
_BY_ITSELF = 1_000_000
"""Net allocations after which it runs in the middle of a turn: more than a batch makes."""


def begin() -> None:
    """Look at nothing that is there by now, and at the rest between turns only."""
    gc.freeze()
    gc.set_threshold(_BY_ITSELF, 50, 100)


def tidy() -> None:
    """Look through what has come since the last time, if that is much. Between two turns."""
    if gc.get_count()[0] >= _YOUNG:
        gc.collect(0)
        gc.freeze()


def tidy_all() -> None:
    """Look through everything, when the caches have just been dropped."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
