import type { ReactElement } from "react";
import type { FeedbackWords, Outcome } from "./index.js";

export interface FeedbackButtonsProps {
  /** The `feedback_token` of the run. */
  feedbackToken: string;
  /** Who judges; users without an id count as one. */
  userID?: string;
  className?: string;
  /** The origin of the Earshot server, such as `https://earshot.example.com`. */
  api?: string;
  /** The answer exactly as it was given, where the page shows it differently. */
  answer?: string;
  /** The id of the element that shows the answer. */
  answerId?: string;
  theme?: "light" | "dark";
  words?: Partial<FeedbackWords>;
  /** Called when a verdict is stored. */
  onSent?: (outcome: Outcome) => void;
}

export declare function FeedbackButtons(props: FeedbackButtonsProps): ReactElement;
