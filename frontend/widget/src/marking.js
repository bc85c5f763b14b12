/** The part of the panel where a user marks what is wrong: selected words, or sentences from a list. */
import { build } from "./building.js";
import { locate, rangeOf, selectionIn, sentences, spanOf } from "./places.js";
import { worded } from "./words.js";

const MOST_MARKS = 20;
const SHOWN = 60;
const LIT = "feedback-marked";

/** What is marked in the answer of one `<feedback-buttons>`. */
export class Marking {
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
