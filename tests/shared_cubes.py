"""The cubes on which the browser's arithmetic is held against `tests/conditions.json`.

`python -m tests.shared_cubes FILE` writes, for each example, the cube that the kernel would have sent, made from the
real index; `js/test/shared.test.ts` counts on it and compares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from idc_widgets import Catalog
from idc_widgets.widgets.cubes import edges_of, outside_of
from idc_widgets.widgets.ticks import from_json_list
from tests.conftest import condition_cases


def main(target: Path) -> None:
    """Write the cubes and what plain counting on the index gives for each example."""
    catalog = Catalog()
    cubes: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    cases = []
    for case in condition_cases():
        made = {"outside": outside_of(case["where"]), "edges": edges_of(case["where"])}
        if made not in known:
            where, parameters = from_json_list(catalog, made["outside"]).compiled()
            known.append(made)
            cubes.append(catalog.index.cube(where, parameters, made["outside"], made["edges"]))
        counts = from_json_list(catalog, case["where"]).counts
        cases.append({"name": case["name"], "where": case["where"], "cube": known.index(made), **vars(counts)})
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"cubes": cubes, "cases": cases}), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
