"""Text as words: letter case, accents, `-`, `_`, plurals and British spellings make no difference between names."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass

_WORD = re.compile(r"\bw/o?(?!\w)|[^\W_]+|&", re.IGNORECASE)

_SIGNS = {"&": "and", "w/": "with", "W/": "with"}

# The index writes American English.
_BRITISH = {
    "tumour": "tumor",
    "leukaemia": "leukemia",
    "paediatric": "pediatric",
    "oesophagus": "esophagus",
    "oesophageal": "esophageal",
    "haematoxylin": "hematoxylin",
    "oesophagogastric": "esophagogastric",
    "gastrooesophageal": "gastroesophageal",
    "haemangioma": "hemangioma",
    "phaeochromocytoma": "pheochromocytoma",
    "foetal": "fetal",
}


@dataclass(frozen=True)
class Word:
    """A word of a text: how it is compared, as written, and where it begins and ends."""

    key: str
    written: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """Return the words of a text; what is neither letter nor digit ends one; "&" and "w/" are "and" and "with"."""
    return [Word(_key(m.group()), m.group(), m.start(), m.end()) for m in _WORD.finditer(text)]


def keys_of(text: str) -> tuple[str, ...]:
    """Return how the words of a name are compared."""
    return tuple(_key(w) for w in _WORD.findall(text))


@functools.lru_cache(maxsize=4096)
def _key(word: str) -> str:
    if word in _SIGNS:
        return _SIGNS[word]
    plain = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    # "us", "is" and "ss" end no plural: uterus, pelvis, mass. Short words are codes more often than plurals: "pts".
    if len(plain) > 3 and plain.endswith("s") and not plain.endswith(("us", "is", "ss")):
        plain = plain[:-1]
    return _BRITISH.get(plain, plain)
