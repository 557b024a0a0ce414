"""The table of `docs/verification.md` as the oracle of random damage: what can be seen is reported, nothing else.

`IDC_WIDGETS_ROUNDS` and `IDC_WIDGETS_SEED` repeat a campaign.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idc_widgets import Catalog, Cohort, verify
from idc_widgets.transfer import Audit, Item, Job, TransferError
from idc_widgets.transfer.registry import record_path, state_dir
from tests.mirror import SpawnedMirror

from .conftest import STUDY, body, pick
from .verification_oracle import Oracle, Says

Fetch = Callable[..., Job]

LAYOUTS = (
    "%collection_id/%PatientID/%StudyInstanceUID/%Modality_%SeriesInstanceUID",
    "%collection_id/%PatientID",
    "%PatientID/%StudyInstanceUID",
    "",
    "%SeriesInstanceUID",
)
ETAGS = ("md5", "md5", "parts", "odd", "none")
#: What there is to go by: nothing, the receipt of the download, that and a check's records, a check's record alone.
RECORDS = ("none", "receipt", "verified", "record only")
DAMAGES = ("flip", "cut", "empty", "delete", "remove", "rename", "move", "swap", "stranger", "junk", "copy", "header",
           "stray")  # fmt: skip
_ELSEWHERE = ("move", "copy")


def damage(kind: str, root: Path, uid: str, names: set[str], chance: random.Random) -> None:
    """Damage a series, as far as its files are there."""
    files = sorted(path for path in root.rglob("*.dcm") if path.name in names)
    if len(files) < 2:
        return
    one, other = chance.sample(files, 2)
    data = bytearray(one.read_bytes())
    if kind in ("flip", "header"):
        if len(data) > 4000:
            data[chance.randrange(len(data) // 2, len(data)) if kind == "flip" else 129] ^= 255
            one.write_bytes(data)
    elif kind in ("cut", "empty") and data:
        one.write_bytes(data[: 0 if kind == "empty" else chance.randrange(len(data) // 2, len(data))])
    elif kind == "delete":
        one.unlink()
    elif kind == "remove":
        for path in files:
            path.unlink()
    elif kind == "rename":
        one.rename(one.with_name("renamed.dcm"))
    elif kind == "move":
        (root / "moved").mkdir(exist_ok=True)
        for path in files:
            path.rename(root / "moved" / path.name)
    elif kind == "swap":
        one.rename(root / "between")
        other.rename(one)
        (root / "between").rename(other)
    elif kind == "copy":
        (root / "copy").mkdir(exist_ok=True)
        for path in (path for path in files if path.parent == one.parent != root / "copy"):
            shutil.copy(path, root / "copy")
    elif kind == "stray":  # into another series' folder
        folders = sorted({path.parent for path in root.rglob("*.dcm")} - {one.parent})
        if folders:
            one.rename(chance.choice(folders) / one.name)
    else:
        junk = b"x" * 500 if kind == "junk" else bytes(data).replace(uid.encode(), b"9" * len(uid))
        one.with_name("stranger.dcm").write_bytes(junk)


@dataclass
class Campaign:
    mirror: SpawnedMirror
    fetch: Fetch
    catalog: Catalog
    folder: Path
    bases: dict[tuple[str, str], Path] = field(default_factory=dict)
    checks: Counter[str] = field(default_factory=Counter)

    def base(self, layout: str, etags: str) -> Path:
        """Return a folder as downloaded."""
        if (layout, etags) not in self.bases:
            path = self.folder / f"base{len(self.bases)}"
            assert self.fetch(pick(STUDY), path, layout=layout).wait(60)
            self.bases[layout, etags] = path
        return self.bases[layout, etags]

    def check(self, root: Path, oracle: Oracle, *, offline: bool, expect: Cohort | None, what: str) -> None:
        """Check the folder, and that what is said is what the table says."""
        says = oracle.check(offline=offline, expect=expect is not None)
        try:
            found = verify(
                root, catalog=self.catalog, endpoint_url=self.mirror.endpoint, offline=offline, expect=expect
            )
        except TransferError as error:  # nothing is known of it, and nothing in it is of IDC
            assert "holds no series" in str(error) and says.ok is True, f"{what}: {error}, expected {says}"
            return
        self.checks[f"{found.ok}"] += 1
        compare(found, says, f"{what}, {offline=}")

    def run(self, number: int, chance: random.Random) -> None:
        """Damage a folder and check it, again and again; then mend it and check it."""
        layout, etags, records = chance.choice(LAYOUTS), chance.choice(ETAGS), chance.choice(RECORDS)
        self.mirror.set(etags=etags)
        base, root = self.base(layout, etags), self.folder / f"case{number}"
        shutil.copytree(base, root)
        items: tuple[Item, ...] = pick(STUDY)
        truth = {
            item.series_uid: {e.key.rpartition("/")[2]: body(self.mirror, e.key)
                              for e in self.mirror.truth(item.crdc_series_uuid)}
            for item in items
        }  # fmt: skip
        oracle = Oracle(root, truth, etags in ("md5", "parts"))
        wanted = self.catalog.cohort(SeriesInstanceUID=[item.series_uid for item in items])
        expect = wanted if chance.random() < 0.3 else None
        done: list[object] = [layout, etags, records, f"expect={expect is not None}"]
        if records != "none":
            for path in root.rglob("*.dcm"):
                uid = next(uid for uid in truth if path.name in truth[uid])
                oracle.whole.setdefault(uid, set()).add(path.parent)
        if records in ("verified", "record only"):
            self.check(root, oracle, offline=False, expect=None, what=f"{done}")
        if records in ("none", "record only"):
            shutil.rmtree(root / ".idc_widgets")
        kinds = [kind for kind in DAMAGES if oracle.has_md5 or kind not in _ELSEWHERE]
        victims = [item.series_uid for item in items if item.files > 3]
        for n in range(3):
            for _ in range(chance.choice((0, 1, 1, 2, 3) if n == 0 else (0, 0, 1))):
                kind, uid = chance.choice(kinds), chance.choice(victims)
                damage(kind, root, uid, set(truth[uid]), chance)
                done.append(f"{kind} {uid[-4:]}")
            self.check(root, oracle, offline=chance.random() < 0.5, expect=expect if n == 0 else None, what=f"{done}")
            gone = chance.choice(("receipt", "record", "nothing"))  # the other one tells it
            if gone == "receipt":
                shutil.rmtree(root / ".idc_widgets", ignore_errors=True)
            elif gone == "record":
                record_path(root).unlink(missing_ok=True)
            done.append(f"check, {gone} deleted")
        shutil.copytree(base, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".idc_widgets"))
        self.check(root, oracle, offline=chance.random() < 0.5, expect=expect, what=f"{done}, mended")
        shutil.rmtree(root)


def compare(found: Audit, says: Says, what: str) -> None:
    """Compare what was said with what the table says: kinds by series, and files where those can be known."""
    told = {(p.series_uid, p.kind) for p in found.problems}
    right = {(uid, kind) for uid, kind, _ in says.problems}
    exact = {uid for uid, *_ in says.problems} - {uid for uid, _, path in says.problems if path is None}
    assert told == right, f"{what}: {sorted(right - told)} are not told, {sorted(told - right)} are: {found.problems}"
    for uid in exact:
        paths = {(p.kind, p.path) for p in found.problems if p.series_uid == uid}
        assert paths == {(kind, path) for u, kind, path in says.problems if u == uid}, f"{what}: {found.problems}"
    assert found.ok is says.ok, f"{what}: ok={found.ok}, not {says.ok}"
    unchecked = {problem.path for problem in found.unchecked}
    assert unchecked == says.unchecked, f"{what}: unchecked {unchecked ^ says.unchecked}"
    assert set(found.extra) == says.extra, f"{what}: extra {set(found.extra) ^ says.extra}"


def campaign(rounds: int, mirror: SpawnedMirror, fetch: Fetch, catalog: Catalog, folder: Path) -> None:
    seed = int(os.environ.get("IDC_WIDGETS_SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    runs, wrong = Campaign(mirror, fetch, catalog, folder), list[str]()
    for number in range(rounds):
        try:
            runs.run(number, random.Random(chance.random()))
        except AssertionError as error:
            wrong.append(f"case {number}: {str(error)[:900]}")
    print(f"\n{rounds} cases, {runs.checks.total()} checks, seed {seed}: ok {dict(runs.checks)}, {len(wrong)} wrong")
    assert not wrong, f"IDC_WIDGETS_SEED={seed}\n" + "\n".join(wrong[:12])
    assert oct(state_dir().stat().st_mode)[-3:] == "700" or os.name == "nt"


def test_thirty_cases(mirror: SpawnedMirror, fetch: Fetch, catalog: Catalog, tmp_path: Path) -> None:
    campaign(int(os.environ.get("IDC_WIDGETS_ROUNDS") or 30), mirror, fetch, catalog, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_six_hundred_cases(mirror: SpawnedMirror, fetch: Fetch, catalog: Catalog, tmp_path: Path) -> None:
    campaign(600, mirror, fetch, catalog, tmp_path)
