// Starts the console's layers; every page works without them.
import { startCommands } from "./commands.js";
import { startCopy } from "./copy.js";
import { startDialogs } from "./dialogs.js";
import { startGuard } from "./guard.js";
import { startKeyboard } from "./keyboard.js";
import { startPreferences } from "./preferences.js";
import { startSelection } from "./selection.js";
import { startTabs } from "./tabs.js";
import { startTimes } from "./times.js";
import { startToasts } from "./toasts.js";
import { startUploads } from "./uploads.js";

for (const start of [
  startDialogs,
  startToasts,
  startPreferences,
  startCommands,
  startKeyboard,
  startSelection,
  startCopy,
  startTabs,
  startTimes,
  startGuard,
  startUploads,
]) {
  start();
}
