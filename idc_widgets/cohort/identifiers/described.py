"""Headings that identify nothing and describe what is finer than what is identified: that is not read, and told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from idc_widgets.catalog.suggest import short
from idc_widgets.cohort.identifiers.spelling import (
    LEVEL,
    PATIENT,
    SERIES,
    STUDY,
    WHOLE,
    field_of,
    key_of,
    loose_field_of,
    numeric,
)

#: By the letters of a heading: the columns of the index, and the usual short names of such.
_NAMES = {
    SERIES: "modality modalities mod modalitytype bodypart bodyparts bodypartexamined manufacturer vendor model "
    "scanner manufacturermodelname protocol sequence sequences scan scans acquisition "
    "contrast sopclassuid sopclassname transfersyntaxuid transfersyntaxname photometricinterpretation plane phase "
    "pixelrepresentation licenseshortname awsbucket orientation kernel slicethickness kvp imagetype laterality "
    "file filename files filepath path image images mask masks scanid imageid instance object nodule noduleid "
    "annotation limit filter query maxpatients maxstudies maxseries",
    STUDY: "date studydate studytime studydescription accession accessionnumber visit timepoint exam session scandate",
    PATIENT: "sex gender age race ethnicity patientsex patientage patientgender patientrace",
}
_LEVELS = {w: level for level, words in _NAMES.items() for w in words.split()}
#: How the names of others begin.
_BEGINS = re.compile(
    r"(?:(series|scan|acquisition|sequence|protocol|modality|manufacturer|slice|image)|(study|visit|exam|session|timepoint))"
    r"(?:number|num|no|nr|desc|description|name|type|label|date|time|initidcversion|revisedidcversion|version|index|"
    r"model\w*|day|\d+)"
)
#: What only summaries have: numbers of what is finer, and lists of what occurs.
_COUNTS = frozenset(("patients", "studies", "instances", "images", "bytes", "size", "files", "modalities", "bodyparts"))
_LISTS = frozenset(("modalities", "bodyparts"))


def level_of(heading: object) -> int:
    """Return how fine what a heading describes is; 0 where it is no usual name of a description."""
    key = key_of(heading)
    if field := _LEVELS.get(key):
        return LEVEL[field]
    if found := _BEGINS.fullmatch(key):
        return LEVEL[SERIES if found[1] else STUDY]
    return 0


def not_read(
    headings: Iterable[object], level: int, columns: Sequence[Sequence[str]] | None = None, every: bool = False
) -> list[str]:
    """Return what is to be said of headings and keys that describe what is finer than what is identified.

    Parameters
    ----------
    columns
        The values below the headings: of series and studies that are no UIDs is told, too.
    every
        Whether all of them may describe what is finer, those too that say nothing here.
    """
    names = [h for h in headings if not field_of(h)]
    keys = {key_of(h) for h in names}
    summary = len((keys | {k for k in keys if loose_field_of(k)}) & _COUNTS) > 0 and (
        len(keys & (_COUNTS | {"series"})) > 1 or bool(keys & (_COUNTS - _LISTS))
    )
    values = dict(zip(map(str, headings), columns, strict=False)) if columns is not None else {}
    fine: dict[str, int] = {}
    for heading in names:
        of = level_of(heading) or (LEVEL[SERIES] if every else 0)
        if summary and key_of(heading) in _LISTS:
            continue
        loose = loose_field_of(heading)
        if columns is not None and loose in (SERIES, STUDY):
            given = [v for v in values[str(heading)] if v]
            counts = all(numeric(v) for v in given) and (summary or level == 1 or key_of(heading) == "studies")
            of = LEVEL[loose] if given and not counts else 0
        if of > level:
            fine[str(heading)] = of
    if not fine or level not in WHOLE:
        return []
    most = max(fine.values())
    kind = "series" if most == LEVEL[SERIES] else "studies" if most == LEVEL[STUDY] else "patients"
    return [
        f"No column identifies {kind}, so each row is a whole {WHOLE[level]}; {short(', '.join(fine))} is not read."
    ]
