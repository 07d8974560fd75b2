"""Render or lint the Helm chart; run with the interpreter of .cache/deploy, which has Helm's SDK.

python tests/deploy/render.py render [VALUES.json]    manifests on standard output
python tests/deploy/render.py lint                    what Helm finds, a line each
python tests/deploy/render.py write                   renew deploy/kubernetes/tierstream.yaml
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from helm_python import Chart, HelmError
from helm_python.chart import lint

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "tierstream"
MANIFESTS = DEPLOY / "kubernetes" / "tierstream.yaml"
HEAD = """\
# The chart with its own values, for those without Helm: make generate-manifests
# Before it: a namespace tierstream, a ConfigMap tierstream-policy, a Secret tierstream-redis,
# and the address of Kafka in place of kafka:9092 (docs/operations.md).
"""


def rendered(values: dict[str, Any]) -> str:
    """Return the manifests of a release called tierstream in a namespace called tierstream."""
    with Chart.load(CHART) as chart:
        parts = chart.render(values=values, name="tierstream", namespace="tierstream")
    texts = [text.strip().removeprefix("---").strip() for _, text in sorted(parts.items())]
    return "---\n" + "\n---\n".join(text for text in texts if text) + "\n"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    what, *files = arguments
    values = json.loads(Path(files[0]).read_text()) if files else {}
    if what == "lint":
        report = lint(CHART, values, strict=True, namespace="tierstream")
        found = [f"{note['path']}: {note['error']}" for note in report["messages"]]
        sys.stdout.write("\n".join([*found, *report["errors"]]))
        return 0
    try:
        text = rendered(values)
    except HelmError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    if what == "write":
        MANIFESTS.write_text(HEAD + text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
