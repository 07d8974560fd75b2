// One customer: where it stands and why, what would change it, what comes next, what it did.
import { ask } from "./api.js";
import { card, empty, h, show, svg } from "./dom.js";
import { chip, prevention } from "./people.js";
import { because } from "./sentences.js";
import { grading, gradingLabel, indicatorLabel, ladders, leading, measureLabel, moment, money, number, reading, state, tierLabel, tone } from "./state.js";
import { say } from "./words.js";

const MONTHS = 24;

function expectation(name, one) {
  if (!one.expected) return h("p", {}, say("stays"));
  const kept = prevention(one.expected.prevention);
  return [h("p", { class: "when" }, say("becomes", { tier: tierLabel(name, one.expected.tier), date: moment(one.expected.at, false) })),
    kept && h("p", {}, say("kept_by", { what: kept }))];
}

function hero(told, main) {
  const one = told.gradings[main];
  const chips = Object.entries(told.gradings).filter(([name, found]) => found.tier !== null && grading(name)?.type !== "tag")
    .map(([name, found]) => h("span", { class: "chip", "--tone": tone(name, found.tier) }, `${gradingLabel(name)} `, h("b", {}, tierLabel(name, found.tier))));
  return h("section", { class: "card hero" },
    h("div", { class: "grow" }, h("h1", {}, told.customer_id), h("p", { class: "sub" }, say("as_of", { at: moment(told.as_of) })), h("div", { class: "tiers" }, chips)),
    h("div", { class: "next" }, h("h3", {}, `${gradingLabel(main)}: ${say("if_nothing")}`), expectation(main, one)));
}

function ladder(name, standing) {
  const level = (value) => (typeof value === "string" ? Number(value) : value);
  const rungs = standing.tiers.filter((rung) => rung.enter !== null);
  const here = level(standing.level);
  const top = Math.max(level(rungs[0]?.enter ?? 1) * 1.2, here * 1.06, 1);
  const at = (value) => `${Math.max(0, Math.min(100, (value / top) * 100))}%`;
  const write = (value) => reading(value, standing.unit);
  let last = Infinity;
  const marks = rungs.map((rung) => {
    const enter = level(rung.enter);
    const room = last - enter / top > (matchMedia("(max-width: 720px)").matches ? 0.24 : 0.16); // labels of near rungs would lie on each other
    if (room) last = enter / top;
    return h("span", { class: "rung", css: { left: at(enter) } }, room && h("span", {}, tierLabel(name, rung.tier), h("br"), write(rung.enter)));
  });
  const tier = standing.tiers.find((rung) => rung.enter === null || here >= level(rung.enter))?.tier;
  return h("div", { class: "ladder", role: "img", "aria-label": `${write(standing.level)}; ${rungs.map((rung) => `${tierLabel(name, rung.tier)} ${write(rung.enter)}`).join("; ")}` },
    h("i", { css: { width: at(here) }, "--tone": tone(name, tier) }), marks,
    h("span", { class: "here", css: { left: `clamp(34px, ${at(here)}, calc(100% - 34px))` } }, write(standing.level)));
}

function advice(name, one) {
  const { orders, refund, better } = one.counterfactual;
  const lines = [];
  const add = (way, mark, text) => lines.push(h("li", {}, h("span", { class: `mark ${way}`, "aria-hidden": "true" }, mark), h("span", {}, text)));
  if (orders) add("up", "▲", say("up_orders", { what: prevention({ orders: orders.orders || 1, amount_minor: orders.amount_minor }), tier: tierLabel(name, orders.to) }));
  for (const move of better.slice(0, 2)) {
    add("up", "▲", say("move", { measure: measureLabel(move.measure), level: reading(move.at, move.unit), tier: tierLabel(name, move.to) }));
  }
  if (refund) add("down", "▼", say("down_refund", { amount: money(refund.amount_minor, "exact"), tier: tierLabel(name, refund.to) }));
  const waiting = one.stability?.waiting;
  if (waiting) add("warn", "●", say("held", { rule: waiting.rule }));
  return lines.length ? h("ul", { class: "advice" }, lines) : h("p", { class: "sub" }, say("nothing_changes"));
}

const exact = (text) => {
  const [over, under] = text.split("/");
  return number(Number(over) / Number(under || 1), { maximumFractionDigits: 2 });
};

function scorecard(name, score) {
  const head = (text, cls = "") => h("th", { scope: "col", class: cls }, text);
  const rows = score.parts.map((part) => h("tr", {},
    h("td", {}, part.measure && state.policy.labels[part.measure] ? measureLabel(part.measure) : indicatorLabel(name, part.indicator), h("div", { class: "sub" }, indicatorLabel(name, part.indicator))),
    h("td", { class: "num" }, exact(part.points)),
    h("td", { class: "num sub" }, number(Number(part.weight), { style: "percent" })),
    h("td", { class: "num" }, h("b", {}, exact(part.contribution)))));
  if (score.rounding !== "0") rows.push(h("tr", {}, h("td", { class: "sub" }, say("rounding")), h("td"), h("td"), h("td", { class: "num" }, exact(score.rounding))));
  return card(`${gradingLabel(name)}: ${say("scorecard")}`, {},
    h("p", { class: "score-total" }, exact(score.value)),
    h("table", { class: "parts" }, h("thead", {}, h("tr", {}, head(say("part")), head(say("points"), "num"), head(say("weight"), "num"), head(say("adds"), "num"))), h("tbody", {}, rows)));
}

function spark(title, months, field, write) {
  const most = Math.max(1, ...months.map((month) => month[field]));
  const wide = 300 / months.length;
  const bars = months.map((month, place) => svg("rect", { x: place * wide + 1, width: Math.max(1, wide - 2), rx: 1.5,
    height: Math.max(month[field] > 0 ? 2 : 0, (Math.max(0, month[field]) / most) * 42), y: 44 - Math.max(month[field] > 0 ? 2 : 0, (Math.max(0, month[field]) / most) * 42) },
    svg("title", {}, `${month.name}: ${write(month[field])}`)));
  const sum = months.reduce((all, month) => all + month[field], 0);
  return h("div", { class: "spark" }, h("span", { class: "sub" }, title), h("span", { class: "value" }, write(sum)),
    svg("svg", { viewBox: "0 0 300 46", preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${months.map((m) => `${m.name} ${write(m[field])}`).join("; ")}` },
      svg("line", { class: "axis", x1: 0, x2: 300, y1: 45, y2: 45 }), bars));
}

function byMonth(days, until) {
  const end = new Date(until);
  const names = Array.from({ length: MONTHS }, (_, back) =>
    new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() - (MONTHS - 1 - back), 1)).toISOString().slice(0, 7));
  const sums = new Map(names.map((name) => [name, { name, events: 0, total: 0 }]));
  for (const day of days) {
    const month = sums.get(day.date.slice(0, 7));
    if (month) {
      month.events += day.events;
      month.total += day.total;
    }
  }
  const months = [...sums.values()];
  const first = months.findIndex((month) => month.events);
  return months.slice(Math.min(Math.max(0, first - 1), MONTHS - 12));
}

function activityCard(told) {
  const orders = byMonth(told.kinds.orders || [], told.as_of);
  const others = Object.entries(told.kinds).filter(([kind, days]) => kind !== "orders" && days.length);
  return card(say("activity"), {}, spark(say("per_month"), orders, "total", (v) => money(v, "short")), spark(say("per_month_orders"), orders, "events", number),
    others.slice(0, 3).map(([kind, days]) => spark(say(`kind_${kind}`), byMonth(days, told.as_of), "events", number)));
}

function measuresCard(told) {
  return card(say("measures"), {}, h("dl", { class: "facts" }, Object.entries(told.measures).map(([name, one]) =>
    h("div", {}, h("dt", {}, measureLabel(name)), h("dd", {}, reading(one.value, one.unit))))));
}

// RFM cells change with every few days of silence: they would hide the rest.
function historyCard(told) {
  const plain = (one) => grading(one.grading)?.type !== "rfm_cells";
  const rows = told.transitions.filter(plain).reverse().slice(0, 24).map((one) => h("tr", {},
    h("td", { class: "sub" }, moment(one.instant)), h("td", {}, gradingLabel(one.grading)),
    h("td", {}, one.from === null ? h("span", { class: "sub" }, say("new")) : chip(one.grading, one.from), " → ", chip(one.grading, one.to)),
    h("td", { class: "sub" }, [...one.reasons.slice(0, 2).map(because), say(`cause_${one.cause.kind}`)].join(" · "))));
  const head = (text) => h("th", { scope: "col" }, text);
  return card(say("history"), {}, rows.length ? h("div", { class: "scroll" }, h("table", { class: "history" }, h("thead", {}, h("tr", {}, head(say("when")), head(say("grading")), head(say("from_to")), head(say("why")))), h("tbody", {}, rows)))
    : empty(say("no_history"), say("no_history_text")));
}

export function customerView(place, id) {
  const body = { customer_id: id };
  async function load() {
    let told;
    try {
      told = await Promise.all([ask("/customers/card", body), ask("/customers/history", body), ask("/customers/activity", body)]);
    } catch (problem) {
      if (problem.status !== 404 && problem.status !== 422) throw problem;
      show(place, h("div", { class: "card" }, empty(say("not_found", { id }), say("not_found_text"))));
      return;
    }
    const [found, history, activity] = told;
    const main = found.gradings[leading().grading] ? leading().grading : Object.keys(found.gradings)[0];
    const steps = ladders().filter((one) => found.gradings[one.grading]?.standing);
    const scores = Object.entries(found.gradings).filter(([name, one]) => one.score && one.tier !== null && ladders().some((other) => other.grading === name));
    show(place, hero(found, main),
      h("div", { class: "columns" },
        h("div", { class: "stack" },
          steps.map((one) => card(`${gradingLabel(one.grading)}: ${say("standing")}`, { tools: [chip(one.grading, found.gradings[one.grading].tier)] },
            ladder(one.grading, found.gradings[one.grading].standing), h("h3", {}, say("what_changes")), advice(one.grading, found.gradings[one.grading]))),
          scores.map(([name, one]) => scorecard(name, one.score))),
        h("div", { class: "stack" }, activityCard(activity), measuresCard(found))),
      historyCard(history));
  }
  let due = false;
  return {
    ready: load(),
    change: (change) => { due ||= change.customer_id === id; },
    update: () => {
      if (!due) return null;
      due = false;
      return load();
    },
  };
}
