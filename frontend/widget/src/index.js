/** Defines `<feedback-buttons>`; on a server, where there are no elements, it only exports. */
import { FeedbackButtonsElement } from "./element.js";

if (globalThis.customElements && !customElements.get("feedback-buttons")) {
  customElements.define("feedback-buttons", FeedbackButtonsElement);
}

export { FeedbackButtonsElement };
export { WORDS } from "./words.js";
