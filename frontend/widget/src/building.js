/** Makes elements and style sheets without HTML in strings, so that strict content policies do not mind. */

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M7 11v9H4v-9zM7 11l4-8a2.4 2.4 0 0 1 2.4 2.4V9h5a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.2 20H7";
const sheets = new Map();

/** Return an element with attributes and children. */
export function build(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return a thumb, up or down, that says what it means. */
export function thumb(outcome, label, press) {
  const button = build("button", { class: `thumb ${outcome}`, part: `button ${outcome}`, type: "button", "aria-label": label, "aria-pressed": "false", title: label });
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", THUMB);
  if (outcome === "negative") path.setAttribute("transform", "rotate(180 12 12)");
  picture.append(path);
  button.append(picture);
  button.addEventListener("click", press);
  return button;
}

/** Return the style sheet of some rules; all elements share it. */
export function sheet(rules) {
  if (!sheets.has(rules)) {
    const made = new CSSStyleSheet();
    made.replaceSync(rules);
    sheets.set(rules, made);
  }
  return sheets.get(rules);
}
