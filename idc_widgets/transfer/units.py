"""Sizes and rates as people write them."""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Integral

from idc_widgets.lib.arguments import shown

from .model import TransferError

_LETTERS = "kmgtp"
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)(\s*/\s*s(?:ec(?:ond)?)?)?")
_LARGEST = 2**63 - 1  # what a journal holds
_LEAST_RATE = 1000  # a request alone costs about as much


def parse_bytes(value: object, name: str = "max_bytes") -> int:
    """Return a size in bytes.

    Parameters
    ----------
    value
        A whole number of bytes, or text: "5 GB", "500MB", "1.5 TiB", "800000". kB, MB, GB, TB and PB are units of
        1,000, KiB, MiB, GiB, TiB and PiB of 1,024.
    name
        What an error calls it.

    Raises
    ------
    TransferError
        If it is no size above 0.
    """
    return _parsed(value, name, 'a number of bytes above 0, or a size such as "5 GB" or "1.5 TiB"', of_time=False)


def parse_rate(value: object, name: str = "bandwidth") -> int:
    """Return a rate in bytes a second.

    Parameters
    ----------
    value
        A whole number of bytes a second, or text: "20 MB/s", "1.5 MiB/s", "500kB", and in bits "100 Mbit/s".
    name
        What an error calls it.

    Raises
    ------
    TransferError
        If it is no rate of at least 1 kB/s.
    """
    rate = _parsed(value, name, 'bytes a second as a number, or a rate such as "20 MB/s" or "100 Mbit/s"', of_time=True)
    if rate < _LEAST_RATE:
        raise TransferError(f"{name}={shown(value)} is too little: at least 1 kB/s is needed.")
    return rate


def _parsed(value: object, name: str, right: str, *, of_time: bool) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Integral) and not isinstance(value, bool):
        size = Decimal(int(value))
    else:
        found = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
        factor = _factor(found.group(2), name, value, of_time) if found else None
        if found is None or factor is None or (found.group(3) and not of_time):
            raise TransferError(f"{name}={shown(value)}: {right} is needed.")
        size = Decimal(found.group(1)) * factor
    if size > _LARGEST:
        raise TransferError(f"{name}={shown(value)} is more than there is: leave it out for no limit.")
    if size < 1:
        raise TransferError(f"{name}={shown(value)}: {right} is needed.")
    return int(size)


def _factor(unit: str, name: str, value: object, of_time: bool) -> Decimal | None:
    """Return how many bytes a unit is; None where there is no such unit."""
    if of_time and unit.endswith("Bps"):
        unit = unit[:-2]
    lower = unit.lower()
    if of_time and (bits := re.fullmatch(r"([kmgt]?)(?:bits?|bps)", lower)):
        return Decimal(1000) ** (_LETTERS.find(bits.group(1)) + 1 if bits.group(1) else 0) / 8
    if lower in ("", "b", "byte", "bytes"):
        if unit == "b" and of_time:
            raise TransferError(f'{name}={shown(value)}: is that bits or bytes? Write "B/s" or "bit/s".')
        return Decimal(1)
    known = re.fullmatch(r"([kmgtp])(i?)b?", lower)
    if known is None:
        return None
    # A small b after a letter is a bit to some and a byte to others: eight times as much.
    if unit.endswith("b") and (of_time or not unit.islower()):
        letter = unit[0].upper() if unit[0] not in "kK" else "k"
        bit = f" or {letter}bit/s" if of_time else ""
        raise TransferError(f'{name}={shown(value)}: is "{unit}" bits or bytes? Write {letter}{unit[1:-1]}B{bit}.')
    return Decimal(1024 if known.group(2) else 1000) ** (_LETTERS.index(known.group(1)) + 1)
