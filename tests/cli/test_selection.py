"""What a command is about: identifiers, files, pipes and conditions; never more than was asked for."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from idc_widgets import Catalog, Cohort, search
from idc_widgets.cohort.identifiers import read_text
from tests.cli.run import Run

SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
UUID = "0e79c5f9-c846-4fc5-ae45-62a5bafbb713"
STUDY = "1.3.6.1.4.1.14519.5.2.1.6279.6001.281499745765120562304307889347"
WITHDRAWN = "1.3.6.1.4.1.14519.5.2.1.1600.1201.100051262392991201754098832576"


def test_identifiers_files_and_pipes(
    run: Run, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def series(*arguments: str) -> int:
        done = run("list", *arguments, "--json")
        assert done.code == 0, done.err
        return int(done.json["counts"]["series"])

    assert series(SERIES) == 1
    assert series(UUID) == 1
    assert series(STUDY) == 15
    assert series(STUDY, SERIES) == 15
    assert series(STUDY, "--where", "Modality=CT") == 1
    manifest = tmp_path / "manifest.txt"
    catalog.cohort(StudyInstanceUID=STUDY).to_manifest(manifest)
    assert series(str(manifest)) == series("--series", str(manifest)) == 15
    assert series(str(manifest), "--where", "Modality!=CT") == 14
    other = catalog.cohort(collection_id="rider_pilot")
    other.to_manifest(tmp_path / "other.txt")
    assert series(str(manifest), "--series", str(tmp_path / "other.txt")) == 15 + len(other)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SERIES}\n"))
    assert series("-") == 1
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SERIES}\n"))
    assert series("--series", "-") == 1
    # An argument after an option belongs to those before it.
    assert series(SERIES, "--limit", "1", *[str(manifest)]) == 15


def test_what_is_unknown_is_told_and_the_rest_done(run: Run) -> None:
    made_up = [f"1.2.3.{n}" for n in range(30)]
    done = run("list", SERIES, *made_up, "--json")
    assert done.code == 4
    assert done.json["counts"]["series"] == 1
    assert {each["entry"] for each in done.json["unknown"]} == set(made_up)
    assert all(set(each) == {"entry", "reason"} for each in done.json["unknown"])
    lines = done.err.splitlines()
    assert "30 unknown" in lines[0] and len(lines) == 22 and "10 more" in lines[-1]
    done = run("list", SERIES, WITHDRAWN)
    assert done.code == 4 and WITHDRAWN in done.err


@pytest.mark.parametrize(
    "text",
    [
        f"lidc_idri\n{SERIES}\n",
        f'{{"{STUDY}": ["{SERIES}"]}}\n',
        f"StudyInstanceUID,scan\n{STUDY},{SERIES}\n",
        f"https://x.example/?StudyInstanceUIDs={STUDY}&amp;SeriesInstanceUIDs={SERIES}\n",
    ],
)
def test_every_door_reads_the_same(
    text: str, run: Run, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(text)
    assert len(Cohort.from_manifest(path, catalog)) == len(Cohort.from_manifest(text, catalog)) == 1
    condition = read_text(catalog.index, text).condition  # as the Explorer's dialog reads it
    assert condition is not None and len(Cohort(catalog, [condition])) == 1
    for arguments in ([str(path)], ["--series", str(path)], ["-"]):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        done = run("list", *arguments, "--json")
        assert (done.code, done.json["counts"]["series"]) == (0, 1), done.err


@pytest.mark.parametrize("command", ["download", "manifest", "list", "describe"])
def test_nothing_known_is_an_error_and_never_everything(run: Run, command: str, tmp_path: Path) -> None:
    to = ["--to", str(tmp_path / "data")] if command in ("download", "manifest") else []
    for arguments in (["1.2.3"], ["1.2.3", "4.5.6"], [""], ["/dev/null"], [str(tmp_path)], ["--series", "1.2.3"]):
        done = run(command, *arguments, *to)
        assert done.code == 2, (arguments, done)
        assert not done.out
        assert "\nidc-widgets: " in "\n" + done.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["download", "manifest"])
def test_without_a_selection_nothing_is_taken(run: Run, command: str, tmp_path: Path) -> None:
    done = run(command, "--to", str(tmp_path / "data"))
    assert done.code == 2 and "nothing says which series" in done.err
    done = run(command, "--where", "Modality=CT", "--where", "Modality!=CT", "--to", str(tmp_path / "data"))
    assert done.code == 2 and not (tmp_path / "data").exists()


def test_an_empty_pipe_is_an_error(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    done = run("download", "-", "--to", str(tmp_path / "data"))
    assert done.code == 2 and "pipe is empty" in done.err
    assert run("download", "-", "-", "--to", str(tmp_path / "data")).code == 2


def test_words(run: Run, catalog: Catalog) -> None:
    text = catalog.cohort(search("prostate t2")).counts.series
    assert run("list", "--text", "prostate t2", "--json").json["counts"]["series"] == text
    meant = catalog.cohort(*catalog.interpret("prostate mri")).counts.series
    as_text = catalog.cohort(search("prostate mri")).counts.series
    for command in (["search", "prostate", "mri"], ["list", "--search", "prostate mri"]):
        done = run(*command, "--json")
        assert done.json["counts"]["series"] == meant
        assert "is read as tumour location Prostate · modality MR" in done.err
        assert f"as text (--text) it finds {as_text:,} series" in done.err
    both = run("search", "breast", "--where", "Modality=CT", "cancer", "--json")
    expected = catalog.cohort(*catalog.interpret("breast cancer"), Modality="CT").counts.series
    assert both.json["counts"]["series"] == expected
    assert run("search", "siemens", "verio", "--json").json["counts"]["series"] == (
        catalog.cohort(search("siemens verio")).counts.series
    )
    assert run("search").code == 2


def test_words_that_find_nothing_have_a_nearest_step(run: Run, catalog: Catalog) -> None:
    meant = catalog.cohort(cancer_types="Breast Cancer", Modality="MR").counts.series
    done = run("search", "brest cancer mri")
    assert done.code == 0 and f"cancer type Breast Cancer · modality MR ({meant:,} series)" in done.err
    assert "nothing is found by 'xylophone'" in run("search", "xylophone").err


def test_rows_at_each_level(run: Run, catalog: Catalog) -> None:
    where = ["--where", "collection_id=rider_pilot"]
    cohort: Cohort = catalog.cohort(collection_id="rider_pilot")
    counts = cohort.counts
    for level, number in (("collection", 1), ("patient", counts.patients), ("study", counts.studies)):
        done = run("list", *where, "--level", level, "--all", "--json").json
        assert len(done["rows"]) == number and done["more"] == 0
        assert sum(row["series"] for row in done["rows"]) == counts.series == done["counts"]["series"]
    done = run("list", *where, "--level", "series", "--limit", "5", "--json").json
    assert len(done["rows"]) == 5 and done["more"] == counts.series - 5
    done = run("list", *where, "--level", "series", "--limit", "0", "--json").json
    assert done["rows"] == [] and done["more"] == counts.series
    uids = run("list", *where, "--level", "series", "--columns", "SeriesInstanceUID", "--all", "--quiet").out.split()
    assert uids[0] == "SeriesInstanceUID" and set(uids[1:]) == set(cohort.series()["SeriesInstanceUID"])
    assert run("list", *where, "--level", "series", "--columns", "SeriesUID").code == 2
    assert run("list", *where, "--columns", "SeriesInstanceUID").code == 2
    assert run("list", *where, "--limit", "-1").code == 2


def test_describe_url_and_manifest(run: Run, catalog: Catalog, tmp_path: Path) -> None:
    done = run("describe", STUDY, "--json").json
    assert done["counts"]["series"] == 15 and {"value", "series", "bytes"} == set(done["modalities"][0])
    assert "15 series" in run("describe", STUDY).out
    assert SERIES in run("url", SERIES).out
    assert run("url", "--bucket", SERIES).out.split() == [f"s3://idc-open-data/{UUID}/*"]
    assert len(run("url", "--bucket", STUDY, "--json").json) == 15
    assert run("url", "1.2.3").code == run("url", "--bucket", "1.2.3").code == 2
    cohort = catalog.cohort(StudyInstanceUID=STUDY)
    assert run("manifest", STUDY).out == cohort.to_manifest()
    assert run("manifest", STUDY, "--to", str(tmp_path / "m.txt")).code == 0
    assert Cohort.from_manifest(tmp_path / "m.txt", catalog).counts == cohort.counts
    for where in (tmp_path, tmp_path / "no" / "m.txt", "/dev/null/m.txt"):
        done = run("manifest", STUDY, "--to", str(where))
        assert done.code == 2 and "to_manifest(" in done.err


def test_long_arguments_are_no_paths(run: Run, catalog: Catalog, tmp_path: Path) -> None:
    uids = list(catalog.cohort(collection_id="rider_pilot").series(limit=300)["SeriesInstanceUID"])
    assert run("list", "--where", f"SeriesInstanceUID={','.join(uids)}", "--json").json["counts"]["series"] == len(uids)
    assert run("list", ",".join(uids), "--json").json["counts"]["series"] == len(uids)
