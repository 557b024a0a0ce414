"""What a destination's text means: the same folder for the plan, the page, the journal and the download."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from idc_widgets.transfer import Job, TransferError, describe_destination, folder, jobs, plan

from .conftest import STUDY, pick, tree

pytestmark = pytest.mark.skipif(os.name == "nt", reason="paths of Linux and macOS")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("  {tmp}/x  ", "{tmp}/x"),
        ("{tmp}/x\n", "{tmp}/x"),
        ('"{tmp}/my data"', "{tmp}/my data"),
        ("'{tmp}/x'", "{tmp}/x"),
        (' "{tmp}/x" ', "{tmp}/x"),
        ("$SOMEWHERE/x", "{tmp}/x"),
        ("${{SOMEWHERE}}/x", "{tmp}/x"),
        ("%SOMEWHERE%/x", "{tmp}/x"),
        ("x/../y", "{tmp}/y"),
        ("~/x", "{home}/x"),
        ('"~/x"', "{home}/x"),
        ("a$", "{tmp}/a$"),
        ("100%", "{tmp}/100%"),
    ],
)
def test_spellings_of_a_folder(text: str, means: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    places = {"tmp": str(tmp_path), "home": str(Path.home().resolve())}
    found = folder(text.format(**places))
    assert str(found) == means.format(**places) == describe_destination(text.format(**places)).path
    assert folder(found) == folder(str(found)) == found  # what was shown can be given again
    assert plan(pick(STUDY), text.format(**places)).path == found


def test_a_folder_whose_name_looks_like_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("year", "2020")
    (tmp_path / "$year").mkdir()
    assert folder(tmp_path / "$year/x") == tmp_path / "$year/x"
    assert folder(f"{tmp_path}/$year/$year").name == "2020" and folder(f"{tmp_path}/b$year").name == "b2020"


def test_one_folder_for_all_who_are_given_it(fetch: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    text = '  "$SOMEWHERE/data"  '
    job: Job = fetch(pick(STUDY), text)  # type: ignore[operator]
    assert job.wait(30)
    assert job.path == plan(pick(STUDY), text).path == tmp_path / "data"
    assert jobs(text) == jobs(tmp_path / "data") == [job]
    assert len(tree(tmp_path / "data")) == 40 and plan(pick(STUDY), text).series_present == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("C:\\Users\\ada\\data", "is a path of Windows"),
        ("c:/data", "is a path of Windows"),
        ("\\\\server\\share", "is a path of Windows"),
        ("data\\idc", r"write data/idc$"),
        ("/my\\ data", r"write /my data$"),
        ("$NO_SUCH_VARIABLE/x", "no environment variable 'NO_SUCH_VARIABLE'"),
        ("%USERPROFILE%/x", "no environment variable 'USERPROFILE'"),
        ("a\0b", "characters that no folder's name has"),
        ("a\nb", "characters that no folder's name has"),
        ('""', "name a folder to download into"),
        ("gs://b/x", "is an address"),
    ],
)
def test_what_can_be_no_folder_here(text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERPROFILE", raising=False)
    with pytest.raises(TransferError, match=says):
        folder(text)
    with pytest.raises(TransferError, match=says.replace("download into", "list the downloads of")):
        jobs(text)
    described = describe_destination(text)
    assert described.problem is not None and not described.writable and described.free is None


@pytest.mark.parametrize("value", [None, 3, b"data", ["data"], True])
def test_what_is_no_path(value: object) -> None:
    with pytest.raises(TransferError, match="is no path: name a folder to download into, such as 'data'"):
        folder(value)
