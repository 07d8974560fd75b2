"""`tierstream policy publish`, `promote`, `rollback` and `status`: while workers run."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from agents import publishing
from agents.cli import loop, options, policy_words, rollout_people, rollout_tables, show
from agents.cli.errors import CommandError
from agents.cli.stores import opened
from agents.settings import Settings
from schemas.policy import PolicyDocument
from schemas.policy.load import open_policy, policy_from_data
from stream.calendar import format_instant
from stream.editions import ShadowPolicy, decode_book, edition_in_force
from stream.proofs.report import prove

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before publishing.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and stop.")]
Sample = Annotated[
    int,
    typer.Option(min=1, help="Customers to look at for who moves, or stands elsewhere, at least."),
]
_SAMPLE = 20_000


def publish(  # noqa: PLR0913, PLR0917 - these are the options of a command
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The new policy, YAML.", show_default=False)
    ],
    shadow: Annotated[
        bool,
        typer.Option(
            "--shadow",
            help="Let it run beside the policy in force, and publish only whom it would put "
            "elsewhere, on tier-differences.",
        ),
    ] = False,
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
    paced, with cause policy_changed. With --shadow nobody's tier changes: see it grow in
    tierstream policy status, then promote it, or end it with rollback --shadow. --policy names
    the policy that the workers were started with; it is needed until the first one is published.
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
    _roll_out(settings, document, sample, yes=yes, dry_run=dry_run, beside=shadow)


def promote(
    yes: Yes = False,
    dry_run: DryRun = False,
    sample: Sample = _SAMPLE,
    kafka: options.Kafka = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
) -> None:
    """Publish the policy that runs beside the one in force: show who would move, ask, send it.

    Windows that only it keeps go on with what they hold since it began to run.
    """
    settings = options.settings_from(kafka, redis, namespace)
    document = policy_from_data(_running(settings).policy, "policy")
    _roll_out(settings, document, sample, yes=yes, dry_run=dry_run)


def rollback(  # noqa: PLR0913, PLR0917 - these are the options of a command
    to: Annotated[
        int | None,
        typer.Option("--to", metavar="VERSION", help="Version to go back to; else the last one."),
    ] = None,
    shadow: Annotated[
        bool,
        typer.Option("--shadow", help="Only end the policy that runs beside the one in force."),
    ] = False,
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
    if shadow:
        if to is not None:
            raise CommandError("--to: is not allowed with --shadow; allowed: one of them")
        _end_shadow(settings, yes=yes, dry_run=dry_run)
        return
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
    sample: Sample = _SAMPLE,
    as_json: options.Json = False,
) -> None:
    """Show which policy is in force, and how far everyone has been brought to it.

    Of one that runs beside it: who stands elsewhere under it, from which tier to which.
    """
    settings = options.settings_from(None, redis, namespace, policy)
    found, looked_at = None, 0
    with opened(settings) as (store, known):
        heads = store.heads(range(known.buckets))
        edition = edition_in_force(heads)
        if edition is not None and edition.shadow is not None:
            found, looked_at = rollout_people.divergence(store, edition, heads, sample)
    books = [decode_book(head.editions) for head in heads]
    newest = Counter(book.editions[-1].number if book.editions else 0 for book in books)
    unswept = sum(not book.swept for book in books)
    if as_json:
        show.print_json(
            {
                "edition": 0 if edition is None else edition.number,
                "policy": None if edition is None else edition.policy["policy"],
                "version": None if edition is None else edition.policy["version"],
                "cause": None if edition is None else edition.cause,
                "since": None if edition is None else format_instant(edition.since_ms),
                "buckets": len(books),
                "buckets_by_edition": {str(n): count for n, count in sorted(newest.items())},
                "buckets_to_sweep": unswept,
                "shadow": None
                if edition is None or edition.shadow is None or found is None
                else rollout_tables.told_of_shadow(edition.shadow, found, looked_at),
            }
        )
        return
    if edition is None:
        show.out.print("nothing was published: workers score by the policy they were started with")
        return
    show.out.print(rollout_tables.status(edition, newest, unswept))
    if edition.shadow is not None and found is not None:
        show.out.print(rollout_tables.shadow(edition.shadow))
        rollout_people.show_divergence(found, looked_at, len(heads))


def _roll_out(
    settings: Settings,
    document: PolicyDocument,
    sample: int,
    *,
    yes: bool,
    dry_run: bool,
    beside: bool = False,
) -> None:
    with opened(settings) as (store, known):
        rollout_people.show_migration(known, store, document, sample, beside=beside)
    if dry_run:
        return
    named = f"{document.policy} version {document.version}"
    _confirm(f"Let {named} run beside the one in force?" if beside else f"Publish {named}?", yes)
    send = publishing.start_shadow if beside else publishing.publish
    done = loop.run(send(settings, document))
    _say(done, f"{named} {'runs beside the one in force' if beside else 'is in force'}")


def _end_shadow(settings: Settings, *, yes: bool, dry_run: bool) -> None:
    policy = _running(settings).policy
    named = f"{policy['policy']} version {policy['version']}"
    if dry_run:
        show.out.print(f"{named} would run beside the one in force no longer", markup=False)
        return
    _confirm(f"End {named}, which runs beside the one in force?", yes)
    _say(
        loop.run(publishing.end_shadow(settings)), f"{named} runs beside the one in force no longer"
    )


def _running(settings: Settings) -> ShadowPolicy:
    """Return the policy that runs beside the one in force. Raises `CommandError` without one."""
    with opened(settings) as (store, known):
        edition = edition_in_force(store.heads(range(known.buckets)))
    if edition is None or edition.shadow is None:
        raise CommandError(
            "no policy runs beside the one in force; allowed after: "
            "tierstream policy publish FILE --shadow"
        )
    return edition.shadow


def _confirm(question: str, yes: bool) -> None:
    if not yes:
        if not show.out.is_terminal:
            raise CommandError("publishing needs to be confirmed; allowed: --yes")
        typer.confirm(question, abort=True)


def _say(done: publishing.Published, what: str) -> None:
    show.out.print(
        f"{what} from {show.instant(done.instant_ms)} on ({done.partitions} partitions, event "
        f"{done.event_id})",
        markup=False,
        soft_wrap=True,
    )
    show.out.print("now:  tierstream policy status", markup=False)
