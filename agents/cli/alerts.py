"""`tierstream alerts`: trying channels out, seeing what waits, acknowledging, trying again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from msgspec import MsgspecError
from rich.table import Table

from agents.alerts.acknowledging import Open, acknowledge, open_alerts
from agents.alerts.channels import Addresses, read_addresses, variable_of
from agents.alerts.courier import Courier
from agents.alerts.words import AlertWords
from agents.cli import loop, options, show
from agents.cli.errors import CommandError
from agents.dispatch import UndeliveredError
from agents.settings import Settings
from schemas.policy import PolicyDocument
from stream.adapters.redis_desk import RedisDesk
from stream.adapters.redis_queue import Parked
from stream.alerting.message import Message, decode
from stream.alerting.routing import Routes, compile_routes

app = typer.Typer(no_args_is_help=True, help="Alerts to people: try, look, acknowledge.")


@app.command(name="test")
def sample(
    channel: Annotated[
        list[str] | None, typer.Option(help="This channel only; may be given several times.")
    ] = None,
    policy: options.Policy = None,
    as_json: options.Json = False,
) -> None:
    """Send a sample to each channel of the policy, now and past every queue."""
    settings = options.settings_from(policy=policy)
    document, routes = _routed(settings)
    unknown = [name for name in channel or () if name not in routes.channels]
    if unknown:
        known = ", ".join(routes.channels)
        raise CommandError(f"--channel: {unknown[0]!r} is not allowed; allowed: {known}")
    names = channel or list(routes.channels)
    addresses = read_addresses(settings)
    told = loop.run(_try(settings, document, routes, names, addresses))
    if as_json:
        show.print_json({name: why or "delivered" for name, why in told.items()})
    else:
        for name, why in told.items():
            said = "[green]delivered[/]" if not why else f"[red]{show.escaped(why)}[/]"
            hint = f"; name it in {variable_of(name)}" if not addresses.of(name) else ""
            show.out.print(f"{name}: {said}{hint}")
    if any(told.values()):
        raise typer.Exit(1)


@app.command()
def status(
    policy: options.Policy = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Show what waits for each channel, what nobody has acknowledged, and what was given up."""
    settings = options.settings_from(redis=redis, namespace=namespace, policy=policy)
    _, routes = _routed(settings)
    now_ms = time.time_ns() // 1_000_000
    with _desk(settings) as desk:
        backlog = desk.backlog(list(routes.channels))
        waiting = open_alerts(desk)
        parked = desk.parked()
    if as_json:
        show.print_json(
            {
                "channels": {name: one._asdict() for name, one in backlog.items()},
                "unacknowledged": [one._asdict() for one in waiting],
                "parked": [{"id": one.id, "at_ms": one.at_ms, "why": one.why} for one in parked],
            }
        )
        return
    table = show.table("Channels", "channel", "waiting", "due", right=("waiting",))
    for name, one in backlog.items():
        due = "" if one.due_ms is None else show.instant(max(one.due_ms, 0))
        late = " (late)" if one.due_ms is not None and one.due_ms < now_ms - 60_000 else ""
        table.add_row(name, str(one.waiting), due + late)
    show.out.print(table)
    if waiting:
        show.out.print(_unacknowledged(waiting))
    if parked:
        show.out.print(_given_up(parked))


@app.command()
def ack(
    alert: Annotated[
        str, typer.Argument(metavar="ID", help="The id in the alert, or how it begins.")
    ],
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Acknowledge an alert: it is not told to anybody else."""
    settings = options.settings_from(redis=redis, namespace=namespace)
    with _desk(settings) as desk:
        found = {one.id for one in open_alerts(desk) if one.id.startswith(alert)}
        if not found:
            raise CommandError(
                f"{alert}: no alert with this id waits to be acknowledged; "
                "see: tierstream alerts status"
            )
        if len(found) > 1:
            raise CommandError(f"{alert}: {len(found)} alerts begin like this; give more of the id")
        (name,) = found
        channels = acknowledge(desk, name)
    show.out.print(f"[green]acknowledged[/] {name} in {', '.join(channels)}")


@app.command()
def retry(
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Try again to deliver everything that was given up."""
    settings = options.settings_from(redis=redis, namespace=namespace)
    now_ms = time.time_ns() // 1_000_000
    with _desk(settings) as desk:
        again = 0
        for one in desk.parked():
            message = _read(one)
            if message is not None:
                again += desk.settle(message.channel, one.id, "again", at_ms=now_ms)
    show.out.print(f"{again} messages are tried again")


@contextmanager
def _desk(settings: Settings) -> Iterator[RedisDesk]:
    desk = RedisDesk(settings.redis, prefix=settings.key_prefix, area="alerts", timeout_s=5.0)
    try:
        yield desk
    finally:
        desk.close()


def _routed(settings: Settings) -> tuple[PolicyDocument, Routes]:
    document = options.policy_from(settings)
    routes = compile_routes(document)
    if routes is None:
        raise CommandError(f"{settings.policy}: has no routes; nobody is told of anything")
    return document, routes


async def _try(
    settings: Settings,
    document: PolicyDocument,
    routes: Routes,
    names: list[str],
    addresses: Addresses,
) -> dict[str, str]:
    """Return why each channel has not taken a sample, "" where it has."""
    courier = Courier(addresses, settings.alert_timeout_ms / 1000)
    told: dict[str, str] = {}
    for name in names:
        words = AlertWords(document, routes.channels[name], settings.card_url)
        try:
            await courier.deliver(words.sample(time.time_ns() // 1_000_000))
        except UndeliveredError as exc:
            told[name] = str(exc)
        else:
            told[name] = ""
    return told


def _unacknowledged(waiting: list[Open]) -> Table:
    table = show.table("Not acknowledged", "id", "channel", "told", "escalates to", "at")
    for one in waiting:
        instants = show.instant(one.told_ms), show.instant(one.due_ms)
        table.add_row(one.id, one.channel, instants[0], one.to, instants[1])
    return table


def _given_up(parked: list[Parked]) -> Table:
    table = show.table("Given up (tierstream alerts retry)", "channel", "what", "since", "why")
    for one in parked:
        message = _read(one)
        channel, title = ("?", "?") if message is None else (message.channel, message.title)
        table.add_row(channel, show.escaped(title), show.instant(one.at_ms), show.escaped(one.why))
    return table


def _read(parked: Parked) -> Message | None:
    try:
        return decode(parked.message)
    except MsgspecError:
        return None
