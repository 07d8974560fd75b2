"""What is on the dashboards: rows of panels, each with its queries. No JSON of Grafana's here.

In queries `$job` is the installation, `$grading` the grading that was chosen, `$__rate_interval`
what Grafana takes for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lines", "stack", "number", "bars"]
_J = '{job="$job"}'
_BUDGET = "tierstream:slo_budget:ratio"
_SUPPRESSED = "tierstream_transitions_suppressed_total"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        queries: Query and legend of each; in a legend ``{{label}}`` stands for a label.
        unit: Of the values, in Grafana's words.
        text: What to make of it.
        kind: How it is drawn.
        width: Of 24 columns.
        alarm: From this value on a number is red; at 0 and below none is.
    """

    title: str
    queries: tuple[tuple[str, str], ...]
    unit: str
    text: str
    kind: Kind = "lines"
    width: int = 8
    alarm: float = 0


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One dashboard.

    Attributes:
        uid: Its name in addresses, and of its file.
        title: Its name for people.
        text: What it is for.
        rows: Titles of rows and their panels.
        by_grading: Whether a grading is chosen.
    """

    uid: str
    title: str
    text: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    by_grading: bool = False


def _number(title: str, query: str, unit: str, text: str, alarm: float = 0) -> Panel:
    return Panel(title, ((query, ""),), unit, text, "number", 4, alarm)


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{_J}[$__rate_interval]))"


def _quantiles(metric: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"histogram_quantile({share}, {_rate(f'{metric}_bucket', 'le')})", name)
        for share, name in ((0.5, "half"), (0.95, "95%"), (0.99, "99%"))
    )


_WELL = (
    _number("Workers", 'sum(up{job="$job"})', "none", "That answer their scrape."),
    _number(
        "Buckets without a worker",
        f"max(tierstream_buckets{_J}) - sum(tierstream_owned_buckets{_J})",
        "none",
        "Nobody looks after the customers in them.",
        1,
    ),
    _number(
        "Redis",
        f"min(tierstream_store_up{_J})",
        "bool_yes_no",
        "Whether it answers every part of every worker.",
    ),
    _number(
        "Halted partitions",
        f"sum(tierstream_partitions_halted{_J})",
        "none",
        "They wait for a person: tierstream topics resume.",
        1,
    ),
    _number(
        "Broken chains, 1 day",
        'sum(increase(tierstream_feed_changes_total{job="$job", verdict="gap"}[1d]))',
        "none",
        "Published changes that do not follow the one before. There must be none.",
        1,
    ),
    _number(
        "Alerts",
        'count(ALERTS{alertstate="firing", job="$job"}) or vector(0)',
        "none",
        "That fire now; see docs/runbook.md.",
        1,
    ),
)

_OBJECTIVES = (
    Panel(
        "Budget burnt",
        (
            (
                f"tierstream:slo_errors:ratio_rate1h{_J} / on (slo) group_left () {_BUDGET}",
                "{{slo}}",
            ),
        ),
        "none",
        "How many times faster than allowed, over 1 h. From 1 on the objective is missed in the "
        "end; from 14.4 on somebody is woken.",
    ),
    Panel(
        "From a record to its durable effect",
        _quantiles("tierstream_scoring_latency_seconds"),
        "s",
        "Objective: 99% within 5 s.",
    ),
    Panel(
        "From the instant of a change to its publication",
        _quantiles("tierstream_change_publish_latency_seconds"),
        "s",
        "Objective: 99.9% within 10 s.",
    ),
    Panel(
        "Lateness of what time alone brings about",
        _quantiles("tierstream_deadline_lateness_seconds"),
        "s",
        "From a deadline to its commit. Objective: 99% within 5 s.",
    ),
    Panel(
        "How far time is behind",
        ((f"max by (instance) (tierstream_clock_age_seconds{_J})", "{{instance}}"),),
        "s",
        "No deadline after that instant has fired yet.",
    ),
    Panel(
        "As consumers see it",
        ((_rate("tierstream_feed_changes_total", "verdict"), "{{verdict}}"),),
        "cps",
        "Changes read back: ok, a gap in a chain, repeated by an aborted transaction.",
    ),
)

_FLOW = (
    Panel(
        "Records read",
        ((_rate("tierstream_records_total", "topic"), "{{topic}}"),),
        "cps",
        "By input topic.",
        "stack",
    ),
    Panel(
        "Lag",
        ((f"sum by (topic) (tierstream_input_lag_records{_J})", "{{topic}}"),),
        "none",
        "Records not read yet.",
    ),
    Panel(
        "Time by stage",
        ((_rate("tierstream_stage_seconds_total", "stage"), "{{stage}}"),),
        "percentunit",
        "Of one processor or connection, over all workers. `fetch` is mostly waiting for records.",
        "stack",
    ),
    Panel(
        "Writing to Redis",
        _quantiles("tierstream_commit_latency_seconds"),
        "s",
        "One micro-batch.",
    ),
    Panel(
        "Commits by outcome",
        ((_rate("tierstream_commits_total", "outcome"), "{{outcome}}"),),
        "cps",
        "Anything but OK was refused and is done again.",
    ),
    Panel(
        "Started over",
        ((_rate("tierstream_rewinds_total", "why"), "{{why}}"),),
        "cps",
        "Workers that went back to the stored cursors.",
    ),
)

_ANNOUNCING = (
    Panel(
        "Published",
        ((_rate("tierstream_published_records_total", "topic"), "{{topic}}"),),
        "cps",
        "By output topic.",
        "stack",
    ),
    Panel(
        "Waiting to be published",
        ((f"sum by (instance) (tierstream_outbox_rows{_J})", "{{instance}}"),),
        "none",
        "Rows in the outboxes.",
    ),
    Panel(
        "A transaction of the relay",
        _quantiles("tierstream_publish_latency_seconds"),
        "s",
        "First send to commit.",
    ),
)

_TELLING = (
    Panel(
        "Messages that wait for a channel",
        ((f"max by (channel) (tierstream_alert_queue_messages{_J})", "{{channel}}"),),
        "none",
        "Alerts, digests and escalations to people.",
    ),
    Panel(
        "Attempts to deliver",
        (
            (_rate("tierstream_alert_deliveries_total", "outcome"), "{{outcome}}"),
            (f"max(tierstream_alerts_parked{_J})", "parked until now"),
        ),
        "none",
        "Each second, by outcome; failed ones are tried again.",
    ),
    Panel(
        "From the instant of a change to its alert",
        _quantiles("tierstream_alert_latency_seconds"),
        "s",
        "Delivered to the channel.",
    ),
    Panel(
        "Attempts to send a webhook",
        ((_rate("tierstream_webhook_deliveries_total", "outcome"), "{{outcome}}"),),
        "none",
        "Each second, by outcome; failed ones are tried again.",
    ),
    Panel(
        "Webhooks that wait",
        (
            (f"max(tierstream_webhook_queue_messages{_J})", "messages"),
            (f"max by (status) (tierstream_webhook_endpoints{_J})", "endpoints {{status}}"),
            (f"sum(increase(tierstream_webhooks_disabled_total{_J}[1d]))", "disabled in a day"),
        ),
        "none",
        "For every endpoint; one that is gone or fails for days is disabled.",
    ),
)

_TROUBLE = (
    Panel(
        "Refused",
        (
            (
                f"{_rate('tierstream_dead_letters_total', 'topic, reason')} > 0",
                "{{topic}} {{reason}}",
            ),
        ),
        "cps",
        "Dead letters.",
    ),
    Panel(
        "Odd records",
        (
            (_rate("tierstream_events_repeated_total", "job"), "repeated"),
            (_rate("tierstream_orders_unattributed_total", "job"), "order not known"),
            (_rate("tierstream_foreign_records_total", "job"), "partition of its own choice"),
            (_rate("tierstream_input_gap_records_total", "job"), "deleted unread"),
        ),
        "cps",
        "Each is dealt with; many of a kind say something about a producer.",
    ),
    Panel(
        "A new policy or new cuts on their way",
        ((f"sum by (instance) (tierstream_sweep_remaining_buckets{_J})", "{{instance}}"),),
        "none",
        "Buckets in which not everyone was brought to the newest edition yet.",
    ),
    Panel(
        "Processor",
        ((_rate("process_cpu_seconds_total", "instance"), "{{instance}}"),),
        "percentunit",
        "Of one.",
    ),
    Panel(
        "Memory",
        ((f"process_resident_memory_bytes{_J}", "{{instance}}"),),
        "bytes",
        "Resident.",
    ),
    Panel(
        "Rebalances and stalls",
        (
            (_rate("tierstream_rebalances_total", "job"), "rebalances"),
            (_rate("tierstream_stalls_total", "job"), "stalls"),
            (f"sum(changes(process_start_time_seconds{_J}[$__rate_interval]))", "restarts"),
        ),
        "cps",
        "Workers that come and go.",
    ),
)

_G = '{job="$job", grading="$grading"}'
_STANDING = (
    _number("Customers", f"sum(tierstream_customers{_J})", "short", "That anything is known of."),
    _number(
        "Brought by the top 20%",
        f"sum(tierstream_top_fifth_contribution_minor{_J})"
        f" / sum(tierstream_contribution_minor{_J})",
        "percentunit",
        "Of the lifetime contribution of all.",
    ),
    _number(
        "Upgrades, 1 day",
        'sum(increase(tierstream_tier_changes_total{job="$job", grading="$grading", '
        'direction="up"}[1d])) or vector(0)',
        "short",
        "Customers may move more than once.",
    ),
    _number(
        "Downgrades, 1 day",
        'sum(increase(tierstream_tier_changes_total{job="$job", grading="$grading", '
        'direction="down"}[1d])) or vector(0)',
        "short",
        "Customers may move more than once.",
    ),
    _number(
        "Warned, 1 day",
        'sum(increase(tierstream_forecast_warnings_total{job="$job", grading="$grading"}[1d]))'
        " or vector(0)",
        "short",
        "Warnings of a fall to come, issued and withdrawn.",
    ),
    _number(
        "Age of these figures",
        f"max(tierstream_population_age_seconds{_J})",
        "s",
        "Of the oldest count that is in them.",
    ),
)

_TIERS = (
    Panel(
        "Where customers stand",
        ((f"sum by (tier) (tierstream_tier_customers{_G})", "{{tier}}"),),
        "short",
        "By tier of the chosen grading.",
        "bars",
    ),
    Panel(
        "Where customers stood",
        ((f"sum by (tier) (tierstream_tier_customers{_G})", "{{tier}}"),),
        "short",
        "By tier of the chosen grading, over time.",
        "stack",
        16,
    ),
    Panel(
        "Moves by direction",
        (
            (
                f"sum by (direction) (rate(tierstream_tier_changes_total{_G}[$__rate_interval]))",
                "{{direction}}",
            ),
        ),
        "cps",
        "Up, down, first (graded for the first time) and lateral.",
    ),
    Panel(
        "Moves by cause",
        (
            (
                f"sum by (cause) (rate(tierstream_tier_changes_total{_G}[$__rate_interval]))",
                "{{cause}}",
            ),
        ),
        "cps",
        "What the customer did, time alone, the population, or a new policy.",
        "stack",
    ),
    Panel(
        "Held back by rules on stability",
        (
            (
                f"sum by (rule) (rate({_SUPPRESSED}{_G}[$__rate_interval]))",
                "{{rule}}",
            ),
        ),
        "cps",
        "Moves that would have been flapping.",
    ),
)

SRE = Dashboard(
    "tierstream-overview",
    "tierstream: is it well?",
    "For those who run it. What to do about an alert is in docs/runbook.md.",
    (
        ("Now", _WELL),
        ("Objectives", _OBJECTIVES),
        ("Scoring", _FLOW),
        ("Announcing", _ANNOUNCING),
        ("Telling people", _TELLING),
        ("Trouble", _TROUBLE),
    ),
)
BUSINESS = Dashboard(
    "tierstream-business",
    "tierstream: customers and tiers",
    "For those who own the grading policy. Nobody is named here.",
    (("Now", _STANDING), ("Tiers", _TIERS)),
    by_grading=True,
)
ALL = (SRE, BUSINESS)
