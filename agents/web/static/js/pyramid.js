// The pyramid: one slice and one row for each tier, with its share of customers and of money.
import { empty, h, svg } from "./dom.js";
import { money, number, percent, state, tierLabel, tone } from "./state.js";
import { say } from "./words.js";

const WIDTH = 240;
const HEIGHT = 240;
const GAP = 4;

function slices(grading) {
  const count = grading.tiers.length;
  const tall = (HEIGHT - GAP * (count - 1)) / count;
  const half = (y) => 14 + (y / HEIGHT) * (WIDTH / 2 - 14);
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    grading.tiers.map((tier, place) => {
      const top = place * (tall + GAP);
      const bottom = top + tall;
      const middle = WIDTH / 2;
      const points = [[middle - half(top), top], [middle + half(top), top], [middle + half(bottom), bottom], [middle - half(bottom), bottom]];
      return svg("polygon", { points: points.map((p) => p.join()).join(" "), "--tone": tone(grading.grading, tier.tier), css: { fill: "var(--tone)" } });
    }));
}

function share(part, whole, text, color) {
  const of = whole > 0 ? Math.max(part, 0) / whole : 0;
  return h("div", { class: "split" },
    h("span", {}, h("span", { class: "big" }, text), h("span", { class: "sub" }, percent(of))),
    h("span", { class: "bar", "aria-hidden": "true" }, h("i", { css: { width: `${Math.min(100, of * 100)}%` }, "--tone": color })));
}

// The sentence that a pyramid is for: how few bring how much.
function insight(grading, customers, amount) {
  const best = grading.tiers.slice(0, Math.max(1, Math.floor(grading.tiers.length / 2)));
  const of = (field) => best.reduce((sum, tier) => sum + tier[field], 0);
  if (!state.gradings.amount || amount <= 0 || customers === 0 || of("customers") === 0) return null;
  const text = say("insight", {
    customers: percent(of("customers") / customers),
    amount: percent(of("amount_minor") / amount),
  });
  const names = best.map((tier) => tierLabel(grading.grading, tier.tier)).join(" + ");
  return h("p", { class: "insight" }, h("b", {}, `${names}: `), text);
}

export function pyramid(grading) {
  const customers = grading.tiers.reduce((sum, tier) => sum + tier.customers, 0);
  const amount = grading.tiers.reduce((sum, tier) => sum + Math.max(0, tier.amount_minor), 0);
  if (!customers) return empty(say("nobody"), say("nobody_text"));
  const name = grading.grading;
  const rows = grading.tiers.map((tier) => {
    const color = tone(name, tier.tier);
    return h("tr", {},
      h("td", { class: "name" }, h("a", { href: `#/tier/${name}/${encodeURIComponent(tier.tier)}` }, tierLabel(name, tier.tier))),
      h("td", {}, share(tier.customers, customers, number(tier.customers), color)),
      state.gradings.amount && h("td", {}, share(tier.amount_minor, amount, money(tier.amount_minor, "short"), color)));
  });
  const table = h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, say("tier")), h("th", { scope: "col" }, say("share_customers")),
      state.gradings.amount && h("th", { scope: "col" }, say("share_amount")))),
    h("tbody", {}, rows));
  return [h("div", { class: "pyramid" }, slices(grading), table), insight(grading, customers, amount)];
}
