"""The subcommands of `tierstream`, put together."""

import sys

import typer

from agents.cli import (
    alerts,
    cuts,
    decisions,
    demo,
    doctor,
    erase,
    explain,
    export,
    fit,
    forecast,
    history,
    identity,
    options,
    policy,
    rebuild,
    replay,
    rfm,
    serve,
    show,
    top,
    topics,
    webhooks,
    worker,
)
from agents.version import version as version_number

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
app.command()(history.history)
app.command()(decisions.pin)
app.command()(decisions.unpin)
app.command()(decisions.review)
app.command()(identity.merge)
app.command()(identity.split)
app.command()(forecast.forecast)
app.command()(rfm.rfm)
app.command()(erase.erase)
app.command()(rebuild.rebuild)
app.command()(serve.serve)
app.command()(doctor.doctor)
app.command()(top.top)
policy.app.command()(cuts.cuts)
app.add_typer(alerts.app, name="alerts")
app.add_typer(fit.app, name="fit")
app.add_typer(policy.app, name="policy")
app.add_typer(topics.app, name="topics")
app.add_typer(webhooks.app, name="webhooks")


@app.command()
def version(as_json: options.Json = False) -> None:
    """Show the version."""
    number = version_number()
    if as_json:
        show.print_json({"tierstream": number, "python": sys.version.split()[0]})
    else:
        show.out.print(f"tierstream {number} on Python {sys.version.split()[0]}")
