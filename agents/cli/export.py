"""`tierstream export`: customers, tier changes and forecasts of the running system, as files."""

from pathlib import Path
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.stores import opened
from agents.replay.export import FILES, write_export
from agents.replay.export_live import Wanted, read_live
from agents.settings import Settings
from stream.calendar import format_instant
from stream.plan import Plan


def export(  # noqa: PLR0913, PLR0917 - these are the options of a command
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to write the files.", show_default=False)
    ],
    policy: options.Policy = None,
    as_of: options.AsOf = None,
    timeout: Annotated[
        float, typer.Option(help="Longest wait for the workers to catch up, in seconds.")
    ] = 60.0,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Write customers.jsonl, changes.jsonl and forecasts.jsonl from the running system.

    Waits until every record in the input topics has been applied, every tier change has been
    published and time has come to --as-of (without it: wherever it has come to).
    """
    settings = options.settings_from(kafka, redis, namespace, policy)
    plan = options.plan_from(settings)
    as_of_ms = options.instant_from(as_of)
    export_live(settings, plan, directory, as_of_ms, timeout, as_json=as_json)


def export_live(
    settings: Settings,
    plan: Plan,
    directory: Path,
    as_of_ms: int | None,
    timeout_s: float,
    *,
    as_json: bool,
) -> None:
    """Wait, read, write and tell. Raises as `agents.replay.export_live.read_live`."""
    wanted = Wanted(as_of_ms, timeout_s)
    with show.status("waiting for a worker") as tell, opened(settings, timeout_s) as opening:
        store, known = opening
        result = loop.run(
            read_live(known, store, plan, wanted, lambda text: tell(f"waiting for {text}"))
        )
    written = write_export(
        directory,
        result.plan,
        result.as_of_ms,
        result.states,
        result.changes,
        result.forecasts,
    )
    if as_json:
        show.print_json(
            {
                "as_of": format_instant(result.as_of_ms),
                **written._asdict(),
                "files": [str(directory / name) for name in FILES],
            }
        )
        return
    show.out.print(
        f"{written.customers:,} customers as of {show.instant(result.as_of_ms)}, "
        f"{written.changes:,} tier changes and {written.forecasts:,} forecasts "
        f"written to {directory}",
        markup=False,
    )
