"""Exit codes, and which of them an error has."""

from __future__ import annotations

import sqlite3

import duckdb

from idc_widgets.transfer import ResourceError

OK = 0
WRONG = 1  # it ran, and something is wrong
USAGE = 2  # argparse's own
UNCHECKED = 3
UNKNOWN = 4
ENVIRONMENT = 5
LIMITED = 6
INTERRUPTED = 130
BROKEN_PIPE = 141  # 128 + SIGPIPE, as a shell shows it

EXPLAINED = f"""\
exit codes:
  {OK:<4} all right
  {WRONG:<4} it ran and something is wrong: a download ended with failures, files are damaged or missing
  {USAGE:<4} usage or input: an unknown option, column, value, job or file
  {UNCHECKED:<4} verify: nothing wrong was found, but the content of some files was not checked
  {UNKNOWN:<4} some entries of the given list are unknown here; the rest was done
  {ENVIRONMENT:<4} this machine or the network: no connection, a full disk, a folder that cannot be written
  {LIMITED:<4} stopped by --max-bytes; `resume` goes on
  {INTERRUPTED:<4} interrupted (Ctrl-C, SIGTERM)
  {BROKEN_PIPE:<4} whoever read the output has closed it
"""


class InputError(ValueError):
    """What was given on the command line cannot be used; the message is a sentence."""


def code_of(error: BaseException) -> int:
    """Return the exit code of an error that ended a command."""
    if isinstance(error, ResourceError | MemoryError | sqlite3.Error | duckdb.IOException):
        return ENVIRONMENT
    if isinstance(error, ValueError | TypeError | FileNotFoundError | IsADirectoryError | NotADirectoryError):
        return USAGE
    return ENVIRONMENT if isinstance(error, OSError) else WRONG


def sentence_of(error: BaseException) -> str:
    """Return what an error says, on one line; its type where it says nothing."""
    if isinstance(error, OSError) and error.strerror and type(error).__module__ == "builtins":
        name = f"{error.filename}: " if error.filename is not None else ""
        return f"{name}{error.strerror}"
    said = " ".join(str(error).split())
    if not said or not isinstance(error, ValueError | TypeError | OSError | sqlite3.Error | duckdb.Error):
        name = "not enough memory" if isinstance(error, MemoryError) else type(error).__name__
        return f"{name}: {said}" if said else name
    return said
