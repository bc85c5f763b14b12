/** Verdicts on their way: kept until the server has stored them, also when the page or the connection goes. */
import { Refused, sendVerdict } from "./client.js";

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
export function keyOf(api, token, userId) {
  return JSON.stringify([api, token, userId || ""]);
}

function storage() {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}

export const outbox = new Outbox();
if (globalThis.addEventListener) {
  addEventListener("online", () => outbox.flush({ now: true }));
  outbox.flush();
}
