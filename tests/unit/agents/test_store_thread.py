"""A store that stops answering is spoken of once, and once more when it answers again."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from agents.store_thread import StoreThread
from stream.store import StoreUnavailable


def refused() -> None:
    """Fail as a store does that is not there."""
    raise StoreUnavailable("nobody there", outcome_unknown=False)


async def test_an_outage_is_told_once_and_so_is_its_end() -> None:
    """However often somebody tries; and every attempt fails for whoever made it."""
    thread = StoreThread(None, "outbox")
    with capture_logs() as said:
        for _ in range(2):
            assert await thread.run(lambda: 7) == 7
            for _ in range(3):
                with pytest.raises(StoreUnavailable):
                    await thread.run(refused)
        await thread.run(lambda: None)
    thread.close()
    assert [line["event"] for line in said] == ["store_unavailable", "store_answers"] * 2
    assert said[0] == {
        "event": "store_unavailable",
        "log_level": "warning",
        "part": "outbox",
        "error": "nobody there",
    }
