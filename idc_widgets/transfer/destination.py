"""What a destination's text means: one absolute folder of this machine, the same for everyone who is given it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from idc_widgets.lib.arguments import shown

from .model import TransferError
from .registry import real_destination

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # two letters or more: one is a Windows drive
_DRIVE = re.compile(r"[A-Za-z]:")
_LONGEST_NAME = 255  # bytes, of file systems
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})|%(\w+)%")


def folder(value: object, what: str = "download into") -> Path:
    """Return the one absolute path that a destination means, in whatever spelling.

    Blanks and a pair of quotation marks around it are left out; ``~`` and variables of the environment are expanded.

    Parameters
    ----------
    value
        Text or a path.
    what
        What the folder is for, in the sentence for a value that names none.

    Raises
    ------
    TransferError
        When it can be no folder of this machine.
    """
    try:
        given: Any = os.fspath(value)  # type: ignore[call-overload]
    except TypeError:
        given = None
    if not isinstance(given, str):
        raise TransferError(f"{shown(value)} is no path: name a folder to {what}, such as 'data'")
    text = given.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text or text in "\"'":
        raise TransferError(f"name a folder to {what}")
    if _CONTROL.search(text):
        raise TransferError(f"{shown(text)} holds characters that no folder's name has, such as a line break or NUL")
    if _URL.match(text) or text.lower().startswith("file:"):
        raise TransferError(f"{text} is an address; name a folder of this machine")
    try:
        os.fsencode(text)
        if sys.platform != "win32":
            _refuse_windows(text)
        found = real_destination(_expanded(text))
        if any(len(os.fsencode(part)) > _LONGEST_NAME for part in found.parts):
            raise TransferError(
                f"{shown(text)} holds a name longer than {_LONGEST_NAME} bytes, the most that one can have"
            )
        return found
    except TransferError:
        raise
    except RuntimeError:  # expanduser knows no such home
        raise TransferError(f"{text}: there is no such home folder on this machine") from None
    except UnicodeError:
        raise TransferError(f"{shown(text)} holds characters that a folder's name cannot have here") from None
    except OSError as error:
        raise TransferError(f"{shown(text)} cannot be a folder: {error.strerror or error}") from error


def _refuse_windows(text: str) -> None:
    if _DRIVE.match(text) or text.startswith("\\\\"):
        raise TransferError(f"{text} is a path of Windows; on this machine write one such as {Path.home()}/data")
    if "\\" in text and not Path(text).exists():
        meant = text.replace("\\ ", " ").replace("\\", "/")
        raise TransferError(f"{text}: here / separates folders and a blank needs no backslash; write {meant}")


def _expanded(text: str) -> str:
    """Return a path with its variables replaced; a folder whose name only looks like one is left as it is."""
    found = list(_VARIABLE.finditer(text))
    if not found:
        return text
    end = re.search(r"[/\\]|$", text[found[-1].end() :])
    if end is not None and Path(text[: found[-1].end() + end.start()]).expanduser().is_dir():
        return text

    def value(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None)
        if not os.environ.get(name):
            raise TransferError(f"{text}: there is no environment variable {name!r} here; write the folder out")
        return os.environ[name]

    return _VARIABLE.sub(value, text)
