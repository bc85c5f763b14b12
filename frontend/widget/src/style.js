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

export const STYLE = `
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
export const MARKED = `::highlight(feedback-marked) {
  background-color: rgb(255 155 148 / 35%);
  text-decoration: underline wavy #b3261e;
}`;
