"""A policy that uses every part of the language; the mistakes of the tests are seeded into it."""

POLICY = """\
policy: shop
version: 1
time_zone: UTC
currency: USD
rates: {EUR: "1.08"}
measures:
  revenue: {sum: revenue, window: 365d}
  orders: {count: orders, window: 365d}
  before: {sum: revenue, window: 365d, before: 365d}
  recency: {days_since: last_order}
  growth: {growth: revenue, window: 365d}
  refunds: {ratio: {of: refunded, to: gross}, window: 365d}
  survey: {last: survey}
  industry: {attribute: industry, type: text}
  average: {average: revenue}
  biggest: {max: gross, window: 730d}
  first: {first: gross}
gradings:
  value:
    type: bands
    measure: revenue
    minimum_evidence: {measure: orders, at_least: 1}
    tiers:
      - {tier: platinum, enter: 1000.10, exit: 800.00}
      - {tier: gold, enter: 300}
      - {tier: bronze}
  score:
    type: interval_scorecard
    rounding: {mode: truncate, places: 2}
    indicators:
      money:
        weight: "40%"
        measures:
          revenue: [{below: 500, points: 20}, {below: 1000, points: 100/3}, {points: full}]
          orders: [{below: 2, points: 10}, {points: 50}]
      loyalty:
        weight: 60%
        measures:
          recency: [{below: 30, points: full}, {points: 12.5}]
    variants:
      by: industry
      tables:
        steel:
          loyalty:
            weight: 60%
            measures:
              recency: [{below: 90, points: full}, {points: 25}]
    tiers:
      - {tier: a, enter: 80, exit: 75}
      - {tier: b}
  simple:
    type: weighted_scorecard
    rounding: {mode: half_even, places: 0}
    indicators:
      opinion: {weight: 25%, points_from: survey}
      growing:
        weight: 75%
        ranges:
          measure: growth
          ranges: [{below: "12.5%", points: 0}, {points: full}]
    tiers: [{tier: high, enter: 50}, {tier: low}]
  rfm:
    type: rfm_cells
    recency: {measure: recency, cuts: [30, 60, 90, 180]}
    frequency: {measure: orders, cuts: [2, 3, 5, 10]}
    monetary: {measure: revenue, cuts: [50, 100, 200, 500]}
  segment:
    type: rfm_segments
    recency: {measure: recency, high_below: 90}
    frequency: {measure: orders, high_from: 3}
    monetary: {measure: revenue, high_from: 200}
  status:
    type: conditions
    levels:
      - level: vip
        when:
          all:
            - {measure: revenue, at_least: 5000}
            - {measure: industry, is: [steel, cement]}
            - not: {grading: value, is: [bronze]}
      - level: known
        when: {any: [{measure: survey, is_known: true}, {grading: rfm, is: ["555"]}]}
      - {level: normal}
  hot:
    type: tag
    add_when: {measure: orders, at_least: 2}
    remove_when: {grading: status, is: [vip]}
    keep_days: 90
  level:
    type: base_bonus
    base: {measure: revenue, ranges: [{below: 100, points: 0}, {points: 10}]}
    bonus:
      many: {measure: orders, ranges: [{below: 5, points: 0}, {points: 2.5}]}
      liked: {when: {measure: survey, at_least: 80}, points: 5}
    tiers: [{tier: d, enter: 15, exit: 12.5}, {tier: e}]
  credit:
    type: cap
    of: value
    rules:
      - {rule: returns, when: {measure: refunds, at_least: 20%}, at_most: bronze}
      - {rule: dislike, when: {measure: survey, below: 20}, veto: bronze}
  learned:
    type: tree
    grade_labels: {keen: {zh: 热心}}
    tree:
      grades: [keen, cool]
      currency: USD
      measures: {revenue: money, recency: days}
      root:
        measure: recency
        at_most: 90
        missing: high
        high: {grade: cool, counts: {keen: 3, cool: 19}}
        low:
          {measure: revenue, at_most: 50000, missing: low, low: {grade: cool}, high: {grade: keen}}
"""


def line_of(text: str, part: str) -> int:
    """Return the line, from 1, on which *part* stands in *text* for the first time."""
    return text[: text.index(part)].count("\n") + 1
