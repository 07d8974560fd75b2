"""Options that several commands share, and what becomes of them."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.cli.errors import CommandError
from agents.settings import Settings, from_environment
from schemas.base import instant_ms, parse_instant
from schemas.policy import PolicyDocument, load_policy
from schemas.policy.labels import Language
from stream.plan import Plan, compile_policy

Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka", metavar="HOST:PORT", help="Kafka (TIERSTREAM_KAFKA).", rich_help_panel="Where"
    ),
]
Redis = Annotated[
    str | None,
    typer.Option(
        "--redis", metavar="URL", help="Redis (TIERSTREAM_REDIS).", rich_help_panel="Where"
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        metavar="NAME",
        help="Prefix of topics, groups and keys (TIERSTREAM_NAMESPACE).",
        rich_help_panel="Where",
    ),
]
Policy = Annotated[
    Path | None,
    typer.Option("--policy", metavar="FILE", help="The policy, YAML (TIERSTREAM_POLICY)."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="INSTANT",
        help="Let time come to this instant and no further: RFC 3339, or a date for its midnight.",
    ),
]
Customer = Annotated[
    str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)
]
Lang = Annotated[Language, typer.Option("--lang", help="Language of words and labels.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def settings_from(
    kafka: str | None = None,
    redis: str | None = None,
    namespace: str | None = None,
    policy: Path | None = None,
    **more: Any,  # noqa: ANN401 - each as its setting is
) -> Settings:
    """Return the settings of the environment, with what the command line says on top.

    *more* are other settings by name; None stands for "not said".

    Raises:
        SettingsError: A value cannot be used.
    """
    return from_environment(
        kafka=kafka,
        redis=redis,
        namespace=namespace,
        policy=None if policy is None else str(policy),
        **more,
    )


def policy_from(settings: Settings) -> PolicyDocument:
    """Return the policy.

    Raises:
        CommandError: None was named.
        PolicyFileError: It has mistakes.
    """
    if not settings.policy:
        raise CommandError("--policy: missing; allowed: a policy file, or TIERSTREAM_POLICY")
    return load_policy(settings.policy)


def plan_from(settings: Settings) -> Plan:
    """Return the compiled policy. Raises as `policy_from`."""
    return compile_policy(policy_from(settings))


def instant_from(text: str | None, option: str = "--as-of") -> int | None:
    """Return the instant of an option in milliseconds.

    >>> instant_from("1997-01-01"), instant_from("1997-01-01T00:00:00+01:00")
    (852076800000, 852073200000)

    Raises:
        CommandError: It is not an instant.
    """
    if text is None:
        return None
    try:
        moment = parse_instant(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    except ValueError as exc:
        raise CommandError(
            f"{option}: {text!r} is not allowed; allowed: an RFC 3339 instant with its zone, "
            "such as 1997-09-30T00:00:00Z, or a date"
        ) from exc
    return instant_ms(moment)
