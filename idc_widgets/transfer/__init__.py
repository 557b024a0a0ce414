"""Getting the images: a download is a detached process with a journal, and everyone else looks on.

Useful from a plain script; it imports nothing of the catalogue or of the notebook.
"""

from .job import Job, jobs
from .model import Item, Progress, Provider, State, TransferError
from .paths import DEFAULT_LAYOUT, layout_keys
from .plan import Plan, plan
from .space import Destination, describe_destination, free_space
from .start import check_room, start
from .units import human_bytes

__all__ = [
    "DEFAULT_LAYOUT",
    "Destination",
    "Item",
    "Job",
    "Plan",
    "Progress",
    "Provider",
    "State",
    "TransferError",
    "check_room",
    "describe_destination",
    "free_space",
    "human_bytes",
    "jobs",
    "layout_keys",
    "plan",
    "start",
]
