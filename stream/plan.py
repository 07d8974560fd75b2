"""A policy made ready to run: names resolved, levels turned into integers, order settled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from schemas.currencies import EXPONENTS
from schemas.policy.gradings.relative import RelativePart
from stream.calendar import DAY_MS, LocalDays
from stream.customer import ORDERS, Shape
from stream.gradings.bands import compile_bands
from stream.gradings.base import Scope, merged
from stream.gradings.base_bonus import compile_base_bonus
from stream.gradings.cap import compile_cap
from stream.gradings.conditions import compile_conditions
from stream.gradings.interval_scorecard import compile_interval_scorecard
from stream.gradings.lifecycle import compile_lifecycle
from stream.gradings.matrix import compile_matrix
from stream.gradings.pareto import compile_pareto
from stream.gradings.rfm import compile_rfm_cells, compile_rfm_segments
from stream.gradings.rfm_classes import compile_rfm_classes
from stream.gradings.tag import compile_tag
from stream.gradings.tree import compile_tree
from stream.gradings.weighted_scorecard import compile_weighted_scorecard
from stream.gradings.within import compile_within
from stream.groups.alone import Alone
from stream.measure_plan import MeasurePlan
from stream.money import Converter
from stream.population.rankings import rankings_of
from stream.sentinels import NEVER
from stream.stability import Rules, compile_rules
from stream.treatment import Treatments, compile_treatments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from schemas.policy import PolicyDocument
    from schemas.policy.forecasts import Forecasts
    from schemas.policy.gradings import Grading as GradingDocument
    from stream.customer import Customer, Grade, Value
    from stream.gradings.base import Grading, Reading
    from stream.measures import Measure
    from stream.population.rankings import Ranking


@dataclass(frozen=True, slots=True)
class Watched:
    """A measure whose reading decides a grade.

    Attributes:
        position: Of the measure.
        measure: The measure.
        cuts: Readings between two neighbouring cuts leave every grade as it is; None
            where every change may matter.
        common: Those of `cuts` that matter to everyone.
        varying: Gradings of which only some of `cuts` matter to a customer.
        gradings: Bit mask of the gradings whose tier it may decide, directly or not.
    """

    position: int
    measure: Measure
    cuts: tuple[int, ...] | None
    common: tuple[int, ...]
    varying: tuple[Grading, ...]
    gradings: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled policy. Immutable; one serves any number of customers.

    Attributes:
        name: Of the policy.
        version: Of the policy.
        measures: Every measure, in the order of the policy.
        gradings: Every grading, each after those it depends on.
        evidence: Per grading ``(measure, least reading)`` below which it is not graded.
        inputs: Per grading, the positions of the measures it looks at, ascending.
        watched: Measures that decide grades.
        readers: By source, ``(index into watched, reading)`` of each measure it moves.
        echoes: Watched measures that one more order may by itself move later on, with
            the order's age when it may: ``(index into watched, age in ms)``.
        varies: Whether there are such gradings for any measure.
        all_gradings: Bit mask of every grading.
        expiring: Positions of gradings whose standing may run out by itself.
        followers: Per grading, the bit mask of those that depend on it, directly or not.
        shape: What is kept of a customer.
        converter: Accepted currencies.
        attributes: Profile attributes that are kept.
        refund_ms: How long an order can be found by its refunds.
        max_future_ms: How far an event may be ahead of its record.
        treatments: What each grade is promised.
        history_limit: How many of its last changes are kept of each customer.
        stability: Per grading, what holds its changes back.
        forecasts: What is foretold; None: nothing.
        at_risk: Bit mask of the gradings whose falls are warned of.
        rankings: Readings that are kept in order, for cuts that follow the population.
        cuts: Levels that the population sets, or the policy freezes, by name.
        document: The policy as it was written.
    """

    name: str
    version: int
    measures: tuple[Measure, ...]
    gradings: tuple[Grading, ...]
    evidence: tuple[tuple[int, int] | None, ...]
    inputs: tuple[tuple[int, ...], ...]
    watched: tuple[Watched, ...]
    readers: dict[str, tuple[tuple[int, Callable[[Customer, int], Value]], ...]]
    echoes: tuple[tuple[int, int], ...]
    varies: bool
    all_gradings: int
    expiring: tuple[int, ...]
    followers: tuple[int, ...]
    shape: Shape
    converter: Converter
    attributes: frozenset[str]
    refund_ms: int
    max_future_ms: int
    treatments: Treatments
    history_limit: int
    stability: tuple[Rules, ...]
    forecasts: Forecasts | None
    at_risk: int
    rankings: tuple[Ranking, ...]
    cuts: Mapping[str, tuple[int, ...]]
    document: PolicyDocument

    def read(self, customer: Customer, now_ms: int) -> list[Value]:
        """Return every measure of a customer that was rolled to *now_ms*."""
        return [measure.value(customer, now_ms) for measure in self.measures]

    def earned(self, position: int, reading: Reading, standing: Grade) -> str | None:
        """Return the tier that the grading at *position* gives, before any rule on stability."""
        evidence = self.evidence[position]
        if evidence is not None and reading.values[evidence[0]] < evidence[1]:  # type: ignore[operator]
            return None
        return self.gradings[position].tier(reading, standing)


def compile_policy(
    document: PolicyDocument, cuts: Mapping[str, tuple[int, ...]] | None = None
) -> Plan:
    """Return the plan of a policy that `schemas.policy` has accepted.

    Args:
        document: The policy.
        cuts: What the population sets, by name (see `stream.population.census`). Cuts that
            the policy freezes stand before these. A grading with a cut that neither gives
            grades nobody.
    """
    days = LocalDays(document.time_zone)
    builder = MeasurePlan(document.exponent)
    groups = document.groups
    built = [builder.build(name, spec) for name, spec in document.measures.items()]
    measures = tuple(m if groups is None or groups.counts(m.name) else Alone(m) for m in built)
    order = document.grading_order()
    scope = Scope(
        measures={measure.name: i for i, measure in enumerate(measures)},
        gradings={name: i for i, name in enumerate(order)},
        grades=document.grades_of,
        level=document.threshold,
        cuts={**(cuts or {}), **document.frozen_cuts()},
        listed=document.listed,
    )
    gradings = tuple(_compile_grading(name, document.gradings[name], scope) for name in order)
    evidence = tuple(_evidence(document.gradings[name], scope) for name in order)
    watched = tuple(_watched(measures, gradings, evidence))
    refund_ms = document.refund_days * DAY_MS
    return Plan(
        name=document.policy,
        version=document.version,
        measures=measures,
        gradings=gradings,
        evidence=evidence,
        inputs=tuple(tuple(sorted({*g.cuts, *g.continuous})) for g in gradings),
        watched=watched,
        readers=_readers(watched),
        echoes=tuple(
            (i, w.measure.echo_ms)
            for i, w in enumerate(watched)
            if w.measure.source == ORDERS and w.measure.echo_ms < NEVER
        ),
        varies=any(grading.varies for grading in gradings),
        all_gradings=(1 << len(gradings)) - 1,
        expiring=tuple(i for i, grading in enumerate(gradings) if grading.expires),
        followers=tuple(_followers(i, gradings) for i in range(len(gradings))),
        shape=Shape(
            spans=builder.spans,
            retention_ms={kind: refund_ms if kind == ORDERS else 0 for kind in builder.spans},
            names=order,
            initial=tuple(grading.initial for grading in gradings),
            days=days,
            groups=groups is not None,
        ),
        converter=Converter(document.currency, document.rates, EXPONENTS),
        attributes=frozenset(builder.attributes),
        refund_ms=refund_ms,
        max_future_ms=document.max_future_minutes * 60_000,
        treatments=compile_treatments(document.treatments),
        history_limit=document.history_transitions,
        stability=tuple(compile_rules(document.gradings[name].stability) for name in order),
        forecasts=document.forecasts,
        at_risk=_at_risk(document, order),
        rankings=rankings_of(document),
        cuts=scope.cuts,
        document=document,
    )


def _compile_grading(name: str, document: GradingDocument, scope: Scope) -> Grading:
    compiler = _COMPILERS[document.type]
    if isinstance(document, RelativePart) and document.within is not None:
        each = partial(compiler, name, document)
        return compile_within(name, document, document.within, scope, each)
    return compiler(name, document, scope)


_COMPILERS: dict[str, Callable[[str, Any, Scope], Grading]] = {
    "bands": compile_bands,
    "interval_scorecard": compile_interval_scorecard,
    "weighted_scorecard": compile_weighted_scorecard,
    "rfm_cells": compile_rfm_cells,
    "rfm_segments": compile_rfm_segments,
    "rfm_classes": compile_rfm_classes,
    "pareto": compile_pareto,
    "conditions": compile_conditions,
    "tag": compile_tag,
    "base_bonus": compile_base_bonus,
    "cap": compile_cap,
    "tree": compile_tree,
    "matrix": compile_matrix,
    "lifecycle": compile_lifecycle,
}


def _at_risk(document: PolicyDocument, order: Sequence[str]) -> int:
    asked = document.forecasts
    if asked is None:
        return 0
    mask = 0
    for i, name in enumerate(order):
        if document.is_ordered(name) if asked.gradings is None else name in asked.gradings:
            mask |= 1 << i
    return mask


def _evidence(document: GradingDocument, scope: Scope) -> tuple[int, int] | None:
    evidence = document.minimum_evidence
    if evidence is None:
        return None
    return scope.measures[evidence.measure], scope.level(evidence.measure, evidence.at_least)


def _watched(
    measures: Sequence[Measure],
    gradings: Sequence[Grading],
    evidence: Sequence[tuple[int, int] | None],
) -> Iterator[Watched]:
    enough = [{e[0]: (e[1],)} for e in evidence if e is not None]
    cuts = merged(*(grading.cuts for grading in gradings), *enough)
    common = merged(*(grading.cuts for grading in gradings if not grading.varies), *enough)
    varied = [grading for grading in gradings if grading.varies]
    continuous = frozenset[int]().union(*(grading.continuous for grading in gradings))
    for position, measure in enumerate(measures):
        if measure.unit == "text":
            continue  # moved by profiles only, and those are always judged
        if position in continuous or position in cuts:
            levels = None if position in continuous else cuts[position]
            mask = _decided_by(position, gradings, evidence)
            varying = tuple(grading for grading in varied if position in grading.cuts)
            for heard in (measure, *(measure.heard_on(source) for source in measure.also)):
                yield Watched(position, heard, levels, common.get(position, ()), varying, mask)


def _decided_by(
    position: int,
    gradings: Sequence[Grading],
    evidence: Sequence[tuple[int, int] | None],
) -> int:
    """Return the bit mask of the gradings that look at a measure, or at one that does."""
    mask = 0
    for i, (grading, needed) in enumerate(zip(gradings, evidence, strict=True)):
        if (
            position in grading.cuts
            or position in grading.continuous
            or (needed is not None and needed[0] == position)
            or any(mask >> other & 1 for other in grading.depends)
        ):
            mask |= 1 << i
    return mask


def _followers(position: int, gradings: Sequence[Grading]) -> int:
    mask = 1 << position
    for i, grading in enumerate(gradings):
        if any(mask >> other & 1 for other in grading.depends):
            mask |= 1 << i
    return mask


def _readers(
    watched: Sequence[Watched],
) -> dict[str, tuple[tuple[int, Callable[[Customer, int], Value]], ...]]:
    sources = {w.measure.source for w in watched}
    return {
        source: tuple(
            (i, w.measure.value) for i, w in enumerate(watched) if w.measure.source == source
        )
        for source in sources
    }
