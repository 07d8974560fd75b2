// Another policy beside the one in force, over the same history.
import { get } from "./api.js";
import { card, empty, h, show } from "./dom.js";
import { sankey } from "./flows.js";
import { selector } from "./overview.js";
import { chip } from "./people.js";
import { grading, gradingLabel, moment, money, number, tierLabel, tone } from "./state.js";
import { say } from "./words.js";

const NONE = "(not graded)";
let chosen = null;

function sides(name, told, simulation) {
  const tiers = [...new Set([...Object.keys(told.tiers.old), ...Object.keys(told.tiers.new)])];
  const known = grading(name).tiers.map((one) => one.tier);
  const place = (tier) => (known.includes(tier) ? known.indexOf(tier) : known.length);
  tiers.sort((a, b) => place(a) - place(b));
  const most = Math.max(1, ...tiers.flatMap((tier) => [told.tiers.old[tier], told.tiers.new[tier]].map((one) => one?.customers || 0)));
  const cell = (tier, one) => h("td", {}, h("div", { class: "split" },
    h("span", {}, h("span", { class: "big" }, number(one.customers)), h("span", { class: "sub" }, money(one.revenue_minor, "short"))),
    h("span", { class: "bar", "aria-hidden": "true" }, h("i", { css: { width: `${(one.customers / most) * 100}%` }, "--tone": tone(name, tier) }))));
  const zero = { customers: 0, revenue_minor: 0 };
  const rows = tiers.map((tier) => {
    const [before, after] = [told.tiers.old[tier] || zero, told.tiers.new[tier] || zero];
    const more = after.customers - before.customers;
    return h("tr", {}, h("td", { class: "name" }, tier === NONE ? say("not_graded") : tierLabel(name, tier)), cell(tier, before), cell(tier, after),
      h("td", { class: "num" }, more ? number(more, { signDisplay: "always" }) : "–"));
  });
  const head = (text, cls = "") => h("th", { scope: "col", class: cls }, text);
  const named = (key, one) => say(key, { name: one.policy, version: one.version });
  return h("div", { class: "scroll pyramid-table" }, h("table", {}, h("thead", {}, h("tr", {}, head(say("tier")), head(named("now_policy", simulation.old)),
    head(named("then_policy", simulation.new)), head(say("difference"), "num"))), h("tbody", {}, rows)));
}

function movers(name, told, simulation) {
  if (!told.movers.length) return empty(say("nobody_moves"), say("nobody_moves_text"));
  const head = (text, cls = "") => h("th", { scope: "col", class: cls }, text);
  const rows = told.movers.slice(0, 15).map((one) => h("tr", {},
    h("td", {}, h("a", { href: `#/customer/${encodeURIComponent(one.customer_id)}` }, one.customer_id)),
    h("td", {}, chip(name, one.old), " → ", chip(name, one.new)), h("td", { class: "num" }, money(one.revenue_minor, "short")),
    h("td", { class: "sub wide" }, one.reasons.join(" · "))));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, head(say("customer")), head(say("from_to")),
    head(say("revenue_of", { n: simulation.revenue_days }), "num"), head(say("why"), "wide"))), h("tbody", {}, rows)));
}

export function simulationView(place) {
  let simulation = null;
  function paint() {
    const names = Object.keys(simulation.gradings).filter((name) => grading(name)?.tiers.length < 12);
    if (!names.includes(chosen)) chosen = names[0];
    const told = simulation.gradings[chosen];
    const pick = selector(names.map((name) => [name, gradingLabel(name)]), chosen, (name) => {
      chosen = name;
      paint();
    }, say("grading"));
    const flows = told.matrix.map((one) => ({ from: one.old, to: one.new, changes: one.customers }));
    const label = (one) => `${one.policy} ${one.version}`;
    const key = (way, text) => h("span", {}, h("i", { "--tone": way === "lateral" ? "var(--t2)" : `var(--${way})` }), text);
    show(place, h("h1", { class: "hidden" }, say("simulation")), h("div", { class: "columns" }, card(`${say("simulation")}: ${gradingLabel(chosen)}`, { tools: [pick],
      sub: say("simulation_sub", { old: label(simulation.old), new: label(simulation.new), n: number(simulation.customers), date: moment(simulation.as_of, false) }) },
    sides(chosen, told, simulation)),
      card(say("who_moves"), {}, sankey(grading(chosen), flows, true), h("div", { class: "legend" }, key("up", say("up")), key("down", say("down")), key("lateral", say("stay"))))),
    card(say("movers"), {}, movers(chosen, told, simulation)));
  }
  async function ask() {
    try {
      simulation = await get("/simulation");
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      show(place, h("h1", { class: "hidden" }, say("simulation")), card(say("simulation"), {}, empty(say("not_simulated"), say("how_to_simulate"))));
      return;
    }
    paint();
  }
  return { ready: ask() };
}
