"""Who is told how far rebuilding is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Watch(NamedTuple):
    """Who is told what goes on.

    Attributes:
        total: Told how many records there are at most.
        read: Told how many more were read.
        folded: Told how many more were folded.
    """

    total: Callable[[int], None]
    read: Callable[[int], None]
    folded: Callable[[int], None]
