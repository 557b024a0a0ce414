"""What an error of the transport means: try again, give up on this file, or stop the job."""

from __future__ import annotations

import errno
import re
from typing import NamedTuple

Kind = str  #: "transient", "permanent" or "fatal"


class Fault(NamedTuple):
    """A kind and a reason in words."""

    kind: Kind
    reason: str


#: What an object is that is not as listed: whoever tries again has to list again.
CHANGED = "the object is another than the one that was listed"

_RULES: tuple[tuple[str, Kind, str], ...] = (
    (r"no space left|not enough space on the disk|disk quota exceeded|file too large", "fatal", "the disk is full"),
    (r"read-only file system", "fatal", "the destination has become read-only"),
    (r"permission denied|access is denied", "fatal", "the destination may not be written"),
    (r"input/output error", "fatal", "the disk reports an input/output error"),
    (
        r"no such host|server misbehaving|failed to resolve|getaddrinfo",
        "transient",
        "the server's name cannot be resolved",
    ),
    (r"nosuchbucket", "permanent", "the bucket does not exist (404)"),
    (r"no object found", "permanent", "the bucket has no object of this series (404)"),
    (r"nosuchkey|notfound|status code: 404", "permanent", "the object is not in the bucket (404)"),
    (r"accessdenied|forbidden|status code: 403", "permanent", "the server refuses access (403)"),
    (r"status code: 412", "permanent", f"{CHANGED} (412)"),
    (r"slowdown|status code: 503", "transient", "the server is overloaded (503 SlowDown)"),
    (r"status code: 429|toomanyrequests", "transient", "the server asks for fewer requests (429)"),
    (r"status code: 5\d\d|internalerror", "transient", "the server has an internal error (5xx)"),
    (r"connection refused", "transient", "the server refuses the connection"),
    (
        r"connection reset|broken pipe|unexpected eof|\beof\b|incompleteread|closed connection",
        "transient",
        "the connection was cut",
    ),
    (r"x509|certificate", "permanent", "the server's certificate is not trusted: check the CA settings"),
    (r"time(d )?out|deadline exceeded", "transient", "the server did not answer in time"),
    (r"no such file or directory|cannot find the path", "transient", "the destination was removed meanwhile"),
)


#: What fails one series alone: something is in its place, or its folder may not be written.
_IN_THE_WAY = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY, errno.EACCES, errno.EPERM}


def is_in_the_way(error: OSError) -> bool:
    """Whether what a series' files could not be put in their place for concerns this series alone."""
    return error.errno in _IN_THE_WAY


def classify(error: str) -> Fault:
    """Say what an error message of s5cmd means."""
    for pattern, kind, reason in _RULES:
        if re.search(pattern, error, re.IGNORECASE):
            return Fault(kind, reason)
    return Fault("transient", " ".join(error.split())[:300] or "the transfer failed without a message")
