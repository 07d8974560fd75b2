"""Waiting for a condition, never for a time. The only place in the tests that sleeps."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
POLL_S = 0.02


def wait_for(condition: Callable[[], T], what: str, timeout_s: float = 120.0) -> T:
    """Return the first true value of *condition*, or fail naming *what* was waited for."""
    give_up = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > give_up:
            msg = f"waited {timeout_s:g} s in vain for {what}; last seen: {value!r}"
            raise AssertionError(msg)
        time.sleep(POLL_S)
    return value


@overload
async def wait_for_async(
    condition: Callable[[], Awaitable[T]], what: str, timeout_s: float = ...
) -> T: ...


@overload
async def wait_for_async(condition: Callable[[], T], what: str, timeout_s: float = ...) -> T: ...


async def wait_for_async(
    condition: Callable[[], object], what: str, timeout_s: float = 120.0
) -> object:
    """As `wait_for`, in a running event loop; *condition* may be a coroutine function."""
    give_up = time.monotonic() + timeout_s
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > give_up:
            msg = f"waited {timeout_s:g} s in vain for {what}; last seen: {value!r}"
            raise AssertionError(msg)
        await asyncio.sleep(POLL_S)
