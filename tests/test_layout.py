"""The house: imports run one way, without circles, and no room grows too large."""

from __future__ import annotations

import ast
import graphlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "idc_widgets"
MAY_IMPORT = {
    "lib": set(),
    "catalog": {"lib"},
    "cohort": {"lib", "catalog"},
    "transfer": {"lib"},
    "api": {"lib", "catalog", "cohort", "transfer"},
    "cli": {"lib", "catalog", "cohort", "transfer", "api"},
    "widgets": {"lib", "catalog", "cohort", "transfer", "api"},
}
FRONTEND = PACKAGE.parent / "js" / "src"
FRONTEND_MAY_IMPORT = {
    "ui": set(),
    "cohort": set(),
    "kernel": {"cohort"},
    "cube": {"cohort", "kernel"},
    "state": {"cohort", "kernel", "cube"},
    "filters": {"ui", "cohort", "kernel", "cube", "state"},
    "detail": {"ui", "cohort", "kernel", "state"},
    "downloads": {"ui", "kernel"},
    "selection": {"ui", "kernel", "state", "downloads"},
    "table": {"ui", "cohort", "kernel", "state", "filters", "detail"},
    "app": {"ui", "kernel", "state", "filters", "downloads", "selection", "table"},
    "saved_view": {"ui", "cohort", "kernel", "state", "app"},
}


MODULES = {
    ".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): p
    for p in PACKAGE.rglob("*.py")
}


def _imports(module: str) -> set[str]:
    """Modules of this package that one imports, within functions too; not those that only type checkers import."""
    path = MODULES[module]
    tree = ast.parse(path.read_text("utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {name if (name := f"{base}.{a.name}") in MODULES else base for a in node.names}
    return found & set(MODULES) - {module}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room: str) -> None:
    for module in MODULES:
        if module.split(".")[1:2] == [room]:
            rooms = {name.split(".")[1] for name in _imports(module) if "." in name}
            assert rooms <= MAY_IMPORT[room] | {room}, module


def test_there_are_no_circles() -> None:
    assert {m.split(".")[1] for m in MODULES if m.count(".") > 1} == set(MAY_IMPORT)
    graphlib.TopologicalSorter({m: _imports(m) for m in MODULES}).prepare()  # raises CycleError with the modules


def test_a_script_needs_no_notebook() -> None:
    heavy = ("anywidget", "ipywidgets", "pandas", "IPython")
    code = f"import idc_widgets, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_room_is_too_large() -> None:
    root = PACKAGE.parent
    for folder in ("idc_widgets", "js/src", "tests", "benchmarks"):
        for path in (root / folder).rglob("*"):
            if path.suffix in (".py", ".ts", ".tsx", ".css"):
                assert len(path.read_text("utf-8").splitlines()) <= 420, path


@pytest.mark.parametrize("room", ["lib", "catalog", "transfer", "cohort", "api"])
def test_nothing_below_the_widgets_knows_them(room: str) -> None:
    """Imports within functions count, too."""
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            for name in names:
                assert not name.startswith(("anywidget", "ipywidgets", "idc_widgets.widgets")), (path.name, name)


def _imports_of_script(path: Path) -> set[str]:
    """Files of the frontend that one imports, types too, as paths below js/src."""
    found = set()
    for name in re.findall(r'(?:from|import|import\()\s*"(\.[^"]+)"', path.read_text("utf-8")):
        target = Path(os.path.normpath(path.parent / name))
        (file,) = [f for f in (target, *(target.with_name(target.name + e) for e in (".ts", ".tsx"))) if f.is_file()]
        found.add(file.relative_to(FRONTEND).as_posix())
    return found


def test_the_frontend_imports_one_way() -> None:
    scripts = [p for p in FRONTEND.rglob("*") if p.suffix in (".ts", ".tsx")]
    graph = {p.relative_to(FRONTEND).as_posix(): _imports_of_script(p) for p in scripts}
    assert {name.split("/")[0] for name in graph} == set(FRONTEND_MAY_IMPORT)
    for name, imported in graph.items():
        room = name.split("/")[0]
        assert {i.split("/")[0] for i in imported} <= FRONTEND_MAY_IMPORT[room] | {room}, name
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the files of a circle
