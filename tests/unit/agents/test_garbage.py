"""Cycles are found between turns, and what lives on is looked at no more."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from agents import garbage

if TYPE_CHECKING:
    from collections.abc import Iterator


class Knot:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the collector as it was."""
    thresholds = gc.get_threshold()
    garbage.begin()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
    gc.collect()


def test_a_cycle_goes_when_much_has_come_since_and_the_rest_lives_on() -> None:
    """What was cached counts as looked at; a cycle among it would wait for the caches' end."""
    frozen = gc.get_freeze_count()
    gone = weakref.ref(Knot())
    garbage.tidy()
    assert gone() is not None
    assert gc.get_freeze_count() <= frozen
    cached = [[number] for number in range(30_000)]
    garbage.tidy()
    assert gone() is None
    assert gc.get_freeze_count() > frozen + len(cached) - 1_000


def test_with_the_caches_every_cycle_goes() -> None:
    """Also one that was alive when it was looked at last."""
    knot = Knot()
    cached = [[number] for number in range(30_000)]
    garbage.tidy()
    gone = weakref.ref(knot)
    del knot, cached
    gc.collect()
    assert gone() is not None
    garbage.tidy_all()
    assert gone() is None
