"""Free text: the columns that a search looks through, and which texts of the cache hold a word."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idc_widgets.catalog.database import Database

SEARCHED = (
    "collection_id", "analysis_result_id", "StudyDescription", "SeriesDescription", "BodyPartExamined", "Modality",
    "sop_class_name", "Manufacturer", "ManufacturerModelName", "license_short_name", "source_DOI",
)  # fmt: skip

#: SQL for a series' text: its columns, a line each, in lower case.
HAYSTACK = "lower(concat_ws(chr(10), " + ", ".join(f'"{c}"::VARCHAR' for c in SEARCHED) + "))"

#: SQL for a text `haystack` with a mark at each place where a word may start: a plain look for a marked word then
#: finds what the pattern finds, several times faster.
MARKED = "chr(1) || regexp_replace(haystack, '([^a-z0-9])', '\\1' || chr(1), 'g')"

_KEPT = 64  # words; 18 kB each as DuckDB holds them, 146 kB as they travel


def words_of(text: str) -> list[str]:
    """Return the words that a search for `text` looks for: lower case, each once."""
    return list(dict.fromkeys(text.lower().split()))


def pattern(word: str) -> str:
    """Return the regular expression that finds a lower-case word, whole or as the start of one."""
    return "(^|[^a-z0-9])" + re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", word)


def marked(word: str) -> str:
    """Return a lower-case word as it stands in a `MARKED` text."""
    return "\1" + re.sub("([^a-z0-9])", "\\1\1", word)


class Words:
    """Which texts of the cache hold a word, kept from one question to the next.

    The counts, the cube and the pages of a search all need the same; the distinct texts are read for the first.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()  # of several that want a word at once, one looks
        self._found: dict[str, str] = {}

    def bits(self, word: str) -> str:
        """Return one character a text, "1" where it holds the word, by `text_key`; "" where none does."""
        with self._lock:
            found = self._found.pop(word, None)
            if found is None:
                found = self._look(word)
            self._found[word] = found  # at the end: the one used last
            while len(self._found) > _KEPT:
                del self._found[next(iter(self._found))]
        return found

    def prepare(self, text: str) -> None:
        """Look for the words of a search that somebody is still typing."""
        if self._database.cached:
            for word in words_of(text)[: _KEPT // 2]:
                self.bits(word)

    def _look(self, word: str) -> str:
        # The keys are the texts' places in their order, so that they are the same in every cache of a release.
        ((last,),) = self._database.rows("SELECT max(key) FROM cache.texts")
        ((bits,),) = self._database.rows(
            f"SELECT bitstring_agg(key, 0, {int(last)})::VARCHAR FROM cache.texts WHERE contains(marked, ?)",
            [marked(word)],
        )
        return bits or ""
