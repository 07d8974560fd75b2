// What all views look at: the gradings, the policy, and how to write numbers of this business.
import { currentLanguage, pick, say } from "./words.js";
import { get } from "./api.js";

export const state = { gradings: null, policy: null, recent: [] };

const TONES = { platinum: 0, gold: 1, iron: 2, lead: 3, star: 1, cow: 4, question: 5, dog: 3, key: 0, develop: 4, maintain: 1, opportunistic: 3 };

export async function load() {
  [state.gradings, state.policy] = await Promise.all([get("/gradings"), get("/policies/in-force")]);
}

export async function refresh() {
  state.gradings = await get("/gradings");
  const known = state.policy.policy;
  const now = state.gradings.policy;
  if (known.name !== now.name || known.version !== now.version) state.policy = await get("/policies/in-force");
}

const locale = () => (currentLanguage() === "zh" ? "zh-CN" : "en-GB");
export const number = (value, options = {}) => new Intl.NumberFormat(locale(), options).format(value);
export const percent = (share) =>
  number(share, { style: "percent", maximumFractionDigits: share < 0.1 && share > 0 ? 1 : 0 });

// "short" for figures at a glance; "exact" where a minor unit less would not do.
export function money(minor, style = "") {
  const { exponent, currency } = state.policy;
  const major = minor / 10 ** exponent;
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol" };
  if (style === "short" && Math.abs(major) >= 10000) return number(major, { ...options, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 });
  const digits = style !== "exact" && (style === "short" || Math.abs(major) >= 1000) ? 0 : exponent;
  return number(major, { ...options, maximumFractionDigits: digits, minimumFractionDigits: digits });
}

export function reading(value, unit, places = 0) {
  if (value === null || value === undefined) return say("unknown");
  if (unit === "money") return money(value);
  if (unit === "days") return say(value === 1 ? "day" : "days", { n: number(value) });
  if (unit === "bp") return number(value / 10000, { style: "percent", maximumFractionDigits: 1 });
  if (unit === "points") return say("in_points", { n: typeof value === "string" ? value : number(value / 10 ** places) });
  return typeof value === "number" ? number(value) : String(value);
}

export function moment(text, withTime = true) {
  const zone = state.policy ? state.policy.time_zone : "UTC";
  const options = { timeZone: zone, year: "numeric", month: "short", day: "numeric" };
  if (withTime) Object.assign(options, { hour: "2-digit", minute: "2-digit", hour12: false });
  return new Intl.DateTimeFormat(locale(), options).format(new Date(text));
}

export const grading = (name) => state.gradings.gradings.find((one) => one.grading === name);

export function gradingLabel(name) {
  const found = grading(name);
  return found ? pick(found.label, name) : name;
}

export function tierLabel(name, tier) {
  if (tier === null || tier === undefined) return say("not_graded");
  const found = grading(name)?.tiers.find((one) => one.tier === tier);
  return found ? pick(found.label, tier) : tier;
}

export function indicatorLabel(name, indicator) {
  const own = state.policy.document.gradings[name]?.indicators?.[indicator]?.label;
  return own?.[currentLanguage()] || indicator.replaceAll("_", " ");
}

export const measureLabel = (name) => pick(state.policy.labels[name], name.replaceAll("_", " "));

export function tone(name, tier) {
  if (tier in TONES) return `var(--t${TONES[tier]})`;
  const tiers = grading(name)?.tiers.map((one) => one.tier) || [];
  const place = tiers.indexOf(tier);
  if (place < 0) return "var(--line-strong)";
  const order = grading(name).ordered && tiers.length <= 4 ? [0, 1, 2, 3] : [0, 4, 1, 5, 6, 2, 7, 3];
  return `var(--t${order[place % order.length]})`;
}

// The gradings that read as a ladder and are meant for people: not those that only feed others.
export function ladders() {
  return state.gradings.gradings.filter((one) => one.ordered && one.tiers.length > 2 && one.tiers.length < 12 && one.type !== "tag");
}
export function leading() {
  const all = ladders();
  const few = state.gradings.gradings.filter((one) => one.tiers.length < 12);
  return all.find((one) => one.type === "bands") || all[0] || few[0] || state.gradings.gradings[0];
}
