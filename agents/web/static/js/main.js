// The frame: routes, language, theme, token, and what the stream of changes sets in motion.
import { follow, get, keepToken, onUnauthorized } from "./api.js";
import { h, show } from "./dom.js";
import { load, moment, refresh, state } from "./state.js";
import { currentLanguage, say, setLanguage } from "./words.js";
import { customerView } from "./card.js";
import { overview } from "./overview.js";
import { people } from "./people.js";
import { segments } from "./segments.js";
import { simulationView } from "./simulation.js";
import { tierView } from "./tier.js";

const $ = (id) => document.getElementById(id);
const TABS = [["", "overview"], ["segments", "segments"], ["people", "people"], ["simulation", "simulation"]];
const VIEWS = { "": overview, segments, people, tier: tierView, customer: customerView, simulation: simulationView };
const RECENT = 200;
let view = null;
let connection = "reading";

function route() {
  const [name = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  return { name: name in VIEWS ? name : "", rest };
}

function frame() {
  document.title = "tierstream";
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  const { name } = route();
  $("nav").setAttribute("aria-label", "tierstream");
  const tabs = TABS.filter(([path]) => path !== "simulation" || state.policy?.simulated);
  show($("nav"), tabs.map(([path, key]) =>
    h("a", { href: `#/${path}`, "aria-current": name === path ? "page" : null }, say(key))));
  $("find-id").placeholder = say("find");
  $("find-id").setAttribute("aria-label", say("find"));
  $("language").textContent = say("language");
  $("language").setAttribute("aria-label", say("to_language"));
  $("theme").textContent = document.documentElement.dataset.theme === "dark" ? "☀" : "☾";
  $("theme").setAttribute("aria-label", say("theme"));
  status(connection);
}

function status(now) {
  connection = now;
  $("state").className = `state ${now}`;
  $("state").textContent = say(now);
}

function foot() {
  const { policy, as_of, surveyed } = state.gradings;
  show($("foot"),
    h("span", {}, say("policy_foot", policy)),
    as_of && h("span", {}, say("as_of", { at: moment(as_of) })),
    surveyed && h("span", {}, say("surveyed", { at: moment(surveyed) })));
}

async function draw({ focus = false } = {}) {
  frame();
  const { name, rest } = route();
  const place = h("div", { class: "stack" });
  const drawn = VIEWS[name](place, ...rest);
  view = drawn;
  try {
    await drawn.ready;
  } catch (problem) {
    show(place, h("div", { class: "card empty" }, h("b", {}, say("failed", { why: problem.message }))));
  }
  if (view !== drawn) return; // another route was opened meanwhile
  show($("main"), place);
  foot();
  if (focus) {
    $("main").focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

// Waits a moment and does it once, however often it is asked for.
function calm(work, wait) {
  let timer = null;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      Promise.resolve(work()).catch(() => {});
    }, wait);
  };
}

const refreshed = calm(async () => {
  await refresh();
  view?.update?.();
  foot();
}, 700);

function ask() {
  const box = $("ask");
  return new Promise((done) => {
    const input = h("input", { id: "token", type: "password", autocomplete: "off", required: true });
    const form = h("form", { method: "dialog", onsubmit: () => { keepToken(input.value); done(); } },
      h("h2", {}, say("token_title")), h("p", { class: "sub" }, say("token_text")),
      h("label", { for: "token" }, say("token")), input,
      h("button", { class: "solid", type: "submit" }, say("enter")));
    show(box, form);
    box.setAttribute("aria-label", say("token_title"));
    box.addEventListener("cancel", (event) => event.preventDefault());
    if (!box.open) box.showModal();
  });
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  localStorage.setItem("tierstream-theme", name);
}

function settle() {
  setLanguage(localStorage.getItem("tierstream-language") || (navigator.language.startsWith("zh") ? "zh" : "en"));
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = localStorage.getItem("tierstream-theme") || (dark ? "dark" : "light");
  $("language").addEventListener("click", () => {
    setLanguage(currentLanguage() === "zh" ? "en" : "zh");
    localStorage.setItem("tierstream-language", currentLanguage());
    draw();
  });
  $("theme").addEventListener("click", () => {
    theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    frame();
  });
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = $("find-id").value.trim();
    if (id) location.hash = `#/customer/${encodeURIComponent(id)}`;
  });
  addEventListener("hashchange", () => draw({ focus: true }));
}

async function begin() {
  let one = null;
  onUnauthorized(() => (one ??= ask().finally(() => { one = null; })));
  settle();
  frame();
  for (;;) {
    try {
      await load();
      break;
    } catch {
      status("reading");
      await new Promise((done) => setTimeout(done, 1500));
    }
  }
  const { next } = await get("/changes?limit=1"); // before anything is drawn: nothing falls between
  await draw();
  follow(next, {
    state: (now) => { status(now); if (now === "live") refreshed(); },
    missed: () => draw(),
    change: (change) => {
      state.recent.push(change);
      if (state.recent.length > RECENT) state.recent.splice(0, state.recent.length - RECENT);
      view?.change?.(change);
      refreshed();
    },
  });
  setInterval(() => view?.tick?.(), 1000);
}

begin();
