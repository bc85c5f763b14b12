// Toasts leave after ten seconds unless they report a problem, are hovered or hold the focus.

const SHOWN_MILLISECONDS = 10_000;
const seen = new WeakSet();

function watch(toast) {
  if (seen.has(toast)) return;
  seen.add(toast);
  if (!("stays" in toast.dataset)) leaveLater(toast);
}

function leaveLater(toast) {
  setTimeout(() => {
    if (toast.matches(":hover, :focus-within")) leaveLater(toast);
    else toast.remove();
  }, SHOWN_MILLISECONDS);
}

const watchAll = () => document.querySelectorAll("[data-toast]").forEach(watch);

export function showToast(text, { stays = false, action = null } = {}) {
  const region = document.getElementById("toasts");
  if (!region) return;
  const toast = document.createElement("div");
  toast.className = "toast-note";
  toast.dataset.toast = "";
  if (stays) toast.dataset.stays = "";
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  toast.append(words, ...(action ? [button(action.label, () => (toast.remove(), action.run()))] : []));
  toast.append(button("Dismiss", () => toast.remove()));
  region.append(toast);
  watch(toast);
}

function button(label, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "toast-button";
  made.textContent = label;
  made.addEventListener("click", run);
  return made;
}

function onFailure(event) {
  const { elt, xhr } = event.detail;
  // A poll that fails once is repeated anyway: saying so each time would only be noise.
  if (elt?.getAttribute("hx-trigger")?.includes("every")) return;
  showToast(`That did not work. ${reasonOf(xhr)}`, {
    stays: true,
    action: { label: "Reload", run: () => location.reload() },
  });
}

// A refusal comes as a notice whose words are meant for the person; anything else is only named by its status.
function reasonOf(xhr) {
  if (!xhr?.status) return "The server could not be reached.";
  const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
  const words = page.querySelector("body > .notice .notice-text")?.textContent.trim();
  return words || `The server answered ${xhr.status}.`;
}

export function startToasts() {
  watchAll();
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest("[data-toast]").remove();
  });
  document.body.addEventListener("htmx:afterSettle", watchAll);
  document.body.addEventListener("htmx:oobAfterSwap", watchAll);
  document.body.addEventListener("htmx:responseError", onFailure);
  document.body.addEventListener("htmx:sendError", onFailure);
}
