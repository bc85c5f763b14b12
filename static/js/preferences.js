// Theme and time zone: applied at once and stored by the same form that works without this file.

async function setTheme(form, button) {
  const theme = button.value;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = `earshot-${theme}`;
  for (const each of form.querySelectorAll("[name=theme]")) each.setAttribute("aria-pressed", each === button);
  const data = new FormData(form);
  data.set("theme", theme);
  data.delete("timezone");
  await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
}

function fillZones(form) {
  const list = form.querySelector("datalist");
  if (!list || list.childElementCount || !Intl.supportedValuesOf) return;
  list.replaceChildren(...Intl.supportedValuesOf("timeZone").map((zone) => new Option(zone, zone)));
  const input = form.querySelector("[data-zone]");
  if (!input.value) input.placeholder = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

export function startPreferences() {
  for (const form of document.querySelectorAll("form[data-preferences]")) {
    form.addEventListener("submit", (event) => {
      if (event.submitter?.name !== "theme") return;
      event.preventDefault();
      setTheme(form, event.submitter);
    });
    form.addEventListener("focusin", () => fillZones(form));
  }
}
