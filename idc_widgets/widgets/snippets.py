"""Code and commands for what a download fetched, to be copied: with the real folder, ready to run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence

from idc_widgets.transfer import Job

_NAMED = 20  # series in a command; more come from a list

_PYDICOM = """\
from pathlib import Path

import pydicom

folder = Path({folder})
paths = sorted(folder.rglob("*.dcm"))
series = {{}}
for path in paths:
    image = pydicom.dcmread(path, stop_before_pixels=True)
    series.setdefault(image.SeriesInstanceUID, []).append(path)
print(len(paths), "files in", len(series), "series")

first = pydicom.dcmread(paths[0])
print(first.Modality, first.SeriesInstanceUID, first.get("Rows"), "x", first.get("Columns"))
# first.pixel_array is the image as a NumPy array"""

_SIMPLEITK = """\
from pathlib import Path

import SimpleITK as sitk

folder = Path({folder})
for place in sorted({{path.parent for path in folder.rglob("*.dcm")}}):
    for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(place)):
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(place), uid)
        volume = sitk.ReadImage(names)
        print(uid, volume.GetSize(), volume.GetSpacing())"""

_MONAI = """\
from pathlib import Path

from monai.data import DataLoader, Dataset
from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged

# The ITK reader takes a series' folder as one volume: pip install monai itk
folder = Path({folder})
places = sorted({{path.parent for path in folder.rglob("*.dcm")}})
load = Compose([LoadImaged(keys="image", reader="ITKReader"), EnsureChannelFirstd(keys="image")])
dataset = Dataset([{{"image": str(place)}} for place in places], transform=load)
for batch in DataLoader(dataset, batch_size=1):
    print(batch["image"].shape)"""


def of_job(job: Job, folder: str | None = None) -> list[dict[str, str]]:
    """Return the ways to use a job's files, as label and text.

    Parameters
    ----------
    job
        The download.
    folder
        A series' folder, where it is about one alone.
    """
    quoted = repr(folder or str(job.path))
    ways = [
        {"label": name, "text": text.format(folder=quoted)}
        for name, text in (("pydicom", _PYDICOM), ("SimpleITK", _SIMPLEITK), ("MONAI", _MONAI))
    ]
    return ways if folder else [*ways, {"label": "Command line", "text": commands(job)}]


def commands(job: Job) -> str:
    """Return what follows and steers a job in a terminal, and what fetches the same again."""
    place = str(job.path)
    lines = [
        "# follow and steer this download",
        _line("idc-widgets", "jobs", place),
        _line("idc-widgets", "pause", job.id) + "    # also: resume, retry, cancel",
        "",
        "# check every file that is there against the bucket",
        _line("idc-widgets", "verify", place),
        "",
        "# the same series again, here or on another machine",
    ]
    how = ["--to", place, *(() if job.provider == "aws" else ("--provider", job.provider))]
    if job.snapshot().progress.series_total <= _NAMED:
        named = [part for uid in job.series_uids() for part in ("--where", f"SeriesInstanceUID={uid}")]
        lines.append(_line("idc-widgets", "download", *named, *how))
    else:
        lines.append(_line("idc-widgets", "series", job.id) + " > series.txt")
        lines.append(_line("idc-widgets", "download", "--series", "series.txt", *how))
    return "\n".join(lines)


def _line(*words: str) -> str:
    return _for_shell(words, sys.platform == "win32")


def _for_shell(words: Sequence[str], windows: bool) -> str:
    return subprocess.list2cmdline(words) if windows else shlex.join(os.fspath(word) for word in words)
