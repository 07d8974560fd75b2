"""`tierstream policy`: looking at policy files, writing a first one, and rolling one out."""

import importlib.resources
from pathlib import Path
from typing import Annotated

import typer

from agents.cli import options, policy_words, rollout, show
from agents.cli.cuts import cuts
from agents.cli.errors import CommandError
from agents.cli.simulate import simulate_policies
from schemas.policy import PolicyFileError, parse_policy
from schemas.policy.load import open_policy
from stream.proofs.report import prove

app = typer.Typer(no_args_is_help=True, help="Look at policies, and roll them out.")
app.command(name="simulate")(simulate_policies)
app.command()(rollout.publish)
app.command()(rollout.promote)
app.command()(rollout.rollback)
app.command()(rollout.status)
app.command()(cuts)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="A policy, YAML.", show_default=False)]


@app.callback()
def policy() -> None:
    """Look at policies, and roll them out."""


@app.command()
def check(
    file: _File,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")] = False,
    witnesses: Annotated[
        bool, typer.Option("--witnesses", help="Show an example customer for every grade.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Check a policy file and prove what can be proved of it.

    Exit code 1 where it has errors (with --strict: or warnings), each in one line with its
    place in the file. Notes never fail.
    """
    try:
        document, source = open_policy(file)
    except PolicyFileError as exc:
        if as_json:
            show.print_json(policy_words.refused(str(file), exc.findings))
        else:
            for finding in exc.findings:
                show.err.print(str(finding), markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    with show.status(f"proving {file}"):
        report = prove(document)
    remarks = sorted(map(source.place, report.remarks), key=policy_words.by_weight)
    failing = {"error", "warning"} if strict else {"error"}
    ok = not any(remark.severity in failing for remark in remarks)
    if as_json:
        show.print_json(policy_words.told(str(file), document, report, remarks, ok=ok))
    else:
        policy_words.tell(str(file), document, report, remarks, witnesses=witnesses)
    if not ok:
        raise typer.Exit(1)


@app.command()
def init(
    file: Annotated[
        Path, typer.Argument(metavar="[FILE]", help="Where to write it.", show_default=True)
    ] = Path("policy.yaml"),
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Of your orders, and of all levels.")
    ] = "USD",
    time_zone: Annotated[
        str, typer.Option(metavar="ZONE", help="Whose midnights end a day.")
    ] = "UTC",
    force: Annotated[bool, typer.Option("--force", help="Write over a file.")] = False,
) -> None:
    """Write a first policy to change: grades for a business that sells to businesses."""
    starter = importlib.resources.files("deploy").joinpath("policies", "starter.yaml")
    text = starter.read_text(encoding="utf-8")
    for key, default, said in (("currency", "USD", currency), ("time_zone", "UTC", time_zone)):
        text = text.replace(f"\n{key}: {default}", f"\n{key}: {said}", 1)
    parse_policy(text, "--currency, --time-zone")
    try:
        with file.open("w" if force else "x", encoding="utf-8") as written:
            written.write(text)
    except FileExistsError:
        raise CommandError(f"{file}: exists; allowed: a new file, or --force") from None
    except OSError as exc:
        reason = (exc.strerror or "unreadable").lower()
        raise CommandError(f"{file}: {reason}; allowed: a place that can be written") from exc
    show.out.print(f"written: {file}", markup=False, soft_wrap=True)
    show.out.print(f"now:     tierstream policy check {file}", markup=False, soft_wrap=True)
