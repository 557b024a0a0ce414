"""The wheel: built from this checkout, installed where there is no Node, used."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

USE = """
import idc_widgets as idc
assert "site-packages" in idc.__file__, idc.__file__
explorer = idc.Explorer()
assert len(explorer._esm) > 10_000
assert explorer._css.strip()
assert explorer.cohort.counts.series > 1_000_000
assert explorer.catalog.cohort(Modality="MR", BodyPartExamined="LIVER").counts.series > 0
print("used", idc.__version__)
"""


@pytest.mark.timeout(600)
def test_wheel_works_without_node(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", str(ROOT), "--no-deps", "-w", str(tmp_path)], check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"idc_widgets/static/widget.js", "idc_widgets/static/widget.css", "idc_widgets/py.typed"} <= set(names)
    assert not [n for n in names if n.startswith(("tests", "js", "notebooks", "benchmarks"))]

    fresh = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", str(fresh)], check=True)
    python = fresh / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", str(wheel)], check=True)
    without_node = {**os.environ, "PATH": str(python.parent)}
    done = subprocess.run([str(python), "-c", USE], cwd=tmp_path, env=without_node, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("used")
