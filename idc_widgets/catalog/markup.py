"""The text of the HTML that IDC's tables hold: descriptions, titles, citations."""

from __future__ import annotations

import re
from html.parser import HTMLParser


class _Text(HTMLParser):
    """Collects the text of a piece of HTML; what scripts and styles hold is no text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("script", "style")
        if tag in ("p", "br", "li", "div"):
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style") and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def plain(text: str | None) -> str:
    """Return the text of a piece of HTML, its white space in order."""
    if not text:
        return ""
    # "p < 0.05" is text; what starts like a tag is one.
    parser = _Text()
    parser.feed(re.sub(r"<(?![a-zA-Z/!])", "&lt;", text))
    parser.close()
    found = re.sub(r"[ \t\r\f\v]*\n\s*", "\n", re.sub(r"[ \t]+", " ", "".join(parser.parts))).strip()
    # Lines are broken anywhere; a paragraph ends with a sentence, and the next one begins with a capital.
    return re.sub(r"\n(?![A-Z])|(?<![.:!?)])\n", " ", found)
