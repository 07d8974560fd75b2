"""`tierstream policy publish`, `rollback` and `status`: rolling a policy out while workers run."""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from agents import publishing
from agents.cli import loop, options, policy_words, rollout_tables, show
from agents.cli.errors import CommandError
from agents.cli.stores import opened
from agents.settings import Settings
from schemas.policy import PolicyDocument
from schemas.policy.load import open_policy
from stream.calendar import format_instant
from stream.editions import (
    decode_book,
    document_of,
    edition_in_force,
    first_edition,
    policy_published,
    scorer_of,
)
from stream.migration import Migration, Preview, never_kept
from stream.partition import murmur2
from stream.proofs.report import prove
from stream.store import Store

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before publishing.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and stop.")]
Sample = Annotated[
    int,
    typer.Option(min=1, help="Customers to look at for the expected migration, at least."),
]
_SAMPLE = 20_000


def publish(  # noqa: PLR0913, PLR0917 - these are the options of a command
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The new policy, YAML.", show_default=False)
    ],
    yes: Yes = False,
    dry_run: DryRun = False,
    sample: Sample = _SAMPLE,
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Publish a policy to the running workers: check it, show who would move, ask, and send it.

    All workers switch at one point of the log; everyone is judged anew as of that instant,
    paced, with cause policy_changed. --policy names the policy that the workers were started
    with; it is needed until the first one is published.
    """
    settings = options.settings_from(kafka, redis, namespace, policy)
    document, source = open_policy(file)
    with show.status(f"proving {file}"):
        report = prove(document)
    remarks = sorted(map(source.place, report.remarks), key=policy_words.by_weight)
    for remark in remarks:
        if remark.severity != "note":
            show.err.print(str(remark), markup=False, soft_wrap=True)
    if any(remark.severity == "error" for remark in remarks):
        raise CommandError(f"{file}: cannot be published; see: tierstream policy check {file}")
    _roll_out(settings, document, sample, yes=yes, dry_run=dry_run)


def rollback(  # noqa: PLR0913, PLR0917 - these are the options of a command
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="VERSION", help="Version to go back to; else the last one."),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    sample: Sample = _SAMPLE,
    policy: options.Policy = None,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Publish an earlier policy again, as a new version: what the topic of controls still holds.

    The policy that the workers were started with (--policy) counts as the first one.
    """
    settings = options.settings_from(kafka, redis, namespace, policy)
    own = [options.policy_from(settings)] if settings.policy else []
    history = [*own, *loop.run(publishing.published(settings))]
    newest = max((document.version for document in history), default=0)
    if to is None:
        earlier = history[-2:-1]
    else:
        earlier = [document for document in history[:-1] if document.version == to][-1:]
    if not earlier:
        known = ", ".join(str(document.version) for document in history[:-1]) or "none"
        said = "nothing to go back to" if to is None else f"--to: {to} is not allowed"
        raise CommandError(f"{said}; allowed: an earlier version ({known}), or publish a file")
    document = earlier[0].model_copy(update={"version": newest + 1})
    _roll_out(settings, document, sample, yes=yes, dry_run=dry_run)


def status(
    policy: options.Policy = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Show which policy is in force, and how far everyone has been brought to it."""
    settings = options.settings_from(None, redis, namespace, policy)
    with opened(settings) as (store, known):
        heads = store.heads(range(known.buckets))
    books = [decode_book(head.editions) for head in heads]
    newest = Counter(book.editions[-1].number if book.editions else 0 for book in books)
    edition = edition_in_force(heads)
    unswept = sum(not book.swept for book in books)
    if as_json:
        show.print_json(
            {
                "edition": 0 if edition is None else edition.number,
                "policy": None if edition is None else edition.policy["policy"],
                "version": None if edition is None else edition.policy["version"],
                "cause": None if edition is None else edition.cause,
                "since": None if edition is None else format_instant(edition.instant_ms),
                "buckets": len(books),
                "buckets_by_edition": {str(n): count for n, count in sorted(newest.items())},
                "buckets_to_sweep": unswept,
            }
        )
        return
    if edition is None:
        show.out.print("nothing was published: workers score by the policy they were started with")
        return
    show.out.print(rollout_tables.status(edition, newest, unswept))


def _roll_out(
    settings: Settings, document: PolicyDocument, sample: int, *, yes: bool, dry_run: bool
) -> None:
    with opened(settings) as (store, known):
        _show_migration(known, store, document, sample)
    if dry_run:
        return
    if not yes:
        if not show.out.is_terminal:
            raise CommandError("publishing needs to be confirmed; allowed: --yes")
        typer.confirm(f"Publish {document.policy} version {document.version}?", abort=True)
    done = loop.run(publishing.publish(settings, document))
    show.out.print(
        f"{document.policy} version {document.version} is in force from "
        f"{show.instant(done.instant_ms)} on ({done.partitions} partitions, event "
        f"{done.event_id})",
        markup=False,
        soft_wrap=True,
    )
    show.out.print("now:  tierstream policy status", markup=False)


def _show_migration(
    settings: Settings, store: Store, document: PolicyDocument, sample: int
) -> None:
    """Say who would move, and refuse what workers would refuse."""
    heads = store.heads(range(settings.buckets))
    edition = edition_in_force(heads)
    own = document_of(edition) if edition is not None else options.policy_from(settings)
    if document.currency != own.currency:
        raise CommandError(
            f"currency: {document.currency} is not allowed; allowed: {own.currency}, "
            "which amounts are kept in"
        )
    if document.policy == own.policy and document.version <= own.version:
        raise CommandError(
            f"version: {document.version} is not allowed; allowed: {own.version + 1} or more, "
            f"as version {own.version} is in force"
        )
    now_ms = time.time_ns() // 1_000_000
    if settings.clock == "stream":
        now_ms = max((head.clock_ms or 0 for head in heads), default=now_ms)
    first = first_edition(own)
    preview = Preview(scorer_of(first), first, policy_published(document, now_ms, ""), now_ms)
    # Any bucket is a sample: which customers it has is the doing of a hash.
    looked_at = 0
    with show.status("looking at customers"):
        for head in sorted(heads, key=lambda head: murmur2(str(head.bucket).encode())):
            if preview.migration.customers >= sample:
                break
            preview.take(head.editions, store.scan_states(head.bucket))
            looked_at += 1
    _tell_migration(preview.migration, looked_at, len(heads))
    older = scorer_of(first if edition is None else edition).plan
    new = scorer_of(first_edition(document)).plan
    for line in never_kept(older, new):
        text = f"starts empty: {line} (tierstream rebuild --windows fills it from the log)"
        show.out.print(text, style="yellow", markup=False, soft_wrap=True)
    for name in document.open_cuts():
        if edition is None or name not in edition.cuts:
            show.out.print(
                f"grades nobody yet: {name} waits for the next census",
                style="yellow",
                markup=False,
            )


def _tell_migration(migration: Migration, looked_at: int, buckets: int) -> None:
    of = "all" if looked_at == buckets else f"those of {looked_at} of {buckets} buckets"
    show.out.print(
        f"{migration.moved:,} of {migration.customers:,} customers would move ({of} looked at)"
    )
    for table in rollout_tables.migration(migration):
        show.out.print(table)
