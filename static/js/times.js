// Keeps "5 min ago" true while the page stays open; older times are dates already and do not change.

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

function words(seconds) {
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  const days = Math.floor(seconds / DAY);
  return days === 1 ? "1 day ago" : `${days} days ago`;
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds >= 0 && seconds < 7 * DAY) time.textContent = words(seconds);
  }
}

export function startTimes() {
  setInterval(refresh, MINUTE * 1000);
}
