"""Where the tables come from: the `idc-index-data` package.

It carries, for each of IDC's tables, a JSON schema with IDC's own description of every column, and for some the
parquet file itself; the others are fetched (see `idc_widgets.catalog.fetch`).
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from idc_widgets.catalog.suggest import UnknownNameError, did_you_mean, nearest

# Columns of the index that hold numbers; all others hold text.
INTEGER_COLUMNS = ("instanceCount", "series_init_idc_version", "series_revised_idc_version")
NUMBER_COLUMNS = (*INTEGER_COLUMNS, "series_size_MB")
DATE_COLUMNS = ("StudyDate", "SeriesDate")  # text, as ISO dates

# Name for users (as in idc-index) → stem of the files in idc-index-data, for the tables that come with it.
_BUNDLED = {
    "index": "idc_index",
    "prior_versions_index": "prior_versions_index",
    "collections_index": "collections_index",
    "analysis_results_index": "analysis_results_index",
    "version_metadata_index": "version_metadata_index",
}


@dataclass(frozen=True)
class Column:
    """One column of a table, as its publisher describes it."""

    name: str
    type: str
    description: str
    repeated: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its name, the stem of its files and what its publisher says of it."""

    name: str
    stem: str
    description: str
    columns: tuple[Column, ...]

    @property
    def path(self) -> Path:
        """Its parquet file in `idc-index-data`.

        Raises
        ------
        FileNotFoundError
            If the installed `idc-index-data` does not hold it.
        """
        path = _folder() / f"{self.stem}.parquet"
        if not path.is_file():
            raise FileNotFoundError(
                f"The installed idc-index-data {release()} lacks {path.name}; "
                "`pip install --force-reinstall idc-index-data` brings it back."
            )
        return path


def file(name: str, suffix: str) -> Path:
    """Return the path of a file of a table in `idc-index-data`, such as its ".sql"; it may not be there."""
    return _folder() / f"{_BUNDLED.get(name, name)}{suffix}"


def release() -> str:
    """Return the release of the bundled tables, such as "25.0.5"; its first number is the IDC version."""
    return metadata.version("idc-index-data")


@functools.cache
def _folder() -> Path:
    # find_spec, not import: the package reads all its SQL and schemas when imported.
    spec = importlib.util.find_spec("idc_index_data")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("idc-index-data is not installed; `pip install idc-index-data` brings the index.")
    return Path(next(iter(spec.submodule_search_locations)))


@functools.cache
def table(name: str) -> Table:
    """Return IDC's table `name`.

    Raises
    ------
    UnknownNameError
        If IDC has no table of this name; the message suggests near ones.
    """
    known = (*table_names(), *fetched_names())
    if name not in known:
        raise UnknownNameError(f'There is no table "{name}".{did_you_mean(nearest(name, known))}')
    stem = _BUNDLED.get(name, name)
    schema = _schema(stem)
    columns = tuple(
        Column(
            c["name"], c.get("type", ""), " ".join(c.get("description", "").split()), c.get("mode", "") == "REPEATED"
        )
        for c in schema.get("columns", [])
    )
    return Table(name, stem, " ".join(schema.get("table_description", "").split()), columns)


def _schema(stem: str) -> dict[str, Any]:
    path = _folder() / f"{stem}_schema.json"
    loaded: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return loaded


def table_names() -> tuple[str, ...]:
    """Return the names of the bundled tables, the main index first."""
    return tuple(_BUNDLED)


@functools.cache
def fetched_names() -> tuple[str, ...]:
    """Return the names of the tables that `idc-index-data` describes but does not carry."""
    described = (p.name.removesuffix("_schema.json") for p in _folder().glob("*_schema.json"))
    return tuple(sorted(set(described) - set(_BUNDLED.values())))


# "Renal Cell Carcinoma, Not Otherwise Specified" is one term: the qualifier alone names no disease.
_COMMA = re.compile(r"\s*,(?!\s*Not Otherwise Specified\b)\s*", re.IGNORECASE)


def split_terms(text: str | None) -> tuple[str, ...]:
    """Split a comma-separated list of IDC's (cancer types, tumour locations, species) into its terms."""
    return tuple(dict.fromkeys(t for t in _COMMA.split((text or "").strip()) if t))
