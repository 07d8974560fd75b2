"""The dashboards as Grafana's JSON: ``python -m deploy.grafana.dashboards --write``.

Needs the dev extra (Grafana's foundation SDK). What is on them is in `deploy.grafana.panels`.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

from deploy.grafana.panels import ALL
from schemas import committed

if TYPE_CHECKING:
    from deploy.grafana.panels import Dashboard, Panel

FOLDER = Path(__file__).parent
_SOURCE = DataSourceRef(type_val="prometheus", uid="$datasource")
_HEIGHT = {"number": 4, "bars": 8, "lines": 8, "stack": 8}
_FILLED = 60
_LAST = ["lastNotNull"]

Drawn = bargauge.Panel | stat.Panel | timeseries.Panel


def built(what: Dashboard) -> str:
    """Return a dashboard as it must be committed."""
    made = (
        dashboard.Dashboard(what.title)
        .uid(what.uid)
        .description(what.text)
        .tags(["tierstream"])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .editable()
        .link(
            dashboard.DashboardLink("other dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["tierstream"])
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
        )
        .with_variable(_chosen("job", "installation", "label_values(tierstream_buckets, job)"))
    )
    if what.by_grading:
        gradings = 'label_values(tierstream_tier_customers{job="$job"}, grading)'
        made = made.with_variable(_chosen("grading", "grading", gradings))
    numbers = count(1)
    for title, panels in what.rows:
        made = made.with_row(dashboard.Row(title).id(next(numbers)))
        for panel in panels:
            made = made.with_panel(_drawn(panel).id(next(numbers)))
    return JSONEncoder(sort_keys=True, indent=2).encode(made.build()) + "\n"


def _chosen(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(_SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


def _drawn(panel: Panel) -> Drawn:
    made: Drawn
    if panel.kind == "number":
        made = stat.Panel().graph_mode(BigValueGraphMode.NONE).thresholds(_alarm(panel.alarm))
        made = made.reduce_options(common.ReduceDataOptions().calcs(_LAST))
    elif panel.kind == "bars":
        made = bargauge.Panel().orientation(VizOrientation.HORIZONTAL)
        made = made.reduce_options(common.ReduceDataOptions().calcs(_LAST))
    else:
        made = _over_time(stacked=panel.kind == "stack")
    made = (
        made.title(panel.title)
        .description(panel.text)
        .datasource(_SOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(_HEIGHT[panel.kind])
    )
    for name, (query, legend) in zip("ABCD", panel.queries, strict=False):
        target = prometheus.Dataquery().expr(query).ref_id(name)
        if legend:
            target = target.legend_format(legend)
        if panel.kind in {"number", "bars"}:
            target = target.instant()
        made = made.with_target(target)
    return made


def _over_time(*, stacked: bool) -> timeseries.Panel:
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)  # noqa: FBT003 - the SDK's own
    )
    made = timeseries.Panel().legend(legend).min(0)
    if stacked:
        stacking = common.StackingConfig().mode(StackingMode.NORMAL)
        made = made.stacking(stacking).fill_opacity(_FILLED)
    return made


def _alarm(value: float) -> dashboard.ThresholdsConfig:
    steps = [Threshold(color="green", value=None)]
    if value > 0:
        steps.append(Threshold(color="red", value=value))
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def files() -> dict[Path, str | None]:
    """Return what every dashboard's file is to hold."""
    return {FOLDER / f"{what.uid}.json": built(what) for what in ALL}


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    return committed.run("deploy.grafana.dashboards", files, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
