"""`tierstream doctor`: looks at everything around tierstream, and says what to do about it."""

import asyncio
from dataclasses import asdict, replace
from typing import Annotated

import typer

from agents.cli import loop, options, show
from agents.cli.checks_kafka import check_kafka
from agents.cli.checks_redis import check_redis
from agents.cli.findings import Finding, fail, ok
from agents.settings import Settings
from schemas.policy import PolicyDocument, PolicyFileError, load_policy

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    policy: options.Policy = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Records of orders to look at, per partition.")
    ] = 500,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Check Kafka, Redis, topics, keys and clocks; exit code 1 if something must be done."""
    settings = options.settings_from(kafka, redis, namespace, policy)
    document, findings = _policy(settings)
    routed = document is not None and document.routes is not None
    settings = replace(settings, alerts=settings.alerts and routed)
    findings += loop.run(_look(settings, sample))
    failed = any(finding.level == "fail" for finding in findings)
    if as_json:
        show.print_json({"ok": not failed, "findings": [asdict(f) for f in findings]})
    else:
        _tell(findings)
    if failed:
        raise typer.Exit(1)


async def _look(settings: Settings, sample: int) -> list[Finding]:
    around_kafka, around_redis = await asyncio.gather(
        check_kafka(settings, sample), asyncio.to_thread(check_redis, settings)
    )
    return [*around_kafka, *around_redis]


def _policy(settings: Settings) -> tuple[PolicyDocument | None, list[Finding]]:
    """Return the policy, if one is named and can be read, and what is to be said of it."""
    if not settings.policy:
        return None, []
    try:
        document = load_policy(settings.policy)
    except PolicyFileError as exc:
        told = f"{settings.policy} has {len(exc.findings)} mistakes, the first: {exc.findings[0]}"
        remedy = f"see: tierstream policy check {settings.policy}"
        return None, [fail("policy", told, remedy)]
    return document, [ok("policy", f"{document.policy} version {document.version}")]


def _tell(findings: list[Finding]) -> None:
    made = show.table("", "", "what", "how it is")
    for finding in findings:
        colour = _COLOURS[finding.level]
        text = finding.text.replace("[", r"\[")
        if finding.remedy:
            text += f"\n[bold]→ {finding.remedy}[/]"
        made.add_row(f"[{colour}]{finding.level}[/]", finding.what, text)
    show.out.print(made)
    counts = {level: sum(f.level == level for f in findings) for level in _COLOURS}
    show.out.print(", ".join(f"{number} {level}" for level, number in counts.items()))
