"""Where Debian's Chromium is, and how it is started."""

import shutil

# The shell has no window that nobody sees: it takes half as much of a processor.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# It runs as root on machines of tests, and shall speak to nobody but the platform.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
