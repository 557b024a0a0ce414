"""Getting the images: a download is a detached process with a journal, and everyone else looks on.

Useful from a plain script; it imports nothing of the catalogue or of the notebook.
"""

from .audit import Audit, Problem, audit
from .board import Board, Entry
from .documents import Documents
from .job import Job, jobs
from .model import ENDED, Item, Progress, Provider, Snapshot, State, Status, TransferError, Verify
from .paths import DEFAULT_LAYOUT, layout_keys
from .plan import Plan, plan
from .space import Destination, describe_destination, free_space
from .start import DEFAULT_WORKERS, check_room, check_verify, start
from .units import human_bytes

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
    "Snapshot",
    "State",
    "Status",
    "TransferError",
    "Verify",
    "audit",
    "check_room",
    "check_verify",
    "describe_destination",
    "free_space",
    "human_bytes",
    "jobs",
    "layout_keys",
    "plan",
    "start",
]
