// Who brings in most in one tier.
import { get } from "./api.js";
import { card, empty, h, show } from "./dom.js";
import { gradingLabel, money, tierLabel } from "./state.js";
import { say } from "./words.js";

const MOST = 50;

export function tierView(place, grading, tier) {
  async function ask() {
    const path = `/gradings/${encodeURIComponent(grading)}/tiers/${encodeURIComponent(tier)}`;
    let found = (await get(`${path}/largest?limit=${MOST}`)).members;
    if (!found.length) found = (await get(`${path}/members?limit=${MOST}`)).members;
    const rows = found.map((one, nth) => h("tr", {}, h("td", { class: "sub" }, nth + 1),
      h("td", {}, h("a", { href: `#/customer/${encodeURIComponent(one.customer_id)}` }, one.customer_id)),
      h("td", { class: "num" }, one.amount_minor === null ? say("unknown") : money(one.amount_minor))));
    const table = h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "#"), h("th", { scope: "col" }, say("customer")),
      h("th", { scope: "col", class: "num" }, say("share_amount")))), h("tbody", {}, rows));
    show(place, h("p", {}, h("a", { class: "link", href: "#/" }, `← ${say("back")}`)),
      card(say("members_of", { tier: tierLabel(grading, tier) }), { sub: gradingLabel(grading) },
        found.length ? h("div", { class: "scroll" }, table) : empty(say("nobody"), say("nobody_text"))));
  }
  return { ready: ask() };
}
