// Building elements. Text is always text: nothing from the server is read as markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name === "css") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
export const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

export function show(place, ...children) {
  place.replaceChildren(...children.flat(3).filter(Boolean));
}

export function empty(title, text) {
  return h("div", { class: "empty" }, h("b", {}, title), h("span", {}, text));
}

export function card(title, { tools = [], sub = null, ...attributes } = {}, ...children) {
  const id = `card-${(card.count = (card.count || 0) + 1)}`;
  return h(
    "section",
    { ...attributes, class: `card ${attributes.class || ""}`, "aria-labelledby": id },
    h("header", {}, h("div", { class: "grow" }, h("h2", { id }, title), sub && h("p", { class: "sub" }, sub)), tools),
    children,
  );
}
