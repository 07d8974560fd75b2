"""Running a coroutine to its end, ready for Ctrl-C at any moment."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from agents.embedded.interrupts import held

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run *main* as `asyncio.run` does, with no interrupt while the event loop is being made.

    Half a loop cannot be closed: Python would say so on the screen.
    """
    with held():
        runner = asyncio.Runner()
        runner.get_loop()
    with runner:
        return runner.run(main)
