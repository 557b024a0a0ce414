"""The catalogue that functions and widgets share when none is given."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from idc_widgets.catalog.index import Index
from idc_widgets.lib.arguments import shown

if TYPE_CHECKING:
    from idc_widgets.api.catalog import Catalog


def _unset() -> Catalog:
    raise RuntimeError("`import idc_widgets` makes the shared catalogue known")


#: Makes a catalogue. Set by the module of `Catalog`, which is above the cohorts that ask for one.
make: Callable[[], Catalog] = _unset


@functools.cache
def default_catalog() -> Catalog:
    """Return the catalogue that is shared when none is given."""
    return make()


def is_catalog(value: object) -> bool:
    """Whether a value is an `idc.Catalog`."""
    return isinstance(getattr(value, "index", None), Index)


def catalog_or_default(catalog: object) -> Catalog:
    """Return a catalogue that was given, or the shared one for None."""
    if catalog is None:
        return default_catalog()
    if not is_catalog(catalog):
        raise TypeError(f"catalog={shown(catalog)}: an idc.Catalog is wanted, or None for the shared one.")
    return catalog  # type: ignore[return-value]
