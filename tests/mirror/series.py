"""One series of the index as objects of a bucket: their keys, their sizes, and which instance each is."""

from __future__ import annotations

import uuid as uuids
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

NAMESPACE = uuids.UUID("6f1d0d5c-3c0e-5b60-9c57-1d5c6b7a9e01")


@dataclass(frozen=True, eq=False)
class Series:
    """A row of the index.

    Instances are numbered from 0 in the order of InstanceNumber; keys, as in the real buckets, come in an order
    of their own.
    """

    uuid: str
    bucket: str
    count: int
    size: int
    fields: Mapping[str, object]

    def instance_uuid(self, instance: int) -> uuids.UUID:
        """Return the uuid that names the object and makes the SOPInstanceUID."""
        return uuids.uuid5(NAMESPACE, f"{self.uuid}/{instance}")

    def key(self, instance: int) -> str:
        """Return the object's key."""
        return f"{self.uuid}/{self.instance_uuid(instance)}.dcm"

    @cached_property
    def instances(self) -> dict[str, int]:
        """The instance's number by key, in the order of keys."""
        return dict(sorted((self.key(instance), instance) for instance in range(self.count)))

    @cached_property
    def keys(self) -> list[str]:
        """All keys, in order."""
        return list(self.instances)

    def instance_size(self, instance: int) -> int:
        """Return an object's size: nearly the same for all, even wherever the sum allows, summing to exactly `size`."""
        base, rest = self._base_and_rest
        size = base + (2 if instance < rest // 2 else 0)
        if rest % 2 and instance == self.count - 1:
            size += 1
        # Neighbours differ: what one gets, the other gives.
        if instance ^ 1 < self.count:
            wobble = 2 * (zlib.crc32(f"{self.uuid}/{instance // 2}".encode()) % (base // 4000 + 1))
            size += -wobble if instance % 2 else wobble
        return size

    @property
    def smallest(self) -> int:
        """A size that no object of the series falls below."""
        base, _ = self._base_and_rest
        return base - 2 * (base // 4000) if self.count > 1 else self.size

    @property
    def _base_and_rest(self) -> tuple[int, int]:
        base = self.size // self.count // 2 * 2
        return base, self.size - base * self.count

    def text(self, column: str) -> str:
        """Return a field as text, empty where it is missing."""
        value = self.fields[column]
        return "" if value is None else str(value)
