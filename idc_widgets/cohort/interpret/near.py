"""The nearest step from a text that finds nothing: spelt right, a term with a near name, fewer words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from idc_widgets.catalog import Index
from idc_widgets.cohort.conditions import Search
from idc_widgets.cohort.interpret import Interpretation, interpret
from idc_widgets.cohort.interpret.synonyms import NEGATIONS
from idc_widgets.cohort.interpret.vocabulary import vocabulary_of
from idc_widgets.cohort.interpret.words import keys_of, words_of

_LONGEST = 80  # characters; a longer text is no name
_SHORTEST = 4  # letters: a shorter word is a code, and every other code is near it


def near(index: Index, text: str, count: int = 3) -> list[Interpretation]:
    """Return what a text that finds nothing may be meant for, the likeliest first.

    That is the text with each unknown word as the nearest word of the terms' names, where all of it is understood
    then; the terms with the nearest names; and the terms of the text without the words that they stand beside.
    """
    found: list[Interpretation] = []
    for reading in (*_respelt(index, text), *_named(index, text, count), *_fewer(index, text)):
        if reading.terms and reading not in found:
            found.append(reading)
    return found[:count]


def _respelt(index: Index, text: str) -> Iterator[Interpretation]:
    known = sorted({word for key in vocabulary_of(index).names for word in key})
    out = []
    for word in words_of(text[:_LONGEST]):
        close = (
            []
            if len(word.key) < _SHORTEST or word.key in known
            else difflib.get_close_matches(word.key, known, 1, 0.75)
        )
        out.append(close[0] if close else word.written)
    reading = interpret(index, " ".join(out))
    if not reading.words:
        yield reading


def _named(index: Index, text: str, count: int) -> Iterator[Interpretation]:
    names = vocabulary_of(index).names
    runs = {" ".join(k): entries[0] for k, entries in names.items()}
    for name in difflib.get_close_matches(" ".join(keys_of(text[:_LONGEST])), runs, n=count * 2, cutoff=0.8):
        reading = interpret(index, name)
        if not runs[name].alone and not reading.words:
            yield reading


def _fewer(index: Index, text: str) -> Iterator[Interpretation]:
    reading = interpret(index, text)
    if reading.words and NEGATIONS.isdisjoint(keys_of(reading.words)):
        yield Interpretation((c for c in reading if not isinstance(c, Search)), text, "", reading.terms)
