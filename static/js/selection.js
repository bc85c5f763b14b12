// Selecting rows: the bar that CSS shows gets its count, and ranges work by keyboard and by Shift-click.

let anchor = null;

const boxOf = (row) => row?.querySelector("input[data-select]");

function boxesAround(box) {
  const list = box.closest("[data-list]") ?? box.form ?? document;
  return [...list.querySelectorAll("input[data-select]")];
}

function set(box, checked) {
  if (box.checked === checked) return;
  box.checked = checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

export function toggleSelection(row) {
  const box = boxOf(row);
  if (!box) return false;
  set(box, !box.checked);
  anchor = box;
  return true;
}

export function selectTo(row) {
  const box = boxOf(row);
  if (!box) return false;
  const boxes = boxesAround(box);
  const from = anchor && boxes.includes(anchor) ? boxes.indexOf(anchor) : boxes.indexOf(box);
  const [first, last] = [from, boxes.indexOf(box)].sort((a, b) => a - b);
  for (const each of boxes.slice(first, last + 1)) set(each, true);
  return true;
}

function showCount(form) {
  const count = form.querySelectorAll("input[data-select]:checked").length;
  for (const place of form.querySelectorAll("[data-selected-count]")) place.textContent = count;
  const all = form.querySelector("input[data-select-all]");
  if (!all) return;
  const total = form.querySelectorAll("input[data-select]").length;
  all.checked = count > 0 && count === total;
  all.indeterminate = count > 0 && count < total;
}

function onClick(event) {
  const box = event.target.closest("input[data-select]");
  if (box && event.shiftKey && anchor && box.checked) selectTo(box.closest("[data-row]"));
  if (box) anchor = box;
  const clear = event.target.closest("[data-select-none]");
  if (clear) for (const each of clear.form.querySelectorAll("input[data-select]:checked")) set(each, false);
}

function onChange(event) {
  const { target } = event;
  if (target.matches("input[data-select-all]")) {
    for (const box of target.form.querySelectorAll("input[data-select]")) set(box, target.checked);
  }
  if (target.matches("input[data-select]") && target.form) showCount(target.form);
}

export function startSelection() {
  document.addEventListener("click", onClick);
  document.addEventListener("change", onChange);
  for (const form of document.forms) if (form.querySelector("input[data-select]")) showCount(form);
}
