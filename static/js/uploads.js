// A file field with a place to drop files on; says what was chosen, and what is too large before it is sent.

const zoneOf = (event) => event.target.closest?.("[data-drop]");

const sizeWords = (bytes) => (bytes < 1_048_576 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`);

function show(input) {
  const files = [...input.files];
  const most = Number(input.dataset.maxBytes);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const names = input.closest("[data-drop]")?.querySelector("[data-drop-names]");
  if (names && files.length) names.textContent = files.map((file) => `${file.name} (${sizeWords(file.size)})`).join(", ");
  const tooLarge = most && total > most;
  input.setCustomValidity(tooLarge ? `At most ${sizeWords(most)} can be uploaded at once; this is ${sizeWords(total)}.` : "");
  if (tooLarge) input.reportValidity();
}

function onDrag(event) {
  const zone = zoneOf(event);
  if (!zone || !event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  zone.toggleAttribute("data-over", event.type === "dragover");
}

function onDrop(event) {
  const zone = zoneOf(event);
  if (!zone) return;
  event.preventDefault();
  zone.removeAttribute("data-over");
  const input = zone.querySelector("input[type=file]");
  input.files = event.dataTransfer.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

export function startUploads() {
  for (const name of ["dragover", "dragleave"]) document.addEventListener(name, onDrag);
  document.addEventListener("drop", onDrop);
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-drop] input[type=file]")) show(event.target);
  });
}
