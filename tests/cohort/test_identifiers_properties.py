"""Whatever way random series are written out, exactly these come back; nothing beside them changes that."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import warnings
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import idc_widgets as idc
from idc_widgets.cohort.identifiers import read, read_text

SPELLINGS = {
    "SeriesInstanceUID": ["SeriesInstanceUID", "Series UID", "series_instance_uid", "Series Instance UID", "seriesUID"],
    "crdc_series_uuid": ["crdc_series_uuid", "CRDC Series UUID", "series_uuid"],
    "series_aws_url": ["series_aws_url", "aws_url", "S3 URL"],
    "StudyInstanceUID": ["StudyInstanceUID", "Study UID", "study_instance_uid", "Study Instance UID"],
    "PatientID": ["PatientID", "Subject ID", "Patient ID", "patient_id", "Case ID"],
    "collection_id": ["collection_id", "Collection", "Collection Name", "collection"],
}
FINEST = ("SeriesInstanceUID", "crdc_series_uuid", "series_aws_url")
COARSER = ("StudyInstanceUID", "PatientID", "collection_id")
JUNK = {
    "Modality": ["CT", "MR", "SM"],
    "Series Description": ['t2, "axial"', "Größe; 5|2", "CHEST 1.25 mm", "", "lung, left\tupper"],
    "Number of Images": ["1", "133", "70230"],
    "File Size": ["70.12 MB", "100012", "3.5"],
    "Study Date": ["2001-02-03", "01-31-1999"],
    "SOP Class UID": ["1.2.840.10008.5.1.4.1.1.2"],
    "License Name": ["CC BY 3.0"],
}
MANY = settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def rows(catalog: idc.Catalog) -> list[dict[str, str]]:
    frame = catalog.sql(
        "SELECT SeriesInstanceUID, crdc_series_uuid, series_aws_url, StudyInstanceUID, PatientID, collection_id "
        "FROM index USING SAMPLE 4000 (reservoir, 7)"
    )
    return [dict(zip(frame.columns, r, strict=True)) for r in frame.itertuples(index=False)]


def _uids(catalog: idc.Catalog, found: Any) -> set[str]:
    if found.condition is None:
        return set()
    cohort = idc.Cohort(catalog, [found.condition])
    return set(cohort.series(columns=["SeriesInstanceUID"]).SeriesInstanceUID)


def _table(chosen: list[dict[str, str]], rng: random.Random, finest: str) -> tuple[list[str], list[list[str]]]:
    """Return a heading and rows: the finest column, some coarser ones and junk, in any order."""
    columns = [finest, *rng.sample(COARSER, rng.randint(0, 3)), *rng.sample(sorted(JUNK), rng.randint(0, 4))]
    rng.shuffle(columns)

    def cell(row: dict[str, str], column: str) -> str:
        if column in JUNK:
            return rng.choice(JUNK[column])
        value = row[column]
        if column == "collection_id" and rng.random() < 0.5:
            return value.upper().replace("_", "-")
        return value.upper() if column == "crdc_series_uuid" and rng.random() < 0.3 else value

    heading = [rng.choice(SPELLINGS[c]) if c in SPELLINGS else c for c in columns]
    return heading, [[cell(r, c) for c in columns] for r in chosen]


def _separated(separator: str) -> Callable[[list[str], list[list[str]]], str]:
    def write(heading: list[str], table: list[list[str]]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=separator).writerows([heading, *table] if heading else table)
        return out.getvalue()

    return write


def _markdown(heading: list[str], table: list[list[str]]) -> str:
    clean = [[c.replace("|", "/") for c in r] for r in table]
    return "\n".join("| " + " | ".join(r) + " |" for r in [heading, ["---"] * len(heading), *clean])


def _frame(heading: list[str], table: list[list[str]]) -> pd.DataFrame:
    return pd.DataFrame(table, columns=heading)


WRITERS: dict[str, Callable[[list[str], list[list[str]]], Any]] = {
    "csv": _separated(","),
    "tsv": _separated("\t"),
    "semicolons": _separated(";"),
    "pipes": _separated("|"),
    "markdown": _markdown,
    "records": lambda h, t: _frame(h, t).to_json(orient="records"),
    "columns": lambda h, t: _frame(h, t).to_json(),
    "lines": lambda h, t: _frame(h, t).to_json(orient="records", lines=True),
    "split": lambda h, t: _frame(h, t).to_json(orient="split"),
    "python": lambda h, t: repr([dict(zip(h, r, strict=True)) for r in t]),
    "frame": _frame,
    "categories": lambda h, t: _frame(h, t).astype("category"),
    "index": lambda h, t: _frame(h, t).set_index(h[: len(h) // 2 + 1]),
}


@MANY
@example(seed=49765484, kind="pipes", finest="SeriesInstanceUID")  # rows that begin with an empty cell
@example(seed=2683504527, kind="lines", finest="crdc_series_uuid")  # one record, its UUID in capitals
@given(seed=st.integers(0, 2**32), kind=st.sampled_from(sorted(WRITERS)), finest=st.sampled_from(FINEST))
def test_a_table_of_series_is_these_series(
    seed: int, kind: str, finest: str, rows: list[dict[str, str]], catalog: idc.Catalog
) -> None:
    rng = random.Random(seed)
    chosen = rng.sample(rows, rng.randint(1, 12))
    heading, table = _table(chosen, rng, finest)
    source = WRITERS[kind](heading, table)
    if isinstance(source, str) and kind in ("csv", "tsv", "semicolons", "pipes", "markdown"):
        source = rng.choice(["", "# a comment\n", "Exported on 2024-01-01\n\n", "﻿"]) + source
        source = source.replace("\r\n", rng.choice(["\n", "\r\n"]))
    if isinstance(source, str) and rng.random() < 0.4:
        data = source.encode(rng.choice(["utf-8", "utf-8-sig", "utf-16"]))
        source = io.BytesIO(gzip.compress(data) if rng.random() < 0.5 else data)
    found = read(catalog.index, source)
    assert _uids(catalog, found) == {r["SeriesInstanceUID"] for r in chosen}
    assert found.unknown == ()


@MANY
@given(seed=st.integers(0, 2**32), separator=st.sampled_from([",", "\t", ";", "|"]), finest=st.sampled_from(FINEST))
def test_a_table_without_a_heading(
    seed: int, separator: str, finest: str, rows: list[dict[str, str]], catalog: idc.Catalog
) -> None:
    rng = random.Random(seed)
    chosen = rng.sample(rows, rng.randint(1, 6))
    columns = [
        finest,
        *rng.sample(COARSER, rng.randint(0, 3)),
        *rng.sample(["Modality", "Study Date"], rng.randint(0, 2)),
    ]
    rng.shuffle(columns)
    table = [[rng.choice(JUNK[c]) if c in JUNK else r[c] for c in columns] for r in chosen]
    found = read_text(catalog.index, _separated(separator)([], table))
    assert _uids(catalog, found) == {r["SeriesInstanceUID"] for r in chosen}
    assert found.unknown == ()


@MANY
@given(
    seed=st.integers(0, 2**32),
    heading=st.booleans(),
    separator=st.sampled_from([",", "\t", ";"]),
    how=st.sampled_from(["gone", "unknown", "cut"]),
)
def test_without_its_finest_value_a_row_never_widens(
    seed: int, heading: bool, separator: str, how: str, rows: list[dict[str, str]], catalog: idc.Catalog
) -> None:
    rng = random.Random(seed)
    chosen = rng.sample(rows, rng.randint(2, 8))
    columns = ["SeriesInstanceUID", *rng.sample(COARSER, rng.randint(1, 3)), "Modality"]
    rng.shuffle(columns)
    table = [[r.get(c, "CT") for c in columns] for r in chosen]
    lost = rng.randrange(len(chosen))
    uid = chosen[lost]["SeriesInstanceUID"]
    at = columns.index("SeriesInstanceUID")
    # Without a heading nothing shows that a cell is missing: that row is left out.
    if how == "gone" and not heading:
        how = "unknown"
    table[lost][at] = {"gone": "", "unknown": uid + ".1.9", "cut": uid[: len(uid) // 2] + "..."}[how]
    if how == "cut" and not heading:
        table[lost][at] = uid + ".7"
    found = read_text(catalog.index, _separated(separator)(columns if heading else [], table))
    assert _uids(catalog, found) == {r["SeriesInstanceUID"] for r in chosen} - {uid}
    assert found.unknown or found.notes


@MANY
@given(seed=st.integers(0, 2**32), column=st.sampled_from(COARSER), heading=st.booleans())
def test_a_row_that_contradicts_itself_names_nothing(
    seed: int, column: str, heading: bool, rows: list[dict[str, str]], catalog: idc.Catalog
) -> None:
    rng = random.Random(seed)
    first, second = rng.sample(rows, 2)
    if first[column] == second[column]:
        return
    names = ["SeriesInstanceUID", column]
    rng.shuffle(names)
    cells = [first[c] if c == "SeriesInstanceUID" else second[c] for c in names]
    found = read_text(catalog.index, ",".join(names) * heading + "\n" + ",".join(cells))
    if not heading and cells[names.index(column)].isdigit():
        return  # a number without a heading may be anything
    assert _uids(catalog, found) == set()
    assert [u.reason.startswith("contradicts") for u in found.unknown] == [True]


@MANY
@given(seed=st.integers(0, 2**32))
def test_lists_and_addresses(seed: int, rows: list[dict[str, str]], catalog: idc.Catalog) -> None:
    rng = random.Random(seed)
    chosen = rng.sample(rows, rng.randint(2, 8))

    def written(r: dict[str, str]) -> str:
        uid, study, url, uuid = (
            r["SeriesInstanceUID"],
            r["StudyInstanceUID"],
            r["series_aws_url"],
            r["crdc_series_uuid"],
        )
        bucket = url.split("/")[2]
        return rng.choice([
            uid, uuid, url, f'"{uid}"', f"cp {url} .", f"https://{bucket}.s3.amazonaws.com/{uuid}/",
            f"https://viewer.imaging.datacommons.cancer.gov/v3/viewer/?StudyInstanceUIDs={study}&initialSeriesInstanceUID={uid}",
            f"<https://viewer.imaging.datacommons.cancer.gov/slim/studies/{study}/series/{uid}>",
            f"https://x.example/dicomWeb/studies/{study}/series/{uid}", f"- {uid}", f"series {uid} of study {study}",
            f"s5cmd --no-sign-request cp {url} data/{r['collection_id']}",
        ])  # fmt: skip

    wanted = {r["SeriesInstanceUID"] for r in chosen}
    found = read_text(catalog.index, "\n".join(["# nlst", *map(written, chosen)]))
    assert (_uids(catalog, found), found.unknown) == (wanted, ())
    uids = [r["SeriesInstanceUID"] for r in chosen]
    for text in (", ".join(uids), " ".join(uids), ";".join(uids), repr(uids), repr(tuple(uids)), json.dumps(uids),
                 f"SeriesInstanceUID IN ({', '.join(map(repr, uids))})", "\t".join(uids)):  # fmt: skip
        found = read_text(catalog.index, text)
        assert (_uids(catalog, found), found.unknown) == (wanted, ()), text


def test_text_of_any_kind_is_read_or_refused_in_a_sentence(catalog: idc.Catalog) -> None:
    @settings(deadline=None, max_examples=60)
    @given(st.one_of(st.text(), st.text(alphabet="01.,;|\t\n \"'[]{}:=/abcdef-#", max_size=200)))
    def check(text: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = read_text(catalog.index, text)
            except ValueError as error:
                assert str(error).endswith((".", "one a line."))
            else:
                assert all(u.reason for u in found.unknown)

    check()
