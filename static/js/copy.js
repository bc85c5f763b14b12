// Copy buttons: data-copy holds the text, or is empty to copy the code beside the button.

async function copy(button) {
  const text = button.dataset.copy || button.closest(".codebox")?.querySelector("code")?.textContent || "";
  const label = button.querySelector("span") ?? button;
  const usual = label.textContent;
  try {
    await navigator.clipboard.writeText(text);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Select and copy";
  }
  setTimeout(() => (label.textContent = usual), 2000);
}

function reveal(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
}

export function startCopy() {
  reveal(document);
  document.body.addEventListener("htmx:afterSettle", (event) => reveal(event.target));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
}
