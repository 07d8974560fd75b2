"""`tierstream webhooks`: who is sent what is published, over HTTP."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.errors import CommandError
from agents.settings import Settings
from agents.webhooks import managing
from agents.webhooks.managing import UnknownEndpointError
from agents.webhooks.posting import UrlError
from agents.webhooks.replaying import replay as send_again
from stream.adapters.redis_endpoints import RedisEndpoints
from stream.webhooks import TOPICS, Endpoint

app = typer.Typer(no_args_is_help=True, help="Webhooks: endpoints, secrets, sending again.")

Id = Annotated[str, typer.Argument(metavar="ENDPOINT", help="The endpoint's id.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent: https://…")],
    topic: Annotated[
        list[str] | None,
        typer.Option(help="tier-changes or tier-forecasts; several times for both (the default)."),
    ] = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Add an endpoint; its secret is shown once."""
    settings = options.settings_from(redis=redis, namespace=namespace)
    with _store(settings) as store:
        try:
            endpoint = managing.add(
                store, url, topic or list(TOPICS), _now_ms(), private=settings.webhook_private
            )
        except UrlError as exc:
            raise CommandError(f"URL: {url!r} is not allowed; allowed: {exc}") from exc
        except ValueError as exc:
            raise CommandError(f"--topic: {exc}") from exc
    _tell_secret(endpoint, as_json=as_json)


@app.command(name="list")
def list_command(
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Show every endpoint, what waits for it, and what was given up."""
    settings = options.settings_from(redis=redis, namespace=namespace)
    with _store(settings) as store:
        found = managing.standings(store)
        parked = store.parked() if as_json else []
    if as_json:
        show.print_json(
            {
                "endpoints": [
                    {
                        "id": one.id,
                        "url": one.url,
                        "topics": one.topics,
                        "status": one.status,
                        "why": one.why,
                        "waiting": waiting,
                    }
                    for one, waiting, _ in found
                ],
                "parked": [{"id": one.id, "at_ms": one.at_ms, "why": one.why} for one in parked],
            }
        )
        return
    table = show.table(
        "Endpoints", "id", "url", "topics", "status", "waiting", "parked", right=("waiting",)
    )
    for one, waiting, gone in found:
        status = one.status if not one.why else f"{one.status}: {show.escaped(one.why)}"
        table.add_row(
            one.id,
            show.escaped(one.url),
            ", ".join(one.topics),
            status,
            str(waiting),
            str(gone),
        )
    show.out.print(table)


@app.command()
def rotate(
    endpoint: Id,
    overlap_hours: Annotated[
        int, typer.Option(min=0, max=24 * 30, help="How long the old secret signs as well.")
    ] = 24,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Give an endpoint a new secret, shown once; for a while messages carry both signatures."""
    settings = options.settings_from(redis=redis, namespace=namespace)
    with _store(settings) as store, _known(endpoint):
        rotated = managing.rotate(store, endpoint, _now_ms(), overlap_hours)
    _tell_secret(rotated, as_json=as_json)


@app.command()
def disable(endpoint: Id, redis: options.Redis = None, namespace: options.Namespace = None) -> None:
    """Send an endpoint nothing until it is enabled; what waits for it waits on."""
    with _store(options.settings_from(redis=redis, namespace=namespace)) as store, _known(endpoint):
        managing.disable(store, endpoint, "by command")
    show.out.print(f"{endpoint} is disabled")


@app.command()
def enable(endpoint: Id, redis: options.Redis = None, namespace: options.Namespace = None) -> None:
    """Send to an endpoint again; what it has missed since can be replayed."""
    with _store(options.settings_from(redis=redis, namespace=namespace)) as store, _known(endpoint):
        managing.enable(store, endpoint)
    show.out.print(f"{endpoint} is enabled")


@app.command()
def remove(endpoint: Id, redis: options.Redis = None, namespace: options.Namespace = None) -> None:
    """Forget an endpoint and everything that waits for it."""
    with _store(options.settings_from(redis=redis, namespace=namespace)) as store, _known(endpoint):
        managing.remove(store, endpoint)
    show.out.print(f"{endpoint} is removed")


@app.command()
def replay(
    endpoint: Id,
    since: Annotated[
        str, typer.Option(metavar="INSTANT", help="From this instant on, RFC 3339, or a date.")
    ],
    customer: Annotated[str | None, typer.Option(help="Events of this customer only.")] = None,
    from_sequence: Annotated[
        int, typer.Option(min=0, help="Events with this sequence, or a later one, only.")
    ] = 0,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Send an endpoint again what was published since an instant, with the ids it had before."""
    settings = options.settings_from(kafka, redis, namespace)
    since_ms = options.instant_from(since, "--since")
    with _store(settings) as store, _known(endpoint):
        found = managing.find(store, endpoint)
        count = loop.run(
            send_again(
                settings,
                store,
                found,
                since_ms or 0,
                customer_id=customer,
                from_sequence=from_sequence,
            )
        )
    show.out.print(f"{count} messages are sent again to {endpoint}")


@contextmanager
def _store(settings: Settings) -> Iterator[RedisEndpoints]:
    store = RedisEndpoints(
        settings.redis, prefix=settings.key_prefix, area="webhooks", timeout_s=5.0
    )
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _known(endpoint: str) -> Iterator[None]:
    try:
        yield
    except UnknownEndpointError as exc:
        raise CommandError(
            f"ENDPOINT: {endpoint!r} is not allowed; allowed: an id that `webhooks list` shows"
        ) from exc


def _tell_secret(endpoint: Endpoint, *, as_json: bool) -> None:
    secret = endpoint.secrets[0].text
    if as_json:
        show.print_json({"id": endpoint.id, "url": endpoint.url, "secret": secret})
        return
    show.out.print(f"{endpoint.id} {show.escaped(endpoint.url)}")
    show.out.print(f"secret {secret} (shown only now)")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
