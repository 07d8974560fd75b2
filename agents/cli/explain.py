"""`tierstream explain`: where a customer stands, why, and what would change it."""

from typing import Annotated

import typer
from rich.table import Table

from agents.cli import explanation, options, show
from agents.cli.errors import CommandError
from agents.cli.explanation import (
    POINTS,
    Explanation,
    GradingNote,
    Reach,
    Standing,
    exact_level,
)
from agents.cli.stores import opened
from agents.replay.offline import replay_offline
from agents.replay.source import load_log
from agents.settings import Settings
from stream.calendar import format_instant
from stream.changes import exact_text
from stream.partition import bucket_of
from stream.plan import Plan


def explain(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="The customer's id.", show_default=False)
    ],
    offline: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|DATASET", help="Replay this through the pure core, and explain that."
        ),
    ] = None,
    policy: options.Policy = None,
    as_of: options.AsOf = None,
    redis: options.Redis = None,
    namespace: options.Namespace = None,
    as_json: options.Json = False,
) -> None:
    """Explain a customer: tiers, scores that add up, what is missing, what comes next."""
    settings = options.settings_from(redis=redis, namespace=namespace, policy=policy)
    plan = options.plan_from(settings)
    as_of_ms = options.instant_from(as_of)
    if offline is None:
        state, now_ms = _from_store(settings, customer)
    else:
        state, now_ms = _from_log(offline, plan, customer, as_of_ms)
    found = explanation.explain(customer, state, plan, now_ms if as_of_ms is None else as_of_ms)
    if as_json:
        show.print_json(_data(found, plan))
    else:
        _tell(found, plan)


def _from_store(settings: Settings, customer_id: str) -> tuple[bytes, int]:
    """Return the stored state, and how far time has come for it."""
    with opened(settings) as (store, known):
        bucket = bucket_of(customer_id, known.buckets)
        (head,) = store.heads([bucket])
        state = store.load_states({bucket: [customer_id]}).get(customer_id)
    if state is None:
        raise CommandError(
            f"customer {customer_id!r} is not known in Redis under {settings.key_prefix}"
        )
    return state, head.clock_ms or 0


def _from_log(name: str, plan: Plan, customer_id: str, as_of_ms: int | None) -> tuple[bytes, int]:
    """Return the state that the customer's own records lead to; no other record matters."""
    log = load_log(name, as_of_ms)
    now_ms = log[-1].record_ms if as_of_ms is None else as_of_ms
    key = customer_id.encode()
    own = [record for record in log if record.key == key]
    state = None
    if own:
        state = replay_offline(own, plan, as_of_ms=now_ms).states.get(customer_id)
    if state is None:
        raise CommandError(f"customer {customer_id!r} is not in {name} up to that instant")
    return state, now_ms


# -- for machines ------------------------------------------------------------------------


def _data(found: Explanation, plan: Plan) -> dict[str, object]:
    return {
        "customer_id": found.customer_id,
        "as_of": format_instant(found.as_of_ms),
        "policy": {"name": plan.name, "version": plan.version},
        "currency": plan.converter.reporting,
        "measures": {name: {"unit": unit, "value": value} for name, unit, value in found.measures},
        "gradings": {note.grading: _grading_data(note, plan) for note in found.gradings},
        "next_deadline": None if found.deadline_ms is None else format_instant(found.deadline_ms),
    }


def _grading_data(note: GradingNote, plan: Plan) -> dict[str, object]:
    expected = note.expected
    return {
        "tier": note.tier,
        "since": None if note.since_ms is None else format_instant(note.since_ms),
        "sequence": note.sequence,
        "score": _score_data(note, plan),
        "measures": [
            {"measure": r.measure, "unit": r.unit, "value": r.value, "from": r.low, "below": r.high}
            for r in note.reaches
        ],
        "gradings": dict(note.gradings),
        "standing": None if note.standing is None else _standing_data(note.standing),
        "evidence": None
        if note.evidence is None
        else {
            "measure": note.evidence[0].measure,
            "value": note.evidence[0].value,
            "at_least": note.evidence[1],
        },
        "expected": None
        if expected is None
        else {"tier": expected.after, "at": format_instant(expected.instant_ms)},
    }


def _score_data(note: GradingNote, plan: Plan) -> dict[str, object] | None:
    if note.score is None:
        return None
    return {
        "value": exact_text(note.score.value),
        "rounding": exact_text(note.score.rounding),
        "parts": [
            {
                "indicator": part.indicator,
                "measure": None if part.measure is None else plan.measures[part.measure].name,
                "points": exact_text(part.points),
                "weight": exact_text(part.weight),
                "contribution": exact_text(part.contribution),
            }
            for part in note.score.parts
        ],
    }


def _standing_data(standing: Standing) -> dict[str, object]:
    def level(number: int | None) -> int | str | None:
        if number is None or standing.unit != POINTS:
            return number
        return exact_level(number, standing.places)

    better = standing.better
    return {
        "unit": standing.unit,
        "level": level(standing.level),
        "next_tier": None if better is None else better[0],
        "enter": None if better is None else level(better[1]),
        "missing": level(standing.missing),
        "exit": level(standing.exit),
        "margin": level(standing.margin),
    }


# -- for people --------------------------------------------------------------------------


def _tell(found: Explanation, plan: Plan) -> None:
    currency = plan.converter.reporting
    show.out.print(
        f"[bold]customer {_plain(found.customer_id)}[/] as of {show.instant(found.as_of_ms)}, "
        f"policy {plan.name} version {plan.version}"
    )
    made = show.table("Measures", "measure", "reading", right=("reading",))
    for name, unit, value in found.measures:
        made.add_row(name, show.reading(value, unit, currency))
    show.out.print(made)
    for note in found.gradings:
        _tell_grading(note, plan, currency)
    if found.deadline_ms is None:
        show.out.print("Time alone changes nothing from here on.")
    else:
        show.out.print(
            f"Looked at again, if nothing happens, at {show.instant(found.deadline_ms)}."
        )


def _tell_grading(note: GradingNote, plan: Plan, currency: str) -> None:
    tier = f"[bold]{note.tier}[/]" if note.tier else "[yellow]not graded[/]"
    since = "" if note.since_ms is None else f" since {show.instant(note.since_ms)}"
    show.out.print(f"\n[bold cyan]{note.grading}[/]: {tier}{since} ({note.sequence} changes)")
    show.out.print(_parts(note, plan, currency) if note.score else _reaches(note, currency))
    for other, at in note.gradings:
        show.out.print(f"  looks at {other}: {at or 'not graded'}")
    if note.tier is None and note.evidence is not None:
        reach, least = note.evidence
        show.out.print(
            f"  graded once {reach.measure} reaches {show.reading(least, reach.unit, currency)}"
        )
    if note.standing is not None:
        _tell_standing(note.standing, currency)
    if note.expected is not None:
        show.out.print(
            f"  if nothing happens: {note.expected.after or 'not graded'} "
            f"on {show.instant(note.expected.instant_ms)}"
        )


def _tell_standing(standing: Standing, currency: str) -> None:
    def level(number: int) -> str:
        if standing.unit == POINTS:
            return f"{exact_level(number, standing.places)} points"
        return show.reading(number, standing.unit, currency)

    if standing.better is not None and standing.missing is not None:
        tier, enter = standing.better
        show.out.print(f"  {level(standing.missing)} more: {tier} (from {level(enter)})")
    if standing.exit is not None and standing.margin is not None:
        show.out.print(f"  kept down to {level(standing.exit)}: {level(standing.margin)} of margin")


def _reaches(note: GradingNote, currency: str) -> Table:
    made = show.table("", "measure", "reading", "range", right=("reading",))
    for reach in note.reaches:
        value = show.reading(reach.value, reach.unit, currency)
        made.add_row(reach.measure, value, _range(reach, currency))
    return made


def _parts(note: GradingNote, plan: Plan, currency: str) -> Table:
    numbers = ("reading", "points", "weight", "adds")
    made = show.table("", "indicator", "measure", "reading", "range", *numbers[1:], right=numbers)
    score = note.score
    if score is None:
        return made
    reaches = {reach.measure: reach for reach in note.reaches}
    for part in score.parts:
        points = exact_text(part.points)
        weight, adds = f"{exact_text(part.weight * 100)} %", exact_text(part.contribution)
        indicator = part.indicator if part.table is None else f"{part.indicator} ({part.table})"
        if part.measure is None:
            held = "holds" if part.value else "does not hold"
            made.add_row(indicator, "", held, "", points, weight, adds)
            continue
        measure = plan.measures[part.measure]
        reach = reaches[measure.name]
        made.add_row(
            indicator,
            measure.name,
            show.reading(reach.value, measure.unit, currency),
            _range(reach, currency),
            points,
            weight,
            adds,
        )
    if score.rounding:
        made.add_row("rounding", "", "", "", "", "", exact_text(score.rounding), style="dim")
    made.add_section()
    made.add_row("score", "", "", "", "", "", exact_text(score.value), style="bold")
    return made


def _range(reach: Reach, currency: str) -> str:
    def level(number: int) -> str:
        return show.reading(number, reach.unit, currency)

    if reach.unit == "stage" or (reach.low is None and reach.high is None):
        return ""
    if reach.low is None:
        return f"below {level(reach.high or 0)}"
    if reach.high is None:
        return f"{level(reach.low)} or more"
    return f"{level(reach.low)} to below {level(reach.high)}"


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
