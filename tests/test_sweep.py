"""Every public function, method, property and trait, with values that make no sense for it.

A new one is swept with no change here but one: where its other arguments are in nobody's `OTHERS`, it fails with a
sentence. Each value is either refused by a sentence of our own that names it, or among those that `FITS` says it may
have: what is taken in silence must have been thought of.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import idc_widgets as idc
from idc_widgets import transfer
from idc_widgets.api import Catalog
from idc_widgets.catalog.database import Database
from idc_widgets.catalog.remote import Estimate, Remote
from idc_widgets.cohort.columns import Column
from idc_widgets.cohort.interpret import Interpretation
from idc_widgets.cohort.summary import Summary
from idc_widgets.widgets import kernel
from idc_widgets.widgets.base import Part
from tests.mirror import Mirror
from tests.sweeping import MADE_HERE, VALUES, attempt, functions, members, parameters

job_module, start_module = (importlib.import_module(f"idc_widgets.transfer.{name}") for name in ("job", "start"))
SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.100225287222365663678666836860"
OPERATORS = {
    "Condition": ("__and__", "__or__"),
    "Cohort": ("__and__", "__or__", "__sub__"),
    "Column": ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"),
}
TEXTS = {"word", "long", "quotes", "markup", "nul"}


class World:
    """What the sweep calls: the package, and one of each object that has methods."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog, self._folder = catalog, folder
        self._number = itertools.count()
        self.cohort = catalog.cohort(collection_id="rider_pilot")
        self.frame = catalog.cohort(SeriesInstanceUID=SERIES).series(["SeriesInstanceUID", "Modality"])
        self.data = folder / "data"
        (self.data / f"CT_{SERIES}").mkdir(parents=True)
        (self.data / f"CT_{SERIES}" / "a.dcm").write_bytes(b"not DICOM")

    def path(self, name: str = "") -> Path:
        """A path of its own for each call."""
        return self._folder / f"{next(self._number)}{name}"

    def job(self) -> idc.Job:
        """A download whose process is dead."""
        items = self.catalog.cohort(SeriesInstanceUID=SERIES).items()
        job = start_module.start(items, self.path(), idc_version=25)
        job._journal.update_job(job.id, heartbeat=1.0)
        return job

    def thing(self, name: str) -> Any:
        """An object of this kind."""
        return {
            "Catalog": lambda: Catalog(cache_dir=self._folder / "cache"),
            "Cohort": lambda: self.cohort,
            "Column": lambda: idc.col("Modality"),
            "Condition": lambda: idc.contains("SeriesDescription", "chest"),
            "Counts": lambda: self.cohort.counts,
            "Summary": self.cohort.describe,
            "Interpretation": lambda: self.catalog.interpret("lung cancer ct"),
            "Job": self.job,
            "Plan": lambda: self.cohort.download(self.path(), dry_run=True),
            "Remote": lambda: self.catalog.remote("idc_current"),
            "Estimate": lambda: self.catalog.remote("idc_current").estimate("SELECT 1 FROM dicom_all"),
            "Explorer": lambda: idc.Explorer(self.cohort),
            "FilterPanel": lambda: idc.FilterPanel(self.cohort),
            "ResultTable": lambda: idc.ResultTable(self.cohort),
            "DownloadPanel": lambda: idc.DownloadPanel(self.cohort),
        }[name]()


#: What has methods, by the name of its kind.
THINGS: dict[str, type] = {
    owner.__name__: owner
    for owner in (
        Catalog, idc.Cohort, Column, idc.Condition, idc.Counts, Summary, Interpretation, idc.Job, idc.Plan, Remote,
        Estimate, idc.Explorer, idc.FilterPanel, idc.ResultTable, idc.DownloadPanel,
    )
}  # fmt: skip

#: Not for people: the rest of the package calls these, with what it made itself.
INNER = {
    "Cohort.compiled", "Cohort.documents", "Job.snapshot", "Remote.holding", "Remote.ask", "Remote.plan",
}  # fmt: skip

#: The other arguments of what takes more than one.
OTHERS: dict[str, Callable[[World], dict[str, Any]]] = {
    "Cohort": lambda w: {"catalog": w.catalog},
    "Explorer": lambda w: {"catalog": w.catalog},
    "FilterPanel": lambda w: {"catalog": w.catalog},
    "ResultTable": lambda w: {"catalog": w.catalog},
    "between": lambda w: {"column": "instanceCount", "low": 1},
    "contains": lambda w: {"column": "SeriesDescription", "text": "chest"},
    "dicomweb_url": lambda w: {"uid": SERIES, "catalog": w.catalog},
    "files": lambda w: {"uid": "1.2.3", "catalog": w.catalog},
    "viewer_url": lambda w: {"uid": SERIES, "catalog": w.catalog},
    "verify": lambda w: {"folder": w.data, "catalog": w.catalog, "offline": True},
    "Catalog.add_table": lambda w: {"name": "mine", "source": w.frame},
    "Catalog.sql": lambda w: {"query": "SELECT 1"},
    "Cohort.download": lambda w: {"destination": w.path(), "dry_run": True},
    "Cohort.from_frame": lambda w: {"frame": w.frame, "catalog": w.catalog},
    "Cohort.from_json": lambda w: {"text": w.cohort.to_json(), "catalog": w.catalog},
    "Cohort.from_manifest": lambda w: {"source": SERIES, "catalog": w.catalog},
    "Cohort.instances": lambda w: {"limit": 1},
    "Cohort.series": lambda w: {"limit": 1},
    "Cohort.facets": lambda w: {"column": "Modality"},
    "with_modalities": lambda w: {"modalities": "SEG"},
    "Cohort.to_manifest": lambda w: {},
    "Catalog.fetch": lambda w: {"tables": "index"},
    "Remote.sql": lambda w: {"query": "SELECT 1"},
    "Remote.estimate": lambda w: {"query": "SELECT 1"},
}

_PATHS = {"word", "quotes", "markup", "path"}
_NUMBERS = {"-1", "0", "2.5"}
_LISTS = {"list", "[None]", "['x']", "set", "generator"}

#: What makes sense, or may, of a parameter anywhere or of one function.
FITS: dict[str, set[str]] = {
    "destination": _PATHS, "cache_dir": _PATHS, "path": _PATHS - {"path"}, "timeout": {"0", "2.5"}, "limit": {"0"},
    "offset": {"0"}, "reuse": {"None"}, "parameters": {"list"}, "low": TEXTS | _NUMBERS | {"empty", "blank"},
    "high": TEXTS | _NUMBERS | {"empty", "blank"}, "values": _LISTS, "unknown": {"list", "['x']"},
    # Whether there is such a column, table or value is asked where a catalogue is at hand.
    "modalities": TEXTS, "between(column)": TEXTS, "contains(column)": TEXTS, "col(name)": TEXTS,
    "contains(text)": TEXTS | {"blank"}, "Column.contains(text)": TEXTS | {"blank"}, "sql(text)": TEXTS,
    "search(text)": TEXTS - {"long"}, "Catalog.interpret(text)": TEXTS - {"long"} | {"empty", "blank"},
    "Catalog.add_table(name)": {"word"},
    "Catalog.add_table(source)": {"frame"}, "Catalog.cohort(columns)": {"None", "nan", "list", "[None]"},
    "Cohort.where(columns)": {"None", "nan", "list", "[None]"},
    "Cohort.exclude(columns)": {"None", "nan", "list", "[None]"}, "Cohort(conditions)": {"list"},
    "Cohort.download(layout)": {"empty"}, "Cohort.items(layout)": {"empty"}, "Job.add(series)": {"list"},
    "Cohort.download(title)": TEXTS | {"empty", "blank"}, "Cohort.series(order_by)": {"list"},
    "Column.__eq__(value)": TEXTS | _NUMBERS | {"None", "nan", "True", "empty", "blank"},
    "Column.__ne__(value)": TEXTS | _NUMBERS | {"None", "nan", "True", "empty", "blank"},
    **{f"Column.__{than}__(value)": TEXTS | _NUMBERS | {"empty", "blank"} for than in ("lt", "le", "gt", "ge")},
    # ipywidgets makes a Layout of them.
    **{f"{p}(layout)": {"dict", "{'a': 1}"} for p in ("Explorer", "FilterPanel", "ResultTable", "DownloadPanel")},
}  # fmt: skip


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with Mirror() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDC_WIDGETS_RELEASE_URL", f"{running.endpoint}/releases/download")
        for name in ("METADATA", "AWS", "GCS"):
            patch.setenv(f"IDC_WIDGETS_{name}_ENDPOINT", running.endpoint)
        patch.setenv("NO_PROXY", "127.0.0.1")
        assert running.server.export.objects  # made once, outside any test's time
        yield running


@pytest.fixture(scope="module")
def world(mirror: Mirror, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("sweep")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for module in (start_module, job_module):
            patch.setattr(module, "spawn_worker", lambda *_: None)
        patch.setattr(Database, "ensure_cache", lambda *_: None)
        patch.setattr(kernel, "asset", lambda name: "export default {}")
        # What the browser is sent takes a while, and is not what is swept.
        patch.setattr(Part, "_cube_of", lambda *_: {})
        # Of its own, since tables are added to it.
        (folder / "cache").mkdir()
        os.link(catalog.index.database.cache_path, folder / "cache" / catalog.index.database.cache_path.name)
        yield World(Catalog(cache_dir=folder / "cache"), folder)


def _targets() -> dict[str, tuple[str | None, str]]:
    """Return all that is called, as name → (object, attribute); of no object, what is public by itself."""
    found: dict[str, tuple[str | None, str]] = {n: (None, n) for n in functions() if n not in MADE_HERE}
    for thing, owner in THINGS.items():
        for name, called in members(owner, OPERATORS.get(thing, ())):
            if called and f"{thing}.{name}" not in INNER:
                found[f"{thing}.{name}"] = (thing, name)
    return found


TARGETS = _targets()


def _fitting(target: str, parameter: inspect.Parameter) -> set[str]:
    said = str(parameter.annotation)
    fits = {"None"} if "None" in said or parameter.default is None else set()
    fits |= {"True"} if "bool" in said else set()
    fits |= {"function"} if "Callable" in said or "Progress" in said else set()
    return fits | FITS.get(parameter.name, set()) | FITS.get(f"{target}({parameter.name})", set())


@pytest.mark.parametrize("target", TARGETS)
def test_nonsense_is_refused_in_a_sentence(target: str, world: World) -> None:
    thing, name = TARGETS[target]
    call = getattr(idc if thing is None else world.thing(thing), name)
    others = OTHERS.get(target, lambda _: {})
    required = {
        p.name for p in parameters(call) if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    }
    wrong: list[str] = []
    for parameter in parameters(call):
        lacking = required - others(world).keys() - {parameter.name}
        assert not lacking, (
            f"{target} is new: say in OTHERS what it may be given as {lacking} while {parameter} is swept."
        )
        fits = _fitting(target, parameter)
        for label, make in VALUES.items():
            if label == "class" and "function" in fits:
                continue  # what it raises is its own
            value = make()
            given = {k: v for k, v in others(world).items() if k != parameter.name}
            first = [given.pop(p.name) for p in parameters(call) if p.kind is p.VAR_POSITIONAL and p.name in given]
            if parameter.kind is parameter.VAR_POSITIONAL:
                outcome = attempt(functools.partial(call, *first, value, **given), parameter.name, value)
            elif parameter.kind is parameter.VAR_KEYWORD:
                outcome = attempt(functools.partial(call, *first, **given, Modality=value), "Modality", value)
            else:
                outcome = attempt(
                    functools.partial(call, *first, **given, **{parameter.name: value}), parameter.name, value
                )
            if outcome.wrong or (outcome.said is None and label not in fits):
                wrong.append(f"{parameter.name}={label}: {outcome.wrong or 'is taken in silence'}")
    assert not wrong, f"{target}\n" + "\n".join(wrong)


@pytest.mark.parametrize("thing", THINGS)
def test_properties_answer(thing: str, world: World) -> None:
    found = world.thing(thing)
    for name, called in members(THINGS[thing]):
        if not called:
            assert attempt(functools.partial(getattr, found, name), "", None).wrong is None, name
    assert repr(found)


@pytest.mark.parametrize("thing", ["Explorer", "FilterPanel", "ResultTable", "DownloadPanel"])
def test_traits_refuse_nonsense(thing: str, world: World) -> None:
    found = world.thing(thing)
    wrong = []
    for name in ("cohort", "selection", "provider", "height"):
        before = getattr(found, name)
        for label, make in VALUES.items():
            value = make()
            outcome = attempt(functools.partial(setattr, found, name, value), name, value)
            fits = {"None"} if name == "height" or (thing == "DownloadPanel" and name != "provider") else set()
            if outcome.wrong or (outcome.said is None and label not in fits):
                wrong.append(f"{name}={label}: {outcome.wrong or 'is taken in silence'}")
            if outcome.said is not None:
                assert getattr(found, name) == before, (name, label)
            setattr(found, name, before)
    assert not wrong, "\n".join(wrong)


def test_the_walk_finds_what_is_public() -> None:
    assert {"sql", "jobs", "Catalog", "Catalog.sql", "Cohort.from_json", "Job.wait", "Remote.sql", "Cohort.download",
            "Column.__lt__", "Condition.__and__", "Explorer.close"} <= TARGETS.keys()  # fmt: skip
    gone = {each for each in INNER if not hasattr(THINGS[each.split(".")[0]], each.split(".")[1])}
    assert not gone
    unknown = {name for name in OTHERS if name not in TARGETS}
    assert not unknown


def test_a_new_function_must_say_what_else_it_takes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fresh(first: str, second: str) -> None:
        raise AssertionError

    monkeypatch.setattr(idc, "fresh", fresh, raising=False)
    monkeypatch.setitem(TARGETS, "fresh", (None, "fresh"))
    with pytest.raises(AssertionError, match="fresh is new: say in OTHERS"):
        test_nonsense_is_refused_in_a_sentence("fresh", world)


@pytest.mark.parametrize("read", [transfer.parse_bytes, transfer.parse_rate, transfer.check_provider, transfer.folder])
def test_sizes_rates_and_places(read: Callable[[Any], Any]) -> None:
    for label, make in VALUES.items():
        value = make()
        outcome = attempt(functools.partial(read, value), "value", value)
        fits = {"word", "quotes", "markup", "path"} if read is transfer.folder else set()
        assert outcome.wrong is None and (outcome.said is not None or label in fits), (label, outcome)
