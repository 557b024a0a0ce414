"""The catalogue that a function was given, or else the shared one."""

from __future__ import annotations

from idc_widgets.catalog.catalog import Catalog, default_catalog
from idc_widgets.lib.arguments import shown


def catalog_or_default(catalog: object) -> Catalog:
    """Return a catalogue that was given, or the shared one for None."""
    if catalog is None:
        return default_catalog()
    if not isinstance(catalog, Catalog):
        raise TypeError(f"catalog={shown(catalog)}: an idc.Catalog is wanted, or None for the shared one.")
    return catalog
