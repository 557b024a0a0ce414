"""Interpreting: what a text means in the catalogue's own terms, as ordinary conditions."""

from __future__ import annotations

from collections.abc import Iterable

from idc_widgets.catalog import Index
from idc_widgets.cohort.conditions import Condition, search
from idc_widgets.cohort.interpret.parse import Part, parse
from idc_widgets.cohort.interpret.reading import Reading, Term, is_literal, read
from idc_widgets.cohort.interpret.vocabulary import vocabulary_of
from idc_widgets.lib import arguments

__all__ = ["Interpretation", "Term", "interpret"]


class Interpretation(tuple[Condition, ...]):
    """Conditions that a text means; `catalog.cohort(*interpretation)` are their series.

    Attributes
    ----------
    text
        What was interpreted.
    words
        Its words that are no terms: they are searched for (`idc.search`).
    terms
        What was recognised: phrase, column, values and a label.
    alternatives
        Other readings, the nearest first; the last is the text searched for as it is.
    """

    text: str
    words: str
    terms: tuple[Term, ...]
    alternatives: tuple[Interpretation, ...]

    def __new__(
        cls,
        conditions: Iterable[Condition],
        text: str,
        words: str = "",
        terms: Iterable[Term] = (),
        alternatives: Iterable[Interpretation] = (),
    ) -> Interpretation:
        """Make one; `catalog.interpret` is what makes them from a text."""
        made = super().__new__(cls, conditions)
        made.text, made.words, made.terms, made.alternatives = text, words, tuple(terms), tuple(alternatives)
        return made

    @property
    def label(self) -> str:
        """The reading for people: "cancer type Lung Cancer · modality CT · text "t2"."""
        parts: list[str] = []
        for before, term in zip((None, *self.terms), self.terms, strict=False):
            if before is not None and before.studies and term.studies:
                parts[-1] += f" or {term.label.removeprefix('studies with ')}"
            else:
                parts.append(term.label)
        return " · ".join([*parts, *([f'text "{self.words}"'] if self.words else [])])

    def __getnewargs__(self) -> tuple[object, ...]:  # copying and pickling
        return tuple(self), self.text, self.words, self.terms, self.alternatives

    def __repr__(self) -> str:
        others = len(self.alternatives)
        more = f"; {others} other reading{'s' if others > 1 else ''} in .alternatives" if others else ""
        return f"<Interpretation of {self.text!r}: {self.label or 'nothing'}{more}>"


def interpret(index: Index, text: str) -> Interpretation:
    """Return what a text means in the words that people use: ordinary conditions, for `cohort`.

    Understood are names of collections, cancer types, tumour locations, analysis results, programmes, modalities
    ("MRI", "CT scan", "slides"), body parts, species and sexes, and listed synonyms ("GBM"); letter case, `-`, `_`,
    spaces and plurals make no difference. A part of a name is none: "carcinoma" stays text. Other words are searched
    for beside the terms. Where what is meant is open ("CT without segmentations"), all of it stays text, and
    `alternatives` has what it could mean. A text in quotation marks, with a word that has a minus before it, or with
    a wildcard (`lung*`) is not interpreted.

    Cancer types, tumour locations and species are those of a collection, which may include several. A name of several
    columns is taken in the order cancer type, tumour location, collection, analysis result, programme, modality,
    species, sex, body part, unless one has it in this very spelling: "prostate mri" are two terms, "PROSTATE-MRI" is a
    collection. Beside a kind of image, a region of the body ("chest CT") is the part examined. "CT or MR" and "CT MR"
    are any of them; "CT and MR", "PET/CT" and "CT with segmentations" are the series of these modalities in studies
    that hold both.

    Parameters
    ----------
    catalog
        Whose terms to use.
    text
        What a person would type.

    Returns
    -------
    Interpretation
        A tuple of conditions with `.text`, `.words` (what is searched for), `.terms` (what was recognised),
        `.alternatives` (other readings; the text as it is among them) and `.label`. An empty text has no condition.

    Raises
    ------
    ValueError
        If the text is longer than `idc.search` takes.

    Examples
    --------
    >>> catalog.cohort(*catalog.interpret("prostate cancer mri"))  # doctest: +SKIP
    """
    arguments.text(text, "text", 'words such as "lung cancer ct"', blank=True)
    plain = text.strip()
    if not plain:
        return Interpretation((), text)
    as_text = Interpretation([search(plain)], text, words=plain)
    if is_literal(plain):
        return as_text
    vocabulary = vocabulary_of(index)
    parts = parse(vocabulary, plain)
    if not any(p.entries for p in parts):
        return as_text
    found: list[Interpretation] = []
    best = read(vocabulary, plain, parts)
    readings = [best]
    # A collection whose name is a description too: "prostate mri".
    key = tuple(w.key for p in parts for w in p.words)
    for entry in vocabulary.named(key):
        readings.append(read(vocabulary, plain, [Part(tuple(w for p in parts for w in p.words), (entry,))]))
    readings += [read(vocabulary, plain, parts, any_of=True)]
    readings += [read(vocabulary, plain, parts, choose) for choose in (1, 2)]
    if best is None:
        readings.append(read(vocabulary, plain, parts, any_of=True, loose=True))
    for reading in filter(None, readings):
        made = _made(text, reading)
        if made not in found and made != as_text:
            found.append(made)
    if best is None:
        return Interpretation(as_text, text, plain, alternatives=found)
    first, *others = found
    return Interpretation(first, text, first.words, first.terms, [*others, as_text])


def _made(text: str, reading: Reading) -> Interpretation:
    conditions = [*reading.conditions, *([search(reading.words)] if reading.words else [])]
    return Interpretation(conditions, text, reading.words, reading.terms)
