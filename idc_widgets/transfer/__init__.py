"""Getting the images: a download is a detached process with a journal, and everyone else looks on.

Useful from a plain script; it imports nothing of the catalogue or of the notebook.
"""

from .audit import audit
from .board import Board, Entry
from .destination import folder
from .documents import Documents
from .findings import Audit, Problem
from .job import Job
from .listing import listings
from .machine import jobs
from .model import (
    ENDED,
    Item,
    Progress,
    Provider,
    ResourceError,
    Reuse,
    Snapshot,
    State,
    Status,
    TransferError,
    Verify,
)
from .paths import DEFAULT_LAYOUT, layout_keys
from .plan import Plan, make, plan
from .providers import bucket_at
from .registry import check_state_dir
from .space import Destination, describe_destination, free_space
from .start import begin, check_room, start
from .units import parse_bytes, parse_rate
from .validate import DEFAULT_WORKERS, Wish, check_layout, check_provider, wish
from .waiting import has_stopped

__all__ = [
    "DEFAULT_LAYOUT",
    "DEFAULT_WORKERS",
    "ENDED",
    "Audit",
    "Board",
    "Destination",
    "Documents",
    "Entry",
    "Item",
    "Job",
    "Plan",
    "Problem",
    "Progress",
    "Provider",
    "ResourceError",
    "Reuse",
    "Snapshot",
    "State",
    "Status",
    "TransferError",
    "Verify",
    "Wish",
    "audit",
    "begin",
    "bucket_at",
    "check_layout",
    "check_provider",
    "check_room",
    "check_state_dir",
    "describe_destination",
    "folder",
    "free_space",
    "has_stopped",
    "jobs",
    "layout_keys",
    "listings",
    "make",
    "parse_bytes",
    "parse_rate",
    "plan",
    "start",
    "wish",
]
