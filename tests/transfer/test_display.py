"""Jobs as terminals and notebooks without scripts show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from idc_widgets import jobs
from idc_widgets.transfer import display

from .conftest import enter


def test_a_list_of_jobs_is_a_table(tmp_path: Path) -> None:
    assert repr(jobs()) == "[]"
    enter(tmp_path, [f"<i>job{n}\n</i>" for n in range(23)])
    found = jobs()
    assert len(found) == 23 and found[0].id == "<i>job22\n</i>" and isinstance(found, list)
    lines = repr(found).splitlines()
    assert len(lines) == 22 and lines[0].split() == ["id", "title", "state", "done", "size", "files", "folder"]
    assert lines[1].startswith("<i>job22 </i>") and lines[-1] == "and 3 earlier ones"
    page = found._repr_html_()
    assert "&lt;i&gt;job22 &lt;/i&gt;" in page and "<i>" not in page and page.count("<tr>") == 21
    assert found[0]._repr_html_().count("<tr>") == 2


def test_outside_a_notebook_nothing_is_live(tmp_path: Path) -> None:
    enter(tmp_path, ["one"])
    (job,) = jobs()
    assert display.live is not None
    with pytest.raises(NotImplementedError):  # what IPython is to hear
        job._ipython_display_()
