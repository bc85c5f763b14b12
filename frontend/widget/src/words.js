/** What the buttons say; a page in another language overrides what it needs. */
export const WORDS = {
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
export function worded(text, places = {}) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => places[name] ?? whole);
}
