"""One attempt at a time for each target, and none stands in the way of the next once it is over."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from agents.attempts import Attempts
from agents.dispatch import UndeliveredError
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_the_next_attempt_does_not_wait_for_the_thread_of_the_last_to_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a busy machine a thread that has answered may live on for a while."""
    loop, go_on = asyncio.get_running_loop(), threading.Event()
    tell = loop.call_soon_threadsafe

    def linger(callback: Callable[..., Any], *arguments: Any) -> None:
        tell(callback, *arguments)
        go_on.wait()

    monkeypatch.setattr(loop, "call_soon_threadsafe", linger)
    attempts = Attempts(60.0)
    for _ in range(3):
        await attempts.run("ann", str)
    assert sum(thread.name == "to-ann" for thread in threading.enumerate()) == 3
    go_on.set()


async def test_one_that_hangs_is_given_up_and_holds_up_its_own_target_only() -> None:
    """Until it is over: then the target is tried again."""
    attempts, released = Attempts(0.1), threading.Event()

    def hang() -> str:
        released.wait()
        return ""

    with pytest.raises(UndeliveredError, match=r"no answer within 0\.1 s"):
        await attempts.run("ann", hang)
    with pytest.raises(UndeliveredError, match="still hangs"):
        await attempts.run("ann", hang)

    async def taken(target: str) -> bool:
        try:
            await attempts.run(target, str)
        except UndeliveredError:
            return False
        return True

    await wait_for_async(lambda: taken("bob"), "an attempt at another")
    assert not await taken("ann")
    released.set()
    await wait_for_async(lambda: taken("ann"), "an attempt that is taken")


async def test_what_goes_wrong_is_said_without_what_it_was_about() -> None:
    """A failure's reason, or the kind of an exception: its text may hold a secret."""
    attempts = Attempts(60.0)

    def broken() -> str:
        raise ValueError("token 4711")

    with pytest.raises(UndeliveredError, match=r"^it failed with ValueError$"):
        await attempts.run("ann", broken)
    with pytest.raises(UndeliveredError, match=r"^answered 500$"):
        await attempts.run("ann", lambda: "answered 500")
