// Warns before leaving a form marked data-guard with changes that are not saved.

const dirty = new Set();

export function startGuard() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (form) dirty.add(form);
  });
  for (const saved of ["submit", "reset"]) document.addEventListener(saved, (event) => dirty.delete(event.target));
  window.addEventListener("beforeunload", (event) => {
    for (const form of dirty) if (!form.isConnected) dirty.delete(form);
    if (dirty.size) event.preventDefault();
  });
}
