"""What the demo shows at its end."""

from collections.abc import Sequence

from agents.cli import show
from agents.cli.demo_run import Outcome
from agents.cli.summary import causes_table, tiers_table

_PERCENT = 100


def show_outcome(outcome: Outcome, first_after_s: float) -> None:
    """Show what a run came to; its first change was shown *first_after_s* after the command."""
    show.out.print()
    show.out.print(tiers_table(outcome.tiers))
    show.out.print(causes_table(outcome.causes))
    changes = sum(sum(ways.values()) for ways in outcome.causes.values())
    seconds = max(outcome.seconds, 1e-9)
    latency = ", ".join(
        f"{share} % within {_share_s(outcome.latencies_s, share):.2f} s" for share in (50, 95, 99)
    )
    show.out.print(
        show.pairs(
            "Run",
            {
                "records": outcome.records,
                "tier changes": changes,
                "throughput": f"{outcome.records / seconds:,.0f} records/s, "
                f"{changes / seconds:,.0f} tier changes/s, one worker",
                "latency": f"{latency} (record sent to change read, at that load)",
                "first change on screen": f"after {first_after_s:.1f} s",
                "dead letters": outcome.letters,
                "took": f"{outcome.seconds:.1f} s",
            },
        )
    )


def _share_s(latencies_s: Sequence[float], share: int) -> float:
    """Return the time within which *share* percent came."""
    if not latencies_s:
        return 0.0
    ordered = sorted(latencies_s)
    return ordered[min(len(ordered) * share // _PERCENT, len(ordered) - 1)]
