// Brings the tab in view of a strip that is wider than the screen.

export function startTabs() {
  for (const tab of document.querySelectorAll(".tab-strip [aria-current]")) {
    const strip = tab.closest(".tab-strip");
    const [box, frame] = [tab.getBoundingClientRect(), strip.getBoundingClientRect()];
    if (box.left < frame.left || box.right > frame.right) strip.scrollLeft += box.right - frame.right + frame.width / 3;
  }
}
