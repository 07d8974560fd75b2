"""The subcommands of `tierstream`, each imported when it is asked for.

All of them together import Faust, a web server and much more, which takes over a second.
"""

from __future__ import annotations

import importlib
from collections import UserDict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

if TYPE_CHECKING:
    from typer.core import TyperCommand

_PLACES: Final = {
    "demo": "demo",
    "worker": "worker",
    "convert": "convert",
    "replay": "replay",
    "export": "export",
    "explain": "explain",
    "history": "history",
    "pin": "decisions",
    "unpin": "decisions",
    "review": "decisions",
    "merge": "identity",
    "split": "identity",
    "forecast": "forecast",
    "rfm": "rfm",
    "erase": "erase",
    "rebuild": "rebuild",
    "serve": "serve",
    "doctor": "doctor",
    "top": "top",
    "alerts": "alerts",
    "fit": "fit",
    "policy": "policy",
    "topics": "topics",
    "webhooks": "webhooks",
    "version": "about",
}
"""The module of every command, in the order in which help lists them."""


class _Commands(UserDict[str, Any]):
    """Commands by name; whoever looks at one has it imported, whoever asks for names has not."""

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        found: TyperCommand | TyperGroup | str = super().__getitem__(name)
        if isinstance(found, str):
            found = self.data[name] = _imported(name, found)
        return found


class _Group(TyperGroup):
    def __init__(self, **more: Any) -> None:  # noqa: ANN401
        super().__init__(**more)
        self.commands = _Commands(_PLACES)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401
        del ctx
        return list(self.commands)


def _imported(name: str, place: str) -> TyperCommand | TyperGroup:
    module = importlib.import_module(f"agents.cli.{place}")
    if hasattr(module, "app"):
        command: Any = get_group(module.app)
        command.name = name
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(getattr(module, name))
        command = get_command(alone)
    return command  # type: ignore[no-any-return]


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _tell_version(asked: bool) -> None:
    if asked:
        importlib.import_module("agents.cli.about").version()
        raise typer.Exit


@app.callback()
def tierstream(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Customer value tiers from Kafka events, scored as they happen and downgraded on time."""
