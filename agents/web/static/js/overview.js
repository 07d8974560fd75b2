// The first view: figures, the pyramid, who moved where, and the feed.
import { get } from "./api.js";
import { card, h, show } from "./dom.js";
import { feed } from "./feed.js";
import { flowsPicture } from "./flows.js";
import { pyramid } from "./pyramid.js";
import { gradingLabel, grading, ladders, leading, money, number, percent, measureLabel, state, tierLabel } from "./state.js";
import { pick, say } from "./words.js";

const FLOW_DAYS = [30, 90, 365];
let chosen = null;
let days = 90;

export function selector(options, value, changed, label) {
  const select = h("select", { "aria-label": label, onchange: () => changed(select.value) },
    options.map(([name, text]) => h("option", { value: name, selected: name === value }, text)));
  return select;
}

function kpi(term, value, sub, tone = "") {
  return h("div", { class: "kpi" }, h("dt", {}, term), h("dd", {}, h("span", { class: tone }, value), h("span", { class: "sub" }, sub)));
}

function figures(risk, last) {
  const { customers, amount } = state.gradings;
  const main = leading();
  const whole = main.tiers.reduce((sum, tier) => sum + tier.amount_minor, 0);
  const graded = main.tiers.reduce((sum, tier) => sum + tier.customers, 0);
  const top = main.tiers[0];
  const ways = { up: 0, down: 0 };
  for (const cause of last?.causes || []) if (cause.direction in ways) ways[cause.direction] += cause.changes;
  return h("dl", { class: "kpis" },
    kpi(say("customers"), number(customers), say("graded", { n: number(graded) })),
    amount && kpi(say("brings_in"), money(whole, "short"), say("by_measure", { measure: measureLabel(amount) })),
    amount && whole > 0 && kpi(say("top_share", { tier: tierLabel(main.grading, top.tier) }), percent(top.amount_minor / whole),
      say("of_amount", { share: percent(top.customers / Math.max(graded, 1)) })),
    kpi(say("at_risk_count"), number(risk.total), say("soon"), risk.total ? "warn" : ""),
    kpi(say("changes_today"), number(ways.up + ways.down), say("ups_downs", { up: number(ways.up), down: number(ways.down) })));
}

export function overview(place) {
  const tops = h("div");
  const tiers = h("div");
  const flows = h("div");
  const list = feed();
  let risk = { total: 0 };
  let told = { days: [] };

  async function ask() {
    if (!grading(chosen)) chosen = leading().grading;
    [risk, told] = await Promise.all([get("/at-risk?limit=1"), get(`/gradings/${chosen}/flows?days=${days}`)]);
  }
  function paint() {
    show(tops, figures(risk, told.days.at(-1)));
    const pick_grading = selector(ladders().map((one) => [one.grading, pick(one.label)]), chosen, async (name) => {
      chosen = name;
      await ask();
      paint();
    }, say("grading"));
    show(tiers, card(gradingLabel(chosen), { tools: ladders().length > 1 ? [pick_grading] : [] }, pyramid(grading(chosen))));
    const pick_days = h("div", { class: "picker", role: "group" }, FLOW_DAYS.map((n) =>
      h("button", { class: "quiet", type: "button", "aria-pressed": String(n === days), onclick: async () => {
        days = n;
        await ask();
        paint();
      } }, say("days_n", { n }))));
    const last = told.days.at(-1);
    show(flows, card(say("flows"), {
      tools: [pick_days],
      sub: last ? say("flows_sub", { n: number(told.days.length), date: last.date }) : null,
    }, flowsPicture(grading(chosen), told.days)));
  }
  show(place, h("h1", { class: "hidden" }, say("overview")), tops,
    h("div", { class: "columns" }, h("div", { class: "stack" }, tiers, flows), list.element));
  return {
    ready: Promise.all([ask().then(paint), list.ready]),
    change: (change) => list.add(change),
    update: async () => {
      await ask();
      // A menu that is open, or a button with the focus, is not pulled away from under the hand.
      if (!place.contains(document.activeElement) || list.element.contains(document.activeElement)) paint();
    },
  };
}
