"""Starting a worker that outlives whoever started it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .model import TransferError
from .registry import log_path, make_private
from .turns import queue_up

# The intermediate starts the worker and exits, so that the worker is nobody's child: a kernel that kills its
# descendants at shutdown (as on Windows) does not find it, and it leaves no zombie.
_INTERMEDIATE = """
import os, sys
if sys.platform == "win32":
    import subprocess
    flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        subprocess.Popen(sys.argv[1:], creationflags=flags | subprocess.CREATE_BREAKAWAY_FROM_JOB)
    except OSError:
        subprocess.Popen(sys.argv[1:], creationflags=flags)
elif os.fork() == 0:
    os.setsid()
    os.execv(sys.argv[1], sys.argv[1:])
"""

# The worker needs a few modules of `transfer` alone: empty parents in the packages' place save the import of all the
# rest, which is more than the worker itself in time and memory.
_WORKER = """
import sys, types
folder = sys.argv.pop(1)
for name, path in (("idc_widgets", folder), ("idc_widgets.transfer", folder + "/transfer")):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
from idc_widgets.transfer.worker import main
main(*sys.argv[1:])
"""


def spawn_worker(journal: Path, job_id: str) -> None:
    """Start a job's worker, detached, and return at once."""
    if not sys.executable:
        raise TransferError("this Python does not say where its executable is (sys.executable is empty)")
    package = Path(__file__).resolve().parent.parent
    log = log_path(journal, job_id)
    make_private(log.parent)
    queue_up(journal, job_id)  # here, since workers may begin in another order than they were asked for
    worker = [sys.executable, "-c", _WORKER, str(package), str(journal), job_id]
    with log.open("ab") as output:
        intermediate = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _INTERMEDIATE, *worker],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=log.parent,  # neither the notebook's folder nor the destination is held
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=sys.platform != "win32",
        )
    try:
        code = intermediate.wait(30)
    except subprocess.TimeoutExpired:
        code = -1
    if code != 0:
        raise TransferError(f"the download process could not be started; {log} has the details")
