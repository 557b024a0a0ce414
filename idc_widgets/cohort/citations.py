"""What to cite for the series of a cohort: the sources that they come from, as IDC's tables word them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from idc_widgets.catalog import Index
from idc_widgets.catalog.database import SERIES
from idc_widgets.catalog.markup import plain

if TYPE_CHECKING:
    import pandas as pd

# IDC itself, which asks to be cited beside the sources.
_IDC_DOI = "10.1148/rg.230180"
IDC = (
    "Fedorov A, et al. National Cancer Institute Imaging Data Commons: Toward Transparency, Reproducibility, and "
    "Scalability in Imaging Artificial Intelligence. RadioGraphics 2023. "
    f"https://doi.org/{_IDC_DOI}"
)


class Source(NamedTuple):
    """A published data set: its DOI, citation and licences, and how much of a cohort comes from it."""

    source_DOI: str
    citation: str
    licences: str
    collections: str
    series: int
    bytes: int

    def __str__(self) -> str:
        of = self.collections if self.collections.count(",") < 3 else f"{self.collections.count(',') + 1} collections"
        return f"{self.citation} ({self.licences}; {self.series:,} series of {of})"


def sources(index: Index, where: str, parameters: Sequence[object]) -> list[Source]:
    """Return the sources of the series that satisfy a condition, the one with most series first."""
    rows = index.database.rows(
        "WITH said AS (SELECT lower(doi) AS doi, any_value(citation) AS citation FROM ("
        "SELECT s.source_doi AS doi, s.citation AS citation FROM (SELECT unnest(sources) AS s FROM collections_index) "
        "UNION ALL SELECT source_DOI, citation FROM analysis_results_index) GROUP BY 1), "
        "held AS (SELECT source_DOI::VARCHAR AS doi, "
        "list_sort(list(DISTINCT license_short_name::VARCHAR)) AS licences, "
        "list_sort(list(DISTINCT collection_id::VARCHAR)) AS collections, count(*) AS series, "
        f"sum(series_bytes)::BIGINT AS bytes FROM {SERIES} WHERE {where} GROUP BY 1) "
        "SELECT held.doi, citation, licences, collections, series, bytes FROM held "
        "LEFT JOIN said ON said.doi = lower(held.doi) ORDER BY series DESC, held.doi",
        parameters,
    )
    return [
        Source(
            doi or "",
            " ".join(plain(citation).split()) or (f"https://doi.org/{doi}" if doi else ""),
            ", ".join(licences),
            ", ".join(collections),
            series,
            size,
        )
        for doi, citation, licences, collections, series, size in rows
    ]


def frame(index: Index, where: str, parameters: Sequence[object]) -> pd.DataFrame:
    """Return the sources and, as the last row, IDC itself."""
    import pandas as pd

    found = sources(index, where, parameters)
    idc = Source(_IDC_DOI, IDC, "", "", sum(s.series for s in found), sum(s.bytes for s in found))
    both: pd.DataFrame = pd.DataFrame([*found, idc], columns=list(Source._fields))
    return both


def text(index: Index, where: str, parameters: Sequence[object]) -> str:
    """Return what to cite as text: a paragraph a source, IDC last."""
    found = map(str, sources(index, where, parameters))
    return "\n\n".join([*found, IDC]) + "\n"
