"""Children that die with their parent, however the parent dies, as far as each system allows."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

#: Called when the child has ended, to let go of whatever guarded it.
Release = Callable[[], None]


def tie_to_parent(command: Sequence[str], **options: Any) -> tuple[subprocess.Popen[bytes], Release | None]:
    """Start a child in a session of its own that ends when this process does.

    Linux: the parent-death signal, set between fork and exec; so call this on the main thread, since the signal
    fires when the thread that forked ends. Windows: a job object that kills its members when its last handle
    goes. Elsewhere: a small shell that waits for the end of a pipe from us and then kills.
    """
    if sys.platform == "linux":
        return subprocess.Popen(command, start_new_session=True, preexec_fn=_die_with_parent(), **options), None
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        process = subprocess.Popen(command, creationflags=flags, **options)
        with contextlib.suppress(OSError):
            _join_kill_on_close_job(process)
        return process, None
    process = subprocess.Popen(command, start_new_session=True, **options)
    return process, _shell_watchdog(process.pid)


def _shell_watchdog(pid: int) -> Release:
    read, write = os.pipe()
    try:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", f"read line || kill -KILL -{pid} 2>/dev/null"],
            stdin=read,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        os.close(read)

    def release() -> None:
        with contextlib.suppress(OSError):
            os.write(write, b"\n")  # `read` succeeds: nothing to kill
        os.close(write)
        guard.wait()

    return release


if sys.platform == "linux":

    def _die_with_parent() -> Callable[[], None]:
        # Everything is looked up before the fork: between fork and exec only plain calls are safe.
        prctl, parent, getppid, leave = ctypes.CDLL(None).prctl, os.getpid(), os.getppid, os._exit

        def between_fork_and_exec() -> None:
            prctl(1, int(signal.SIGKILL), 0, 0, 0)  # PR_SET_PDEATHSIG
            if getppid() != parent:  # it died before we asked
                leave(1)

        return between_fork_and_exec


if sys.platform == "win32":
    from ctypes import wintypes

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    _job: list[int] = []  # the handle lives, and so do its members, as long as this process

    def _join_kill_on_close_job(process: subprocess.Popen[bytes]) -> None:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.CreateJobObjectW.restype = wintypes.HANDLE
        if not _job:
            handle = kernel.CreateJobObjectW(None, None)
            limits = _ExtendedLimits()
            limits.BasicLimitInformation.LimitFlags = 0x2000  # JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
            kernel.SetInformationJobObject(wintypes.HANDLE(handle), 9, ctypes.byref(limits), ctypes.sizeof(limits))
            _job.append(handle)
        member = int(process._handle)  # type: ignore[attr-defined]  # there is no public way to it
        kernel.AssignProcessToJobObject(wintypes.HANDLE(_job[0]), wintypes.HANDLE(member))
