"""What a download would do, as the browser is told it."""

from __future__ import annotations

from typing import Any

from idc_widgets import transfer
from idc_widgets.api import Cohort
from idc_widgets.catalog.licences import forbids_commercial_use
from idc_widgets.lib.format import human_bytes

_EXAMPLES = 3
_PROVIDERS = {"aws": "AWS", "gcs": "Google Cloud"}


def of(cohort: Cohort, destination: object, provider: transfer.Provider) -> dict[str, Any]:
    """Return the plan of a cohort's download: figures, and in words what there is to say."""
    # Before the plan, so that a series that ends meanwhile is told as coming or as there, never as neither.
    folder = transfer.folder(destination)
    coming = {j.id: j.series_uids(unfinished=True) for j in transfer.jobs(folder) if j.state not in transfer.ENDED}
    plan = cohort.download(folder, provider=provider, dry_run=True)
    planned = {uid for uid, _ in plan.folders}
    under_way = [(job, len(planned.intersection(uids)), len(uids)) for job, uids in coming.items()]
    return {
        "provider": _PROVIDERS[plan.provider],
        "series": plan.series,
        "series_present": plan.series_present,
        "series_unverified": plan.series_unverified,
        # What is to be copied where it is on this disk under another layout.
        "series_elsewhere": plan.series_elsewhere if plan.reuse else 0,
        "to_fetch": plan.to_fetch,
        "need": plan.need,
        # Downloads that are to bring some of it: how many series, and whether nothing beside those.
        "under_way": [{"job": job, "series": n, "alone": n == of} for job, n, of in under_way if n],
        "free": plan.free,
        "seconds": plan.seconds,
        "problem": plan.problem,
        # Where long paths do not work, that is a problem; elsewhere it only matters once the folder moves.
        "warnings": bool(plan.renamed or plan.moved_aside or plan.shortened),
        "licences": [
            {"name": name, "series": series, "bytes": size, "noncommercial": forbids_commercial_use(name)}
            for name, series, size in plan.licences
        ],
        "lines": _lines(plan),
    }


def _lines(plan: transfer.Plan) -> list[tuple[str, str]]:
    size = human_bytes
    lines = [
        ("Destination", str(plan.path)),
        ("Holds", f"{plan.series:,} series, {plan.files:,} files, {size(plan.bytes)}"),
        *plan.there(),
        ("To fetch", f"{size(plan.to_fetch)} from {_PROVIDERS[plan.provider]}"),
    ]
    if plan.need != plan.to_fetch:
        lines.append(("To write", size(plan.need)))
    if plan.free is not None:
        left = plan.free - plan.need
        after = f"{size(left)} after it" if left >= 0 else f"{size(-left)} too little"
        lines.append(("Free space", f"{size(plan.free)}, {after}"))
    found = [(what, folders) for what, folders in plan.names() if folders]
    for what, folders in found:
        examples = ", ".join(folder for _, folder in folders[:_EXAMPLES])
        lines.append((what, f"{len(folders):,} series, such as {examples}"))
    if not found:
        lines.append(("Paths", "safe on Linux, macOS and Windows"))
    return lines
