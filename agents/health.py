"""`/healthz`, `/readyz` and `/metrics`, on Faust's web server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from agents.scoring import ScoringService

if TYPE_CHECKING:
    from collections.abc import Sequence

    import faust

    from agents.alerts.service import AlertService
    from agents.metrics import Metrics
    from agents.relay import Relay
    from agents.webhooks.service import WebhookService


def add_pages(
    app: faust.App,
    metrics: Metrics,
    parts: Sequence[ScoringService | Relay | AlertService | WebhookService],
) -> None:
    """Serve the pages for *parts*.

    `/healthz` answers as long as the event loop turns (restart the process when it does
    not); `/readyz` says 503 until every part has its partitions and its store.
    """

    @app.page("/healthz", name="healthz")
    async def healthz(web: Any, request: Any) -> Any:  # noqa: ANN401 - Faust's web types
        del request
        return web.json({"status": "ok"})

    @app.page("/readyz", name="readyz")
    async def readyz(web: Any, request: Any) -> Any:  # noqa: ANN401 - Faust's web types
        del request
        waiting = [type(part).__name__ for part in parts if not part.ready]
        if waiting:
            return web.json({"status": "waiting", "for": waiting}, status=503)
        scoring = [part for part in parts if isinstance(part, ScoringService)]
        policies = [policy for part in scoring for policy in part.policies()]
        return web.json({"status": "ready", "policies": [f"{n} {v}" for n, v in policies]})

    @app.page("/metrics", name="metrics")
    async def exposition(web: Any, request: Any) -> Any:  # noqa: ANN401 - Faust's web types
        del request
        oldest = min((part.progressed_s for part in parts), default=time.monotonic())
        metrics.progress_age.set(time.monotonic() - oldest)
        for part in parts:
            metrics.ready.labels(part.part).set(part.ready)
            if isinstance(part, ScoringService):
                metrics.tell_policies(part.policies())
        return web.bytes(
            generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
