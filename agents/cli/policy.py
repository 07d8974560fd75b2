"""`tierstream policy`: looking at policy files."""

from pathlib import Path
from typing import Annotated

import typer

from agents.cli import options, show
from agents.cli.simulate import simulate_policies
from schemas.policy import PolicyDocument, PolicyFileError, load_policy

app = typer.Typer(no_args_is_help=True, help="Look at policy files.")
app.command(name="simulate")(simulate_policies)


@app.callback()
def policy() -> None:
    """Look at policy files."""


@app.command()
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A policy, YAML.", show_default=False)
    ],
    as_json: options.Json = False,
) -> None:
    """Check a policy file: what it says, or one line per mistake and exit code 1."""
    try:
        document = load_policy(file)
    except PolicyFileError as exc:
        if as_json:
            findings = [
                {"line": f.line, "key": f.key, "value": f.value, "allowed": f.allowed}
                for f in exc.findings
            ]
            show.print_json({"file": str(file), "ok": False, "findings": findings})
        else:
            for finding in exc.findings:
                show.err.print(str(finding), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    if as_json:
        show.print_json({"file": str(file), "ok": True, "findings": []} | _said(document))
    else:
        _tell(file, document)


def _said(document: PolicyDocument) -> dict[str, object]:
    return {
        "policy": document.policy,
        "version": document.version,
        "currency": document.currency,
        "time_zone": document.time_zone,
        "measures": {name: document.unit_of(name) for name in document.measures},
        "gradings": {
            name: {"type": document.gradings[name].type, "grades": document.grades_of(name)}
            for name in document.grading_order()
        },
        "open_cuts": document.open_cuts(),
    }


def _tell(file: Path, document: PolicyDocument) -> None:
    made = show.table("", "grading", "type", "grades, best first")
    for name in document.grading_order():
        grades = document.grades_of(name)
        shown = ", ".join(grades) if len(grades) <= 12 else f"{len(grades)} cells"  # noqa: PLR2004
        made.add_row(name, document.gradings[name].type, shown)
    show.out.print(
        f"[green]ok[/] {file}: {document.policy} version {document.version}, "
        f"{len(document.measures)} measures in {document.currency}, days of {document.time_zone}"
    )
    show.out.print(made)
    gradings = dict.fromkeys(name.rpartition(".")[0] for name in document.open_cuts())
    if gradings:
        show.out.print(
            f"[yellow]note[/] {', '.join(gradings)}: relative to the population, not frozen; "
            "grades nobody until cuts are known (tierstream policy cuts prints those of a log)",
            soft_wrap=True,
        )
