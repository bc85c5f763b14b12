// The command menu: entries are the page's [data-command] links and buttons and the JSON block "commands".
import { openDialog, showDialog } from "./dialogs.js";

const MOST_SHOWN = 40;
let entries = [];
let shown = [];
let selected = 0;

function collect() {
  const block = document.getElementById("commands");
  const listed = block ? JSON.parse(block.textContent) : [];
  const fromBlock = listed.map(({ label, url }) => ({ label, run: () => location.assign(url) }));
  const fromPage = [...document.querySelectorAll("[data-command]")].map((element) => ({
    label: element.dataset.command || element.textContent.trim(),
    keys: element.dataset.key,
    run: () => element.click(),
  }));
  const labels = new Set();
  fromPage.sort((a, b) => Boolean(b.keys) - Boolean(a.keys));
  return [...fromPage, ...fromBlock].filter(({ label }) => !labels.has(label) && labels.add(label));
}

// Every word typed must begin a word of the entry or stand inside it; beginnings come first.
function rank(label, words) {
  const text = label.toLowerCase();
  let score = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at === -1) return -1;
    score += at === 0 ? 3 : text[at - 1] === " " ? 2 : 1;
  }
  return score;
}

function filter(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return entries
    .map((entry) => ({ entry, score: rank(entry.label, words) }))
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST_SHOWN)
    .map(({ entry }) => entry);
}

// What is typed may as well be a question to the feedback: the last entry asks it.
function search(query, address) {
  const label = `Search what customers said about “${query}”`;
  return { label, run: () => location.assign(`${address}?q=${encodeURIComponent(query)}`) };
}

function option(entry, index) {
  const item = document.createElement("li");
  item.id = `command-${index}`;
  item.className = "pop-item";
  item.setAttribute("role", "option");
  item.textContent = entry.label;
  if (entry.keys) {
    const keys = document.createElement("kbd");
    keys.className = "key";
    keys.textContent = entry.keys;
    item.append(keys);
  }
  item.addEventListener("click", () => run(entry));
  return item;
}

function render(dialog) {
  const input = dialog.querySelector("input");
  const query = input.value.trim();
  const address = dialog.dataset.searchUrl;
  shown = filter(query);
  if (query && address) shown.push(search(query, address));
  selected = 0;
  const list = dialog.querySelector("ul");
  list.replaceChildren(...shown.map(option));
  if (!shown.length) {
    const none = document.createElement("li");
    none.className = "pop-title";
    none.textContent = "Nothing by that name.";
    list.append(none);
  }
  mark(dialog);
}

function mark(dialog) {
  dialog.querySelectorAll("[role=option]").forEach((item, index) => {
    item.setAttribute("aria-selected", index === selected);
    if (index === selected) item.scrollIntoView({ block: "nearest" });
  });
  dialog.querySelector("input").setAttribute("aria-activedescendant", shown.length ? `command-${selected}` : "");
}

function run(entry) {
  document.getElementById("commands-dialog").close();
  entry?.run();
}

function onInputKey(event, dialog) {
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && shown.length) {
    event.preventDefault();
    selected = (selected + steps[event.key] + shown.length) % shown.length;
    mark(dialog);
  } else if (event.key === "Enter") {
    event.preventDefault();
    run(shown[selected]);
  }
}

function open(dialog, opener) {
  entries = collect();
  dialog.querySelector("input").value = "";
  showDialog(dialog, opener);
  render(dialog);
}

export function startCommands() {
  const dialog = document.getElementById("commands-dialog");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  input.addEventListener("input", () => render(dialog));
  input.addEventListener("keydown", (event) => onInputKey(event, dialog));
  for (const button of document.querySelectorAll("[data-commands]")) {
    button.hidden = false;
    button.addEventListener("click", () => open(dialog, button));
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else if (!openDialog()) open(dialog, document.activeElement);
  });
}
