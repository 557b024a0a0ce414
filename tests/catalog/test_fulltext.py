"""The texts that a search looks through: marked words against the pattern that defines what a word is."""

from __future__ import annotations

import threading

import duckdb
import pytest

from idc_widgets import Catalog, search
from idc_widgets.catalog.fulltext import HAYSTACK, Words, marked, pattern
from idc_widgets.widgets import facets

#: Starts and wholes, punctuation at either end and within, characters that patterns and SQL mean something by.
WORDS = (
    "chest", "ct", "t1", "t1-weighted", "(ct", "ct)", "-c", "w/o", "10.7937", "3d", "&", ".", "c+", "50%", "_ax", "[",
    "\\", "'", '"', "é", "straße", "nlst", "4.0", "lungs^", "no-such-word-anywhere",
)  # fmt: skip


def test_marks_find_what_the_pattern_finds(catalog: Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    counts = ", ".join("count(*) FILTER (regexp_matches(text, ?))" for _ in WORDS)
    truth = plain.execute(
        f"SELECT {counts} FROM (SELECT {HAYSTACK} AS text FROM idx)", [pattern(w) for w in WORDS]
    ).fetchone()
    words = Words(catalog.index.database)
    found = []
    for word in WORDS:
        bits = words.bits(word)
        sql = "SELECT count(*) FROM series WHERE get_bit(?::BIT, text_key) = 1"
        found.append(catalog.index.database.rows(sql, [bits])[0][0] if bits else 0)
    assert dict(zip(WORDS, found, strict=True)) == dict(zip(WORDS, truth or (), strict=True))
    assert found[0] > 300_000 and found[-1] == 0


def test_words_that_are_being_typed_are_ready_for_the_search(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    facets.handlers(catalog, lambda note: None)["words"]({"text": "Pelvis  t2"})

    def look(self: Words, word: str) -> str:
        raise AssertionError(word)

    monkeypatch.setattr(Words, "_look", look)
    assert catalog.cohort(search("t2 pelvis")).counts.series > 0
    with pytest.raises(AssertionError, match="haste"):
        catalog.cohort(search("haste")).counts  # noqa: B018


def test_a_word_is_looked_for_once() -> None:
    asked: list[str] = []

    class Database:
        def rows(self, sql: str, parameters: tuple[str, ...] = ()) -> list[tuple[object]]:
            asked.extend(parameters)
            return [("01" if parameters else 1,)]

    words = Words(Database())  # type: ignore[arg-type]
    threads = [threading.Thread(target=words.bits, args=("chest",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [marked("chest")]
    for n in range(100):
        words.bits(f"w{n}")
    words.bits("chest")
    assert asked.count(marked("chest")) == 2  # it had made room for a hundred others
