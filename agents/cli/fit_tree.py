"""`tierstream fit tree`: a decision tree for a learned grading, trained on history."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agents.cli import options, show
from agents.cli.errors import CommandError
from agents.replay.scikit_tree import fit
from agents.replay.source import load_log
from agents.replay.training import Example, examples, foretold, most_common
from schemas.policy.gradings.tree import Tree
from stream.calendar import DAY_MS, format_instant
from stream.gradings.tree_export import export_tree
from stream.plan import Plan


def fit_tree(  # noqa: PLR0913, PLR0917 - these are the options of a command
    source: Annotated[
        str,
        typer.Argument(metavar="FILE|DATASET", help="History to learn from.", show_default=False),
    ],
    target: Annotated[
        str, typer.Option(metavar="GRADING", help="Learn to foretell this grading's grades.")
    ],
    measures: Annotated[
        str, typer.Option(metavar="NAME,NAME", help="Measures that the tree may look at.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Write the tree here, JSON.")],
    policy: options.Policy = None,
    as_of: options.AsOf = None,
    ahead: Annotated[
        int, typer.Option(min=0, metavar="DAYS", help="Read measures so long before the grades.")
    ] = 0,
    depth: Annotated[int, typer.Option(min=1, max=20, help="Most splits in a row.")] = 4,
    least: Annotated[int, typer.Option(min=1, help="Fewest customers at a leaf.")] = 20,
    as_json: options.Json = False,
) -> None:
    """Train a decision tree offline, and write it as plain JSON for a policy to name.

    A fifth of the customers is kept out of the training, and tells how good the tree is.
    """
    plan = options.plan_from(options.settings_from(policy=policy))
    position = _position("--target", target, [grading.name for grading in plan.gradings])
    features = _features(measures, plan)
    limit_ms = options.instant_from(as_of)
    log = load_log(source, limit_ms)
    as_of_ms = log[-1].record_ms if limit_ms is None else limit_ms
    if log[0].record_ms > as_of_ms - ahead * DAY_MS:
        raise CommandError(f"--ahead: {ahead} days before the grades, nothing had happened yet")
    with show.status("replaying"):
        found = examples(log, plan, position, as_of_ms, ahead * DAY_MS)
    training = [example for example in found if not example.held_out]
    if not training:
        raise CommandError(f"no customer has a grade in {target} at {format_instant(as_of_ms)}")
    tree = _trained(training, plan, position, features, depth=depth, least=least)
    try:
        out.write_text(tree.model_dump_json(indent=1, exclude_none=True) + "\n", encoding="utf-8")
    except OSError as exc:
        raise CommandError(f"--out: {out} cannot be written: {exc.strerror}") from exc
    test = [example for example in found if example.held_out]
    told = {
        "as_of": format_instant(as_of_ms),
        "customers": len(found),
        "grades": list(tree.grades),
        "training": foretold(tree, training, plan),
        "held_out": foretold(tree, test, plan),
        "most_common": most_common(training, test),
        "file": str(out),
    }
    if as_json:
        show.print_json(told)
    else:
        _tell(told, target)


def _position(option: str, name: str, known: list[str]) -> int:
    if name not in known:
        raise CommandError(f"{option}: {name!r} is not allowed; allowed: {', '.join(known)}")
    return known.index(name)


def _features(written: str, plan: Plan) -> list[int]:
    """Return the positions of the measures that are listed, each once."""
    places = {measure.name: i for i, measure in enumerate(plan.measures) if measure.unit != "text"}
    names = dict.fromkeys(name.strip() for name in written.split(","))
    known = list(places)
    return [places[known[_position("--measures", name, known)]] for name in names]


def _trained(
    training: Sequence[Example],
    plan: Plan,
    target: int,
    features: Sequence[int],
    *,
    depth: int,
    least: int,
) -> Tree:
    seen = {example.grade for example in training}
    grades = [grade for grade in plan.gradings[target].tiers if grade in seen]
    rows = [[int(example.values[i]) for i in features] for example in training]
    truth = [grades.index(example.grade) for example in training]
    learned = fit(rows, truth, depth=depth, least=least)
    chosen = [plan.measures[i] for i in features]
    return export_tree(learned, chosen, grades, plan.converter.reporting, rows, truth)


def _tell(told: dict[str, object], target: str) -> None:
    def percent(share: object) -> str:
        return f"{share:.1%}" if isinstance(share, float) else "-"

    made = show.table("", f"{target} as foretold", "right", right=("right",))
    made.add_row("customers it was trained on", percent(told["training"]))
    made.add_row("customers kept out", percent(told["held_out"]))
    made.add_row("always the most common grade", percent(told["most_common"]), style="dim")
    show.out.print(made)
    show.out.print(
        f"{told['customers']:,} customers as of {told['as_of']}; the tree is in {told['file']}",
        markup=False,
    )
    show.out.print("in the policy:  type: tree, file: NAME (relative to the policy)", markup=False)
