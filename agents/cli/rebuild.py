"""`tierstream rebuild`: from the log, what Redis does not hold."""

from contextlib import closing
from dataclasses import replace
from typing import Annotated

import typer

from agents.app import open_store
from agents.cli import loop, options, show
from agents.cli.stores import recorded_buckets
from agents.cli.worker import ClockName, clock_of
from agents.rebuilding.lost import Restored, Watch, restore
from agents.settings import Settings
from schemas.policy import PolicyDocument
from stream.editions import first_edition


def rebuild(
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
    settings = options.settings_from(kafka, redis, namespace, policy, clock=clock_of(clock))
    own = options.policy_from(settings)
    settings = replace(settings, buckets=recorded_buckets(settings) or settings.buckets)
    done = _restored(settings, own)
    if as_json:
        show.print_json({"restored": done._asdict()})
        return
    if not done.buckets:
        show.out.print("Redis has lost nothing that was announced")
        return
    show.out.print(
        f"{done.buckets:,} buckets with {done.customers:,} customers put back from "
        f"{done.records:,} records; {done.rows:,} rows that had not been announced are on their way"
    )


def _restored(settings: Settings, own: PolicyDocument) -> Restored:
    with closing(open_store(settings)) as store, show.progress_bar() as bar:
        store.install(settings.buckets)
        read, folded = (bar.add_task(text, total=None) for text in ("reading", "folding"))

        def total(records: int) -> None:
            bar.update(read, total=records)
            bar.update(folded, total=records)

        watch = Watch(
            total, lambda more: bar.advance(read, more), lambda more: bar.advance(folded, more)
        )
        return loop.run(restore(settings, store, first_edition(own), watch))
