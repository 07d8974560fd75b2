"""`tierstream top`: what workers do, live."""

import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.live import Live

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.cli.top_figures import Figures, Sample, parse
from agents.cli.top_screen import screen
from agents.settings import Settings

_ASK_WITHIN_S = 5.0
_DEFAULT = f"http://{Settings().web_host}:{Settings().web_port}"


def top(
    workers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL]...",
            help=f"Where workers answer, one or more.  \\[default: {_DEFAULT}]",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        float, typer.Option(min=0.2, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Show one screen and end.")] = False,
    as_json: options.Json = False,
) -> None:
    """Watch throughput, lag, latency, stages and tiers of one or more workers. Ctrl-C ends it."""
    urls = [_address(text) for text in workers or [_DEFAULT]]
    if as_json and not once:
        raise CommandError("--json: only with --once")
    before, silent = _look(urls)
    if not before:
        raise CommandError(
            f"no worker answers: {'; '.join(f'{u}: {w}' for u, w in silent.items())}"
        )
    if once:
        time.sleep(every)
        now, silent = _look(urls)
        figures = Figures(now, before).as_json()
        if as_json:
            show.print_json({**figures, "silent": silent})
        else:
            show.out.print(screen(figures, silent))
        return
    with Live(console=show.out, screen=show.out.is_terminal, auto_refresh=False) as live:
        while True:
            time.sleep(every)
            now, silent = _look(urls)
            live.update(screen(Figures(now, before).as_json(), silent), refresh=True)
            before = {**before, **now}


def _address(text: str) -> str:
    """Return where a worker answers: scheme, host and port, nothing more."""
    parts = urlsplit(text if "://" in text else f"http://{text}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CommandError(f"{text}: is not allowed; allowed: an address such as {_DEFAULT}")
    return f"{parts.scheme}://{parts.netloc}"


def _look(urls: list[str]) -> tuple[dict[str, Sample], dict[str, str]]:
    """Return what each worker tells, and of those that tell nothing, why."""
    found: dict[str, Sample] = {}
    silent: dict[str, str] = {}
    with ThreadPoolExecutor(len(urls)) as threads:
        for url, answer in zip(urls, threads.map(_ask, urls), strict=True):
            if isinstance(answer, Sample):
                found[url] = answer
            else:
                silent[url] = answer
    return found, silent


def _ask(url: str) -> Sample | str:
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=_ASK_WITHIN_S) as answer:  # noqa: S310
            return parse(answer.read().decode(), time.monotonic())
    except urllib.error.HTTPError as exc:
        with exc:
            return f"answers {exc.code}"
    except (OSError, ValueError):
        return "does not answer"
