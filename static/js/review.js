// The review queue: the suggestion as it is written, whose turn it is, and moving between fields.
const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
const post = (url, options = {}) => fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf() }, ...options });

function showVersion(name) {
  const choice = document.querySelector(`.versions input[value="${name}"]`);
  if (choice) choice.checked = true;
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
    if (done) return;
  }
}

class Suggestion {
  constructor(root) {
    this.root = root;
    this.form = root.querySelector("[data-suggest]");
    this.use = root.querySelector("[data-use]");
    this.stopButton = root.querySelector("[data-stop]");
    this.form.addEventListener("submit", (event) => (event.preventDefault(), this.ask()));
    this.use.addEventListener("submit", (event) => (event.preventDefault(), this.take()));
    this.stopButton.addEventListener("click", () => this.stopping?.abort());
    root.querySelector("[data-retry]").addEventListener("click", () => this.ask());
  }

  part(name) {
    return this.root.querySelector(`[data-${name}]`);
  }

  async ask() {
    if (this.stopping || this.form.querySelector("button").disabled) return;
    showVersion("suggestion");
    this.begin();
    try {
      const answer = await post(this.root.dataset.stream, { signal: this.stopping.signal });
      if (answer.status === 503) throw new Error("Others are asking at this moment. Try again in a few seconds.");
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      for await (const step of linesOf(answer.body)) this.show(step);
      if (!this.ended) throw new Error("The answer broke off.");
    } catch (error) {
      this.fail(error.name === "AbortError" ? "Stopped." : error.message);
    } finally {
      this.end();
    }
  }

  begin() {
    this.stopping = new AbortController();
    this.ended = false;
    this.started = performance.now();
    this.part("words").textContent = "";
    this.part("steps").replaceChildren();
    this.part("failed").hidden = true;
    this.use.hidden = true;
    this.stopButton.hidden = false;
    this.form.querySelector("button").disabled = true;
    this.say("Reading the question");
    this.clock = setInterval(() => this.tick(), 1000);
    this.tick();
  }

  tick() {
    this.part("took").textContent = `${Math.round((performance.now() - this.started) / 1000)} s`;
  }

  say(words) {
    const item = document.createElement("li");
    item.textContent = words;
    this.part("steps").append(item);
  }

  show(step) {
    if (step.tool) {
      // What it said before it looked something up is not its answer.
      this.part("words").textContent = "";
      this.say(`Looked up: ${step.tool}`);
    } else if (step.words) {
      this.part("words").append(step.words);
    } else if (step.done) {
      this.finish(step);
    } else if (step.failed) {
      this.ended = true;
      this.fail(step.failed);
    }
  }

  finish(step) {
    this.ended = true;
    this.part("words").textContent = step.done;
    this.use.elements.golden_response.value = step.done;
    this.use.hidden = false;
    this.say("Kept as your draft suggestion.");
    clearInterval(this.clock);
    const lookups = step.tools === 1 ? "1 look-up" : `${step.tools} look-ups`;
    this.part("took").textContent = `${lookups} · ${(step.milliseconds / 1000).toFixed(1)} s`;
  }

  fail(words) {
    this.part("failure").textContent = words;
    this.part("failed").hidden = false;
  }

  end() {
    clearInterval(this.clock);
    this.stopping = null;
    this.stopButton.hidden = true;
    this.form.querySelector("button").disabled = false;
  }

  take() {
    showVersion("yours");
    const editor = document.getElementById("answer");
    editor.value = this.use.elements.golden_response.value;
    editor.dispatchEvent(new Event("input", { bubbles: true }));
    editor.focus();
  }
}

// The editor has to be in view before the keyboard can put the focus into it.
function onEditKey(event) {
  if (event.key === "e" && !event.target.matches("textarea, select, input:not([type=radio])")) showVersion("yours");
}

// Up and down go from one control of the decision to the next; within a group of choices the browser moves.
function onArrow(event) {
  if (!["ArrowUp", "ArrowDown"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("textarea, select, input") || document.querySelector("dialog[open]")) return;
  const fields = [...document.querySelectorAll("[data-field]")].filter((field) => field.checkVisibility());
  if (!fields.length) return;
  const step = event.key === "ArrowDown" ? 1 : -1;
  const place = fields.indexOf(document.activeElement);
  const next = place === -1 ? (step > 0 ? 0 : fields.length - 1) : place + step;
  fields[Math.max(0, Math.min(fields.length - 1, next))].focus();
  event.preventDefault();
}

function keepArrowsInChoices(event) {
  if (event.key.startsWith("Arrow") && event.target.matches("input[type=radio]")) event.stopPropagation();
}

// What is selected in the editor becomes what later answers must say; what is selected in the original answer, or else
// what the user pointed at, becomes what they must not say.
function takeWords() {
  const editor = document.getElementById("answer");
  const chosen = editor.value.slice(editor.selectionStart, editor.selectionEnd).trim();
  if (chosen) document.querySelector("[data-must]").value = chosen.slice(0, 500);
  const selection = getSelection();
  const original = document.querySelector("[data-answer]");
  const wrong = original.contains(selection.anchorNode) ? selection.toString() : "";
  const pointed = original.querySelector("mark")?.textContent ?? "";
  if (wrong || pointed) document.querySelector("[data-must-not]").value = (wrong || pointed).trim().slice(0, 500);
}

// Leaving the page, by whatever way, gives up the turn.
function release() {
  const hold = document.querySelector("[data-hold]");
  if (!hold || hold.querySelector(".notice")) return;
  post(`${hold.getAttribute("hx-post")}?release=yes`, { keepalive: true }).catch(() => {});
}

const root = document.querySelector("[data-suggestion]");
if (root) new Suggestion(root);
document.addEventListener("keydown", onEditKey, true);
document.addEventListener("keydown", onArrow);
document.querySelector(".review-side")?.addEventListener("keydown", keepArrowsInChoices);
document.querySelector("[data-take-words]")?.addEventListener("click", takeWords);
addEventListener("pagehide", release);
if (matchMedia("(width < 80rem)").matches) document.querySelector(".review-list")?.removeAttribute("open");
