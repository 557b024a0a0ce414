"""A small IDC on loopback: an anonymous S3 server in front of the true index.

For every series of the index it has `instanceCount` objects that are valid DICOM of that series and amount to exactly
the index's bytes, made when asked for and always the same. What it can do wrong, it does by rule. At
`/releases/download` it has the tables that IDC publishes beside the index, made up to agree with it.

    with Mirror.spawn() as mirror:
        mirror.faults.add("status", status=503, times=2)
        ...  # use mirror.endpoint
        assert mirror.requests()["GET"] == 42
        assert path.read_bytes() == mirror.body(key)
"""

from .faults import Fault
from .mirror import Mirror, SpawnedMirror
from .objects import Listed

__all__ = ["Fault", "Listed", "Mirror", "SpawnedMirror"]
