"""`tierstream topics`: creating what tierstream reads and writes."""

import asyncio
from typing import Annotated

import typer

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.topics import TopicPlan, create_topics

_DEFAULT = TopicPlan()

app = typer.Typer(no_args_is_help=True, help="Create the topics.")


@app.callback()
def topics() -> None:
    """Create the topics."""


@app.command()
def create(
    partitions: Annotated[
        int, typer.Option(min=1, help="Partitions of every topic; must divide the buckets.")
    ] = _DEFAULT.partitions,
    replication: Annotated[
        int, typer.Option(min=1, help="Copies of each partition; 3 in production.")
    ] = _DEFAULT.replication,
    kafka: options.Kafka = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Create the topics that are missing; those that exist are left as they are."""
    settings = options.settings_from(kafka, namespace=namespace)
    if settings.buckets % partitions:
        raise CommandError(
            f"--partitions: {partitions} is not allowed; allowed: a divisor of the "
            f"{settings.buckets} buckets, such as 8"
        )
    found = asyncio.run(create_topics(settings, TopicPlan(partitions, replication)))
    if as_json:
        show.print_json(found)
        return
    for name, created in found.items():
        show.out.print(f"[green]created[/] {name}" if created else f"[dim]exists[/]  {name}")
