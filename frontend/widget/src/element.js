/** `<feedback-buttons>`: thumbs for one answer, with a comment and the words that are wrong. */
import { Refused, readVerdict } from "./client.js";
import { keyOf, outbox } from "./outbox.js";
import { Marking } from "./marking.js";
import { MARKED, STYLE } from "./style.js";
import { build, sheet, thumb } from "./building.js";
import { WORDS, worded } from "./words.js";

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
export class FeedbackButtonsElement extends (globalThis.HTMLElement ?? class {}) {
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
