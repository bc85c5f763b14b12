/** What the buttons show; `{words}`, `{verdict}` and `{seconds}` are filled in. */
export interface FeedbackWords {
  question: string;
  positive: string;
  negative: string;
  good: string;
  wrong: string;
  select: string;
  mark: string;
  marked: string;
  remove: string;
  sentences: string;
  elsewhere: string;
  send: string;
  close: string;
  recorded: string;
  sending: string;
  sent: string;
  offline: string;
  unreachable: string;
  memory: string;
  busy: string;
  closed: string;
  changed: string;
  long: string;
  refused: string;
}

export type Outcome = "positive" | "negative";

/** The detail of `feedback-sent`, `feedback-kept` and `feedback-refused`. */
export interface FeedbackDetail {
  outcome: Outcome;
}

/** `<feedback-buttons>`: thumbs for one answer. */
export declare class FeedbackButtonsElement extends HTMLElement {
  /** The token of the run that the answer is of. */
  feedbackToken: string;
  /** Who judges; users without an id count as one. */
  userID: string;
  /** The origin of the Earshot server; by default that of the script. */
  api: string;
  /** The answer exactly as it was given, where the page shows it differently. */
  answer: string | null;
  /** The texts that the buttons show; what is set is laid over the English ones. */
  get words(): FeedbackWords;
  set words(words: Partial<FeedbackWords>);
  /** The verdict that is shown. */
  readonly outcome: Outcome | null;
}

export declare const WORDS: FeedbackWords;

declare global {
  interface HTMLElementTagNameMap {
    "feedback-buttons": FeedbackButtonsElement;
  }
  interface HTMLElementEventMap {
    "feedback-sent": CustomEvent<FeedbackDetail>;
    "feedback-kept": CustomEvent<FeedbackDetail>;
    "feedback-refused": CustomEvent<FeedbackDetail>;
  }
}
