"""Run the mirror: ``python -m tests.mirror --port 9000``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from .faults import Fault
from .mirror import Mirror


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.mirror", description="A small IDC on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--delay-ms", type=float, default=0, help="what every request waits")
    parser.add_argument("--rate-mb", type=float, help="megabytes a second that all clients get together")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="RULE",
        help="what goes wrong, such as kind=status,status=503,match=*.dcm,times=2; may be repeated",
    )
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that holds stdin")
    arguments = parser.parse_args()
    try:
        faults = [Fault.parse(text) for text in arguments.fault]
    except ValueError as problem:
        parser.error(f"--fault: {problem}")
    try:
        mirror = Mirror(arguments.port, arguments.host, arguments.delay_ms, arguments.rate_mb)
    except (OSError, OverflowError) as problem:
        parser.error(f"cannot listen on {arguments.host} port {arguments.port}: {problem}")
    for fault in faults:
        mirror.faults.append(fault)

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    if arguments.until_stdin_closes:

        def watch() -> None:
            # Not sys.stdin.read(): it would hold a lock that the interpreter wants at its end.
            while os.read(0, 1 << 12):
                pass
            ended.set()

        threading.Thread(target=watch, daemon=True).start()
    print(f"mirror on {mirror.endpoint}", flush=True)
    # In steps, since Windows does not interrupt a wait without end.
    while not ended.wait(0.5):
        pass
    mirror.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
