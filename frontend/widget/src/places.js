/** Places in texts: where words stand, in Unicode code points, and the ranges that show them. */

/** Return how many code points stand before an index of UTF-16 code units. */
export function codePoints(text, index) {
  return [...text.slice(0, index)].length;
}

/** Return words and where they stand in `text`, in code points, as the server checks them. */
export function spanOf(text, index, length) {
  const words = text.slice(index, index + length);
  const start = codePoints(text, index);
  return { start, end: start + [...words].length, text: words };
}

/**
 * Return where words that stand in one text at `index` stand in another, by counting which of their occurrences
 * they are; -1 where the other text does not have them.
 */
export function locate(words, index, from, to) {
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
export function sentences(text) {
  return segments(text)
    .map(({ segment, index }) => ({ index: index + segment.length - segment.trimStart().length, text: segment.trim() }))
    .filter((sentence) => sentence.text);
}

function segments(text) {
  if (Intl.Segmenter) return [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(text)];
  return [...text.matchAll(/[^.!?。！？\n]+[.!?。！？]*\s*/gu)].map((match) => ({ segment: match[0], index: match.index }));
}

/** Return what is selected inside an element, without blanks at its ends; null where nothing is. */
export function selectionIn(element) {
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
export function rangeOf(element, start, end) {
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
