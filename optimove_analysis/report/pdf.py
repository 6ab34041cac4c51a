"""A report's page printed to PDF, by a Chromium that is on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from optimove_analysis.charts.save import write_whole
from optimove_analysis.errors import InputError, OptimoveAnalysisError

__all__ = ["find_browser", "print_pdf"]

_NAMES: Final = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    *("microsoft-edge", "msedge"),
)
_PLACES: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
"""Where they are when they are not on the PATH, as on macOS and Windows."""
_PATIENCE: Final = 120
"""Seconds; a long report takes some three."""


def find_browser() -> str:
    """Return a Chromium, Chrome or Edge of this machine.

    Raises:
        InputError: there is none.
    """
    for name in _NAMES:
        if (found := shutil.which(name)) is not None:
            return found
    for place in _PLACES:
        if Path(place).exists():
            return place
    message = (
        "a PDF is printed by Chromium, Chrome or Edge, and none is on this machine: install one, "
        "or print the HTML page from any browser."
    )
    raise InputError(message)


def print_pdf(html: Path, path: Path) -> Path:
    """Print a page that lies on disk; the PDF is whole or not there.

    Raises:
        InputError: there is no browser.
        OptimoveAnalysisError: it did not print.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="optimove-print-") as own:
        made = Path(own) / "report.pdf"
        command = [
            *(browser, "--headless", "--disable-gpu", "--no-first-run"),
            # A profile of its own: the user's may be open, and is not to be touched.
            *(f"--user-data-dir={own}/profile", "--no-pdf-header-footer"),
            # The browser's own sandbox does not work for root; the page can run nothing anyway.
            *(["--no-sandbox"] if sys.platform == "linux" and os.geteuid() == 0 else []),
            *(f"--print-to-pdf={made}", html.resolve().as_uri()),
        ]
        try:
            subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            message = f"{browser} did not print the report ({error})."
            raise OptimoveAnalysisError(message) from error
        if not made.exists():
            message = f"{browser} printed nothing; print {html} from a browser window."
            raise OptimoveAnalysisError(message)
        write_whole(path, made.read_bytes())
    return path
