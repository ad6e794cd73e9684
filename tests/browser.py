"""A real Chromium, headless and without a network: opens a page and gives back what became of it."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--window-size=1400,900",
)  # fmt: skip


def dump(page: str, directory: Path, *, dark: bool = False, script: str = "") -> str:
    """The document as it stands when the page's scripts have run, and then `script`.

    What `script` returns stands as text in an element `<output>` at the end.
    """
    assert CHROMIUM is not None
    path = directory / "page.html"
    asked = f"<script>document.body.append(Object.assign(document.createElement('output'), {{textContent: (() => {{{script}}})()}}))</script>"
    path.write_text(page.replace("</body>", f"{asked}</body>") if script else page, encoding="utf-8")
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    command = [CHROMIUM, *_OPTIONS, scheme, f"--user-data-dir={directory / 'profile'}", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=50, check=True)
    return done.stdout.decode("utf-8")


class Tables(HTMLParser):
    """The tables of a document: of each the caption and the rows, of each row the cells, of each cell its text.

    Attributes:
        tables: by id: rows of texts.
        attributes: of every cell, in order.
        output: the text of `<output>`.
    """

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.captions: dict[str, str] = {}
        self.attributes: list[dict[str, str | None]] = []
        self.root: dict[str, str | None] = {}
        self.output = ""
        self._table = ""
        self._inside = ""
        self._hidden = 0
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.root = given
        elif tag == "table":
            self._table = given["id"] or ""
            self.tables[self._table] = []
            self.captions[self._table] = ""
        elif tag == "tr":
            self.tables[self._table].append([])
        elif tag in ("td", "th"):
            self.tables[self._table][-1].append("")
            if tag == "td":
                self.attributes.append(given)
        if tag in ("td", "th", "caption", "output"):
            self._inside = tag
        if given.get("class") == "told":
            self._hidden = 1

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "caption", "output"):
            self._inside = ""
        if tag == "span":
            self._hidden = 0

    def handle_data(self, data: str) -> None:
        if self._hidden:
            data = f"[{data.strip()}]"
        if self._inside in ("td", "th"):
            self.tables[self._table][-1][-1] += data
        elif self._inside == "caption":
            self.captions[self._table] += data
        elif self._inside == "output":
            self.output += data
