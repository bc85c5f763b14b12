"use client";
/** `<FeedbackButtons>` for React 17 and later. */
import { createElement, useEffect, useRef } from "react";
import "./src/index.js";

export function FeedbackButtons({ feedbackToken, userID, className, api, answer, answerId, theme, words, onSent }) {
  const element = useRef(null);
  useEffect(() => {
    if (words) element.current.words = words;
  }, [words]);
  useEffect(() => {
    const buttons = element.current;
    const tell = (event) => onSent?.(event.detail.outcome);
    buttons.addEventListener("feedback-sent", tell);
    return () => buttons.removeEventListener("feedback-sent", tell);
  }, [onSent]);
  return createElement("feedback-buttons", {
    ref: element,
    class: className,
    "feedback-token": feedbackToken,
    "user-id": userID,
    api,
    answer,
    for: answerId,
    theme,
  });
}
