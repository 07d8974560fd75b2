"""`tierstream rebuild`: from the log, what Redis does not hold."""

import logging
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Annotated

import structlog
import typer

from agents.app import open_store
from agents.cli import loop, options, show
from agents.cli.stores import recorded_buckets
from agents.cli.worker import ClockName, clock_of
from agents.rebuilding.lost import Restored, restore
from agents.rebuilding.watch import Watch
from agents.rebuilding.windows import Refilled, refill
from stream.editions import first_edition


def rebuild(  # noqa: PLR0913, PLR0917 - these are the options of a command
    windows: Annotated[
        bool,
        typer.Option("--windows", help="Fill windows that the policy in force was too late for."),
    ] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="Where the log leads elsewhere than what was announced: go on from the latter.",
        ),
    ] = False,
    policy: options.Policy = None,
    clock: Annotated[
        ClockName | None, typer.Option(help="What tells the workers the time.")
    ] = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Put back what Redis has lost, from the input topics; workers wait for it and go on.

    Name the policy that the workers are started with. Nothing is announced twice. It can be
    interrupted and run again.
    """
    # A worker's parts tell of what they do, and that was done long ago.
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    settings = options.settings_from(kafka, redis, namespace, policy, clock=clock_of(clock))
    first = first_edition(options.policy_from(settings))
    settings = replace(settings, buckets=recorded_buckets(settings) or settings.buckets)
    filled = Refilled()
    with closing(open_store(settings)) as store, _shown() as watch:
        store.install(settings.buckets)
        done = loop.run(restore(settings, store, first, watch, accept=accept))
        if windows:
            filled = loop.run(refill(settings, store, first, watch))
    if as_json:
        show.print_json({"restored": done._asdict(), "windows": filled._asdict()})
        return
    _tell(done)
    if windows:
        show.out.print(
            f"{filled.customers:,} customers have facts that were not kept, from "
            f"{filled.records:,} records: {filled.changes:,} tier changes"
        )


def _tell(done: Restored) -> None:
    if not done.buckets:
        show.out.print("Redis has lost nothing that was announced")
        return
    show.out.print(
        f"{done.buckets:,} buckets with {done.customers:,} customers put back from "
        f"{done.records:,} records; {done.rows:,} rows that had not been announced are on their way"
    )


@contextmanager
def _shown() -> Iterator[Watch]:
    """Show how far it is."""
    with show.progress_bar() as bar:
        read, folded = (bar.add_task(text, total=None) for text in ("reading", "folding"))

        def total(records: int) -> None:
            bar.reset(read, total=records)
            bar.reset(folded, total=records)

        yield Watch(
            total, lambda more: bar.advance(read, more), lambda more: bar.advance(folded, more)
        )
