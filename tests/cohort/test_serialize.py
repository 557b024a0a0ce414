"""Cohorts from elsewhere and to elsewhere: data frames, manifests, lists, JSON of other versions; the summary."""

from __future__ import annotations

import html
import json
import re
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import idc_widgets as idc
from idc_widgets.cohort.identifiers import Unknown

NOBODY = "1.2.3.4.5.6.7"
NO_UUID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def pilot(catalog: idc.Catalog) -> idc.Cohort:
    return catalog.cohort(collection_id="rider_pilot", Modality="CT")


# -- data frames


@pytest.mark.parametrize("column", ["SeriesInstanceUID", "crdc_series_uuid"])
def test_a_frame_of_series_is_its_cohort(column: str, catalog: idc.Catalog, pilot: idc.Cohort) -> None:
    cohort = idc.Cohort.from_frame(pilot.series(columns=[column, "Modality"]), catalog)
    assert cohort.counts == pilot.counts
    assert cohort.unknown == ()
    assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort


def test_a_frame_of_studies_patients_or_collections(catalog: idc.Catalog, pilot: idc.Cohort) -> None:
    studies = idc.Cohort.from_frame(pilot.studies()[["StudyInstanceUID"]], catalog)
    assert studies.counts.studies == pilot.counts.studies
    collections = idc.Cohort.from_frame(pilot.collections(), catalog)
    assert collections == catalog.cohort(collection_id="rider_pilot")


def test_patients_are_pairs(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    shared = plain.execute(
        "SELECT PatientID, min(collection_id), max(collection_id) FROM idx GROUP BY 1 "
        "HAVING count(DISTINCT collection_id) = 2 ORDER BY 1 LIMIT 3"
    ).fetchall()
    frame = pd.DataFrame({"PatientID": [p for p, _, _ in shared], "collection_id": [c for _, c, _ in shared]})
    cohort = idc.Cohort.from_frame(frame, catalog)
    truth = plain.execute("SELECT count(*) FROM idx SEMI JOIN frame USING (collection_id, PatientID)").fetchone()
    assert (cohort.counts.series,) == truth
    assert cohort.counts.patients == 3
    assert eval(repr(cohort), {"idc": idc, "catalog": catalog}) == cohort
    # By the PatientID alone it is the people of both collections; and a pair that is none is unknown.
    assert idc.Cohort.from_frame(frame[["PatientID"]], catalog).counts.patients == 6
    frame.loc[0, "collection_id"] = "nlst"
    assert idc.Cohort.from_frame(frame, catalog).unknown == (f"nlst/{shared[0][0]}",)


def test_what_this_release_lacks_is_kept_apart(catalog: idc.Catalog, pilot: idc.Cohort) -> None:
    frame = pilot.series(columns=["SeriesInstanceUID"], limit=2)
    frame.loc[2] = [NOBODY]
    frame.loc[3] = [None]
    cohort = idc.Cohort.from_frame(frame, catalog)
    assert (cohort.counts.series, cohort.unknown) == (2, (NOBODY,))
    assert cohort.where(Modality="CT").unknown == (NOBODY,)
    assert (pilot | cohort).unknown == (NOBODY,)
    assert idc.Cohort.from_json(cohort.to_json(), catalog).unknown == (NOBODY,)
    assert f"Unknown here  1 value: {NOBODY} (no series of IDC v{catalog.version} has this UID)" in repr(
        cohort.describe()
    )
    nothing = idc.Cohort.from_frame(frame.iloc[2:], catalog)
    assert nothing.counts.series == 0
    assert idc.Cohort.from_frame(frame.iloc[:0], catalog).counts.series == 0


def test_frames_that_say_nothing(catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match=r"needs a column SeriesInstanceUID.*this data frame has: Modality\."):
        idc.Cohort.from_frame(pd.DataFrame({"Modality": ["CT"]}), catalog)
    with pytest.raises(TypeError, match="a data frame, not list"):
        idc.Cohort.from_frame(["CT"], catalog)  # type: ignore[arg-type]


# -- manifests and lists


@pytest.mark.parametrize("provider", ["aws", "gcs"])
def test_manifests_go_out_and_come_in(provider: Any, catalog: idc.Catalog, tmp_path: Path) -> None:
    cohort = catalog.cohort(collection_id=["rider_pilot", "cptac_gbm"])
    path = tmp_path / "manifest.s5cmd"
    text = cohort.to_manifest(path, provider=provider)
    assert path.read_bytes().decode() == text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == cohort.counts.series
    assert all(re.fullmatch(r"cp s3://[a-z0-9-]+/[0-9a-f-]{36}/\* \.", line) for line in lines)
    if provider == "aws":
        urls = cohort.series(columns=["series_aws_url"]).series_aws_url
        assert [line.split()[1] for line in lines] == list(urls)
    for source in (path, str(path), text):
        found = idc.Cohort.from_manifest(source, catalog)
        assert found.counts == cohort.counts
        assert found.unknown == ()


def test_other_spellings_of_a_manifest(catalog: idc.Catalog, pilot: idc.Cohort) -> None:
    first, second = pilot.series(limit=2).itertuples(index=False)
    text = (
        "# a comment s3://idc-open-data/nothing/*\r\n\r\n"
        f's5cmd --no-sign-request cp "s3://idc-open-data/{first.crdc_series_uuid.upper()}/*" "my data/x y"\r\n'
        f"sync s3://public-datasets-idc/{second.crdc_series_uuid}/* .\n"
        f"cp s3://idc-open-data/{NO_UUID}/* .\n"
    )
    found = idc.Cohort.from_manifest(text, catalog)
    assert found.counts.series == 2
    assert found.unknown == (NO_UUID,)


def test_lists_of_identifiers(catalog: idc.Catalog, pilot: idc.Cohort) -> None:
    series = list(pilot.series(columns=["SeriesInstanceUID"], limit=3).SeriesInstanceUID)
    study = pilot.studies().StudyInstanceUID.iloc[-1]
    for text in ("\n".join(series), ",".join(series), "SeriesInstanceUID\n" + ";\n".join(f'"{u}"' for u in series)):
        assert idc.Cohort.from_manifest(text, catalog) == catalog.cohort(SeriesInstanceUID=series)
    assert idc.Cohort.from_manifest(study, catalog) == catalog.cohort(StudyInstanceUID=study)
    both = idc.Cohort.from_manifest(f"{study}\n{series[0]}\n{NOBODY} oops", catalog)
    assert both.counts == (catalog.cohort(StudyInstanceUID=study) | catalog.cohort(SeriesInstanceUID=series[0])).counts
    assert both.unknown == (NOBODY,)  # a word beside a UID is no identifier


@pytest.mark.parametrize("source", ["no/such/file.txt", "", "\n\n", "hello\nworld", "\x00", "x" * 1_000_000])
def test_a_manifest_that_names_nothing(source: str, catalog: idc.Catalog) -> None:
    with pytest.raises(
        ValueError, match=r"from_manifest\(.*\): (it names no series|there is no such file|it is empty)"
    ) as error:
        idc.Cohort.from_manifest(source, catalog)
    assert len(str(error.value)) < 400


# -- JSON of another version


def _made_with(text: str, version: int, **changes: Any) -> str:
    return json.dumps(json.loads(text) | {"idc_version": version, "release": f"{version}.0.0"} | changes)


def test_a_cohort_of_another_version(catalog: idc.Catalog) -> None:
    cohort = catalog.cohort(Modality=["CT", "MR"]).exclude(collection_id="nlst")
    other = catalog.version - 1
    with pytest.warns(UserWarning, match=f"made with IDC v{other} .* may differ since version {other}"):
        assert idc.Cohort.from_json(_made_with(cohort.to_json(), other), catalog) == cohort
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert idc.Cohort.from_json(cohort.to_json(), catalog) == cohort


def _in(column: str, *values: Any) -> dict[str, Any]:
    return {"op": "in", "column": column, "values": list(values)}


@pytest.mark.parametrize(
    ("where", "same_as", "unknown"),
    [
        ([_in("Modality", "CT", "HOLOGRAM")], {"Modality": "CT"}, ("HOLOGRAM",)),
        ([_in("collection_id", "not_yet")], {"collection_id": []}, ("not_yet",)),
        ([{"op": "not", "arg": _in("collection_id", "not_yet")}], {}, ("not_yet",)),
        ([_in("cancer_types", "Lung Cancer", "New")], {"cancer_types": "Lung Cancer"}, ("New",)),
        (
            [{"op": "with_modalities", "modalities": ["CT", "HOLOGRAM"], "per": "study"}],
            {"Modality": []},
            ("HOLOGRAM",),
        ),
        (
            [{"op": "or", "args": [_in("Modality", "X"), _in("PatientSex", None, "F")]}],
            {"PatientSex": [None, "F"]},
            ("X",),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:This cohort was made")
def test_values_of_another_version(
    where: list[Any], same_as: dict[str, Any], unknown: tuple[str, ...], catalog: idc.Catalog
) -> None:
    text = _made_with(catalog.cohort().to_json(), catalog.version + 1, where=where)
    found = idc.Cohort.from_json(text, catalog)
    assert found.counts == catalog.cohort(**same_as).counts
    assert found.unknown == unknown
    assert eval(repr(found), {"idc": idc, "catalog": catalog}) == found


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ([_in("Modalty", "CT")], 'Did you mean "Modality"'),
        ([_in("Modality", ["CT"])], "no text or number"),
        ([_in("Modality", 1)], 'write Modality="1"'),
        ([{"op": "between", "column": "instanceCount", "low": {}, "high": 1}], "no text or number"),
        ([{"op": "contains", "column": "nothing", "text": "a"}], 'no column "nothing"'),
        (["CT"], "Not a condition: 'CT'"),
        ({"op": "in"}, "not a cohort"),
    ],
)
def test_json_that_is_no_cohort(where: Any, says: str, catalog: idc.Catalog) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        idc.Cohort.from_json(_made_with(catalog.cohort().to_json(), catalog.version, where=where), catalog)


def test_json_nested_too_deep(catalog: idc.Catalog) -> None:
    deep = '{"op": "not", "arg": ' * 100_000 + json.dumps(_in("Modality", "CT")) + "}" * 100_000
    text = catalog.cohort().to_json().replace('"where": []', f'"where": [{deep}]')
    with pytest.raises(ValueError, match="nested too deep"):
        idc.Cohort.from_json(text, catalog)


# -- the summary


def test_describe(catalog: idc.Catalog, plain: duckdb.DuckDBPyConnection) -> None:
    cohort = catalog.cohort(Modality=["MR", "SEG"], BodyPartExamined=["LIVER", "BREAST"])
    said = cohort.describe()
    assert said.counts == cohort.counts
    for parts, column in ((said.modalities, "Modality"), (said.licences, "license_short_name")):
        frame = cohort.where().series(columns=[column])
        assert {v: n for v, n, _ in parts} == frame[column].value_counts().to_dict()
    truth = plain.execute(
        "SELECT min(StudyDate), max(StudyDate), count(*) FILTER (StudyDate IS NULL), "
        "coalesce(sum(round(series_size_MB * 1e6)::BIGINT) FILTER (license_short_name LIKE '%NC%'), 0)::BIGINT "
        "FROM idx WHERE Modality IN ('MR', 'SEG') AND BodyPartExamined IN ('LIVER', 'BREAST')"
    ).fetchone()
    assert (said.first_date, said.last_date, said.undated, said.noncommercial) == truth
    text = repr(said)
    assert f"{cohort.counts.series:,} series in " in text
    assert "(non-commercial, " in text
    assert f"{said.first_date} to {said.last_date}" in text


def test_describe_is_escaped_and_short(catalog: idc.Catalog) -> None:
    text = "<script>alert('x')</script>&\x1b[2J"
    said = catalog.cohort(idc.contains("SeriesDescription", text)).describe()
    assert said.counts.series == 0
    assert "<script" not in said._repr_html_()
    assert html.escape("<script>") in said._repr_html_()
    assert "\x1b" not in repr(said) + said._repr_html_()
    every = catalog.cohort().describe()
    assert "more" in repr(every)
    assert len(repr(every)) < 2000
    assert repr(catalog.cohort(collection_id="rider_pilot").describe()).count("1 collection") == 1


def test_series_of_earlier_versions_are_told(catalog: idc.Catalog, pilot: idc.Cohort) -> None:
    prior = catalog.sql("SELECT crdc_series_uuid, max_idc_version FROM prior_versions_index ORDER BY 2, 1 LIMIT 2")
    lines = [f"cp s3://idc-open-data/{uuid}/* ." for uuid in prior.crdc_series_uuid]
    now = pilot.to_manifest()
    with pytest.warns(UserWarning, match=r"(withdrawn|revised) in IDC v\d+; .*, and 1 more"):
        cohort = idc.Cohort.from_manifest("\n".join([now, *lines]), catalog)
    assert cohort.counts == pilot.counts
    assert cohort.unknown == tuple(prior.crdc_series_uuid)
    for uuid, last in prior.itertuples(index=False):
        (reason,) = (u.reason for u in cohort.unknown if u == uuid and isinstance(u, Unknown))
        assert f"in IDC v{last + 1}; " in reason
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert idc.Cohort.from_manifest(f"{now}\n{NO_UUID}", catalog).unknown == (NO_UUID,)
