"""`tierstream fit`: what policies need, estimated from history."""

import typer

from agents.cli import fit_cltv, fit_tree

app = typer.Typer(no_args_is_help=True, help="Estimate what a policy needs from history.")
app.command("cltv")(fit_cltv.fit_cltv)
app.command("tree")(fit_tree.fit_tree)


@app.callback()
def fit() -> None:
    """Estimate what a policy needs from history."""
