/* feedback-buttons 1.0.0, Apache-2.0 */
/** The two calls of the feedback API. */

const PATIENCE = 15_000;
const known = new Map();

/** Return the verdict that a user gave before ("positive", "negative" or null); asked once a page. Throws Refused. */
function readVerdict(api, token, userId) {
  const query = new URLSearchParams({ feedback_token: token, ...(userId && { user_id: userId }) });
  const url = `${api}/v1/feedback?${query}`;
  if (!known.has(url)) {
    const asked = call(url).then((answer) => answer.outcome ?? null);
    known.set(url, asked);
    asked.catch(() => known.delete(url));
  }
  return known.get(url);
}

/** Store a verdict. Throws Refused where the server will never take it, Delayed where it may later on. */
async function sendVerdict(api, body) {
  await call(`${api}/v1/feedback`, { method: "POST", body: JSON.stringify(body) });
  const query = new URLSearchParams({
    feedback_token: body.feedback_token,
    ...(body.user_id && { user_id: body.user_id }),
  });
  known.set(`${api}/v1/feedback?${query}`, Promise.resolve(body.outcome));
}

/** The server understood, and says no; `code` tells why. */
class Refused extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Nothing was stored this time; `seconds` is when the server wants to be asked again, if it said so. */
class Delayed extends Error {
  constructor(seconds = null) {
    super("delayed");
    this.seconds = seconds;
  }
}

async function call(url, options = {}) {
  const answer = await reach(url, options);
  if (answer.ok) return answer.json();
  if (answer.status === 429 || answer.status >= 500) {
    throw new Delayed(Number.parseInt(answer.headers.get("Retry-After"), 10) || null);
  }
  const told = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.error?.code ?? "");
}

async function reach(url, options) {
  const headers = options.body ? { "Content-Type": "application/json" } : {};
  const signal = AbortSignal.timeout?.(PATIENCE);
  try {
    return await fetch(url, { ...options, headers, signal, credentials: "omit", referrerPolicy: "no-referrer", keepalive: true });
  } catch {
    throw new Delayed();
  }
}

/** Verdicts on their way: kept until the server has stored them, also when the page or the connection goes. */

const SHELF = "earshot-feedback-outbox";
const MOST_KEPT = 50;
const LONGEST_STAY = 7 * 24 * 3600 * 1000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/**
 * The page's outbox. It tells `sent`, `kept` (with `seconds` and `lasting`) and `refused` (with `code`) by events
 * whose detail holds its `id`, `key` and `body`. A later verdict on the same answer takes the place of an earlier one.
 */
class Outbox extends EventTarget {
  #shelf = storage();
  #memory = [];
  #running = null;
  #timer = null;

  /** Keep a verdict, send it as soon as possible, and return the `id` by which events name it. */
  add(api, body) {
    const entry = { id: `${Date.now()}-${Math.random()}`, key: keyOf(api, body.feedback_token, body.user_id), api, body };
    const others = this.#read().filter((each) => each.key !== entry.key);
    this.#write([...others, { ...entry, at: Date.now(), tries: 0, due: 0 }].slice(-MOST_KEPT));
    this.flush();
    return entry.id;
  }

  /** Return the verdict that waits for an answer, if one does. */
  waiting(key) {
    return this.#read().find((entry) => entry.key === key)?.body ?? null;
  }

  /** Send what is due, one after the other; `now` sends also what was to wait. */
  flush({ now = false } = {}) {
    if (now) this.#write(this.#read().map((entry) => ({ ...entry, due: 0 })));
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      this.#plan();
    });
    return this.#running;
  }

  async #run() {
    for (let entry = this.#next(); entry; entry = this.#next()) await this.#send(entry);
  }

  #next() {
    return this.#read().find((entry) => entry.due <= Date.now());
  }

  async #send(entry) {
    try {
      await sendVerdict(entry.api, entry.body);
      this.#remove(entry);
      this.#tell("sent", entry);
    } catch (problem) {
      if (!(problem instanceof Refused)) return this.#postpone(entry, problem.seconds ?? null);
      this.#remove(entry);
      this.#tell("refused", entry, { code: problem.code, status: problem.status });
    }
  }

  #postpone(entry, seconds) {
    const pause = seconds ? seconds * 1000 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** entry.tries) * (0.5 + Math.random() / 2);
    const later = { ...entry, tries: entry.tries + 1, due: Date.now() + pause };
    this.#write(this.#read().map((each) => (each.id === entry.id ? later : each)));
    this.#tell("kept", entry, { seconds, lasting: this.#shelf !== null });
  }

  #plan() {
    clearTimeout(this.#timer);
    const dues = this.#read().map((entry) => entry.due);
    if (dues.length) this.#timer = setTimeout(() => this.flush(), Math.max(0, Math.min(...dues) - Date.now()));
  }

  #tell(name, entry, more = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail: { id: entry.id, key: entry.key, body: entry.body, ...more } }));
  }

  #remove(entry) {
    this.#write(this.#read().filter((each) => each.id !== entry.id));
  }

  #read() {
    return this.#stored().filter((entry) => entry.at > Date.now() - LONGEST_STAY);
  }

  #stored() {
    if (!this.#shelf) return this.#memory;
    try {
      return JSON.parse(this.#shelf.getItem(SHELF) ?? "[]");
    } catch {
      return [];
    }
  }

  #write(entries) {
    this.#memory = entries;
    try {
      if (entries.length) this.#shelf?.setItem(SHELF, JSON.stringify(entries));
      else this.#shelf?.removeItem(SHELF);
    } catch {
      this.#shelf = null; // It is full or forbidden: from here on the page remembers.
    }
  }
}

/** Return what names a user's verdict on an answer. */
function keyOf(api, token, userId) {
  return JSON.stringify([api, token, userId || ""]);
}

function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

const outbox = new Outbox();
if (globalThis.addEventListener) {
  addEventListener("online", () => outbox.flush({ now: true }));
  outbox.flush();
}

/** Makes elements and style sheets without HTML in strings, so that strict content policies do not mind. */

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M7 11v9H4v-9zM7 11l4-8a2.4 2.4 0 0 1 2.4 2.4V9h5a2 2 0 0 1 2 2.3l-1.2 7A2 2 0 0 1 17.2 20H7";
const sheets = new Map();

/** Return an element with attributes and children. */
function build(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return a thumb, up or down, that says what it means. */
function thumb(outcome, label, press) {
  const button = build("button", { class: `thumb ${outcome}`, part: `button ${outcome}`, type: "button", "aria-label": label, "aria-pressed": "false", title: label });
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", THUMB);
  if (outcome === "negative") path.setAttribute("transform", "rotate(180 12 12)");
  picture.append(path);
  button.append(picture);
  button.addEventListener("click", press);
  return button;
}

/** Return the style sheet of some rules; all elements share it. */
function sheet(rules) {
  if (!sheets.has(rules)) {
    const made = new CSSStyleSheet();
    made.replaceSync(rules);
    sheets.set(rules, made);
  }
  return sheets.get(rules);
}

/** Places in texts: where words stand, in Unicode code points, and the ranges that show them. */

/** Return how many code points stand before an index of UTF-16 code units. */
function codePoints(text, index) {
  return [...text.slice(0, index)].length;
}

/** Return words and where they stand in `text`, in code points, as the server checks them. */
function spanOf(text, index, length) {
  const words = text.slice(index, index + length);
  const start = codePoints(text, index);
  return { start, end: start + [...words].length, text: words };
}

/**
 * Return where words that stand in one text at `index` stand in another, by counting which of their occurrences
 * they are; -1 where the other text does not have them.
 */
function locate(words, index, from, to) {
  if (from === to) return index;
  let occurrence = 0;
  for (let at = from.indexOf(words); at >= 0 && at < index; at = from.indexOf(words, at + 1)) occurrence += 1;
  let found = to.indexOf(words);
  while (found >= 0 && occurrence > 0) {
    found = to.indexOf(words, found + 1);
    occurrence -= 1;
  }
  return found;
}

/** Return the sentences of a text, each with its index in code units. */
function sentences(text) {
  return segments(text)
    .map(({ segment, index }) => ({ index: index + segment.length - segment.trimStart().length, text: segment.trim() }))
    .filter((sentence) => sentence.text);
}

function segments(text) {
  if (Intl.Segmenter) return [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(text)];
  return [...text.matchAll(/[^.!?。！？\n]+[.!?。！？]*\s*/gu)].map((match) => ({ segment: match[0], index: match.index }));
}

/** Return what is selected inside an element, without blanks at its ends; null where nothing is. */
function selectionIn(element) {
  const selection = document.getSelection();
  if (!selection?.rangeCount || selection.isCollapsed) return null;
  const range = clipped(selection.getRangeAt(0), element);
  const words = range?.toString() ?? "";
  if (!words.trim()) return null;
  const before = document.createRange();
  before.selectNodeContents(element);
  before.setEnd(range.startContainer, range.startOffset);
  const blanks = words.length - words.trimStart().length;
  return { index: before.toString().length + blanks, text: words.trim() };
}

function clipped(range, element) {
  if (!range.intersectsNode(element)) return null;
  const whole = document.createRange();
  whole.selectNodeContents(element);
  const part = range.cloneRange();
  if (part.compareBoundaryPoints(Range.START_TO_START, whole) < 0) part.setStart(whole.startContainer, whole.startOffset);
  if (part.compareBoundaryPoints(Range.END_TO_END, whole) > 0) part.setEnd(whole.endContainer, whole.endOffset);
  return part;
}

/** Return the range of an element's text from one index to another. */
function rangeOf(element, start, end) {
  const range = document.createRange();
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let passed = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const length = node.data.length;
    if (start >= passed && start < passed + length) range.setStart(node, start - passed);
    if (end > passed && end <= passed + length) {
      range.setEnd(node, end - passed);
      break;
    }
    passed += length;
  }
  return range;
}

/** What the buttons say; a page in another language overrides what it needs. */
const WORDS = {
  question: "Was this answer helpful?",
  positive: "Helpful",
  negative: "Not helpful",
  good: "What was good? (optional)",
  wrong: "What was wrong? (optional)",
  select: "Select the words in the answer that are wrong, then press the button that appears here.",
  mark: "Mark “{words}”",
  marked: "Marked as wrong",
  remove: "Remove “{words}”",
  sentences: "Choose sentences from a list",
  elsewhere: "These words cannot be marked. Choose their sentence from the list.",
  send: "Send",
  close: "Close",
  recorded: "Your verdict is sent: {verdict}. You can add a comment.",
  sending: "Sending …",
  sent: "Thank you. Your feedback is sent.",
  offline: "You are offline. Your feedback is kept on this device and will be sent as soon as you are online.",
  unreachable: "The server cannot be reached. Your feedback is kept on this device and will be sent again soon.",
  memory: "The server cannot be reached. Your feedback will be sent again soon; please keep this page open.",
  busy: "There is much to do just now. Your feedback is kept and will be sent in {seconds} seconds.",
  closed: "This answer cannot be judged any more.",
  changed: "The marked words are not in this answer. Remove them and send again.",
  long: "This is too long to be sent. Please shorten it.",
  refused: "Your feedback could not be stored. Please try again later.",
};

/** Return a text with its `{places}` filled. */
function worded(text, places = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}

/** The part of the panel where a user marks what is wrong: selected words, or sentences from a list. */

const MOST_MARKS = 20;
const SHOWN = 60;
const LIT = "feedback-marked";

/** What is marked in the answer of one `<feedback-buttons>`. */
class Marking {
  #host;
  #words;
  #marks = []; // { index, text } in code units of the answer
  #ranges = [];
  #candidate = null;
  #open = false;

  /** `words` gives the texts as they are just now. */
  constructor(host, words) {
    this.#host = host;
    this.#words = words;
    const texts = words();
    this.hint = build("p", { class: "hint" }, texts.select);
    this.button = build("button", { class: "action", part: "mark", type: "button", hidden: "" });
    this.list = build("ul", { class: "marks", part: "marks", "aria-label": texts.marked, hidden: "" });
    this.sentences = build("div", { class: "sentences", role: "group", "aria-label": texts.sentences });
    this.picker = build("details", { part: "sentences" }, build("summary", {}, texts.sentences), this.sentences);
    this.section = build("div", { class: "marking", part: "marking", hidden: "" }, this.hint, this.button, this.list, this.picker);
    this.button.addEventListener("click", () => this.#take());
  }

  /** What is marked, as the server wants it. */
  get spans() {
    return this.#marks.map((mark) => spanOf(this.#answer, mark.index, mark.text.length));
  }

  /** Let the user mark words, where the answer is known. */
  offer(wanted) {
    const known = Boolean(this.#answer);
    this.#open = wanted && known;
    this.section.hidden = !this.#open;
    if (!this.#open) return this.#light();
    this.hint.hidden = !this.#element;
    this.#list();
    this.#draw();
  }

  /** Forget everything. */
  clear() {
    this.#marks = [];
    this.#candidate = null;
    this.offer(false);
  }

  /** Offer what is selected in the page just now. */
  notice() {
    const selected = this.#open && this.#element ? selectionIn(this.#element) : null;
    if (!selected) return; // The button that takes the words may just be gaining the focus.
    const index = locate(selected.text, selected.index, this.#shown, this.#answer);
    this.#candidate = index < 0 ? null : { index, text: selected.text };
    this.button.hidden = false;
    this.button.disabled = index < 0;
    this.button.textContent = index < 0 ? this.#words().elsewhere : worded(this.#words().mark, { words: short(selected.text) });
  }

  get #element() {
    const id = this.#host.getAttribute("for");
    return id ? this.#host.getRootNode().getElementById(id) : null;
  }

  get #shown() {
    return this.#element?.textContent ?? "";
  }

  get #answer() {
    return this.#host.answer ?? this.#shown.trim();
  }

  #take() {
    if (this.#candidate) this.#mark(this.#candidate);
    this.#candidate = null;
    this.button.hidden = true;
    document.getSelection()?.removeAllRanges();
    this.list.querySelector("li:last-child button")?.focus();
  }

  #mark(mark) {
    const known = this.#marks.some((each) => each.index === mark.index && each.text === mark.text);
    if (known || this.#marks.length >= MOST_MARKS) return;
    this.#marks = [...this.#marks, mark].sort((one, other) => one.index - other.index);
    this.#draw();
  }

  #remove(mark) {
    this.#marks = this.#marks.filter((each) => each !== mark);
    this.#draw();
  }

  #list() {
    this.sentences.replaceChildren(
      ...sentences(this.#answer).map((sentence) => {
        const box = build("input", { type: "checkbox" });
        box.addEventListener("change", () => (box.checked ? this.#mark(sentence) : this.#unmark(sentence)));
        box.dataset.index = sentence.index;
        return build("label", {}, box, build("span", { dir: "auto" }, sentence.text));
      }),
    );
  }

  #unmark(sentence) {
    const mark = this.#marks.find((each) => each.index === sentence.index && each.text === sentence.text);
    if (mark) this.#remove(mark);
  }

  #draw() {
    this.list.hidden = !this.#marks.length;
    this.list.replaceChildren(...this.#marks.map((mark) => this.#entry(mark)));
    for (const box of this.sentences.querySelectorAll("input")) {
      const text = box.nextSibling.textContent;
      box.checked = this.#marks.some((mark) => String(mark.index) === box.dataset.index && mark.text === text);
    }
    this.#light();
  }

  #entry(mark) {
    const label = worded(this.#words().remove, { words: short(mark.text) });
    const remove = build("button", { type: "button", "aria-label": label, title: label }, "×");
    remove.addEventListener("click", () => {
      this.#remove(mark);
      (this.list.querySelector("button") ?? this.picker.querySelector("summary")).focus();
    });
    return build("li", {}, build("span", { dir: "auto" }, short(mark.text)), remove);
  }

  /** Show in the page what is marked, where the browser can without touching the page's elements. */
  #light() {
    if (!globalThis.CSS?.highlights) return;
    if (!CSS.highlights.has(LIT)) CSS.highlights.set(LIT, new Highlight());
    const shared = CSS.highlights.get(LIT);
    for (const range of this.#ranges) shared.delete(range);
    this.#ranges = this.#open && this.#element ? this.#marks.map((mark) => this.#range(mark)).filter(Boolean) : [];
    for (const range of this.#ranges) shared.add(range);
  }

  #range(mark) {
    const index = locate(mark.text, mark.index, this.#answer, this.#shown);
    return index < 0 ? null : rangeOf(this.#element, index, index + mark.text.length);
  }
}

function short(text) {
  const characters = [...text];
  return characters.length > SHOWN ? `${characters.slice(0, SHOWN).join("")}…` : text;
}

/** How the buttons look: every colour and size is a property that the page may set on `feedback-buttons`. */

const DARK = `
  --_text: var(--feedback-text, #e6e6ea);
  --_muted: var(--feedback-muted, #a5a5b0);
  --_surface: var(--feedback-surface, #1d1d22);
  --_border: var(--feedback-border, #4a4a55);
  --_accent: var(--feedback-accent, #9db2ff);
  --_on-accent: var(--feedback-on-accent, #14141a);
  --_positive: var(--feedback-positive, #6fd39b);
  --_negative: var(--feedback-negative, #ff9b94);
  color-scheme: dark;
`;

const STYLE = `
:host {
  --_text: var(--feedback-text, #22222a);
  --_muted: var(--feedback-muted, #5c5c68);
  --_surface: var(--feedback-surface, #ffffff);
  --_border: var(--feedback-border, #b9b9c4);
  --_accent: var(--feedback-accent, #3451c6);
  --_on-accent: var(--feedback-on-accent, #ffffff);
  --_positive: var(--feedback-positive, #1b7a45);
  --_negative: var(--feedback-negative, #b3261e);
  --_radius: var(--feedback-radius, 0.5rem);
  --_size: var(--feedback-size, 2.25rem);
  color-scheme: light;
  color: var(--_text);
  display: inline-block;
  font: var(--feedback-font, 400 0.875rem/1.45 system-ui, sans-serif);
  max-width: 34rem;
}
@media (prefers-color-scheme: dark) { :host(:not([theme="light"])) {${DARK}} }
:host([theme="dark"]) {${DARK}}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
button, textarea { color: inherit; font: inherit; }
button { cursor: pointer; }
button:disabled { cursor: not-allowed; opacity: 0.55; }
:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.thumbs { display: flex; gap: 0.375rem; }
.thumb {
  align-items: center; background: var(--_surface); border: 1px solid var(--_border); border-radius: var(--_radius);
  display: inline-flex; height: var(--_size); justify-content: center; padding: 0; width: var(--_size);
}
.thumb svg { fill: none; height: 55%; stroke: currentColor; stroke-linecap: round; stroke-linejoin: round; stroke-width: 1.8; width: 55%; }
.thumb:hover:not(:disabled) { border-color: currentColor; }
.thumb[aria-pressed="true"] { border-width: 2px; border-color: currentColor; }
.thumb[aria-pressed="true"] svg { fill: color-mix(in srgb, currentColor 30%, transparent); }
.thumb.positive:hover, .thumb.positive[aria-pressed="true"] { color: var(--_positive); }
.thumb.negative:hover, .thumb.negative[aria-pressed="true"] { color: var(--_negative); }
p, ul { margin: 0; padding: 0; }
.status:not(:empty), .problem { margin-top: 0.375rem; }
.status, .hint { color: var(--_muted); }
.problem { color: var(--_negative); }
.panel {
  background: var(--_surface); border: 1px solid var(--_border); border-radius: var(--_radius); display: grid;
  gap: 0.625rem; margin-top: 0.5rem; padding: 0.75rem; width: min(34rem, 100%);
}
.panel label.comment { display: grid; gap: 0.25rem; }
textarea { background: transparent; border: 1px solid var(--_border); border-radius: var(--_radius); min-height: 4.5em; padding: 0.5rem; resize: vertical; width: 100%; }
.actions { display: flex; gap: 0.5rem; }
.action { background: transparent; border: 1px solid var(--_border); border-radius: var(--_radius); padding: 0.375rem 0.75rem; text-align: start; }
.action.send { background: var(--_accent); border-color: var(--_accent); color: var(--_on-accent); }
.marking { display: grid; gap: 0.5rem; justify-items: start; }
.marks { display: flex; flex-wrap: wrap; gap: 0.375rem; list-style: none; }
.marks li { align-items: center; border: 1px solid var(--_negative); border-radius: var(--_radius); display: inline-flex; gap: 0.25rem; max-width: 100%; padding-inline-start: 0.5rem; }
.marks span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.marks button { background: none; border: 0; line-height: 1; min-height: 1.75rem; min-width: 1.75rem; }
summary { cursor: pointer; }
.sentences { display: grid; gap: 0.25rem; margin-top: 0.375rem; max-height: 14rem; overflow: auto; }
.sentences label { align-items: baseline; display: flex; gap: 0.5rem; }
@media (prefers-reduced-motion: no-preference) {
  .thumb, .action { transition: border-color 120ms, color 120ms; }
}
`;

/** How marked words look in the page itself. */
const MARKED = `::highlight(feedback-marked) {
  background-color: rgb(255 155 148 / 35%);
  text-decoration: underline wavy #b3261e;
}`;

/** `<feedback-buttons>`: thumbs for one answer, with a comment and the words that are wrong. */

const LONGEST_COMMENT = 5_000;
// Earshot serves this script itself; a bundle may come from anywhere, and names the server by `api`.
const HOME = /^https?:/.test(import.meta.url) ? new URL(import.meta.url).origin : "";

/**
 * Attributes: `feedback-token` (required), `user-id`, `api` (where Earshot is; the origin of this script unless
 * given), `for` (the id of the element that shows the answer), `answer` (the answer exactly as it was given, where
 * the page shows it differently), `theme` (`light`, `dark`, or as the system has it).
 *
 * Events, which bubble: `feedback-sent`, `feedback-kept`, `feedback-refused`; their detail holds `outcome`.
 */
class FeedbackButtonsElement extends (globalThis.HTMLElement ?? class {}) {
  static observedAttributes = ["feedback-token", "user-id", "api", "for", "answer"];

  #words = WORDS;
  #parts = null;
  #outcome = null; // what the buttons show
  #confirmed = null; // what the server has
  #submitted = null; // the last verdict that was sent from the panel
  #leave = null;

  connectedCallback() {
    this.#parts ??= this.#built();
    const leave = new AbortController();
    for (const name of ["sent", "kept", "refused"]) {
      outbox.addEventListener(name, (event) => this.#hear(name, event.detail), { signal: leave.signal });
    }
    document.addEventListener("selectionchange", () => this.#marking.notice(), { signal: leave.signal });
    this.#leave = leave;
    this.#begin();
  }

  disconnectedCallback() {
    this.#leave?.abort();
    this.#marking.clear();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this.#parts || before === after) return;
    if (name === "for" || name === "answer") this.#offerMarking(true);
    else this.#begin();
  }

  /** The token of the run that the answer is of. */
  get feedbackToken() {
    return this.getAttribute("feedback-token") ?? "";
  }
  set feedbackToken(value) {
    this.#reflect("feedback-token", value);
  }

  /** Who judges; users without an id count as one. */
  get userID() {
    return this.getAttribute("user-id") ?? "";
  }
  set userID(value) {
    this.#reflect("user-id", value);
  }

  /** The origin of the Earshot server. */
  get api() {
    return (this.getAttribute("api") ?? HOME).replace(/\/+$/, "");
  }
  set api(value) {
    this.#reflect("api", value);
  }

  /** The answer exactly as it was given, or null: then it is what the element named by `for` shows. */
  get answer() {
    return this.getAttribute("answer");
  }
  set answer(value) {
    this.#reflect("answer", value);
  }

  /** The texts that the buttons show; what is set is laid over the English ones. */
  get words() {
    return this.#words;
  }
  set words(value) {
    this.#words = { ...WORDS, ...value };
    if (!this.#parts) return;
    this.shadowRoot.replaceChildren();
    this.#parts = this.#built();
    this.#begin();
  }

  /** The verdict that is shown: "positive", "negative" or null. */
  get outcome() {
    return this.#outcome;
  }

  get #marking() {
    return this.#parts.marking;
  }

  get #key() {
    return keyOf(this.api, this.feedbackToken, this.userID);
  }

  #reflect(name, value) {
    if (value === null || value === undefined || value === "") this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  #built() {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet(STYLE)];
    const marked = sheet(MARKED);
    if (!document.adoptedStyleSheets.includes(marked)) {
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, marked];
    }
    const words = this.#words;
    const press = (outcome) => () => this.#press(outcome);
    const positive = thumb("positive", words.positive, press("positive"));
    const negative = thumb("negative", words.negative, press("negative"));
    const thumbs = build("div", { class: "thumbs", part: "buttons", role: "group", "aria-label": words.question }, positive, negative);
    const status = build("p", { class: "status", part: "status", role: "status" });
    const problem = build("p", { class: "problem", part: "problem", role: "alert", hidden: "" });
    const asked = build("span", {});
    const comment = build("textarea", { part: "comment", rows: "3", maxlength: LONGEST_COMMENT });
    const marking = new Marking(this, () => this.#words);
    const send = build("button", { class: "action send", part: "send", type: "submit" }, words.send);
    const close = build("button", { class: "action", part: "close", type: "button" }, words.close);
    const panel = build(
      "form",
      { class: "panel", part: "panel", hidden: "" },
      build("label", { class: "comment" }, asked, comment),
      marking.section,
      build("div", { class: "actions" }, send, close),
    );
    close.addEventListener("click", () => this.#close());
    panel.addEventListener("submit", (event) => this.#submit(event));
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.#close());
    root.append(thumbs, status, problem, panel);
    return { positive, negative, status, problem, asked, comment, marking, panel };
  }

  async #begin() {
    this.#submitted = null;
    this.#parts.comment.value = "";
    this.#parts.panel.hidden = true;
    this.#marking.clear();
    this.#say("");
    this.#show(null);
    this.#allow(Boolean(this.feedbackToken));
    const key = this.#key;
    const waiting = outbox.waiting(key);
    if (waiting) {
      this.#show(waiting.outcome);
      this.#say(this.#keptWords({}));
      return;
    }
    if (!this.feedbackToken) return;
    try {
      const outcome = await readVerdict(this.api, this.feedbackToken, this.userID);
      if (key !== this.#key || this.#outcome) return;
      this.#confirmed = outcome;
      this.#show(outcome);
    } catch (problem) {
      // What was said before is not known while the server is out of reach; a verdict can be given all the same.
      if (problem instanceof Refused && key === this.#key) this.#refuse(this.#words.closed);
    }
  }

  #press(outcome) {
    const { panel, asked } = this.#parts;
    if (outcome === this.#outcome && !panel.hidden) return this.#close();
    const turned = outcome !== this.#outcome;
    this.#show(outcome);
    panel.hidden = false;
    asked.textContent = outcome === "positive" ? this.#words.good : this.#words.wrong;
    this.#offerMarking(turned);
    if (turned) this.#send({ outcome });
  }

  #submit(event) {
    event.preventDefault();
    const comment = this.#parts.comment.value.trim();
    const spans = this.#outcome === "negative" ? this.#marking.spans : [];
    const saysMore = comment || spans.length || this.#submitted;
    if (!saysMore && this.#confirmed === this.#outcome) return this.#finish();
    this.#submitted = this.#send({ outcome: this.#outcome, ...(comment && { comment }), ...(spans.length && { spans }) });
  }

  #send(verdict) {
    this.#say(this.#words.sending);
    const user = this.userID ? { user_id: this.userID } : {};
    return outbox.add(this.api, { feedback_token: this.feedbackToken, ...user, ...verdict });
  }

  #hear(name, detail) {
    if (detail.key !== this.#key) return;
    if (name === "sent") this.#hearSent(detail);
    else if (name === "kept") this.#say(this.#keptWords(detail));
    else {
      this.#show(this.#confirmed);
      this.#refuse(this.#refusalWords(detail));
    }
    const told = { outcome: detail.body.outcome };
    this.dispatchEvent(new CustomEvent(`feedback-${name}`, { detail: told, bubbles: true, composed: true }));
  }

  #hearSent({ id, body }) {
    this.#confirmed = body.outcome;
    if (outbox.waiting(this.#key)) return; // A later verdict follows; that one is worth words.
    if (id === this.#submitted || this.#parts.panel.hidden) this.#finish();
    else this.#say(worded(this.#words.recorded, { verdict: this.#words[body.outcome] }));
  }

  #finish() {
    this.#close();
    this.#say(this.#words.sent);
  }

  #keptWords({ seconds, lasting = true }) {
    if (!navigator.onLine) return this.#words.offline;
    if (seconds) return worded(this.#words.busy, { seconds });
    return lasting ? this.#words.unreachable : this.#words.memory;
  }

  #refusalWords({ code, status }) {
    if (["span_mismatch", "too_many_spans"].includes(code)) return this.#words.changed;
    if (status === 413 || status === 422) return this.#words.long;
    return status === 400 || status === 404 ? this.#words.closed : this.#words.refused;
  }

  #offerMarking(afresh) {
    if (afresh) this.#marking.clear();
    this.#marking.offer(!this.#parts.panel.hidden && this.#outcome === "negative");
  }

  #close() {
    const { panel } = this.#parts;
    const hadFocus = panel.contains(this.shadowRoot.activeElement);
    panel.hidden = true;
    this.#offerMarking(false);
    if (hadFocus) this.#parts[this.#outcome ?? "positive"].focus();
  }

  #show(outcome) {
    this.#outcome = outcome;
    for (const each of ["positive", "negative"]) {
      this.#parts[each].setAttribute("aria-pressed", String(each === outcome));
    }
  }

  #allow(allowed) {
    this.#parts.positive.disabled = this.#parts.negative.disabled = !allowed;
  }

  #say(text) {
    this.#parts.problem.hidden = true;
    this.#parts.status.textContent = text;
  }

  #refuse(text) {
    this.#say("");
    this.#parts.problem.textContent = text;
    this.#parts.problem.hidden = false;
    if (text === this.#words.closed) {
      this.#allow(false);
      this.#parts.panel.hidden = true;
    }
  }
}

/** Defines `<feedback-buttons>`; on a server, where there are no elements, it only exports. */

if (globalThis.customElements && !customElements.get("feedback-buttons")) {
  customElements.define("feedback-buttons", FeedbackButtonsElement);
}


export { FeedbackButtonsElement, WORDS };
