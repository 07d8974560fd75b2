"""`docs/metrics.md`: the list of metrics as a table, made from the registry itself."""

from __future__ import annotations

import sys
from pathlib import Path

from agents.metrics import Metrics
from schemas import committed

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"

_HEAD = """\
# Metrics

What a worker shows on `/metrics`. This page is made from the code by
`python -m agents.metrics_page --write`; a test compares the two.

Names end in their unit (`_seconds`, `_records`, `_buckets`, `_minor` for minor units of money),
counters in `_total`. Histograms come as `…_bucket`, `…_sum` and `…_count`. No label ever names a
customer, an owner or anything out of a payload. Beside these there are the usual `process_…`
metrics. Which of them mean trouble, and what to do about it, is in [the runbook](runbook.md).

Everything is counted per worker. What is of the whole installation is the sum over its workers:
every bucket, and with it every customer, is at home in one of them.

| name | type | labels | what it says |
|---|---|---|---|
"""


def page() -> str:
    """Return the page as it must be committed."""
    rows = (
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} "
        f"| {one.text} |\n"
        for one in Metrics().listed
    )
    return _HEAD + "".join(rows)


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    return committed.run("agents.metrics_page", lambda: {PAGE: page()}, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
