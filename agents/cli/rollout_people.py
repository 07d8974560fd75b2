"""Who would move under a new policy, and who stands elsewhere under one that runs beside."""

import time
from collections.abc import Iterable, Iterator

from agents.cli import options, rollout_tables, show
from agents.cli.errors import CommandError
from agents.settings import Settings
from schemas.policy import PolicyDocument
from stream.beginnings import unfit_beside
from stream.editions import (
    Edition,
    document_of,
    edition_in_force,
    first_edition,
    policy_published,
    scorer_of,
    shadow_scorer,
)
from stream.migration import Divergence, Migration, Preview, never_kept
from stream.partition import murmur2
from stream.store import BucketHead, Store


def show_migration(
    settings: Settings, store: Store, document: PolicyDocument, sample: int, *, beside: bool
) -> None:
    """Say who would move, and refuse what workers would refuse; *beside*: of a shadow.

    Raises:
        CommandError: The policy cannot take effect, or run beside the one in force.
    """
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
    older = scorer_of(first_edition(own) if edition is None else edition).plan
    if beside:
        for key, allowed in unfit_beside(document, older):
            raise CommandError(f"{key}: cannot be with --shadow; allowed: {allowed}")
    now_ms = time.time_ns() // 1_000_000
    if settings.clock == "stream":
        now_ms = max((head.clock_ms or 0 for head in heads), default=now_ms)
    first = first_edition(own)
    preview = Preview(scorer_of(first), first, policy_published(document, now_ms, ""), now_ms)
    looked_at = 0
    with show.status("looking at customers"):
        for head in _shuffled(heads):
            if preview.migration.customers >= sample:
                break
            preview.take(head.editions, store.scan_states(head.bucket))
            looked_at += 1
    _tell(preview.migration, "would move", looked_at, len(heads))
    for line in _remarks(edition or first, document, beside=beside):
        show.out.print(line, style="yellow", markup=False, soft_wrap=True)


def _remarks(edition: Edition, document: PolicyDocument, *, beside: bool) -> Iterator[str]:
    """Yield what else there is to know of a policy that is to follow, or run beside, another."""
    shadow = edition.shadow
    if shadow is not None and shadow.policy == document.model_dump(mode="json"):
        kept = shadow_scorer(shadow).plan  # its windows go on
    else:
        kept = scorer_of(edition).plan
        if shadow is not None:
            named = f"{shadow.policy['policy']} version {shadow.policy['version']}"
            yield f"runs beside no longer: {named}"
    filled = "" if beside else " (tierstream rebuild --windows fills it from the log)"
    for line in never_kept(kept, scorer_of(first_edition(document)).plan):
        yield f"starts empty: {line}{filled}"
    for name in document.open_cuts():
        if name not in edition.cuts:
            until = "has no cuts while it runs beside" if beside else "waits for the next census"
            yield f"grades nobody{'' if beside else ' yet'}: {name} {until}"


def divergence(
    store: Store, edition: Edition, heads: list[BucketHead], sample: int
) -> tuple[Divergence, int]:
    """Return where at least *sample* customers stand elsewhere, and how many buckets they are of.

    *edition* is the newest, with a policy that runs beside.
    """
    found, looked_at = Divergence(), 0
    with show.status("looking at customers"):
        for head in _shuffled(heads):
            if found.standings.customers + found.waiting >= sample:
                break
            found.take(edition, head.editions, store.scan_states(head.bucket))
            looked_at += 1
    return found, looked_at


def show_divergence(found: Divergence, looked_at: int, buckets: int) -> None:
    """Say who stands elsewhere under the policy that runs beside."""
    _tell(found.standings, "stand elsewhere under it", looked_at, buckets)
    if found.waiting:
        show.out.print(f"{found.waiting:,} more have not been brought to it yet")


def _shuffled(heads: Iterable[BucketHead]) -> list[BucketHead]:
    """Return the buckets in an order in which the first few are a sample of all.

    Any bucket is one: which customers it has is the doing of a hash.
    """
    return sorted(heads, key=lambda head: murmur2(str(head.bucket).encode()))


def _tell(migration: Migration, do: str, looked_at: int, buckets: int) -> None:
    of = "all" if looked_at == buckets else f"those of {looked_at} of {buckets} buckets"
    show.out.print(
        f"{migration.moved:,} of {migration.customers:,} customers {do} ({of} looked at)"
    )
    for table in rollout_tables.migration(migration):
        show.out.print(table)
