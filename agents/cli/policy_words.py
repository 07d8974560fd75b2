"""What `tierstream policy check` says, to people and to machines. No arithmetic here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents.cli import show

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.policy import Finding, PolicyDocument
    from schemas.policy.findings import PlacedRemark
    from stream.proofs.report import Orders, Proven, Report

_STYLES = {"error": "red", "warning": "yellow", "note": "cyan"}
_ORDERS: dict[Orders, str] = {
    "proved": "[green]proved[/]",
    "lowered": "[yellow]no: see above[/]",
    "open": "not proved",
    "unordered": "[dim]no ranking[/]",
}
_MOST_GRADES = 6


def by_weight(remark: PlacedRemark) -> tuple[int, int]:
    """Sort errors before warnings before notes, then in the order of the file."""
    return list(_STYLES).index(remark.severity), remark.line


def refused(file: str, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return, for machines, what is wrong with a policy that cannot be used."""
    mistakes = [
        {
            "severity": "error",
            "line": finding.line,
            "key": finding.key,
            "value": finding.value,
            "allowed": finding.allowed,
            "text": str(finding),
        }
        for finding in findings
    ]
    return {"file": file, "ok": False, "findings": mistakes}


def told(
    file: str,
    document: PolicyDocument,
    report: Report,
    remarks: Sequence[PlacedRemark],
    *,
    ok: bool,
) -> dict[str, Any]:
    """Return, for machines, what a policy is and what was found out about it."""
    findings = [
        {"severity": r.severity, "line": r.line, "key": r.key, "text": r.text} for r in remarks
    ]
    return {
        "file": file,
        "ok": ok,
        "findings": findings,
        "policy": document.policy,
        "version": document.version,
        "currency": document.currency,
        "time_zone": document.time_zone,
        "measures": {name: document.unit_of(name) for name in document.measures},
        "gradings": {
            proven.name: {
                "type": document.gradings[proven.name].type,
                "grades": document.grades_of(proven.name),
                "reachable": proven.reached,
                "unreachable": proven.never,
                "more_orders_never_lower": proven.orders,
                "witnesses": proven.witnesses,
            }
            for proven in report.gradings
        },
        "tables_of_ranges": report.tables,
        "open_cuts": document.open_cuts(),
    }


def tell(
    file: str,
    document: PolicyDocument,
    report: Report,
    remarks: Sequence[PlacedRemark],
    *,
    witnesses: bool,
) -> None:
    """Say what a policy is and what was found out about it."""
    for remark in remarks:
        line = show.escaped(str(remark)).replace(
            f" {remark.severity}: ", f" [{_STYLES[remark.severity]}]{remark.severity}[/]: ", 1
        )
        show.out.print(line, soft_wrap=True)
    errors, warnings, notes = (sum(r.severity == s for r in remarks) for s in _STYLES)
    made = show.table(
        "", "grading", "type", "grades, best first", "reachable", "orders never lower it"
    )
    for proven in report.gradings:
        made.add_row(
            proven.name,
            document.gradings[proven.name].type,
            _grades(document.grades_of(proven.name)),
            _reached(proven),
            _ORDERS[proven.orders],
        )
    show.out.print(
        f"{'[red]errors[/]' if errors else '[green]ok[/]'} {show.escaped(file)}: {document.policy} "
        f"version {document.version}, {len(document.measures)} measures in {document.currency}, "
        f"days of {document.time_zone}; {errors} errors, {warnings} warnings, {notes} notes",
        soft_wrap=True,
    )
    show.out.print(made)
    if report.tables and not errors:
        show.out.print(
            f"[green]proved[/] in each of {report.tables} tables of ranges, every value falls in "
            "exactly one range"
        )
    if witnesses:
        for proven in report.gradings:
            _examples(proven)


def _grades(grades: Sequence[str]) -> str:
    return ", ".join(grades) if len(grades) <= _MOST_GRADES else f"{len(grades)} grades"


def _reached(proven: Proven) -> str:
    if proven.reached == proven.tiers:
        return f"[green]all {proven.tiers}[/]"
    rest = proven.tiers - proven.reached - proven.never
    unknown = f", {rest} not proved" if rest else ""
    return f"{proven.reached} of {proven.tiers}{unknown}"


def _examples(proven: Proven) -> None:
    show.out.print(f"[bold]{proven.name}: a customer for every grade[/]")
    made = show.table("", "grade", "such as")
    for tier, readings in proven.witnesses.items():
        made.add_row(tier, ", ".join(f"{name} {value}" for name, value in readings.items()))
    show.out.print(made)
