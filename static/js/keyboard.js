// Shortcuts: data-key on anything that can be clicked, data-row-key for the row in focus, moving through [data-list].
import { openDialog, showDialog } from "./dialogs.js";
import { selectTo, toggleSelection } from "./selection.js";

const SEQUENCE_MILLISECONDS = 1200;
let pending = "";
let timer = 0;

const isTyping = (target) =>
  target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])");

function strokeOf(event) {
  const named = event.key === " " ? "Space" : event.key;
  const command = event.ctrlKey || event.metaKey ? "Ctrl " : "";
  return command + named;
}

function bindings() {
  const found = new Map();
  for (const element of document.querySelectorAll("[data-key]")) {
    if (!isOffered(element)) continue;
    const stroke = normal(element.dataset.key);
    // The last one wins, so that an undo in the newest toast comes before older ones.
    found.set(stroke, element);
  }
  for (const element of currentRow()?.querySelectorAll("[data-row-key]") ?? []) {
    if (isOffered(element)) found.set(normal(element.dataset.rowKey), element);
  }
  return found;
}

// Menu entries stay reachable while their menu is closed; what is hidden or disabled does not.
function isOffered(element) {
  if (element.disabled || element.closest("[hidden], [inert], dialog:not([open])")) return false;
  const bar = element.closest(".selection-bar");
  return !bar || bar.checkVisibility();
}

const normal = (keys) => keys.trim().replace(/^(Cmd|Meta)\b/, "Ctrl");

function listLinks() {
  return [...document.querySelectorAll("[data-list] [data-open]")].filter((link) => link.offsetParent);
}

function currentIndex(links) {
  const row = document.activeElement.closest?.("[data-row]");
  return links.findIndex((link) => link === document.activeElement || (row && row.contains(link)));
}

function move(step) {
  const links = listLinks();
  if (!links.length) return false;
  const index = currentIndex(links);
  const next = index === -1 ? (step > 0 ? 0 : links.length - 1) : index + step;
  const link = links[Math.max(0, Math.min(links.length - 1, next))];
  link.focus();
  link.scrollIntoView({ block: "nearest" });
  return true;
}

const currentRow = () => document.activeElement.closest?.("[data-row]");

function focusSearch() {
  const search = document.querySelector("[data-search]") ?? document.querySelector("main input[type=search]");
  search?.focus();
  search?.select?.();
  return Boolean(search);
}

const listActions = {
  j: () => move(1),
  k: () => move(-1),
  x: () => toggleSelection(currentRow()),
  X: () => selectTo(currentRow()),
  "/": focusSearch,
  "?": () => Boolean(showDialog(document.getElementById("shortcuts"))) || true,
};

function activate(element) {
  if (element.matches("input, textarea, select")) element.focus();
  else element.click();
}

function tryStroke(keys) {
  const bound = bindings();
  const element = bound.get(keys);
  if (element) {
    activate(element);
    return "done";
  }
  return [...bound.keys()].some((each) => each.startsWith(`${keys} `)) ? "more" : "none";
}

function handle(stroke) {
  clearTimeout(timer);
  const sequence = pending ? `${pending} ${stroke}` : stroke;
  pending = "";
  let outcome = tryStroke(sequence);
  if (outcome === "none" && sequence !== stroke) outcome = tryStroke(stroke);
  if (outcome === "more") {
    pending = sequence;
    timer = setTimeout(() => (pending = ""), SEQUENCE_MILLISECONDS);
  }
  return outcome !== "none" || Boolean(listActions[stroke]?.());
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || (event.repeat && !["j", "k"].includes(event.key))) return;
  if (["Control", "Shift", "Alt", "Meta"].includes(event.key) || event.altKey) return;
  const command = event.ctrlKey || event.metaKey;
  if (isTyping(event.target)) {
    if (event.key === "Escape") event.target.blur();
    // A form's own Ctrl+Enter is the one shortcut that works while typing.
    if (!(command && event.key === "Enter")) return;
  }
  if (openDialog() || (event.key === "Enter" && !command)) return;
  if (handle(strokeOf(event))) event.preventDefault();
}

export function startKeyboard() {
  fillShortcutsDialog();
  // By then htmx knows the buttons that keys click.
  document.addEventListener("DOMContentLoaded", () => {
    for (const event of window.takeEarlyKeys()) onKey(event);
    document.addEventListener("keydown", onKey);
  });
}

function fillShortcutsDialog() {
  const dialog = document.getElementById("shortcuts");
  dialog?.addEventListener("beforetoggle", (event) => {
    if (event.newState === "open") describeShortcuts(dialog.querySelector("[data-shortcuts]"));
  });
}

function describeShortcuts(list) {
  for (const old of list.querySelectorAll("[data-found]")) old.remove();
  if (document.querySelector("[data-list]") && !list.querySelector("[data-list-keys]")) {
    const rows = document.querySelector("template[data-list-shortcuts]").content.cloneNode(true);
    rows.firstElementChild.dataset.listKeys = "";
    list.append(rows);
  }
  for (const [keys, element] of bindings()) {
    if (keys !== "?") list.append(...describe(keys, labelOf(element)));
  }
}

const labelOf = (element) =>
  element.dataset.keyLabel || element.getAttribute("aria-label") || element.title || ownText(element);

// The key caps printed on a button are not part of what it says.
function ownText(element) {
  const copy = element.cloneNode(true);
  for (const cap of copy.querySelectorAll("kbd")) cap.remove();
  return copy.textContent;
}

function describe(keys, label) {
  const term = document.createElement("dt");
  for (const stroke of keys.split(" ")) {
    const cap = document.createElement("kbd");
    cap.className = "key me-0.5";
    cap.textContent = stroke;
    term.append(cap);
  }
  const description = document.createElement("dd");
  description.textContent = label.trim();
  for (const part of [term, description]) part.dataset.found = "";
  return [term, description];
}
