"""A worker as a child process of the demo: it never outlives it."""

from __future__ import annotations

import os
import sys
import urllib.request
from typing import TYPE_CHECKING

from agents.embedded.server import HOST, LocalServer

if TYPE_CHECKING:
    from agents.settings import Settings

_ASK_WITHIN_S = 2.0
_READY_WITHIN_S = 60.0


class WorkerProcess(LocalServer):
    """One worker with all roles, on stream time.

    What it needs to know it is told through this process's environment, where whatever the
    user set for Kafka's security already is.

    Args:
        settings: Where Kafka, Redis and the policy are.
    """

    name = "worker"

    def __init__(self, settings: Settings) -> None:
        super().__init__(ready_within_s=_READY_WITHIN_S)
        self._settings = settings

    @property
    def url(self) -> str:
        """Where its health and metrics pages are."""
        return f"http://{self.address}"

    def last_words(self) -> str:
        """Return the last line that it printed."""
        return self._last_words()

    def _command(self) -> list[str]:
        settings = self._settings
        os.environ.update(
            TIERSTREAM_KAFKA=settings.kafka,
            TIERSTREAM_REDIS=settings.redis,
            TIERSTREAM_NAMESPACE=settings.namespace,
            TIERSTREAM_POLICY=settings.policy,
            TIERSTREAM_BUCKETS=str(settings.buckets),
            TIERSTREAM_CLOCK="stream",
            TIERSTREAM_BATCH_RECORDS=str(settings.batch_records),
            TIERSTREAM_WEB_HOST=HOST,
            TIERSTREAM_WEB_PORT=str(self.port),
        )
        return [sys.executable, "-m", "agents.worker", "--log-json"]

    def _answers(self) -> bool:
        # 503 while it waits for its partitions, which urllib raises as an OSError.
        with urllib.request.urlopen(f"{self.url}/readyz", timeout=_ASK_WITHIN_S) as answer:  # noqa: S310
            return bool(answer.status == 200)  # noqa: PLR2004 - OK
