// Modal dialogs with focus kept inside and given back, the drawer, and pop-up menus.

const openers = new WeakMap();

export const openDialog = () => document.querySelector("dialog[open]");

export function showDialog(dialog, opener = document.activeElement) {
  if (!dialog || dialog.open) return;
  openers.set(dialog, opener);
  closeMenus();
  dialog.showModal();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details[data-pop][open]")) {
    if (!except || !menu.contains(except)) menu.open = false;
  }
}

function onClick(event) {
  closeMenus(event.target);
  const button = event.target.closest("[popovertarget]");
  const target = button && document.getElementById(button.getAttribute("popovertarget"));
  const closing = event.target.closest("[data-close]");
  if (closing) {
    event.preventDefault();
    closing.closest("dialog")?.close();
  } else if (target instanceof HTMLDialogElement) {
    event.preventDefault();
    showDialog(target, button);
  } else if (event.target instanceof HTMLDialogElement && isBackdrop(event)) {
    event.target.close();
  }
}

function isBackdrop(event) {
  const box = event.target.getBoundingClientRect();
  const inside =
    event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
  return event.detail > 0 && !inside;
}

function onClose(event) {
  const opener = openers.get(event.target);
  openers.delete(event.target);
  if (opener?.isConnected) opener.focus();
}

function onEscape(event) {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.("details[data-pop][open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}

function checkTyped(event) {
  const expected = event.target.dataset?.typed;
  if (expected === undefined) return;
  const matches = event.target.value.trim() === expected;
  event.target.setCustomValidity(matches ? "" : `Type ${expected} to confirm.`);
}

function onSwap(event) {
  if (event.target.id !== "drawer-body") return;
  const drawer = document.getElementById("drawer");
  showDialog(drawer, event.detail.requestConfig?.elt);
  drawer.scrollTop = 0;
  (drawer.querySelector("mark.lit.is-lit") ?? drawer.querySelector("mark.lit"))?.scrollIntoView({ block: "center" });
}

export function startDialogs() {
  document.addEventListener("click", onClick);
  document.addEventListener("close", onClose, true);
  document.addEventListener("keydown", onEscape);
  document.addEventListener("input", checkTyped);
  document.body.addEventListener("htmx:afterSwap", onSwap);
}
