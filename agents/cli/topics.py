"""`tierstream topics`: creating what tierstream reads and writes."""

import re
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.errors import CommandError
from agents.cli.stores import opened
from agents.replay.retention import FOREVER, set_retention
from agents.settings import Settings
from agents.topics import TopicPlan, create_topics
from stream.calendar import DAY_MS

_DEFAULT = TopicPlan()
_DAYS = re.compile(r"([1-9][0-9]{0,4})d", re.ASCII)

app = typer.Typer(no_args_is_help=True, help="Create the topics.")


@app.callback()
def topics() -> None:
    """Create the topics."""


@app.command(name="create")
def create_command(
    partitions: Annotated[
        int, typer.Option(min=1, help="Partitions of every topic; must divide the buckets.")
    ] = _DEFAULT.partitions,
    replication: Annotated[
        int, typer.Option(min=1, help="Copies of each partition; 3 in production.")
    ] = _DEFAULT.replication,
    retention: Annotated[
        str | None,
        typer.Option(
            metavar="DAYS|forever",
            help="How long all of them keep records, by the records' timestamps, such as 30d; "
            "a replay of old records needs forever.  \\[default: the broker's]",
            show_default=False,
        ),
    ] = None,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Create the topics that are missing; of those that exist only --retention is changed."""
    settings = options.settings_from(kafka, namespace=namespace)
    if settings.buckets % partitions:
        raise CommandError(
            f"--partitions: {partitions} is not allowed; allowed: a divisor of the "
            f"{settings.buckets} buckets, such as 8"
        )
    kept_ms = _retention_ms(retention)
    found = loop.run(create(settings, TopicPlan(partitions, replication), kept_ms))
    if as_json:
        show.print_json(found)
        return
    for name, created in found.items():
        show.out.print(f"[green]created[/] {name}" if created else f"[dim]exists[/]  {name}")


@app.command(name="resume")
def resume_command(
    source: Annotated[
        str, typer.Argument(metavar="TOPIC/PARTITION", help="As doctor names it: orders/3.")
    ],
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Let workers read on in a partition that was halted because too much in it was bad."""
    settings = options.settings_from(redis=redis, namespace=namespace)
    with opened(settings) as (store, _):
        halted = store.halts()
        if source not in halted:
            allowed = ", ".join(sorted(halted)) or "nothing is halted"
            raise CommandError(f"{source}: is not halted; allowed: {allowed}")
        store.release(source)
    show.out.print(f"[green]released[/] {source}, which was halted at {halted[source]}")


async def create(settings: Settings, plan: TopicPlan, kept_ms: int | None) -> dict[str, bool]:
    """Create what is missing and set how long all of them keep records (None: leave that).

    Raises:
        aiokafka.errors.KafkaError: The broker refused, or cannot be reached.
    """
    found = await create_topics(settings, plan)
    if kept_ms is not None:
        await set_retention(settings, list(found), kept_ms)
    return found


def _retention_ms(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "forever":
        return FOREVER
    match = _DAYS.fullmatch(text)
    if match is None:
        raise CommandError(
            f"--retention: {text!r} is not allowed; allowed: days such as 30d, or forever"
        )
    return int(match[1]) * DAY_MS
