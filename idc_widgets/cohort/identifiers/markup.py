"""What stands around the text itself: entities, boxes that a terminal draws, fences of Markdown."""

from __future__ import annotations

import html
import re
import unicodedata

from idc_widgets.cohort.identifiers import web

_NO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,6}|#x[0-9a-fA-F]{1,5});")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*\w*[ \t]*$", re.MULTILINE)
_ROW = re.compile(r"<tr[\s>]", re.IGNORECASE)
_BOX = {
    **dict.fromkeys(map(ord, "│┃┆┇┊┋║"), "|"),
    **dict.fromkeys(map(ord, "─━┄┅┈┉═╌╍"), "-"),
    **dict.fromkeys([*range(0x250C, 0x254C), *range(0x2552, 0x256D)], "+"),
}


def plain(text: str) -> str:
    """Return a text without what only formats it."""
    text = text.lstrip("\ufeff")
    if not text.isascii():  # digits of full width, marks without a width, boxes
        text = unicodedata.normalize("NFKC", _NO_WIDTH.sub("", text)).replace("\u2026", "...")
        if "\u2500" in text or "\u2502" in text or "\u2503" in text or "\u2551" in text:
            text = text.translate(_BOX)
    if _ROW.search(text):
        text = web.without_tables(text)
    if "&" in text:
        text = _ENTITY.sub(lambda m: html.unescape(m[0]), text)
    if "```" in text or "~~~" in text:
        text = _FENCE.sub("", text)
    return text
