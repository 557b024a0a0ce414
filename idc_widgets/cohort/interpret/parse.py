"""Finding names in a text: the parts that leave the fewest words over."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from idc_widgets.catalog.terms import PROGRAM
from idc_widgets.cohort.interpret.synonyms import FILLERS, METHODS, NEGATIONS, NOUNS
from idc_widgets.cohort.interpret.vocabulary import Entry, Vocabulary
from idc_widgets.cohort.interpret.words import Word, keys_of, words_of

CONNECTORS = frozenset({"and", "or", "with", "plus", "vs", "versus"})

_FILLERS = frozenset(keys_of(FILLERS))
_NOUNS = frozenset(keys_of(NOUNS))
_HYPHENS = re.compile(r"[-_.]+")
_MOST_WORDS = 64  # more is no request but a text


@dataclass(frozen=True)
class Part:
    """Some words of a text: what they name, best first; nothing where they are plain words or said around them."""

    words: tuple[Word, ...]
    entries: tuple[Entry, ...] = ()
    blocked: bool = False

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return self.words[-1].end

    @property
    def key(self) -> str:
        return " ".join(w.key for w in self.words)

    def of(self, column: str) -> bool:
        """Whether it names a value of this column first."""
        return bool(self.entries) and self.entries[0].column == column

    @property
    def plain(self) -> bool:
        """Whether it is a word that narrows, and no name."""
        return not self.entries and (self.blocked or self.key not in _FILLERS | CONNECTORS)

    @property
    def negates(self) -> bool:
        """Whether it turns round what follows."""
        return not self.entries and self.key in NEGATIONS


def parse(vocabulary: Vocabulary, text: str) -> list[Part]:
    """Return the parts of a text in their order, so that as few words as possible are in no name.

    Of several ways, the one whose names are spelt as they are, then the one of the fewest names.
    """
    words = words_of(text)
    if len(words) > _MOST_WORDS:
        return [Part((w,)) for w in words]
    # Best way to the end from each word: its cost and its parts.
    best: list[tuple[tuple[int, ...], Part | None, int]] = [((0, 0, 0, 0), None, 0)] * (len(words) + 1)
    for i in range(len(words) - 1, -1, -1):
        ways: list[tuple[tuple[int, ...], Part | None, int]] = []
        for part, cost in _from(vocabulary, text, words, i):
            j = i + len(part.words)
            ways.append((tuple(a + b for a, b in zip(cost, best[j][0], strict=True)), part, j))
        best[i] = min(ways, key=lambda way: way[0])
    found: list[Part] = []
    at = 0
    while at < len(words):
        _, step, at = best[at]
        assert step is not None
        found.append(step)
    return _kept(text, _identifiers(text, found))


def _from(vocabulary: Vocabulary, text: str, words: list[Word], i: int) -> list[tuple[Part, tuple[int, ...]]]:
    """Return what can begin at a word, with what it costs: words in no name, loosely spelt, run together, parts."""
    lone = Part((words[i],))
    found: list[tuple[Part, tuple[int, ...]]] = [(lone, (1 if lone.plain else 0, 0, 0, 1))]
    run = ""
    for j in range(i, len(words)):
        run += words[j].key
        if j - i >= vocabulary.longest and len(run) > vocabulary.widest:
            break
        key = tuple(w.key for w in words[i : j + 1])
        part = tuple(words[i : j + 1])
        if key in vocabulary.blocked:
            found.append((Part(part, blocked=True), (0, 0, 0, 1)))
        entries, joined = vocabulary.names.get(key), 0
        if entries is None and len(run) <= vocabulary.widest:
            entries, joined = vocabulary.joined.get(run), 1
        if entries:
            written = text[words[i].start : words[j].end]
            exact = [e for e in entries if e.spelt(written)]
            # "prostate mri" says what is wanted, "PROSTATE-MRI" which collection.
            # But only kinds of images and of cancer do: "tcga gbm" and "mouse astrocytoma" are collections.
            first = entries[0]
            described = first.column == "collection_id" and not exact and " " in written
            loose = int(described or first.column in (PROGRAM, "species", "PatientSex") or first.careful)
            ordered = (*exact, *(e for e in entries if e not in exact))
            found.append((Part(part, ordered), (0, loose, joined, 1)))
    return found


def _identifiers(text: str, parts: list[Part]) -> list[Part]:
    """Return the parts, those taken apart again that lie within an identifier, such as the TCGA of "TCGA-AA-3488"."""
    out: list[Part] = []
    compound: list[Part] = []
    for p in parts:
        if compound and not _HYPHENS.fullmatch(text[compound[-1].end : p.start]):
            out.extend(_whole(compound))
            compound = []
        compound.append(p)
    return out + _whole(compound)


def _whole(compound: list[Part]) -> list[Part]:
    odd = any(not p.entries and (len(p.key) == 1 or any(c.isdigit() for c in p.key)) for p in compound)
    return [Part((w,), blocked=True) for p in compound for w in p.words] if odd and len(compound) > 1 else compound


def _kept(text: str, parts: list[Part]) -> list[Part]:
    """Return the parts, those names left out that count for less beside other words."""
    content = [p for p in parts if p.entries or p.plain]
    only_names = len(content) > 1 and all(p.entries for p in content)
    around = {p.key for p in parts if not p.entries and not p.plain}
    out: list[Part] = []
    for i, p in enumerate(parts):
        entries = p.entries
        if i and entries and METHODS.issuperset(entries[0].values) and parts[i - 1].of("Modality"):
            entries = ()
        if entries and len(parts) > 1:
            written = text[p.start : p.end]
            fair = only_names or (len(content) == 1 and around <= _NOUNS)
            entries = tuple(
                e
                for e in entries
                if not (e.alone and len(content) > 1)
                and (fair or not e.careful or (written in e.spellings and not written.islower()))
            )
        if p.entries and not entries:
            out.extend(Part((w,)) for w in p.words)
        else:
            out.append(replace(p, entries=entries))
    return out
