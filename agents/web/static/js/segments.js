// Segments: the RFM heat map, and customers on the axes of each matrix. Hidden where there is none.
import { get } from "./api.js";
import { card, empty, h, show, svg } from "./dom.js";
import { grading, gradingLabel, measureLabel, money, number, reading, state, tierLabel, tone } from "./state.js";
import { pick, say } from "./words.js";

let by = "customers";

// Cells are named by their classes of recency, frequency and money: "543".
function heat(one) {
  const size = Math.max(...one.tiers.map((tier) => Math.max(...[...tier.tier].map(Number))), 2);
  const sums = new Map();
  for (const tier of one.tiers) {
    const key = tier.tier.slice(0, 2);
    const sum = sums.get(key) || { customers: 0, amount_minor: 0 };
    sums.set(key, { customers: sum.customers + tier.customers, amount_minor: sum.amount_minor + tier.amount_minor });
  }
  const most = Math.max(1, ...[...sums.values()].map((sum) => sum[by]));
  const classes = Array.from({ length: size }, (_, place) => place + 1);
  const cell = (r, f) => {
    const sum = sums.get(`${r}${f}`) || { customers: 0, amount_minor: 0 };
    const deep = Math.sqrt(Math.max(0, sum[by]) / most) * 0.92;
    return h("td", {}, h("div", { class: deep > 0.6 ? "cell deep" : "cell", "--deep": String(deep.toFixed(2)) },
      h("b", {}, by === "customers" ? number(sum.customers) : money(sum.amount_minor, "short")),
      h("span", {}, by === "customers" ? (sum.amount_minor ? money(sum.amount_minor, "short") : "–") : number(sum.customers))));
  };
  const rows = [...classes].reverse().map((r) => h("tr", {},
    h("th", { scope: "row" }, `R${r}`, r === size && h("div", { class: "sub" }, say("recent")), r === 1 && h("div", { class: "sub" }, say("longest"))),
    classes.map((f) => cell(r, f))));
  return [h("table", { class: "heat" }, h("thead", {}, h("tr", {}, h("td"), classes.map((f) => h("th", { scope: "col" }, `F${f}`)))), h("tbody", {}, rows)),
    h("p", { class: "axis-name" }, say("frequency_axis"))];
}

const WIDTH = 560;
const HEIGHT = 400;
const EDGE = { left: 14, right: 14, top: 14, bottom: 30 };

// Money spreads over powers of ten: it is drawn on a symmetric log scale, scores as they are.
function scale(axis, values, from, to) {
  const shape = axis.unit === "money" ? (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / 1e5) : (v) => v;
  const shaped = [...values, ...axis.levels].map(shape);
  const low = Math.min(...shaped);
  const span = Math.max(...shaped) - low || 1;
  return (value) => from + ((shape(value) - low) / span) * (to - from);
}

function plot(matrix) {
  const { points, columns, rows } = matrix;
  const x = scale(columns, points.map((p) => p.x), EDGE.left + 8, WIDTH - EDGE.right - 8);
  const y = scale(rows, points.map((p) => p.y), HEIGHT - EDGE.bottom - 8, EDGE.top + 8);
  const open = (event) => {
    const id = event.target.dataset?.id;
    if (id) location.hash = `#/customer/${encodeURIComponent(id)}`;
  };
  const dots = points.map((p) => {
    const dot = svg("circle", { cx: x(p.x).toFixed(1), cy: y(p.y).toFixed(1), r: points.length > 400 ? 3.2 : 4.2, css: { fill: tone(matrix.grading, p.tier) } },
      svg("title", {}, `${p.customer_id}: ${reading(p.x, columns.unit, columns.places)}, ${reading(p.y, rows.unit, rows.places)}`));
    dot.dataset.id = p.customer_id;
    return dot;
  });
  const tiers = grading(matrix.grading).tiers;
  const said = tiers.map((tier) => `${tierLabel(matrix.grading, tier.tier)}: ${number(tier.customers)}`).join("; ");
  return svg("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said, onclick: open },
    svg("rect", { x: EDGE.left, y: EDGE.top, width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom, rx: 8, fill: "none", class: "axis" }),
    dots,
    columns.levels.map((level) => svg("line", { class: "cut", x1: x(level), x2: x(level), y1: EDGE.top, y2: HEIGHT - EDGE.bottom })),
    rows.levels.map((level) => svg("line", { class: "cut", y1: y(level), y2: y(level), x1: EDGE.left, x2: WIDTH - EDGE.right })),
    svg("text", { x: WIDTH / 2, y: HEIGHT - 8, "text-anchor": "middle" }, `${pick(columns.label)} →`));
}

function matrixCard(matrix) {
  const found = grading(matrix.grading);
  const keys = found.tiers.map((tier) => h("a", { class: "chip", "--tone": tone(matrix.grading, tier.tier), href: `#/tier/${matrix.grading}/${tier.tier}` },
    tierLabel(matrix.grading, tier.tier), " ", h("b", {}, number(tier.customers))));
  return card(gradingLabel(matrix.grading), { sub: say("matrix_sub", { n: number(matrix.points.length) }) },
    h("div", { class: "picker" }, keys), h("p", { class: "sub" }, `↑ ${pick(matrix.rows.label)}`), plot(matrix));
}

function segmentCard(one) {
  const all = one.tiers.reduce((sum, tier) => sum + tier.customers, 0) || 1;
  const most = Math.max(1, ...one.tiers.map((tier) => tier.customers));
  const rows = one.tiers.map((tier) => h("tr", {},
    h("td", {}, h("a", { href: `#/tier/${one.grading}/${tier.tier}` }, tierLabel(one.grading, tier.tier))),
    h("td", { class: "num" }, number(tier.customers)),
    h("td", { class: "wide" }, h("span", { class: "bar", "aria-hidden": "true" }, h("i", { css: { width: `${(tier.customers / most) * 100}%` }, "--tone": tone(one.grading, tier.tier) }))),
    h("td", { class: "num sub" }, number(tier.customers / all, { style: "percent" })),
    state.gradings.amount && h("td", { class: "num" }, money(tier.amount_minor, "short"))));
  const head = (text, cls = "") => h("th", { scope: "col", class: cls }, text);
  return card(gradingLabel(one.grading), {}, h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, head(say("tier")), head(say("customers"), "num"),
    head("", "wide"), head(""), state.gradings.amount && head(say("share_amount"), "num"))), h("tbody", {}, rows))));
}

export function segments(place) {
  let matrices = [];
  function paint() {
    const all = state.gradings.gradings;
    const cells = all.filter((one) => one.type === "rfm_cells" && one.tiers.length);
    const named = all.filter((one) => ["rfm_segments", "rfm_classes", "lifecycle"].includes(one.type));
    const choose = h("div", { class: "picker", role: "group" }, ["customers", "amount_minor"].map((field) =>
      h("button", { class: "quiet", type: "button", "aria-pressed": String(by === field), onclick: () => {
        by = field;
        paint();
      } }, say(field === "customers" ? "by_customers" : "by_amount"))));
    const parts = [
      ...cells.map((one) => card(say("rfm"), { sub: say("rfm_sub", { grading: pick(one.label) }), tools: state.gradings.amount ? [choose] : [] }, h("div", { class: "scroll" }, heat(one)))),
      ...matrices.map(matrixCard), ...named.map(segmentCard)];
    show(place, h("h1", { class: "hidden" }, say("segments")),
      parts.length ? h("div", { class: "halves" }, parts) : h("div", { class: "card" }, empty(say("nobody"), say("nobody_text"))));
  }
  async function ask() {
    matrices = (await get("/matrices")).matrices;
    paint();
  }
  return { ready: ask(), update: () => (place.contains(document.activeElement) ? null : ask()) };
}
