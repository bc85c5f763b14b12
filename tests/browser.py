"""The browser that pages are tried in; without one their tests are skipped, each file saying what was not tried."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
