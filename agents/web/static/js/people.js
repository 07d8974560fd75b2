// Whom to look after: who is about to fall, with countdowns, and who is close to the next tier.
import { get } from "./api.js";
import { card, empty, h, show } from "./dom.js";
import { gradingLabel, ladders, moment, money, number, reading, tierLabel, tone } from "./state.js";
import { pick, say } from "./words.js";
import { selector } from "./overview.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let chosen = "";

export const chip = (grading, tier) => h("span", { class: "chip", "--tone": tone(grading, tier) }, tierLabel(grading, tier));
export const prevention = (found) =>
  found && say(found.orders === 1 ? "order_of" : "orders_of", { n: found.orders, amount: money(found.amount_minor, "exact") });

function countdown(left) {
  if (left < 0) return "–";
  if (left < DAY) {
    const clock = new Date(left).toISOString();
    return clock.slice(11, 19);
  }
  const days = Math.floor(left / DAY);
  return `${say(days === 1 ? "day" : "days", { n: number(days) })} ${say("hours", { n: Math.floor((left % DAY) / HOUR) })}`;
}

export function people(place) {
  const risks = h("div");
  const close = h("div");
  let told = null;
  let asked = Date.now();
  let cells = [];

  // On the wall clock countdowns run; in a replay time stands where the records are.
  const now = () => {
    const server = Date.parse(told.now);
    return Math.abs(server - asked) < DAY ? server + Date.now() - asked : server;
  };
  function tick() {
    for (const [cell, at] of cells) cell.textContent = countdown(at - now());
  }
  function riskRows() {
    cells = [];
    return told.warnings.map((one) => {
      const cell = h("td", { class: "num" });
      cells.push([cell, Date.parse(one.expected_at)]);
      return h("tr", {},
        h("td", {}, h("a", { href: `#/customer/${encodeURIComponent(one.customer_id)}` }, one.customer_id),
          h("div", { class: "sub" }, one.kind === "grace" ? `${gradingLabel(one.grading)}, ${say("in_grace")}` : gradingLabel(one.grading))),
        h("td", {}, chip(one.grading, one.tier), " → ", chip(one.grading, one.expected_tier)),
        h("td", { class: "wide" }, prevention(one.prevention) || h("span", { class: "sub" }, "–")),
        h("td", { class: "sub wide" }, moment(one.expected_at)), cell);
    });
  }
  function closeRows(found) {
    return found.map((one) => h("tr", {},
      h("td", {}, h("a", { href: `#/customer/${encodeURIComponent(one.customer_id)}` }, one.customer_id),
        h("div", { class: "sub" }, gradingLabel(one.grading))),
      h("td", {}, chip(one.grading, one.tier), " → ", chip(one.grading, one.to)),
      h("td", { class: "num" }, h("b", {}, reading(one.missing, one.unit, one.places)),
        h("span", { class: "bar", "aria-hidden": "true" }, h("i", { css: { width: `${Math.max(0, Math.min(100, (one.level / one.enter) * 100))}%` }, "--tone": tone(one.grading, one.to) })))));
  }
  function table(heads, rows) {
    return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
  }
  async function ask() {
    const query = chosen ? `&grading=${chosen}` : "";
    const [risk, candidates] = await Promise.all([get(`/at-risk?limit=100${query}`), get(`/candidates?limit=20${query}`)]);
    told = risk;
    asked = Date.now();
    const head = (text, cls = "") => h("th", { scope: "col", class: cls }, text);
    const choose = selector([["", say("all_gradings")], ...ladders().map((one) => [one.grading, pick(one.label)])], chosen, (name) => {
      chosen = name;
      ask();
    }, say("grading"));
    show(risks, card(`${say("at_risk")} (${number(risk.total)})`, { sub: say("at_risk_sub"), tools: [choose] }, risk.warnings.length
      ? table([head(say("customer")), head(say("from_to")), head(say("prevents"), "wide"), head("", "wide"), head(say("falls_in"), "num")], riskRows())
      : empty(say("nobody_at_risk"), say("nobody_at_risk_text"))));
    show(close, card(say("candidates"), { sub: say("candidates_sub") }, candidates.candidates.length
      ? table([head(say("customer")), head(say("from_to")), head(say("missing"), "num")], closeRows(candidates.candidates))
      : empty(say("no_candidates"), say("no_candidates_text"))));
    tick();
  }
  show(place, h("h1", { class: "hidden" }, say("people")), h("div", { class: "columns" }, risks, close));
  return { ready: ask(), tick: () => told && tick(), update: () => (place.contains(document.activeElement) ? null : ask()) };
}
