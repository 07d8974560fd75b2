"""The entry point of the command: its subcommands, and how it ends."""

import importlib.metadata
import logging
import os
import sys

import typer

from agents.cli import demo, doctor, explain, export, options, policy, replay, show, topics, worker
from agents.cli.errors import said

DEBUG = "TIERSTREAM_DEBUG"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Customer value tiers from Kafka events, scored as they happen and downgraded on time.",
)
app.command()(demo.demo)
app.command()(worker.worker)
app.command()(replay.replay)
app.command()(export.export)
app.command()(explain.explain)
app.command()(doctor.doctor)
app.add_typer(policy.app, name="policy")
app.add_typer(topics.app, name="topics")


@app.command()
def version(as_json: options.Json = False) -> None:
    """Show the version."""
    try:
        number = importlib.metadata.version("tierstream")
    except importlib.metadata.PackageNotFoundError:
        number = "(not installed)"
    if as_json:
        show.print_json({"tierstream": number, "python": sys.version.split()[0]})
    else:
        show.out.print(f"tierstream {number} on Python {sys.version.split()[0]}")


def main() -> None:
    """Run the command line and end the process.

    Exit codes: 0 done; 1 it could not be done, and one line on standard error says why; 2 the
    command line itself is wrong; 130 interrupted. With ``TIERSTREAM_DEBUG`` set, errors come
    with their traceback and clients log.
    """
    debug = bool(os.environ.get(DEBUG))
    logging.basicConfig(level=logging.INFO if debug else logging.CRITICAL)
    try:
        app()
    except Exception as exc:
        if debug:
            raise
        line = said(exc)
        if line is None:
            line = f"{type(exc).__name__}: {exc} (unexpected; {DEBUG}=1 shows where)"
        show.err.print(f"[red]error:[/] {_plain(line)}", soft_wrap=True)
        sys.exit(1)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


if __name__ == "__main__":
    main()
