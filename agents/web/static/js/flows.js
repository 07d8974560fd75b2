// Who moved where: a Sankey of changes between tiers, and ups and downs by day.
import { empty, h, svg } from "./dom.js";
import { number, tierLabel, tone } from "./state.js";
import { say } from "./words.js";

const NARROW = matchMedia("(max-width: 720px)");
const NODE = 10;
const PAD = 10;
const LABEL = 26;
let WIDTH = 760;
let LEFT = 128;
const TALL = 300;

function totals(days) {
  const found = new Map();
  for (const day of days) {
    for (const flow of day.flows) {
      const key = JSON.stringify([flow.from, flow.to]);
      found.set(key, (found.get(key) || 0) + flow.changes);
    }
  }
  return [...found].map(([key, changes]) => {
    const [from, to] = JSON.parse(key);
    return { from, to, changes };
  });
}

// Stacks the nodes of one side, and gives each a place where its next ribbon begins.
function side(order, flows, end, scale) {
  const nodes = new Map();
  let y = 0;
  for (const name of order) {
    const sum = flows.filter((flow) => flow[end] === name).reduce((all, flow) => all + flow.changes, 0);
    if (!sum) continue;
    nodes.set(name, { y, tall: sum * scale, sum, at: y });
    y += Math.max(sum * scale, LABEL) + PAD;
  }
  return nodes;
}

function ribbon(flow, here, there, scale) {
  const wide = flow.changes * scale;
  const x0 = LEFT + NODE;
  const x1 = WIDTH - LEFT - NODE;
  const middle = (x0 + x1) / 2;
  const [a, b] = [here.at, there.at];
  here.at += wide;
  there.at += wide;
  return `M${x0} ${a}C${middle} ${a} ${middle} ${b} ${x1} ${b}V${b + wide}C${middle} ${b + wide} ${middle} ${a + wide} ${x0} ${a + wide}Z`;
}

// Flows between the tiers of one grading; *from* null is a newcomer, or not graded where *still*.
export function sankey(grading, flows, still = false) {
  [WIDTH, LEFT] = NARROW.matches || still ? [430, 92] : [760, 128];
  const name = grading.grading;
  const order = [...grading.tiers.map((tier) => tier.tier), null];
  const all = flows.reduce((sum, flow) => sum + flow.changes, 0);
  const sides = (end) => new Set(flows.map((flow) => flow[end])).size;
  const nodes = Math.max(sides("from"), sides("to"));
  const scale = Math.max(TALL - (PAD + LABEL / 2) * nodes, TALL / 3) / all;
  const left = side(order, flows, "from", scale);
  const right = side(order, flows, "to", scale);
  const rank = (tier) => order.indexOf(tier);
  const sorted = [...flows].sort((a, b) => rank(a.from) - rank(b.from) || rank(a.to) - rank(b.to));
  const label = (tier, end) => (tier === null && end === "from" && !still ? say("new") : tierLabel(name, tier));
  const way = (flow) => (flow.from === flow.to || flow.from === null || flow.to === null || !grading.ordered ? "lateral" : rank(flow.to) < rank(flow.from) ? "up" : "down");
  const node = (x, anchor, end) => ([tier, { y, tall, sum }]) => svg("g", {},
    svg("rect", { x, y, width: NODE, height: Math.max(tall, 1), rx: 3, css: { fill: tone(name, tier) } }),
    svg("text", { class: "node", x: anchor === "end" ? x - 10 : x + NODE + 10, y: y + tall / 2, "text-anchor": anchor, dy: "-.1em" }, label(tier, end)),
    svg("text", { x: anchor === "end" ? x - 10 : x + NODE + 10, y: y + tall / 2, "text-anchor": anchor, dy: "1.1em" }, number(sum)));
  const said = sorted.map((flow) => `${label(flow.from, "from")} → ${label(flow.to, "to")}: ${number(flow.changes)}`);
  return svg("svg", { class: "sankey", viewBox: `0 -12 ${WIDTH} ${bottom(left, right) + 16}`, role: "img", "aria-label": said.join("; ") },
    sorted.map((flow, place) => svg("path", { class: `fill-${way(flow)}`, d: ribbon(flow, left.get(flow.from), right.get(flow.to), scale) },
      svg("title", {}, said[place]))),
    [...left].map(node(LEFT, "end", "from")), [...right].map(node(WIDTH - LEFT - NODE, "start", "to")));
}

// Ups above the line, downs below it, a bar for each day with changes.
function byDay(days) {
  const sums = days.map((day) => {
    const of = (direction) => day.causes.filter((cause) => cause.direction === direction).reduce((sum, cause) => sum + cause.changes, 0);
    return { date: day.date, up: of("up"), down: of("down") };
  });
  const most = Math.max(1, ...sums.map((day) => Math.max(day.up, day.down)));
  const tall = 34;
  const wide = WIDTH / sums.length;
  const bar = (day, place, way) => {
    const high = (day[way] / most) * tall;
    return high && svg("rect", { class: `fill-${way}`, x: place * wide + wide * 0.12, width: Math.max(wide * 0.76, 0.6), rx: Math.min(1.5, wide / 3),
      y: way === "up" ? tall - high : tall + 1, height: high }, svg("title", {}, `${day.date}: ${say("ups_downs", day)}`));
  };
  return svg("svg", { class: "days", viewBox: `0 0 ${WIDTH} ${tall * 2 + 20}`, role: "img", "aria-label": `${sums[0].date} – ${sums.at(-1).date}` },
    sums.map((day, place) => [bar(day, place, "up"), bar(day, place, "down")]),
    svg("line", { class: "axis", x1: 0, x2: WIDTH, y1: tall + 0.5, y2: tall + 0.5 }),
    svg("text", { x: 0, y: tall * 2 + 16 }, sums[0].date),
    svg("text", { x: WIDTH, y: tall * 2 + 16, "text-anchor": "end" }, sums.at(-1).date));
}

const bottom = (...sides) => Math.max(...sides.flatMap((nodes) => [...nodes.values()].map((one) => one.y + Math.max(one.tall, LABEL))));

export function flowsPicture(grading, days) {
  const all = totals(days);
  if (!all.length) return empty(say("no_flows"), say("no_flows_text"));
  const moved = all.filter((flow) => flow.from !== null);
  const key = (way) => h("span", {}, h("i", { "--tone": way === "lateral" ? "var(--t2)" : `var(--${way})` }), say(way === "lateral" ? "first" : way));
  const ways = all.length > moved.length ? ["up", "down", "lateral"] : ["up", "down"];
  return [sankey(grading, all), byDay(days), h("div", { class: "legend" }, ways.map(key))];
}
