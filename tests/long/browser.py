"""
A mail in Chromium: a picture of it, and what a person would notice who reads it there.

The mail stands in a frame of the width that is asked for, since a window has a least width. A
script beside the frame looks at what was laid out; the mail itself has none.
"""

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ABSENT = "no Chromium in the path (tools/long_env.sh installs it where it may)"
HEIGHT = 2400
# Reads computed colours and boxes of each text; a colour is compared with what lies behind it.
LOOK = """
addEventListener('load', () => {
  const page = document.getElementById('mail').contentDocument;
  const view = page.defaultView;
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= 0.03928 ? v / 12.92
    : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = rgb(view.getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3); } return [255, 255, 255]; };
  const texts = [];
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
    const range = page.createRange(); range.selectNodeContents(walk.currentNode);
    const box = range.getBoundingClientRect();
    if (!text || !box.height || e.closest('[style*="display:none"]')) continue;
    const [a, b] = [light(rgb(view.getComputedStyle(e).color).slice(0, 3)), light(behind(e))];
    texts.push({text, top: box.top, bottom: box.bottom, left: box.left, right: box.right,
      size: parseFloat(view.getComputedStyle(e).fontSize),
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)});
  }
  const out = document.createElement('pre'); out.id = 'seen';
  out.textContent = JSON.stringify({texts, width: page.documentElement.scrollWidth,
    ground: light(behind(page.body))});
  document.body.append(out);
});
"""


class Mode(Enum):
    LIGHT = 1
    DARK = 0


@dataclass(frozen=True)
class Seen:
    """
    What was laid out; lengths in CSS pixels, contrast as WCAG counts it.

    `ground` is how light the page is behind everything, from 0 to 1.
    """

    texts: list[dict[str, Any]]
    width: float
    ground: float

    def bottom_of(self, start: str) -> float:
        """Return how far down the text that begins with `start` reaches."""
        return max(one["bottom"] for one in self.texts if one["text"].startswith(start))

    def faint(self) -> Iterator[str]:
        """Yield the texts that are too faint to be read (WCAG AA)."""
        return (one["text"] for one in self.texts if one["contrast"] < 4.5)


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Browser:
    """Chromium without a window; `folder` is for its profile and what it makes."""

    program: str
    folder: Path

    def see(self, mail: str, width: int, mode: Mode) -> Seen:
        """Lay a mail out and return what is to be seen."""
        dom = self._run(self._frame(mail, width), mode, "--dump-dom")
        found = re.search(r'<pre id="seen">(.*?)</pre>', dom, re.DOTALL)
        assert found, "the page did not load"
        return Seen(**json.loads(html.unescape(found[1])))

    def picture(self, mail: str, width: int, mode: Mode, into: Path) -> None:
        """Write a picture of a mail."""
        self._run(self._frame(mail, width), mode, f"--screenshot={into}")

    def _frame(self, mail: str, width: int) -> Path:
        page = self.folder / "frame.html"
        source = html.escape(mail)
        page.write_text(
            f'<!DOCTYPE html><meta charset="utf-8"><script>{LOOK}</script>'
            f'<body style="margin:0"><iframe id="mail" srcdoc="{source}" width="{width}"'
            f' height="{HEIGHT}" style="border:0"></iframe>'
        )
        return page

    def _run(self, page: Path, mode: Mode, *what: str) -> str:
        command = [
            self.program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
            f"--user-data-dir={self.folder / 'profile'}",
            f"--blink-settings=preferredColorScheme={mode.value}",
            f"--window-size=900,{HEIGHT}", *what, page.as_uri(),
        ]  # fmt: skip
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return ran.stdout
