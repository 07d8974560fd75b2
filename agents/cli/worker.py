"""`tierstream worker`: one worker process in the foreground."""

from enum import StrEnum
from typing import Annotated

import typer

from agents.cli import options
from agents.cli.errors import CommandError
from agents.logs import configure_logging
from agents.settings import Clock
from agents.worker import run_worker


class RoleName(StrEnum):
    """What a worker does."""

    SCORING = "scoring"
    DELIVERY = "delivery"
    ALERTS = "alerts"
    WEBHOOKS = "webhooks"
    ALL = "all"


class ClockName(StrEnum):
    """What tells a worker the time."""

    WALL = "wall"
    STREAM = "stream"


def worker(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command
    role: Annotated[
        RoleName,
        typer.Option(
            help="scoring reads events, delivery publishes changes, alerts tells people, "
            "webhooks tells systems, all does all of it."
        ),
    ] = RoleName.ALL,
    policy: options.Policy = None,
    clock: Annotated[
        ClockName | None,
        typer.Option(help="wall for live runs; stream for replays, where records tell the time."),
    ] = None,
    web_port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="Port of /healthz, /readyz and /metrics."),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Log as JSON lines (TIERSTREAM_LOGS=json).")
    ] = False,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Run one worker until it is interrupted; start as many as you like."""
    settings = options.settings_from(
        kafka, redis, namespace, policy, web_port=web_port, clock=clock_of(clock)
    )
    if role not in {RoleName.DELIVERY, RoleName.WEBHOOKS} and not settings.policy:
        raise CommandError(
            "--policy: missing; allowed: the path of a policy file, such as "
            "deploy/policies/cdnow.yaml"
        )
    configure_logging(as_json=log_json or settings.logs == "json")
    run_worker(settings, role.value)


def clock_of(name: ClockName | None) -> Clock | None:
    """Return the clock of an option; None where it was not given."""
    return None if name is None else name.value
