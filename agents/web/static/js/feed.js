// The feed: changes as they are announced, newest first.
import { get } from "./api.js";
import { card, empty, h, show } from "./dom.js";
import { gradingLabel, leading, moment, state, tierLabel } from "./state.js";
import { why } from "./sentences.js";
import { pick, say } from "./words.js";

const SIGNS = { up: "▲", down: "▼", first: "•", lateral: "◆" };
const SHOWN = 60;
let only = null;

function entry(change, fresh) {
  const way = change.direction;
  return h("li", { class: fresh ? "fresh" : "" },
    h("span", { class: `sign ${way}`, title: say(way), "aria-label": say(way), role: "img" }, SIGNS[way]),
    h("span", {},
      h("a", { class: "who", href: `#/customer/${encodeURIComponent(change.customer_id)}` }, change.customer_id), "  ",
      h("span", { class: "move" }, `${change.from === null ? say("new") : tierLabel(change.grading, change.from)} → ${tierLabel(change.grading, change.to)}`)),
    h("time", { datetime: change.instant }, moment(change.instant)),
    h("span", { class: "why" }, only ? why(change) : `${gradingLabel(change.grading)}: ${why(change)}`));
}

export function feed() {
  only ??= leading().grading;
  const list = h("ul", { class: "feed", tabindex: 0, "aria-label": say("feed") });
  const body = h("div", {}, list);
  let paused = false;
  let held = [];
  let known = [];

  const wanted = (change) => only === "" || change.grading === only;
  function paint() {
    const found = known.filter(wanted).slice(-SHOWN).reverse();
    show(list, found.map((change) => entry(change, false)));
    show(body, found.length ? list : empty(say("no_changes"), say("no_changes_text")));
  }
  async function ask() {
    known = (await get(`/changes?limit=${SHOWN}${only ? `&grading=${only}` : ""}`)).changes;
    paint();
  }
  function add(change) {
    if (paused) {
      held.push(change);
      return;
    }
    if (known.some((one) => one.id === change.id)) return;
    known.push(change);
    if (known.length > 4 * SHOWN) known = known.slice(-2 * SHOWN);
    if (!wanted(change)) return;
    if (!list.isConnected || !list.childElementCount) paint();
    else {
      list.prepend(entry(change, true));
      while (list.childElementCount > SHOWN) list.lastChild.remove();
    }
  }
  const pause = h("button", { class: "quiet", type: "button", "aria-pressed": "false", onclick: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = say(paused ? "go_on" : "pause");
    if (!paused) held.splice(0).forEach(add);
  } }, say("pause"));
  const choose = h("select", { "aria-label": say("grading"), onchange: () => { only = choose.value; ask(); } },
    h("option", { value: "", selected: only === "" }, say("all_gradings")),
    state.gradings.gradings.map((one) => h("option", { value: one.grading, selected: one.grading === only }, pick(one.label))));
  return { element: card(say("feed"), { sub: say("feed_sub"), tools: [choose, pause] }, body), ready: ask(), add };
}
