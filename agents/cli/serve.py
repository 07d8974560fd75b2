"""`tierstream serve`: the HTTP API and the live page."""

import os
from pathlib import Path
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.stores import opened
from agents.cli.worker import ClockName
from agents.logs import configure_logging
from agents.web.server import Serving, check
from agents.web.server import serve as run
from agents.web.tokens import read_tokens
from stream.plan import compile_policy

_WITHIN_S = 60.0


def serve(  # noqa: PLR0913, PLR0917 - these are the options of a command
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that others reach needs tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for a free one.")] = 8000,
    tokens: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Who may ask: lines of a name and a token (TIERSTREAM_API_TOKENS_FILE), and "
            "'manage' behind it for who may change webhooks; one token alone in "
            "TIERSTREAM_API_TOKEN, or TIERSTREAM_API_MANAGE_TOKEN.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate, PEM: serve over TLS.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Its key, PEM, if the file has none.")
    ] = None,
    amount: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE",
            help="What a customer brings in, for shares of tiers; else the first sum of "
            "contribution, or of money, in the policy.",
        ),
    ] = None,
    simulation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Show what another policy would do: what `policy simulate --json` has written.",
        ),
    ] = None,
    clock: Annotated[
        ClockName | None,
        typer.Option(help="wall for live runs; stream for replays, where records tell the time."),
    ] = None,
    log_json: Annotated[
        bool, typer.Option("--log-json", help="Log as JSON lines (TIERSTREAM_LOGS=json).")
    ] = False,
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Serve the HTTP API and the live page until interrupted; start as many as needed.

    --policy names the policy that the workers were started with.
    """
    settings = options.settings_from(
        kafka, redis, namespace, policy, clock=None if clock is None else clock.value
    )
    plan = compile_policy(options.policy_from(settings))
    given = read_tokens(os.environ, tokens)
    serving = Serving(host, port, given, tls_cert, tls_key, amount, simulation)
    check(serving, plan)
    configure_logging(as_json=log_json or settings.logs == "json")
    with opened(settings, _WITHIN_S) as (_, known):
        loop.run(run(known, serving, plan, _told))


def _told(url: str) -> None:
    show.out.print(url, markup=False, soft_wrap=True)
